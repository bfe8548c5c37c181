//! Compact JWS (RFC 7515, section 7.1): read strictly, verified with keys that the caller brought.
//!
//! Key material in the header (`jwk`, `jku`, `x5u`, `x5c`) is never looked at (RFC 8725, section 3.10).

use crate::algorithm::SigningAlgorithm;
use crate::error::{JwsError, KeyError};
use crate::jwk::Jwk;
use crate::jwks::Jwks;
use crate::payload::{Kept, Payload};
use crate::scan::{self, Members, Scanned};
use crate::signing_key::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use smart_core::json::{JsonError, parse_object};

/// The longest token that is read, in characters.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// A JWS whose signature is good. Nothing is said about its claims.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    /// The algorithm of the signature.
    pub algorithm: SigningAlgorithm,
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl std::fmt::Debug for VerifiedJws {
    /// Shows names, not values: claims tell who a person is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedJws")
            .field("algorithm", &self.algorithm)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A compact JWS taken apart. Nothing of it is believed yet.
pub(crate) struct Compact<'t> {
    signed: &'t str,
    /// The header and behind it the signature.
    around: Vec<u8>,
    header_length: usize,
    payload: Vec<u8>,
}

/// The members of a header that decide something.
#[derive(Default)]
pub(crate) struct Header<'h> {
    alg: Option<Scanned<'h>>,
    kid: Option<Scanned<'h>>,
    typ: Option<Scanned<'h>>,
    crit: Option<Scanned<'h>>,
    b64: Option<Scanned<'h>>,
}

impl<'h> Members<'h> for Header<'h> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'h>>> {
        match name {
            "alg" => Some(&mut self.alg),
            "kid" => Some(&mut self.kid),
            "typ" => Some(&mut self.typ),
            "crit" => Some(&mut self.crit),
            "b64" => Some(&mut self.b64),
            _ => None,
        }
    }
}

impl<'t> Compact<'t> {
    /// Takes a token apart: three parts of unpadded base64url in its one spelling.
    pub(crate) fn parse(token: &'t str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN {
            return Err(JwsError::TooLong { length: token.len(), limit: MAX_TOKEN });
        }
        // How many parts there are matters only where there are not three: a dot is no character of any part.
        let parts = || token.split('.').count();
        let split = token.split_once('.').and_then(|(header, rest)| Some((header, rest.rsplit_once('.')?)));
        let Some((header, (payload, signature))) = split else { return Err(JwsError::Parts { parts: parts() }) };
        let malformed = |part| match parts() {
            3 => JwsError::Base64 { part },
            5 => JwsError::Encrypted,
            parts => JwsError::Parts { parts },
        };
        let mut around = Vec::with_capacity((header.len() + signature.len()) / 4 * 3 + 6);
        URL_SAFE_NO_PAD.decode_vec(header, &mut around).map_err(|_| malformed("header"))?;
        let header_length = around.len();
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| malformed("payload"))?;
        URL_SAFE_NO_PAD.decode_vec(signature, &mut around).map_err(|_| malformed("signature"))?;
        let signed = token.get(..token.len() - signature.len() - 1).unwrap_or_default();
        Ok(Self { signed, around, header_length, payload })
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        self.around.split_at_checked(self.header_length).unwrap_or_default()
    }

    /// Reads the header: a JSON object without repeated members and without extensions that have to be understood.
    pub(crate) fn header(&self) -> Result<Header<'_>, JwsError> {
        let header: Header<'_> =
            scan::members(self.parts().0).map_err(|reason| JwsError::Json { part: "header", reason })?;
        if header.crit.is_some() || header.b64.is_some() { Err(JwsError::Critical) } else { Ok(header) }
    }

    /// Checks the signature: the algorithm has to be on the list, fit the key, and be the one that the header names.
    pub(crate) fn verify(
        &self,
        header: &Header<'_>,
        keys: &Jwks,
        allowed: &[SigningAlgorithm],
    ) -> Result<SigningAlgorithm, JwsError> {
        let algorithm: SigningAlgorithm =
            header.alg.as_ref().and_then(Scanned::as_text).ok_or(JwsError::Header("alg"))?.parse()?;
        if !allowed.contains(&algorithm) {
            return Err(JwsError::AlgorithmNotAllowed(algorithm));
        }
        let (kid, (_, signature)) = (header.kid()?, self.parts());
        let is_right = |key: &Jwk| {
            algorithm.signature_length().is_none_or(|length| length == signature.len())
                && key.verify(algorithm, self.signed.as_bytes(), signature)
        };
        match keys.select(kid, algorithm) {
            Ok(key) if is_right(key) => Ok(algorithm),
            // Without an id nobody can tell a key that is new from a signature that is wrong.
            Ok(_) | Err(JwsError::AmbiguousKey(0)) if kid.is_none() => Err(JwsError::NoKeyVerifies),
            Ok(_) => Err(JwsError::Signature),
            Err(error) => Err(error),
        }
    }

    /// All members of the header.
    pub(crate) fn header_members(&self) -> Result<Map<String, Value>, JwsError> {
        object(self.parts().0, "header")
    }

    /// The payload as claims.
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        object(&self.payload, "payload")
    }

    /// The claims that are asked for.
    pub(crate) fn scanned_claims<'c, M: Members<'c>>(&'c self) -> Result<M, JwsError> {
        scan::members(&self.payload).map_err(|reason| JwsError::Json { part: "payload", reason })
    }

    /// A text that was found in the payload.
    pub(crate) fn kept(&self, text: &str) -> Kept {
        Kept::of(text, &self.payload)
    }

    /// The payload itself.
    pub(crate) fn into_payload(self) -> Result<Payload, JwsError> {
        let wrong = |_| JwsError::Json { part: "payload", reason: JsonError::NotAnObject };
        String::from_utf8(self.payload).map(Payload::new).map_err(wrong)
    }
}

