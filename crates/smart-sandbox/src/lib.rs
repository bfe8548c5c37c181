//! An embedded SMART on FHIR server for tests and demos: authorization server, FHIR R4 API and made-up patients, on a
//! loopback port. It is strict: what it takes, a real server should take.
//!
//! The API has every interaction of FHIR R4: versions, conditions, patches, histories, searches, batches and transactions,
//! within what the scopes of a token open. [`Offers`] has app state, brands and a style. [`Sandbox::fail_fhir`] lets the API
//! fail. The chapter on the sandbox in this project's book has the details and the limits.
//!
//! ```
//! use smart_sandbox::{Sandbox, SandboxConfig};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), smart_sandbox::SandboxError> {
//! let sandbox = Sandbox::start(SandboxConfig::default()).await?;
//! println!("a FHIR server is at {}", sandbox.fhir_base());
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod app_state;
mod auth;
pub mod browser;
mod bulk;
mod client;
mod config;
mod controls;
mod cors;
mod data;
mod error;
mod faults;
mod fhir;
mod hostile;
mod keys;
mod published;
mod quirks;
mod shared;

pub use bulk::{BulkConfig, BulkCounts, BulkMode};
pub use client::{Client, ClientKeys, ClientKind, SecretMethod};
pub use config::{Misbehaviour, Offers, SandboxConfig, StorageLimits};
pub use error::SandboxError;
pub use faults::{FhirFault, RetryAfter};
pub use hostile::{Hostility, Lie};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/sandbox.md")]
struct Chapter;

use shared::{Counted, Grant, Launch, Life, Renewal, Shared};
use smart_jwt::{KeyKind, SigningAlgorithm, SigningKey};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running sandbox. It ends when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// What gives out files of exports at another origin.
    elsewhere: Option<JoinHandle<()>>,
}

/// Where the endpoints of a sandbox are. A server that is imitated may publish fewer of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where the browser goes.
    pub authorize: String,
    /// Where tokens are got.
    pub token: String,
    /// Where tokens are introspected, if anywhere.
    pub introspect: Option<String>,
    /// Where tokens are revoked, if anywhere.
    pub revoke: Option<String>,
    /// Where it is told who logged in, if anywhere.
    pub userinfo: Option<String>,
    /// Where the keys of ID tokens are.
    pub keys: String,
    /// The page by which a person starts an app as from an EHR.
    pub launcher: String,
    /// Whether discovery finds them.
    pub published: bool,
}

/// How often each endpoint was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// The authorization endpoint.
    pub authorize: u64,
    /// The token endpoint.
    pub token: u64,
    /// The introspection endpoint.
    pub introspect: u64,
    /// The revocation endpoint.
    pub revoke: u64,
    /// Requests to the FHIR API, of any kind; a Bundle counts once.
    pub fhir: u64,
    /// The smart-configuration.
    pub discovery: u64,
    /// The keys.
    pub jwks: u64,
}

impl Sandbox {
    /// Starts a sandbox on `127.0.0.1`.
    ///
    /// # Errors
    /// [`SandboxError::Bind`] when the port is taken; [`SandboxError::Key`].
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let port = config.port;
        let failed = |e: std::io::Error| SandboxError::Bind { port, reason: e.to_string() };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let key = new_key()?;
        let origin = format!("http://{address}");
        let shared = Arc::new(Shared::new(config, origin, key));
        let app = fhir::router(&shared.quirks)
            .merge(auth::router(&shared.quirks))
            .merge(published::router(&shared))
            .merge(app_state::router(&shared))
            .merge(bulk::router(&shared.quirks))
            .layer(axum::middleware::from_fn_with_state(shared.clone(), cors::allow))
            .layer(axum::middleware::from_fn_with_state(shared.clone(), hostile::spoil))
            .with_state(shared.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(async {
                // A dropped sender is a sandbox that was dropped: the same wish.
                let _ = stopped.await;
            });
            if let Err(error) = served.await {
                tracing::warn!(%error, "the sandbox ended");
            }
        });
        let elsewhere = if shared.bulk.is_elsewhere() { Some(serve_elsewhere(&shared).await?) } else { None };
        Ok(Self { shared, address, stop: Some(stop), task, elsewhere })
    }

    /// The endpoints.
    pub fn endpoints(&self) -> Endpoints {
        let paths = &self.shared.quirks.paths;
        let at = |path: &str| format!("{}{path}", self.shared.origin);
        Endpoints {
            authorize: at(&paths.authorize),
            token: at(&paths.token),
            introspect: paths.introspect.as_deref().map(at),
            revoke: paths.revoke.as_deref().map(at),
            userinfo: paths.userinfo.as_deref().map(at),
            keys: at(&paths.keys),
            launcher: at(auth::LAUNCHER),
            published: self.shared.quirks.documents.smart_configuration || self.shared.quirks.documents.oauth_uris,
        }
    }

    /// Ends every person's session in the browser: refresh tokens of `online_access` are dead then. What
    /// `offline_access` gave goes on, and so do access tokens until they end.
    pub fn sign_everybody_out(&self) {
        let mut state = self.shared.state();
        let online = |grant: &&mut Grant| grant.renewal == Renewal::WhileSignedIn && grant.life == Life::Whole;
        for grant in state.grants.values_mut().filter(online) {
            grant.life = Life::LastTokens;
        }
    }

    /// The FHIR base URL.
    pub fn fhir_base(&self) -> String {
        self.shared.fhir_base.clone()
    }

    /// The issuer.
    pub fn issuer(&self) -> String {
        self.shared.issuer.clone()
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Prepares an EHR launch; the launch value is good for one authorization request.
    pub fn new_launch(&self, patient: Option<&str>, encounter: Option<&str>) -> String {
        let launch = Launch { patient: patient.map(str::to_owned), encounter: encounter.map(str::to_owned) };
        self.shared.state().launch(launch)
    }

    /// How often each endpoint was called.
    pub fn counts(&self) -> Counts {
        let counted = |what| self.shared.counted(what);
        Counts {
            authorize: counted(Counted::Authorize),
            token: counted(Counted::Token),
            introspect: counted(Counted::Introspect),
            revoke: counted(Counted::Revoke),
            fhir: counted(Counted::Fhir),
            discovery: counted(Counted::Discovery),
            jwks: counted(Counted::Jwks),
        }
    }

    /// How often each part of a bulk export was asked for.
    pub fn bulk_counts(&self) -> BulkCounts {
        self.shared.bulk.counts()
    }

    /// Every code and token that was issued, for tests that look for them where they must not be.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.shared.state().secrets.clone()
    }

    /// Ends the sandbox, and waits until its connections are done (at most a few seconds).
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // The task may have ended by itself.
            let _ = stop.send(());
        }
        if tokio::time::timeout(std::time::Duration::from_secs(3), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// A second origin, for the files of exports alone.
async fn serve_elsewhere(shared: &Arc<Shared>) -> Result<JoinHandle<()>, SandboxError> {
    let failed = |e: std::io::Error| SandboxError::Bind { port: 0, reason: e.to_string() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
    shared.bulk.give_out_at(listener.local_addr().map_err(failed)?);
    let app = bulk::router_elsewhere().with_state(shared.clone());
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::warn!(%error, "the other origin of the sandbox ended");
        }
    }))
}

/// A key for ID tokens, as every server has one.
fn new_key() -> Result<SigningKey, SandboxError> {
    Ok(SigningKey::generate(KeyKind::Rsa2048)?.with_algorithm(SigningAlgorithm::Rs256)?)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.abort();
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}
