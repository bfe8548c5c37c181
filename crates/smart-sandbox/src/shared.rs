//! What the routes share: data, keys, clients, and the grants that were given.

use crate::config::{Client, Misbehaviour, SandboxConfig};
use crate::data::DataSet;
use crate::fhir::Access;
use crate::keys::SandboxKeys;
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
    pub(crate) fhir_base: String,
    pub(crate) issuer: String,
    pub(crate) keys: SandboxKeys,
    pub(crate) clients: Vec<Client>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) access_lifetime: Duration,
    pub(crate) misbehaviour: Option<Misbehaviour>,
    counts: [AtomicU64; 7],
    state: Mutex<State>,
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
    pub(crate) challenge: CodeChallenge,
    pub(crate) launch: Option<Launch>,
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

/// What a person agreed to.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) user: String,
    pub(crate) patient: Option<String>,
    pub(crate) encounter: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) revoked: bool,
}

pub(crate) struct Issued {
    pub(crate) grant: String,
    pub(crate) since: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked: bool,
}

pub(crate) struct Refresh {
    pub(crate) grant: String,
    pub(crate) used: bool,
}

impl Shared {
    pub(crate) fn new(config: SandboxConfig, fhir_base: String, issuer: String, key: SigningKey) -> Self {
        Self {
            data: DataSet::built_in(),
            fhir_base,
            issuer,
            keys: SandboxKeys::new(key),
            clients: config.clients,
            clock: config.clock,
            access_lifetime: config.access_token_lifetime,
            misbehaviour: config.misbehaviour,
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
        let _ = issued;
        Some(Access { scopes: grant.scopes.clone(), patient: grant.patient.clone() })
    }
}

impl State {
    /// A live access token and its grant.
    pub(crate) fn live(&self, token: &str, now: Timestamp) -> Option<(&Issued, &Grant)> {
        let issued = self.access_tokens.get(token).filter(|t| !t.revoked && now < t.expires_at)?;
        let grant = self.grants.get(&issued.grant).filter(|g| !g.revoked)?;
        Some((issued, grant))
    }

    /// A fresh secret, noted down so that tests can look for it where it must not be.
    pub(crate) fn secret(&mut self) -> String {
        let secret = random_text();
        self.secrets.push(secret.clone());
        secret
    }

    /// Takes back a grant and all that was issued on it.
    pub(crate) fn revoke_grant(&mut self, id: &str) {
        if let Some(grant) = self.grants.get_mut(id) {
            grant.revoked = true;
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
