//! Public keys from PEM: to the members of a JWK.

use crate::curve::Curve;
use crate::der::{self, Reader};
use crate::error::KeyError;
use crate::pem::{self, PublicWrapping};
use crate::private_key::curve_of;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The members of the one public key in a PEM text. Whether its numbers make a key is judged where members are read.
pub(crate) fn from_pem(text: &str) -> Result<Map<String, Value>, KeyError> {
    let (wrapping, der) = pem::public_key(text)?;
    match wrapping {
        PublicWrapping::Spki => spki(&der),
        PublicWrapping::Pkcs1 => pkcs1(&der),
    }
}

/// EC coordinates keep their leading zeros (RFC 7518, section 6.2.1.2).
pub(crate) fn ec_members(curve: Curve, x: &[u8], y: &[u8]) -> Map<String, Value> {
    let number = |octets| URL_SAFE_NO_PAD.encode(octets);
    members([("kty", "EC".to_owned()), ("crv", curve.name().to_owned()), ("x", number(x)), ("y", number(y))])
}

/// RSA numbers have no leading zeros (RFC 7518, section 6.3.1).
pub(crate) fn rsa_members(n: &[u8], e: &[u8]) -> Map<String, Value> {
    let number = |octets| URL_SAFE_NO_PAD.encode(der::without_leading_zeros(octets));
    members([("kty", "RSA".to_owned()), ("n", number(n)), ("e", number(e))])
}

fn members<const N: usize>(pairs: [(&str, String); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
fn spki(der: &[u8]) -> Result<Map<String, Value>, KeyError> {
    let mut outer = Reader::new(der);
    let mut info = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    let mut algorithm = Reader::new(info.read(der::SEQUENCE)?);
    let name = algorithm.read(der::OBJECT_ID)?;
    let key = info.read(der::BIT_STRING)?.strip_prefix(&[0]).ok_or(KeyError::Encoding)?;
    info.end()?;
    match name {
        der::RSA_ENCRYPTION => {
            algorithm.read_optional(der::NULL)?;
            algorithm.end()?;
            pkcs1(key)
        }
        der::EC_PUBLIC_KEY => {
            let curve = curve_of(algorithm.read(der::OBJECT_ID).map_err(|_| KeyError::Unsupported)?)?;
            algorithm.end()?;
            let (x, y) = coordinates(curve, key)?;
            Ok(ec_members(curve, x, y))
        }
        _ => Err(KeyError::Unsupported),
    }
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn pkcs1(der: &[u8]) -> Result<Map<String, Value>, KeyError> {
    let mut outer = Reader::new(der);
    let mut key = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    let (n, e) = (key.unsigned()?, key.unsigned()?);
    key.end()?;
    Ok(rsa_members(n, e))
}

/// The coordinates of an uncompressed point (SEC 1, section 2.3.3).
pub(crate) fn coordinates(curve: Curve, point: &[u8]) -> Result<(&[u8], &[u8]), KeyError> {
    match point {
        [4, coordinates @ ..] if coordinates.len() == 2 * curve.octets() => {
            coordinates.split_at_checked(curve.octets()).ok_or(KeyError::Encoding)
        }
        // Compressed.
        [2 | 3, ..] => Err(KeyError::Unsupported),
        _ => Err(KeyError::Encoding),
    }
}
