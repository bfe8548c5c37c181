//! The numbers of a private key, in the one form that both backends are fed from.

use crate::backend;
use crate::curve::Curve;
use crate::der::{self, Octets, Reader};
use crate::error::KeyError;
use crate::pem::Wrapping;
use crate::public_key::{coordinates, ec_members, rsa_members};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// A private key. Its secret numbers are overwritten on drop.
pub(crate) enum PrivateKey {
    Rsa(Box<RsaNumbers>),
    Ec(EcNumbers),
}

/// RFC 8017, section 3.2: with the factors, which every library wants for speed.
pub(crate) struct RsaNumbers {
    n: Vec<u8>,
    e: Vec<u8>,
    /// `d`, `p`, `q`, `dp`, `dq`, `qi`.
    secret: [Octets; 6],
}

/// RFC 7518, section 6.2.2. All three have the curve's size.
pub(crate) struct EcNumbers {
    curve: Curve,
    d: Octets,
    x: Vec<u8>,
    y: Vec<u8>,
}

const RSA_SECRET: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

impl PrivateKey {
    /// From a private JWK.
    pub(crate) fn from_jwk(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let number = |member: &'static str| {
            let text = members.get(member).and_then(Value::as_str).ok_or(KeyError::Member { member })?;
            URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| KeyError::Member { member })
        };
        match members.get("kty").and_then(Value::as_str) {
            Some("RSA") if members.contains_key("oth") => Err(KeyError::Unsupported),
            Some("RSA") => {
                let mut secret: [Octets; 6] = Default::default();
                for (octets, name) in secret.iter_mut().zip(RSA_SECRET) {
                    *octets = number(name)?;
                }
                Ok(Self::Rsa(Box::new(RsaNumbers { n: number("n")?.to_vec(), e: number("e")?.to_vec(), secret })))
            }
            Some("EC") => {
                let curve = members.get("crv").and_then(Value::as_str).and_then(Curve::from_name);
                let curve = curve.ok_or(KeyError::Unsupported)?;
                let d = number("d")?;
                if d.len() != curve.octets() {
                    return Err(KeyError::Member { member: "d" });
                }
                Ok(Self::Ec(EcNumbers { curve, d, x: number("x")?.to_vec(), y: number("y")?.to_vec() }))
            }
            Some(_) => Err(KeyError::Unsupported),
            None => Err(KeyError::Member { member: "kty" }),
        }
    }

    /// From DER: PKCS#8 (RFC 5208), PKCS#1 (RFC 8017, appendix A.1.2) or SEC 1 (RFC 5915).
    pub(crate) fn from_der(wrapping: Wrapping, der: &[u8]) -> Result<Self, KeyError> {
        match wrapping {
            Wrapping::Pkcs8 => pkcs8(der),
            Wrapping::Pkcs1 => pkcs1(der),
            Wrapping::Sec1 => sec1(der, None),
        }
    }

    /// The curve; `None` for RSA.
    pub(crate) fn curve(&self) -> Option<Curve> {
        match self {
            Self::Rsa(_) => None,
            Self::Ec(ec) => Some(ec.curve),
        }
    }

    /// As PKCS#8, the way that both libraries read it.
    pub(crate) fn to_pkcs8(&self) -> Octets {
        let (algorithm, key) = match self {
            Self::Rsa(rsa) => {
                let mut parts = vec![der::unsigned(&[]), der::unsigned(&rsa.n), der::unsigned(&rsa.e)];
                parts.extend(rsa.secret.iter().map(|number| der::unsigned(number)));
                let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
                let name = der::element(der::OBJECT_ID, &[der::RSA_ENCRYPTION]);
                (der::element(der::SEQUENCE, &[&name, &[der::NULL, 0]]), der::element(der::SEQUENCE, &parts))
            }
            Self::Ec(ec) => {
                let private = der::element(der::OCTET_STRING, &[&ec.d]);
                // No unused bits; 4: both coordinates follow.
                let point = der::element(der::BIT_STRING, &[&[0, 4], &ec.x, &ec.y]);
                let point = der::element(der::CONTEXT_1, &[&point]);
                let (name, curve) = (
                    der::element(der::OBJECT_ID, &[der::EC_PUBLIC_KEY]),
                    der::element(der::OBJECT_ID, &[curve_id(ec.curve)]),
                );
                (
                    der::element(der::SEQUENCE, &[&name, &curve]),
                    der::element(der::SEQUENCE, &[&der::unsigned(&[1]), &private, &point]),
                )
            }
        };
        let key = der::element(der::OCTET_STRING, &[&key]);
        der::element(der::SEQUENCE, &[&der::unsigned(&[]), &algorithm, &key])
    }

    /// The members of the public JWK.
    pub(crate) fn public_members(&self) -> Map<String, Value> {
        match self {
            Self::Rsa(rsa) => rsa_members(&rsa.n, &rsa.e),
            Self::Ec(ec) => ec_members(ec.curve, &ec.x, &ec.y),
        }
    }

    /// The members that a private JWK has besides (RFC 7518, sections 6.2.2 and 6.3.2). Overwrite them after use.
    pub(crate) fn secret_members(&self) -> Map<String, Value> {
        match self {
            Self::Rsa(rsa) => RSA_SECRET
                .iter()
                .zip(&rsa.secret)
                .map(|(name, number)| {
                    ((*name).to_owned(), URL_SAFE_NO_PAD.encode(der::without_leading_zeros(number)).into())
                })
                .collect(),
            Self::Ec(ec) => Map::from_iter([("d".to_owned(), URL_SAFE_NO_PAD.encode(&ec.d).into())]),
        }
    }
}

