//! Reading the claims that JWTs have in common (RFC 7519, section 4.1).

use crate::scan::Scanned;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use smart_core::time::Timestamp;
use std::borrow::Cow;
use subtle::ConstantTimeEq as _;

/// `aud`: one text, or an array of texts. `None` when it is neither.
pub(crate) fn audience<'c, 'j>(claim: Option<&'c Scanned<'j>>) -> Option<&'c [Cow<'j, str>]> {
    match claim {
        Some(Scanned::Text(one)) => Some(std::slice::from_ref(one)),
        Some(Scanned::Texts(several)) => Some(several),
        _ => None,
    }
}

/// A `NumericDate`: seconds, with a fraction at most (RFC 7519, section 2), which is cut off.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and either end is refused as a date")]
pub(crate) fn time(claim: Option<&Scanned<'_>>) -> Result<Option<Timestamp>, ()> {
    let seconds = match claim {
        None => return Ok(None),
        Some(Scanned::Integer(seconds)) => *seconds,
        Some(Scanned::Float(seconds)) => seconds.floor() as i64,
        Some(_) => return Err(()),
    };
    Ok(Some(Timestamp::from_unix_seconds(seconds)))
}

/// Whether a claim is the left half of the digest of a token or code, as `at_hash` and `c_hash` are (OpenID Connect Core,
/// section 3.1.3.6).
pub(crate) fn is_half_hash(claim: &str, digest: &'static ring::digest::Algorithm, text: &str) -> bool {
    let digest = ring::digest::digest(digest, text.as_bytes());
    let (half, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    // Half of SHA-512 is 32 octets, 43 characters.
    let mut encoded = [0; 43];
    let length = URL_SAFE_NO_PAD.encode_slice(half, &mut encoded).ok();
    length.and_then(|length| encoded.get(..length)).is_some_and(|encoded| encoded.ct_eq(claim.as_bytes()).into())
}