impl Header<'_> {
    /// The key id.
    pub(crate) fn kid(&self) -> Result<Option<&str>, JwsError> {
        text(self.kid.as_ref(), "kid")
    }

    /// The type, without the `application/` that may be left out (RFC 7515, section 4.1.9).
    pub(crate) fn typ(&self) -> Result<Option<&str>, JwsError> {
        const PREFIX: &str = "application/";
        let typ = text(self.typ.as_ref(), "typ")?;
        Ok(typ.map(|typ| match typ.split_at_checked(PREFIX.len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
            _ => typ,
        }))
    }
}

fn text<'s>(value: Option<&'s Scanned<'_>>, name: &'static str) -> Result<Option<&'s str>, JwsError> {
    match value {
        None => Ok(None),
        Some(Scanned::Text(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::Header(name)),
    }
}

/// Verifies a compact JWS. The algorithm has to be on the list, fit the key, and be the one that the header names.
///
/// # Errors
/// [`JwsError`].
pub fn verify_jws(token: &str, keys: &Jwks, allowed: &[SigningAlgorithm]) -> Result<VerifiedJws, JwsError> {
    let jws = Compact::parse(token)?;
    let algorithm = jws.verify(&jws.header()?, keys, allowed)?;
    Ok(VerifiedJws { algorithm, claims: jws.claims()?, header: jws.header_members()? })
}

/// Signs claims: `alg` and `kid` are the key's, `typ` as given (`JWT`).
///
/// # Errors
/// [`KeyError`] when the key cannot sign.
pub fn sign_jwt(key: &SigningKey, typ: &str, claims: &Map<String, Value>) -> Result<String, KeyError> {
    let mut extra = Map::new();
    extra.insert("typ".into(), typ.into());
    sign_jwt_with_header(key, &extra, claims)
}

/// Signs claims with further header members; `alg` and `kid` are the key's.
///
/// # Errors
/// [`KeyError::HeaderMember`] for a member that cannot be given (`alg`, `kid`, `crit`, `b64`), [`KeyError::Signing`].
pub fn sign_jwt_with_header(
    key: &SigningKey,
    extra: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<String, KeyError> {
    if let Some(member) = ["alg", "kid", "crit", "b64"].into_iter().find(|name| extra.contains_key(*name)) {
        return Err(KeyError::HeaderMember { member });
    }
    let signed = signing_input(key.algorithm(), key.key_id(), extra, claims).ok_or(KeyError::Signing)?;
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// What is signed: header and payload, encoded (RFC 7515, section 5.1).
pub(crate) fn signing_input(
    algorithm: SigningAlgorithm,
    kid: &str,
    extra: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Option<String> {
    let mut header = Map::new();
    header.insert("alg".into(), algorithm.as_str().into());
    header.insert("kid".into(), kid.into());
    header.extend(extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    let encode = |members| serde_json::to_vec(members).ok().map(|json| URL_SAFE_NO_PAD.encode(json));
    Some(format!("{}.{}", encode(&header)?, encode(claims)?))
}

fn object(json: &[u8], part: &'static str) -> Result<Map<String, Value>, JwsError> {
    parse_object(json).map_err(|reason| JwsError::Json { part, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ID-08 (RFC 7520 4.1): the RSA example, whose payload is a sentence and not claims, so that only its signature
    /// can be checked.
    #[test]
    fn rfc7520_rsa_signature_verifies() {
        let set = include_bytes!("../tests/data/rfc7520-rsa.jwks.json");
        let token = include_str!("../tests/data/rfc7520-rsa.jws").trim();
        let keys = Jwks::parse(set).unwrap();
        let jws = Compact::parse(token).unwrap();
        let header = jws.header().unwrap();
        assert_eq!(jws.verify(&header, &keys, &[SigningAlgorithm::Rs256]), Ok(SigningAlgorithm::Rs256));
        assert!(jws.payload.starts_with("It’s a dangerous business, Frodo".as_bytes()));
        assert!(matches!(jws.claims(), Err(JwsError::Json { part: "payload", .. })));
    }

    /// ID-08, CA-20 (RFC 7520 4.2): the RSASSA-PSS example with the same key and sentence; not under another algorithm.
    #[test]
    fn rfc7520_pss_signature_verifies() {
        let keys = Jwks::parse(include_bytes!("../tests/data/rfc7520-rsa.jwks.json")).unwrap();
        let jws = Compact::parse(include_str!("../tests/data/rfc7520-pss.jws").trim()).unwrap();
        let header = jws.header().unwrap();
        assert_eq!(jws.verify(&header, &keys, &[SigningAlgorithm::Ps384]), Ok(SigningAlgorithm::Ps384));
        let refused = jws.verify(&header, &keys, &[SigningAlgorithm::Rs384]);
        assert_eq!(refused, Err(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Ps384)));
    }
}
