//! What the routes share: data, keys, clients, and the grants that were given.

use crate::auth::ClientKeySets;
use crate::bulk::BulkState;
use crate::client::Client;
use crate::config::{Misbehaviour, Offers, SandboxConfig};
use crate::data::{DataSet, Repository};
use crate::faults::Faults;
use crate::fhir::Access;
use crate::hostile::Honesty;
use crate::keys::SandboxKeys;
use crate::quirks::Quirks;
use base64::Engine as _;
use ring::rand::SecureRandom as _;
use smart_core::pkce::CodeChallenge;
use smart_core::scope::Scopes;
use smart_core::time::{Clock, Timestamp};
use smart_jwt::SigningKey;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    Authorize,
    Token,
    Introspect,
    Revoke,
    Fhir,
    Discovery,
    Jwks,
}

pub(crate) struct Shared {
    pub(crate) data: Arc<DataSet>,
    pub(crate) quirks: Quirks,
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// The FHIR base as it is published.
    pub(crate) fhir_base: String,
    /// The FHIR base without a slash at its end, to put paths on.
    pub(crate) fhir_root: String,
    pub(crate) issuer: String,
    pub(crate) keys: SandboxKeys,
    pub(crate) clients: Vec<Client>,
    pub(crate) client_keys: ClientKeySets,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) access_lifetime: Duration,
    pub(crate) backend_lifetime: Duration,
    pub(crate) refresh_lifetime: Option<Duration>,
    pub(crate) refresh_leeway: Option<Duration>,
    pub(crate) code_lifetime: Duration,
    pub(crate) misbehaviour: Option<Misbehaviour>,
    pub(crate) honesty: Honesty,
    pub(crate) faults: Faults,
    pub(crate) offers: Offers,
    pub(crate) bulk: BulkState,
    counts: [AtomicU64; 7],
    state: Mutex<State>,
    resources: Mutex<Arc<Repository>>,
    /// App state.
    states: Mutex<Repository>,
}

/// Everything that was begun or given. It lives as long as the sandbox.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) logins: HashMap<String, Login>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) grants: HashMap<String, Grant>,
    pub(crate) access_tokens: HashMap<String, Issued>,
    pub(crate) refresh_tokens: HashMap<String, Refresh>,
    pub(crate) launches: HashMap<String, Launch>,
    /// The `jti` of client assertions, by client, and until when each has to be remembered.
    pub(crate) assertions: HashMap<(String, String), Timestamp>,
    pub(crate) secrets: Vec<String>,
}

/// An authorization request on its way through login, patient picker and consent.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) scopes: Scopes,
    pub(crate) nonce: Option<String>,
    /// `None`: the client uses no PKCE, and the server that is imitated does not ask for it.
    pub(crate) challenge: Option<CodeChallenge>,
    pub(crate) launch: Option<Launch>,
    /// Whether a refresh token was asked for by a parameter of the request.
    pub(crate) refresh_asked: bool,
    /// What the browser has to show in its cookie.
    pub(crate) cookie: String,
    pub(crate) user: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) expires_at: Timestamp,
}

/// The context of an EHR launch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    pub(crate) patient: Option<String>,
    pub(crate) encounter: Option<String>,
}

pub(crate) struct Code {
    pub(crate) login: Login,
    pub(crate) expires_at: Timestamp,
    /// The grant that came of it, once it was redeemed.
    pub(crate) redeemed: Option<String>,
}

/// What a person agreed to, or what a backend service was given.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    /// Who logged in, as a FHIR reference. `None`: a backend service, where nobody did.
    pub(crate) user: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) encounter: Option<String>,
    pub(crate) nonce: Option<String>,
    /// The `state` of the authorization request.
    pub(crate) state: String,
    pub(crate) renewal: Renewal,
    pub(crate) life: Life,
}

/// How long a grant can be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// There is no refresh token.
    Never,
    /// Until the person's session ends (`online_access`).
    WhileSignedIn,
    /// Until it is revoked (`offline_access`).
    Always,
}

/// What of a grant is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// All of it.
    Whole,
    /// Its access tokens, until they end; no refresh token.
    LastTokens,
    /// Nothing.
    Over,
}

pub(crate) struct Issued {
    pub(crate) grant: String,
    /// The scopes of this token: the grant's, or fewer after a refresh that asked for less.
    pub(crate) scopes: Scopes,
    pub(crate) since: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked: bool,
}

