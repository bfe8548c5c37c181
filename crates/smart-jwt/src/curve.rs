//! The two curves, and whether a point lies on one: both backends refuse the same keys, when a key is read.
//!
//! Only public numbers are computed with here, so nothing has to take constant time.

/// Little-endian limbs with one to spare, so that the sum of two numbers below the modulus fits.
type Number = [u64; 7];

const P256_P: Number = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001, 0, 0, 0];
const P256_B: Number =
    [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7, 0, 0, 0];
const P384_P: Number = [
    0x0000_0000_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0,
];
const P384_B: Number = [
    0x2a85_c8ed_d3ec_2aef,
    0xc656_398d_8a2e_d19d,
    0x0314_088f_5013_875a,
    0x181d_9c6e_fe81_4112,
    0x988e_056b_e3f8_2d19,
    0xb331_2fa7_e23e_e7e4,
    0,
];

/// A curve that is spoken here (RFC 7518, section 6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// By its JOSE name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384].into_iter().find(|curve| curve.name() == name)
    }

    /// The JOSE name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// The octets of a coordinate and of a private key.
    pub(crate) const fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// Whether the point lies on the curve: `y² = x³ - 3x + b`. The point at infinity has no coordinates.
    pub(crate) fn contains(self, x: &[u8], y: &[u8]) -> bool {
        let (p, b) = match self {
            Self::P256 => (&P256_P, &P256_B),
            Self::P384 => (&P384_P, &P384_B),
        };
        let (Some(x), Some(y)) = (number(x), number(y)) else { return false };
        if !less(&x, p) || !less(&y, p) {
            return false;
        }
        let x_cubed = multiply(&multiply(&x, &x, p), &x, p);
        let three_x = add(&add(&x, &x, p), &x, p);
        // Left: y² + 3x. Right: x³ + b.
        add(&multiply(&y, &y, p), &three_x, p) == add(&x_cubed, b, p)
    }
}

/// From big-endian octets; `None` when there are too many.
fn number(octets: &[u8]) -> Option<Number> {
    let mut limbs = [0; 7];
    if octets.len() > 48 {
        return None;
    }
    for (limb, chunk) in limbs.iter_mut().zip(octets.rchunks(8)) {
        *limb = chunk.iter().fold(0, |value, octet| value << 8 | u64::from(*octet));
    }
    Some(limbs)
}

fn less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn add(a: &Number, b: &Number, modulus: &Number) -> Number {
    let mut sum = [0; 7];
    let mut carry = false;
    for (out, (a, b)) in sum.iter_mut().zip(a.iter().zip(b)) {
        let (half, over) = a.overflowing_add(*b);
        let (whole, over_again) = half.overflowing_add(u64::from(carry));
        (*out, carry) = (whole, over || over_again);
    }
    if less(&sum, modulus) { sum } else { subtract(&sum, modulus) }
}

fn subtract(a: &Number, b: &Number) -> Number {
    let mut difference = [0; 7];
    let mut borrow = false;
    for (out, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
        let (half, under) = a.overflowing_sub(*b);
        let (whole, under_again) = half.overflowing_sub(u64::from(borrow));
        (*out, borrow) = (whole, under || under_again);
    }
    difference
}

/// By doubling and adding: slow, and fast enough for reading keys.
fn multiply(a: &Number, b: &Number, modulus: &Number) -> Number {
    let mut product = [0; 7];
    for limb in a.iter().rev() {
        for bit in (0..64).rev() {
            product = add(&product, &product, modulus);
            if limb >> bit & 1 == 1 {
                product = add(&product, b, modulus);
            }
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// ID-25 (RFC 7518 6.2; SEC 2): the generator of each curve lies on it, and no neighbour does.
    #[test]
    fn generators_lie_on_their_curves() {
        let points = [
            (
                Curve::P256,
                "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
                "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            ),
            (
                Curve::P384,
                "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
                "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
            ),
        ];
        for (curve, x, y) in points {
            let (x, y) = (octets(x), octets(y));
            assert!(curve.contains(&x, &y));
            for at in 0..curve.octets() {
                let mut wrong = x.clone();
                wrong[at] ^= 1;
                assert!(!curve.contains(&wrong, &y), "{at}");
            }
            let other = if curve == Curve::P256 { Curve::P384 } else { Curve::P256 };
            assert!(!other.contains(&x, &y));
        }
    }

    /// ID-25: coordinates at or above the modulus, and the zero point, are no points.
    #[test]
    fn coordinates_outside_the_field_are_refused() {
        for curve in [Curve::P256, Curve::P384] {
            assert!(!curve.contains(&vec![0xff; curve.octets()], &vec![0xff; curve.octets()]));
            assert!(!curve.contains(&vec![0; curve.octets()], &vec![0; curve.octets()]));
        }
    }
}
