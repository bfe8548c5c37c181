//! The endpoints that a discovery document may name.

use serde::Serialize;

/// An endpoint of a SMART server, by its member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// `authorization_endpoint`
    Authorization,
    /// `token_endpoint`
    Token,
    /// `registration_endpoint`
    Registration,
    /// `management_endpoint`
    Management,
    /// `introspection_endpoint`
    Introspection,
    /// `revocation_endpoint`
    Revocation,
    /// `jwks_uri`
    Jwks,
}

impl Endpoint {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Authorization,
        Self::Token,
        Self::Registration,
        Self::Management,
        Self::Introspection,
        Self::Revocation,
        Self::Jwks,
    ];

    /// The member's name in `smart-configuration`.
    pub fn member(self) -> &'static str {
        match self {
            Self::Authorization => "authorization_endpoint",
            Self::Token => "token_endpoint",
            Self::Registration => "registration_endpoint",
            Self::Management => "management_endpoint",
            Self::Introspection => "introspection_endpoint",
            Self::Revocation => "revocation_endpoint",
            Self::Jwks => "jwks_uri",
        }
    }

    /// The name of the child of SMART 1's `oauth-uris` extension, where there is one.
    pub(super) fn oauth_uris_name(self) -> Option<&'static str> {
        match self {
            Self::Authorization => Some("authorize"),
            Self::Token => Some("token"),
            Self::Registration => Some("register"),
            Self::Management => Some("manage"),
            Self::Introspection => Some("introspect"),
            Self::Revocation => Some("revoke"),
            Self::Jwks => None,
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.member())
    }
}
