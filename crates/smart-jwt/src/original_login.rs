//! What the ID tokens of renewals are compared with (OpenID Connect Core, section 12.2).

use smart_core::time::Timestamp;

/// What stays of the ID token of a login, to compare with those that come when the session is renewed. The fields are
/// open so that a session that was stored can give them again.
#[derive(Clone, PartialEq, Eq)]
pub struct OriginalLogin {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`.
    pub audience: Vec<String>,
    /// `azp`.
    pub authorized_party: Option<String>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `auth_time`.
    pub authenticated_at: Option<Timestamp>,
    /// `nonce`.
    pub nonce: Option<String>,
}

impl std::fmt::Debug for OriginalLogin {
    /// Shows the issuer, not the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OriginalLogin").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
