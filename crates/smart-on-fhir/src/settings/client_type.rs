//! How a client is registered, and what it shows who it is by.

use serde::{Deserialize, Serialize};
use smart_core::secret::ClientSecret;
use smart_flows::ClientKeys;
use smart_jwt::Signer;
use std::sync::Arc;

/// How a client is registered (SMART App Launch 2.2, register app).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientType {
    /// It has no secret. The default.
    #[default]
    Public,
    /// It has a secret that it shares with the server (`client-confidential-symmetric`).
    ConfidentialSymmetric,
    /// It has a key of which the server knows the public half (`client-confidential-asymmetric`).
    ConfidentialAsymmetric,
    /// A backend service: it has a key, and nobody logs in.
    Backend,
}

impl ClientType {
    pub(super) const fn credential(self) -> &'static str {
        match self {
            Self::Public => "no credential",
            Self::ConfidentialSymmetric => "a client secret",
            Self::ConfidentialAsymmetric | Self::Backend => "a key to sign with",
        }
    }

    pub(super) const fn has_keys(self) -> bool {
        matches!(self, Self::ConfidentialAsymmetric | Self::Backend)
    }
}

/// What a client shows who it is by. It never stands in settings.
#[non_exhaustive]
pub enum Credential {
    /// Nothing: a public client.
    None,
    /// The client secret.
    Secret(ClientSecret),
    /// Keys to sign with.
    Keys(Arc<dyn ClientKeys>),
}

impl Credential {
    /// One key that does not change.
    pub fn key(key: impl Signer + 'static) -> Self {
        let keys: Vec<Arc<dyn Signer>> = vec![Arc::new(key)];
        Self::Keys(Arc::new(keys))
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret(_) => "a client secret",
            Self::Keys(_) => "a key",
        }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
