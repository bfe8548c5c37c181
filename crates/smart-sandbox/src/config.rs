//! How a sandbox is set up.

use smart_core::time::{Clock, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// A client that is registered with the sandbox.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret; a client without one is public.
    pub secret: Option<String>,
    /// Its redirect URIs, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Whether any port of a loopback redirect URI will do (RFC 8252, section 7.3), with the path `/callback`.
    pub any_loopback_port: bool,
}

/// A way in which the sandbox does wrong on purpose, to see what a client does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// The callback has another state.
    WrongState,
    /// The callback names another issuer.
    WrongIssuer,
    /// Discovery offers PKCE `plain` only.
    NoS256,
    /// The ID token has another nonce.
    WrongNonce,
    /// The ID token is signed with a key that is not published, under the id of one that is.
    ForeignKey,
    /// The ID token is not signed.
    AlgNone,
    /// The token is of type `mac`.
    TokenTypeMac,
    /// `expires_in` is a string.
    ExpiresInString,
    /// The token response has no `scope`.
    OmitScope,
    /// The token response is an HTML page with status 200.
    HtmlToken,
    /// The token endpoint redirects.
    RedirectToken,
    /// The token response names no patient.
    OmitPatient,
}

/// The set-up of a sandbox. The default has a public client `demo-app`, a confidential one `demo-confidential` with the
/// secret `demo-secret`, the system's clock, a free port, and tokens that live an hour.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The loopback port; 0 is a free one.
    pub port: u16,
    /// The registered clients.
    pub clients: Vec<Client>,
    /// The clock that codes and tokens go by.
    pub clock: Arc<dyn Clock>,
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// What the sandbox does wrong.
    pub misbehaviour: Option<Misbehaviour>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let client = |id: &str, secret: Option<&str>| Client {
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uris: vec!["https://app.example/callback".to_owned()],
            any_loopback_port: true,
        };
        Self {
            port: 0,
            clients: vec![client("demo-app", None), client("demo-confidential", Some("demo-secret"))],
            clock: Arc::new(SystemClock),
            access_token_lifetime: Duration::from_secs(3600),
            misbehaviour: None,
        }
    }
}

impl std::fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("port", &self.port)
            .field("misbehaviour", &self.misbehaviour)
            .finish_non_exhaustive()
    }
}

impl Client {
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

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}