#[derive(Clone)]
pub(crate) struct Refresh {
    pub(crate) grant: String,
    pub(crate) used: bool,
    pub(crate) used_at: Option<Timestamp>,
    /// The token that took its place.
    pub(crate) successor: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Shared {
    pub(crate) fn new(config: SandboxConfig, origin: String, key: SigningKey) -> Self {
        let quirks = Quirks::of(config.kind);
        let fhir_root = format!("{origin}{}", quirks.paths.fhir);
        let slash = if quirks.paths.fhir_slash { "/" } else { "" };
        let data = DataSet::built_in();
        let resources = Mutex::new(Arc::new(Repository::new(&data, config.storage)));
        Self {
            data,
            resources,
            fhir_base: format!("{fhir_root}{slash}"),
            fhir_root,
            issuer: format!("{origin}{}", quirks.paths.issuer),
            origin,
            quirks,
            keys: SandboxKeys::new(key),
            clients: config.clients,
            client_keys: ClientKeySets::default(),
            clock: config.clock,
            access_lifetime: config.access_token_lifetime,
            backend_lifetime: config.backend_token_lifetime,
            refresh_lifetime: config.refresh_token_lifetime,
            refresh_leeway: config.refresh_reuse_leeway,
            code_lifetime: config.code_lifetime,
            misbehaviour: config.misbehaviour,
            honesty: Honesty::default(),
            faults: Faults::new(config.fhir_fault),
            offers: config.offers,
            states: Mutex::new(Repository::empty(config.storage)),
            bulk: BulkState::new(config.bulk),
            counts: Default::default(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    // A panic in a handler ends that request; the maps it leaves are whole.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All resources as they are now.
    pub(crate) fn resources(&self) -> Arc<Repository> {
        self.lock_resources().clone()
    }

    /// Changes resources. One change is done after the other.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Repository) -> T) -> T {
        change(Arc::make_mut(&mut self.lock_resources()))
    }

    /// The states that apps keep.
    pub(crate) fn states(&self) -> MutexGuard<'_, Repository> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic in a handler ends that request; each change of the repository leaves it whole.
    fn lock_resources(&self) -> MutexGuard<'_, Arc<Repository>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|c| c.id == id)
    }

    pub(crate) fn misbehaves(&self, how: Misbehaviour) -> bool {
        self.misbehaviour == Some(how)
    }

    pub(crate) fn count(&self, what: Counted) {
        if let Some(counter) = self.counts.get(what as usize) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(crate) fn counted(&self, what: Counted) -> u64 {
        self.counts.get(what as usize).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }

    /// What a token opens now; `None` when it is unknown, expired or revoked.
    pub(crate) fn access(&self, token: &str) -> Option<Access> {
        let state = self.state();
        let (issued, grant) = state.live(token, self.now())?;
        Some(Access { scopes: issued.scopes.clone(), patient: grant.patient.clone(), user: grant.user.clone() })
    }
}

impl State {
    /// A live access token and its grant.
    pub(crate) fn live(&self, token: &str, now: Timestamp) -> Option<(&Issued, &Grant)> {
        let issued = self.access_tokens.get(token).filter(|t| !t.revoked && now < t.expires_at)?;
        let grant = self.grants.get(&issued.grant).filter(|g| g.life != Life::Over)?;
        Some((issued, grant))
    }

    /// The grant of a refresh token that is still good.
    pub(crate) fn live_refresh(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        let held = self.refresh_tokens.get(token)?;
        let is_good = !held.used && held.expires_at.is_none_or(|expires| now < expires);
        self.grants.get(&held.grant).filter(|grant| is_good && grant.life == Life::Whole)
    }

    /// A fresh secret, noted down so that tests can look for it where it must not be.
    pub(crate) fn secret(&mut self) -> String {
        let secret = random_text();
        self.secrets.push(secret.clone());
        secret
    }

    /// Notes down a launch, and gives the value that is good for one authorization request.
    pub(crate) fn launch(&mut self, launch: Launch) -> String {
        let id = random_text();
        self.launches.insert(id.clone(), launch);
        id
    }

    /// Whether an assertion of this client was used before; it is remembered now. Those that have expired are
    /// forgotten.
    pub(crate) fn was_used(&mut self, client: &str, jti: &str, until: Timestamp, now: Timestamp) -> bool {
        self.assertions.retain(|_, expires| now < *expires);
        self.assertions.insert((client.to_owned(), jti.to_owned()), until).is_some()
    }

    /// Takes back a grant and all that was issued on it.
    pub(crate) fn revoke_grant(&mut self, id: &str) {
        if let Some(grant) = self.grants.get_mut(id) {
            grant.life = Life::Over;
        }
    }
}

/// 256 random bits as text. Without randomness the sandbox has nothing to give, so a failure gives no token at all.
pub(crate) fn random_text() -> String {
    let mut octets = [0_u8; 32];
    match ring::rand::SystemRandom::new().fill(&mut octets) {
        Ok(()) => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets),
        Err(_) => String::new(),
    }
}