fn pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let mut outer = Reader::new(der);
    let mut info = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    // 0: RFC 5208. 1: RFC 5958, which may append the public key.
    if !matches!(info.unsigned()?, [] | [1]) {
        return Err(KeyError::Encoding);
    }
    let mut algorithm = Reader::new(info.read(der::SEQUENCE)?);
    let name = algorithm.read(der::OBJECT_ID)?;
    let key = info.read(der::OCTET_STRING)?;
    match name {
        der::RSA_ENCRYPTION => {
            algorithm.read_optional(der::NULL)?;
            algorithm.end()?;
            pkcs1(key)
        }
        der::EC_PUBLIC_KEY => {
            let curve = curve_of(algorithm.read(der::OBJECT_ID)?)?;
            algorithm.end()?;
            sec1(key, Some(curve))
        }
        _ => Err(KeyError::Unsupported),
    }
}

fn pkcs1(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let mut outer = Reader::new(der);
    let mut key = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    match key.unsigned()? {
        [] => {}
        // More than two factors.
        [1] => return Err(KeyError::Unsupported),
        _ => return Err(KeyError::Encoding),
    }
    let (n, e) = (key.unsigned()?.to_vec(), key.unsigned()?.to_vec());
    let mut secret: [Octets; 6] = Default::default();
    for octets in &mut secret {
        *octets = Zeroizing::new(key.unsigned()?.to_vec());
    }
    key.end()?;
    Ok(PrivateKey::Rsa(Box::new(RsaNumbers { n, e, secret })))
}

fn sec1(der: &[u8], outer_curve: Option<Curve>) -> Result<PrivateKey, KeyError> {
    let mut outer = Reader::new(der);
    let mut key = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    if key.unsigned()? != [1] {
        return Err(KeyError::Encoding);
    }
    let private = key.read(der::OCTET_STRING)?;
    let own_curve = match key.read_optional(der::CONTEXT_0)? {
        None => None,
        Some(parameters) => {
            let mut parameters = Reader::new(parameters);
            let curve = curve_of(parameters.read(der::OBJECT_ID).map_err(|_| KeyError::Unsupported)?)?;
            parameters.end()?;
            Some(curve)
        }
    };
    let curve = match (outer_curve, own_curve) {
        (Some(outer), Some(own)) if outer != own => return Err(KeyError::Mismatch),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(KeyError::Unsupported),
    };
    let size = curve.octets();
    let private = der::without_leading_zeros(private);
    let Some(missing) = size.checked_sub(private.len()) else { return Err(KeyError::Encoding) };
    let mut d = Zeroizing::new(vec![0; missing]);
    d.extend_from_slice(private);
    let computed;
    let point = if let Some(wrapped) = key.read_optional(der::CONTEXT_1)? {
        let mut wrapped = Reader::new(wrapped);
        let bits = wrapped.read(der::BIT_STRING)?;
        wrapped.end()?;
        bits.strip_prefix(&[0]).ok_or(KeyError::Encoding)?
    } else {
        computed = backend::public_point(curve, &d)?;
        &computed
    };
    key.end()?;
    let (x, y) = coordinates(curve, point)?;
    Ok(PrivateKey::Ec(EcNumbers { curve, d, x: x.to_vec(), y: y.to_vec() }))
}

pub(crate) fn curve_id(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => der::P256,
        Curve::P384 => der::P384,
    }
}

pub(crate) fn curve_of(id: &[u8]) -> Result<Curve, KeyError> {
    match id {
        der::P256 => Ok(Curve::P256),
        der::P384 => Ok(Curve::P384),
        _ => Err(KeyError::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// CA-17: whatever comes, a private key is read or refused without panic.
        #[test]
        fn any_octets_are_read_without_panic(der in prop::collection::vec(any::<u8>(), 0..120)) {
            for wrapping in [Wrapping::Pkcs8, Wrapping::Pkcs1, Wrapping::Sec1] {
                prop_assert!(PrivateKey::from_der(wrapping, &der).is_err());
            }
        }
    }
}
