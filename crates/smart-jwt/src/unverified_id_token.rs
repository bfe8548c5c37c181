//! Looking into an ID token that nobody vouches for.

use crate::error::JwsError;
use crate::jws::Compact;
use serde_json::{Map, Value};
use smart_core::secret::RawIdToken;

/// Header and claims of an ID token whose signature was NOT checked: anybody can have written them. For showing a token
/// to a person who looks for a fault; never for deciding anything. [`IdToken`](crate::IdToken) is the validated one.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedIdToken {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedIdToken {
    /// Takes a token apart, as strictly as validation does.
    ///
    /// # Errors
    /// [`JwsError`] when it is malformed.
    pub fn decode(token: &RawIdToken) -> Result<Self, JwsError> {
        let jws = Compact::parse(token.expose_secret())?;
        jws.header()?;
        Ok(Self { claims: jws.claims()?, header: jws.header_members()? })
    }

    /// The header, as somebody wrote it.
    pub fn unverified_header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The claims, as somebody wrote them.
    pub fn unverified_claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

impl std::fmt::Debug for UnverifiedIdToken {
    /// Shows names, not values: claims tell who a person is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedIdToken")
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
