//! The three kinds of client.

use super::client_keys::ClientKeys;
use crate::discovery::{AuthMethod, Capability};
use crate::secret::ClientSecret;

/// How a client shows who it is: exactly one of three ways (SMART App Launch 2.2, support for public and confidential
/// apps).
///
/// A public client has nowhere to put a secret. A secret that is shipped with an app, the same in each copy, makes no
/// confidential client of it: whoever has the app has the secret. Register such an app as public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKind {
    /// It runs where it cannot keep a secret. PKCE alone protects it.
    Public,
    /// It shares a secret with the server (client-confidential-symmetric).
    ConfidentialSymmetric {
        /// The secret, given by the server.
        secret: ClientSecret,
        /// Where the secret stands in a request.
        method: SecretMethod,
    },
    /// It signs with a private key whose public half is registered (client-confidential-asymmetric).
    ConfidentialAsymmetric {
        /// The registered public keys.
        keys: ClientKeys,
    },
}

/// Where a shared secret stands in a request (RFC 7591, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretMethod {
    /// In the `Authorization` header, as SMART says. The default.
    #[default]
    Basic,
    /// In the body.
    Post,
}

impl ClientKind {
    /// The kind's name in registration metadata.
    pub fn auth_method(&self) -> AuthMethod {
        match self {
            Self::Public => AuthMethod::None,
            Self::ConfidentialSymmetric { method: SecretMethod::Basic, .. } => AuthMethod::ClientSecretBasic,
            Self::ConfidentialSymmetric { method: SecretMethod::Post, .. } => AuthMethod::ClientSecretPost,
            Self::ConfidentialAsymmetric { .. } => AuthMethod::PrivateKeyJwt,
        }
    }

    /// The capability by which a server says that it takes this kind.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Public => Capability::ClientPublic,
            Self::ConfidentialSymmetric { .. } => Capability::ClientConfidentialSymmetric,
            Self::ConfidentialAsymmetric { .. } => Capability::ClientConfidentialAsymmetric,
        }
    }
}
