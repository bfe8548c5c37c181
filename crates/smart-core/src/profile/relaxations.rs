//! The checks that an explicit choice makes less strict.

use super::platforms::google_endpoints;
use crate::discovery::EndpointOverrides;

/// Endpoints that are the same for all customers of a platform, and that its FHIR servers do not publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KnownEndpoints {
    /// What the server's own documents say. The default.
    #[default]
    Published,
    /// Google's OpenID provider: codes and secrets go to `oauth2.googleapis.com`, and who is logged in is what
    /// `accounts.google.com` says.
    Google,
}

/// What a profile asks to be let through, or taken from elsewhere than from the server. Default: nothing.
///
/// Each field is a relaxation by name (requirement SE-11). None of them follows from a host name: see
/// [`ServerProfile::recognise`](super::ServerProfile::recognise).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relaxations {
    /// A server that lists its PKCE methods without S256 is accepted. S256 is sent all the same.
    pub unlisted_s256: bool,
    /// The ID token's issuer may differ from the discovered one by one slash at its end.
    pub issuer_trailing_slash: bool,
    /// An ID token that comes with a renewal is not looked at: who logged in stays who logged in. For servers whose renewed
    /// ID tokens are no good ones.
    pub renewed_id_token_ignored: bool,
    /// Endpoints that stand in for the server's own.
    pub endpoints: KnownEndpoints,
}

impl Relaxations {
    /// None.
    pub const NONE: Self = Self {
        unlisted_s256: false,
        issuer_trailing_slash: false,
        renewed_id_token_ignored: false,
        endpoints: KnownEndpoints::Published,
    };

    /// Whether there is nothing to relax.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl KnownEndpoints {
    /// The endpoints as overrides of discovery.
    pub fn overrides(self) -> EndpointOverrides {
        match self {
            Self::Published => EndpointOverrides::new(),
            Self::Google => google_endpoints(),
        }
    }
}
