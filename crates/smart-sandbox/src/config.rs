//! How a sandbox is set up.

use crate::bulk::BulkConfig;
use crate::client::Client;
use crate::faults::FhirFault;
use smart_core::app_state::AppStatePlace;
use smart_core::profile::ServerKind;
use smart_core::time::{Clock, Timestamp};
use std::sync::Arc;
use std::time::Duration;

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
    /// The token response has no `expires_in`.
    OmitExpiresIn,
    /// The token response has no `scope`.
    OmitScope,
    /// The token response is an HTML page with status 200.
    HtmlToken,
    /// The token endpoint redirects.
    RedirectToken,
    /// The token response names no patient.
    OmitPatient,
}

/// What the sandbox offers beside what its kind of server does. Default: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offers {
    /// App state, and by which words discovery names its endpoint (SMART App Launch 2.2, `smart-app-state`).
    pub app_state: Option<AppStatePlace>,
    /// A bundle of user-access brands, which discovery names (SMART App Launch 2.2, brands).
    pub brands: bool,
    /// A style, which token answers name by `smart_style_url` (SMART App Launch 2.2, styling).
    pub style: bool,
}

impl Offers {
    /// All of it, with app state as an associated endpoint.
    pub const ALL: Self = Self { app_state: Some(AppStatePlace::Associated), brands: true, style: true };
}

/// How much the sandbox stores beside its built-in data. What is over a limit is refused with status 507.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageLimits {
    /// How many resources apps may create, deleted ones included. Default: 20,000.
    pub resources: usize,
    /// How many octets of JSON all their versions may have together. Default: 64 MiB.
    pub octets: usize,
    /// How many versions of a resource are kept; the oldest give way. Default: 50.
    pub versions: usize,
}

impl Default for StorageLimits {
    fn default() -> Self {
        Self { resources: 20_000, octets: 64 * 1024 * 1024, versions: 50 }
    }
}

/// The set-up of a sandbox. The default has a public client `demo-app`, a confidential one `demo-confidential` with the
/// secret `demo-secret`, the system's clock, a free port, tokens that live an hour, and no other server's habits.
#[derive(Clone)]
pub struct SandboxConfig {
    /// The loopback port; 0 is a free one.
    pub port: u16,
    /// The registered clients.
    pub clients: Vec<Client>,
    /// The clock that codes and tokens go by.
    pub clock: Arc<dyn Clock>,
    /// How long an access token lives, unless the server that is imitated has a fixed life for it.
    pub access_token_lifetime: Duration,
    /// How long the access token of a backend service lives. Default: 5 minutes, as SMART recommends.
    pub backend_token_lifetime: Duration,
    /// How long a refresh token can lie unused. `None`: for ever. The default.
    pub refresh_token_lifetime: Option<Duration>,
    /// How long after its use a rotating refresh token is taken again, as long as nobody has used its successor: for clients
    /// whose answer was lost. `None`: the second use revokes the grant. The default, and what the strictest servers do.
    pub refresh_reuse_leeway: Option<Duration>,
    /// How long an authorization code lives. Default: a minute.
    pub code_lifetime: Duration,
    /// What the sandbox does wrong.
    pub misbehaviour: Option<Misbehaviour>,
    /// The server whose habits the sandbox takes on. Default: none, which is the strict one.
    pub kind: ServerKind,
    /// What the FHIR API does wrong at every request, unless [`fail_fhir`](crate::Sandbox::fail_fhir) has something else for it.
    pub fhir_fault: Option<FhirFault>,
    /// What is offered besides.
    pub offers: Offers,
    /// How much can be stored.
    pub storage: StorageLimits,
    /// How bulk exports are.
    pub bulk: BulkConfig,
}

impl SandboxConfig {
    /// A sandbox that behaves as a server of this kind does in what matters to a client: paths, documents, scopes,
    /// token answers, refresh. What is imitated, and where it was read, stands in `docs/src/servers`.
    ///
    /// It stays strict where nothing else is known of that server.
    pub fn like(kind: ServerKind) -> Self {
        Self { kind, ..Self::default() }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            port: 0,
            clients: vec![Client::public("demo-app"), Client::symmetric("demo-confidential", "demo-secret")],
            clock: Arc::new(SystemClock),
            access_token_lifetime: Duration::from_secs(3600),
            backend_token_lifetime: Duration::from_secs(300),
            refresh_token_lifetime: None,
            refresh_reuse_leeway: None,
            code_lifetime: Duration::from_secs(60),
            misbehaviour: None,
            kind: ServerKind::Generic,
            fhir_fault: None,
            offers: Offers::default(),
            storage: StorageLimits::default(),
            bulk: BulkConfig::default(),
        }
    }
}

impl std::fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("port", &self.port)
            .field("misbehaviour", &self.misbehaviour)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}
