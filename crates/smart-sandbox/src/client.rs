//! The clients that are registered with a sandbox.

use smart_core::secret::ClientSecret;

/// A client that is registered with the sandbox.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// How it shows who it is.
    pub kind: ClientKind,
    /// Its redirect URIs, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Whether any port of a loopback redirect URI will do (RFC 8252, section 7.3), with the path `/callback`.
    pub any_loopback_port: bool,
    /// The scopes that it is registered for, parted by blanks. `None`: any.
    pub scopes: Option<String>,
}

/// How a client shows who it is. Any other way is refused, as is a second one beside it.
#[derive(Debug, Clone)]
pub enum ClientKind {
    /// By its id alone.
    Public,
    /// By a shared secret.
    Symmetric {
        /// The secret.
        secret: ClientSecret,
        /// Where it is sent.
        method: SecretMethod,
    },
    /// By assertions that it signs (`private_key_jwt`). Only such a client may be a backend service.
    Asymmetric {
        /// Its public keys.
        keys: ClientKeys,
    },
}

/// Where a shared secret is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretMethod {
    /// In the Authorization header (`client_secret_basic`). The default.
    #[default]
    Basic,
    /// In the body (`client_secret_post`).
    Post,
}

/// The public keys of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeys {
    /// A JWK set, as JSON text.
    Document(String),
    /// Where the JWK set is. It is fetched when it is needed, and again for an unknown key id.
    Url(String),
}

impl Client {
    /// A client of this kind, with the redirect URI `https://app.example/callback` and any loopback port.
    pub fn new(id: impl Into<String>, kind: ClientKind) -> Self {
        Self {
            id: id.into(),
            kind,
            redirect_uris: vec!["https://app.example/callback".to_owned()],
            any_loopback_port: true,
            scopes: None,
        }
    }

    /// A public client.
    pub fn public(id: impl Into<String>) -> Self {
        Self::new(id, ClientKind::Public)
    }

    /// A client with a shared secret that it sends by HTTP Basic.
    pub fn symmetric(id: impl Into<String>, secret: impl Into<String>) -> Self {
        let secret = ClientSecret::new(secret.into());
        Self::new(id, ClientKind::Symmetric { secret, method: SecretMethod::Basic })
    }

    /// A client with keys.
    pub fn asymmetric(id: impl Into<String>, keys: ClientKeys) -> Self {
        Self::new(id, ClientKind::Asymmetric { keys })
    }

    /// Registers scopes, parted by blanks: no others are granted.
    pub fn with_scopes(mut self, scopes: &str) -> Self {
        self.scopes = Some(scopes.to_owned());
        self
    }

    /// Whether it can show who it is.
    pub fn is_confidential(&self) -> bool {
        !matches!(self.kind, ClientKind::Public)
    }

    /// Whether a redirect URI is registered.
    pub(crate) fn allows_redirect(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered == uri)
            || (self.any_loopback_port && is_loopback_callback(uri))
    }
}

fn is_loopback_callback(uri: &str) -> bool {
    let rest = uri.strip_prefix("http://127.0.0.1:").or_else(|| uri.strip_prefix("http://[::1]:"));
    rest.and_then(|rest| rest.strip_suffix("/callback")).is_some_and(|port| port.parse::<u16>().is_ok())
}
