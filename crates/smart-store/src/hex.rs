//! Octets as lower-case hexadecimal digits: safe in file names on every file system.

/// The digits.
pub(crate) fn encode(octets: &[u8]) -> String {
    octets.iter().flat_map(|octet| [octet >> 4, octet & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// The octets, if `text` is exactly `N` of them in lower case.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N.checked_mul(2)? || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        let value = char::from(high).to_digit(16)? << 4 | char::from(low).to_digit(16)?;
        *octet = u8::try_from(value).ok()?;
    }
    Some(octets)
}

/// The octets of a text of any even length, if it is in lower case.
#[cfg(feature = "file")]
pub(crate) fn decode_all(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(decode::<1>));
    pairs.map(|octet| octet.map(|[octet]| octet)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-79: names survive the way there and back, and a wrong name is none.
    #[test]
    fn hexadecimal_there_and_back() {
        assert_eq!(encode(&[0, 1, 0xab, 0xff]), "0001abff");
        assert_eq!(decode("0001abff"), Some([0, 1, 0xab, 0xff]));
        for wrong in ["0001abf", "0001abff0", "0001ABFF", "0001abfg", "+001abff", ""] {
            assert_eq!(decode::<4>(wrong), None, "{wrong}");
        }
    }
}
