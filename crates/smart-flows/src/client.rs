//! The client: one app, ready for any number of servers and users.

use crate::app::App;
use crate::audit::{AuditKind, Auditor, EndpointRole, LaunchKind, TokenId};
use crate::client_auth::AuthHints;
use crate::error::Error;
use crate::grants::warn_of_leniencies;
use crate::issuer_keys::IssuerKeyring;
use crate::launch::StandaloneLaunch;
use crate::permission_policy::PermissionPolicy;
use crate::record::{Grant, NewSession, SessionEndpoints, SessionRecord, issuer_part};
use crate::registry::{DiscoveryCache, Registry, document_retries};
use crate::server_rules::ServerRules;
use crate::session::Session;
use crate::session_policy::SessionPolicy;
use crate::slots::Slots;
use crate::system::{SystemClock, SystemRandom, SystemUptime, Uptime};
use bytes::Bytes;
use http::{Request, Response};
use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::discovery::{
    Discovered, DiscoveryOptions, DiscoveryPolicy, Endpoint, EndpointOverrides, Flow, GatePolicy,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::EhrLaunch;
use smart_core::profile::ServerSettings;
use smart_core::random::{SecureRandom, random_token};
use smart_core::redirect_uri::RedirectUri;
use smart_core::time::Clock;
use smart_core::token::{CodeExchange, ExpectedToken, TokenResponse};
use smart_core::url_policy::UrlPolicy;
#[cfg(target_arch = "wasm32")]
use smart_http::FetchTransport as PlatformTransport;
#[cfg(not(target_arch = "wasm32"))]
use smart_http::HyperTransport as PlatformTransport;
use smart_http::{HttpClient, HttpError, Limits, RetryPolicy};
use smart_store::{Expected, Filter, Key, Kind, MemoryStore, SecretBytes, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The largest document of an authorization server that is read: discovery, keys, tokens.
const MAX_DOCUMENT: u64 = 1024 * 1024;
/// How many backend sessions are begun side by side without waiting for each other.
const MAX_BACKENDS: usize = 256;
/// How long the others wait for a process that was killed while it renewed a token. One that lives prolongs its lease.
const REFRESH_LEASE: Duration = Duration::from_secs(15);
const SHORTEST_LEASE: Duration = Duration::from_secs(3);

/// A SMART client. Clones are cheap and share everything.
#[derive(Clone)]
pub struct SmartClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) app: App,
    /// For the documents of authorization servers: small ones.
    pub(crate) documents: HttpClient,
    /// As the app gave it.
    pub(crate) http: HttpClient,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) uptime: Arc<dyn Uptime>,
    pub(crate) random: Arc<dyn SecureRandom>,
    pub(crate) discovery: DiscoveryOptions,
    pub(crate) gate: GatePolicy,
    pub(crate) registry: Registry,
    pub(crate) issuer_keyring: IssuerKeyring,
    /// For public documents.
    pub(crate) document_retries: RetryPolicy,
    /// For token requests that may be repeated.
    pub(crate) grant_retries: RetryPolicy,
    pub(crate) refresh_lease: Duration,
    pub(crate) servers: ServerRules,
    pub(crate) life_if_unsaid: Option<Duration>,
    pub(crate) session_policy: SessionPolicy,
    pub(crate) permissions: PermissionPolicy,
    pub(crate) audit: Auditor,
    pub(crate) login_timeout: Duration,
    /// Held while a backend session is begun, so that it is begun once.
    pub(crate) backends: Slots<Key, ()>,
    /// Live sessions by key: two handles on one stored session share one refresh.
    sessions: Mutex<HashMap<Key, Weak<crate::session::Inner>>>,
}

/// Makes a [`SmartClient`].
pub struct SmartClientBuilder {
    app: App,
    http: Option<HttpClient>,
    store: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    uptime: Arc<dyn Uptime>,
    random: Arc<dyn SecureRandom>,
    discovery: DiscoveryOptions,
    discovery_cache: DiscoveryCache,
    gate: GatePolicy,
    grant_retries: RetryPolicy,
    refresh_lease: Duration,
    servers: ServerRules,
    life_if_unsaid: Option<Duration>,
    session_policy: SessionPolicy,
    permissions: PermissionPolicy,
    audit: Auditor,
    login_timeout: Duration,
}

impl SmartClientBuilder {
    /// Where sessions are kept. Default: in memory.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The HTTP client that every request goes through, those for keys included.
    pub fn http(mut self, http: HttpClient) -> Self {
        self.http = Some(http);
        self
    }

    /// The clock. Default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The clock that nobody can set, for the time-outs of sessions. Default: the system's.
    pub fn uptime(mut self, uptime: Arc<dyn Uptime>) -> Self {
        self.uptime = uptime;
        self
    }

    /// The random source. Default: the platform's.
    pub fn random(mut self, random: Arc<dyn SecureRandom>) -> Self {
        self.random = random;
        self
    }

    /// Accepts plain http on loopback hosts: for development and tests.
    pub fn allow_loopback_http(mut self) -> Self {
        self.discovery.url_policy = UrlPolicy::AllowLoopbackHttp;
        self
    }

    /// What discovery refuses a server for.
    pub fn discovery_policy(mut self, policy: DiscoveryPolicy) -> Self {
        self.discovery.policy = policy;
        self
    }

    /// Endpoints that are known better than the servers' documents say.
    pub fn endpoint_overrides(mut self, overrides: EndpointOverrides) -> Self {
        self.discovery.overrides = overrides;
        self
    }

    /// What to do about capabilities that a flow needs and a server does not list. Default: try all the same.
    pub fn gate(mut self, gate: GatePolicy) -> Self {
        self.gate = gate;
        self
    }

    /// How long what servers say of themselves is believed.
    pub fn discovery_cache(mut self, cache: DiscoveryCache) -> Self {
        self.discovery_cache = cache;
        self
    }

    /// How often, and after which waits, a token request is repeated that may be: one for a backend service's token, or a
    /// refresh that certainly did not reach the server. Default: three times.
    pub fn token_retries(mut self, retries: RetryPolicy) -> Self {
        self.grant_retries = retries;
        self
    }

    /// How long other processes wait for one that was killed while it renewed a token; one that lives prolongs its lease, however
    /// long server and store take. At least 3 seconds. Default: 15 seconds.
    pub fn refresh_lease(mut self, lease: Duration) -> Self {
        self.refresh_lease = lease;
        self
    }

    /// The settings of one server: those of a profile, [chosen](smart_core::profile::ServerProfile::choose) since the app
    /// knows what this server is, or the app's own. A server without any is recognised by its URL where it can be, which never
    /// weakens a check.
    pub fn server(mut self, base: &FhirBaseUrl, settings: ServerSettings) -> Self {
        self.servers.set(base, settings);
        self
    }

    /// How long an access token is taken to live when the server does not say, and its profile does not either. Default: that
    /// is unknown, and a 401 tells.
    pub fn token_life_if_unsaid(mut self, life: Duration) -> Self {
        self.life_if_unsaid = Some(life);
        self
    }

    /// The settings of all servers that have none of their own.
    pub fn all_servers(mut self, settings: ServerSettings) -> Self {
        self.servers.set_all(settings);
        self
    }

    /// Recognises no server by its URL.
    pub fn without_recognition(mut self) -> Self {
        self.servers.do_not_recognise();
        self
    }

    /// The time-outs of sessions. Default: none.
    pub fn session_policy(mut self, policy: SessionPolicy) -> Self {
        self.session_policy = policy;
        self
    }

    /// What sessions do about requests that their granted scopes do not permit. Default: a line in the log.
    pub fn permissions(mut self, policy: PermissionPolicy) -> Self {
        self.permissions = policy;
        self
    }

    /// Where every security event is recorded. Default: nowhere.
    pub fn audit(mut self, audit: Auditor) -> Self {
        self.audit = audit;
        self
    }

    /// How long a person may take to log in. Default: 5 minutes.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.login_timeout = timeout;
        self
    }

    /// The client.
    pub fn build(self) -> SmartClient {
        let http = self.http.unwrap_or_else(|| HttpClient::new(PlatformTransport::new()));
        let documents = http.with_limits(document_limits(http.limits()));
        let client = SmartClient {
            inner: Arc::new(Inner {
                app: self.app,
                documents,
                http,
                store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::with_clock(self.clock.clone()))),
                clock: self.clock,
                uptime: self.uptime,
                random: self.random,
                discovery: self.discovery,
                gate: self.gate,
                registry: Registry::new(self.discovery_cache),
                issuer_keyring: IssuerKeyring::default(),
                document_retries: document_retries(),
                grant_retries: self.grant_retries,
                refresh_lease: self.refresh_lease.max(SHORTEST_LEASE),
                servers: self.servers,
                life_if_unsaid: self.life_if_unsaid,
                session_policy: self.session_policy,
                permissions: self.permissions,
                audit: self.audit,
                login_timeout: self.login_timeout,
                backends: Slots::new(MAX_BACKENDS),
                sessions: Mutex::default(),
            }),
        };
        client.inner.record_store();
        client
    }
}

/// The limits of exchanges with authorization servers: the app's own, but for bodies, which are small.
fn document_limits(limits: Limits) -> Limits {
    limits.with_max_body(limits.max_body.min(MAX_DOCUMENT))
}

impl SmartClient {
    /// A client with the defaults.
    pub fn new(app: App) -> Self {
        Self::builder(app).build()
    }

    /// Makes a client step by step.
    pub fn builder(app: App) -> SmartClientBuilder {
        SmartClientBuilder {
            app,
            http: None,
            store: None,
            clock: Arc::new(SystemClock),
            uptime: Arc::new(SystemUptime::new()),
            random: Arc::new(SystemRandom::new()),
            discovery: DiscoveryOptions::default(),
            discovery_cache: DiscoveryCache::default(),
            gate: GatePolicy::Warn,
            grant_retries: RetryPolicy::default(),
            refresh_lease: REFRESH_LEASE,
            servers: ServerRules::default(),
            life_if_unsaid: None,
            session_policy: SessionPolicy::none(),
            permissions: PermissionPolicy::default(),
            audit: Auditor::none(),
            login_timeout: Duration::from_mins(5),
        }
    }

    /// The app.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// Reads what a FHIR server says of its authorization: the smart-configuration, or the CapabilityStatement of an
    /// old server. What was read a short while ago is given again.
    ///
    /// # Errors
    /// [`Error::Core`] for a URL that may not be used, before any request; [`Error::Http`]; [`Error::Discovery`].
    pub async fn discover(&self, fhir_base: &str) -> Result<Discovered, Error> {
        let base = FhirBaseUrl::parse_with(fhir_base, self.inner.discovery.url_policy)?;
        self.inner.discover(base).await
    }

    /// The same, read anew in any case.
    ///
    /// # Errors
    /// As for [`discover`](Self::discover).
    pub async fn discover_anew(&self, fhir_base: &str) -> Result<Discovered, Error> {
        let base = FhirBaseUrl::parse_with(fhir_base, self.inner.discovery.url_policy)?;
        self.inner.discover_anew(base).await
    }

    /// Begins a standalone launch at a FHIR server: discovers it.
    ///
    /// # Errors
    /// As for [`discover`](Self::discover), and when the server offers no authorization endpoint;
    /// [`Error::BackendApp`].
    pub async fn standalone(&self, fhir_base: &str) -> Result<StandaloneLaunch, Error> {
        self.check_launches()?;
        let server = self.discover(fhir_base).await?;
        self.inner.check_flow(&server, Flow::StandaloneLaunch)?;
        self.inner.record_launch(&server.fhir_base, LaunchKind::Standalone)?;
        Ok(StandaloneLaunch::new(self.clone(), server))
    }

    /// The authorization request of an EHR launch: discovers the server that launched the app. Keep the pending half
    /// in the user's own web session, and hand the callback to [`complete`](Self::complete).
    ///
    /// # Errors
    /// As for [`standalone`](Self::standalone); [`Error::SecretForAnybody`] for an app with a secret that any server may launch.
    pub async fn ehr(
        &self,
        launch: &EhrLaunch,
        redirect_uri: &RedirectUri,
    ) -> Result<(AuthorizationRequest, PendingAuthorization), Error> {
        self.check_launches()?;
        if launch.is_from_anybody() && self.inner.app.has_secret() {
            return Err(Error::SecretForAnybody { client_id: self.inner.app.client_id.to_string() });
        }
        let server = self.inner.discover(launch.iss().clone()).await?;
        self.inner.check_flow(&server, Flow::EhrLaunch)?;
        self.inner.record_launch(&server.fhir_base, LaunchKind::Ehr)?;
        let app = &self.inner.app;
        let builder = AuthorizationBuilder::ehr(
            server.authorization_server()?,
            launch,
            app.client_id.clone(),
            redirect_uri.clone(),
            self.inner.scopes_for(&server, &app.scopes),
        )?
        .with_lifetime(self.inner.login_timeout);
        self.inner.begin(&builder, &server)
    }

    /// Completes a login: checks the callback, redeems the code, validates the ID token, stores the session.
    ///
    /// `callback` is the whole URL that came to the redirect URI, as a platform hands it over, or its query. The pending half
    /// is consumed: state and code are good for one try. Not cancel-safe: when dropped half-way, the login is lost and has to begin anew.
    ///
    /// # Errors
    /// [`Error::Callback`], [`Error::Token`], [`Error::IdToken`], [`Error::Http`], [`Error::Store`].
    pub async fn complete(&self, pending: PendingAuthorization, callback: &str) -> Result<Session, Error> {
        let callback = Callback::from_url_or_query(callback).map_err(Error::from);
        match callback {
            Ok(callback) => self.complete_callback(pending, callback).await,
            Err(error) => {
                self.inner.record_stray_callback(&error);
                Err(error)
            }
        }
    }

    /// The same for a callback that is read already.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete).
    pub async fn complete_callback(&self, pending: PendingAuthorization, callback: Callback) -> Result<Session, Error> {
        let fhir_base = pending.server().fhir_base.clone();
        // Boxed, as are other long ways: callers hold their futures on the stack.
        let outcome = Box::pin(self.complete_pending(pending, callback)).await;
        if let Err(error) = &outcome {
            let entry = self.inner.audit_context(&fhir_base).entry(AuditKind::AuthenticationFailure);
            self.inner.record_failure(entry, error);
        }
        outcome
    }

    async fn complete_pending(&self, pending: PendingAuthorization, callback: Callback) -> Result<Session, Error> {
        let exchange = pending.complete(callback, self.inner.clock.now())?;
        let server = self.inner.discover(exchange.server().fhir_base.clone()).await?;
        self.exchange(exchange, &server).await
    }

    async fn exchange(&self, exchange: CodeExchange, server: &Discovered) -> Result<Session, Error> {
        let inner = &self.inner;
        let hints = AuthHints::of(server);
        let authentication = inner.authenticate(&server.fhir_base, exchange.token_endpoint(), &hints).await?;
        let id_in_body = inner.id_in_body(&server.fhir_base);
        let (request, expected) = exchange.into_request(&authentication, id_in_body)?;
        let response = inner.send(request).await?;
        let token = expected.parse(response.status().as_u16(), response.body(), inner.clock.now())?;
        warn_of_leniencies(&token);
        let id_token = token.id_token.as_ref().map(TokenId::id);
        let record = self.record_of(server, hints, &expected, token).await?;
        if let Err(error) = inner.record_login(&record, id_token) {
            self.revoke_in_background(record);
            return Err(error);
        }
        match Session::create(self.clone(), record.clone(), Expected::Absent).await {
            Ok(session) => Ok(self.remember(&session)),
            Err(error) => {
                self.revoke_in_background(record);
                Err(error)
            }
        }
    }

    /// The record of a new session. Tokens whose ID token is refused are revoked: nobody will use them.
    async fn record_of(
        &self,
        server: &Discovered,
        hints: AuthHints,
        expected: &ExpectedToken,
        token: TokenResponse,
    ) -> Result<SessionRecord, Error> {
        let inner = &self.inner;
        let verdict = inner.validate_id_token(server, expected, &token).await;
        let (logged_in, refused) = match verdict {
            Ok(logged_in) => (logged_in, None),
            Err(error) => (None, Some(error)),
        };
        let (user, login, userinfo) = match logged_in {
            Some(logged_in) => (Some(logged_in.user), Some(logged_in.login), logged_in.userinfo),
            None => (None, None, None),
        };
        let endpoint = |endpoint| server.configuration.endpoint(endpoint).cloned();
        let new = NewSession {
            id: random_token::<16>(&*inner.random)?,
            grant: Grant::Login,
            fhir_base: expected.server().fhir_base.clone(),
            client_id: inner.app.client_id.clone(),
            endpoints: SessionEndpoints {
                token: expected.server().token_endpoint.clone(),
                introspection: endpoint(Endpoint::Introspection),
                revocation: endpoint(Endpoint::Revocation),
                userinfo,
            },
            hints,
            user,
            login,
            requested: expected.requested_scopes().clone(),
        };
        let expires_at = inner.end_of(&new.fhir_base, &token);
        let record = SessionRecord::new(new, token, expires_at);
        match refused {
            None => Ok(record),
            Some(error) => {
                self.revoke_in_background(record);
                Err(error)
            }
        }
    }

    /// A stored session, as after a restart. `None`: there is none under this key.
    ///
    /// # Errors
    /// [`Error::Store`], or [`Error::StoredSession`] when it cannot be used.
    pub async fn restore(&self, key: &Key) -> Result<Option<Session>, Error> {
        if let Some(inner) = self.live(key) {
            return Ok(Some(Session::of(inner)));
        }
        let Some(stored) = self.inner.store.get(key).await? else { return Ok(None) };
        let record = self.read_record(key, &stored.value).inspect_err(|e| self.inner.record_unreadable(key, e))?;
        // Whoever renewed it was stopped before it had judged the ID token that came along.
        self.inner.validate_renewed_id_token(&record).await?;
        let record = SessionRecord { unverified: None, ..record };
        let session = Session::restored(self.clone(), record, stored.version);
        Ok(Some(self.remember(&session)))
    }

    fn read_record(&self, key: &Key, bytes: &SecretBytes) -> Result<SessionRecord, Error> {
        let record = SessionRecord::from_bytes(key, bytes)?;
        if record.client_id != self.inner.app.client_id {
            return Err(Error::StoredSession { key: key.to_string(), reason: "it belongs to another app".to_owned() });
        }
        Ok(record)
    }

    /// The keys of this app's stored sessions at a FHIR server, or at all servers.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Core`] for a URL that may not be used.
    pub async fn sessions(&self, fhir_base: Option<&str>) -> Result<Vec<Key>, Error> {
        let client_id = self.inner.app.client_id();
        let issuer = match fhir_base {
            Some(given) => {
                Some(issuer_part(&FhirBaseUrl::parse_with(given, self.inner.discovery.url_policy)?, client_id))
            }
            None => None,
        };
        let filter = Filter { kind: Some(Kind::Session), issuer, user: None };
        let mut keys = self.inner.store.list(&filter).await?;
        // A URL has no blank; a client id may have some.
        keys.retain(|key| key.issuer().split_once(' ').is_some_and(|(_, id)| id == client_id.as_str()));
        Ok(keys)
    }

    fn live_sessions(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Weak<crate::session::Inner>>> {
        self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle that others hold on a session, unless it is over.
    fn live(&self, key: &Key) -> Option<Arc<crate::session::Inner>> {
        self.live_sessions().get(key).and_then(Weak::upgrade).filter(|inner| inner.live().is_ok())
    }

    /// Keeps a session findable, or gives the one that somebody else made live in the meantime.
    pub(crate) fn remember(&self, session: &Session) -> Session {
        let mut sessions = self.live_sessions();
        sessions.retain(|_, inner| inner.strong_count() > 0);
        if let Some(inner) = sessions.get(session.key()).and_then(Weak::upgrade).filter(|inner| inner.live().is_ok()) {
            return Session::of(inner);
        }
        sessions.insert(session.key().clone(), session.downgrade());
        session.clone()
    }
}

impl Inner {
    /// Whether a flow can be tried at a server; what it does not announce is told (requirement DI-11).
    pub(crate) fn check_flow(&self, server: &Discovered, flow: Flow) -> Result<(), Error> {
        for finding in server.gate(flow, self.gate)? {
            tracing::warn!(%finding, fhir_base = %server.fhir_base, "discovery");
        }
        Ok(())
    }

    /// The two halves of a login.
    pub(crate) fn begin(
        &self,
        builder: &AuthorizationBuilder,
        server: &Discovered,
    ) -> Result<(AuthorizationRequest, PendingAuthorization), Error> {
        let begun = builder.build(&*self.random, self.clock.now())?;
        let endpoint = server.endpoint(Endpoint::Authorization)?;
        self.record_attempt(&server.fhir_base, EndpointRole::Authorization, endpoint)?;
        Ok(begun)
    }

    /// Sends one request with credentials or a token in it: no redirect is followed, nothing is repeated.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.documents.fetch(request).await
    }
}

impl std::fmt::Debug for SmartClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmartClient").field("client_id", &self.inner.app.client_id.as_str()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SmartClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmartClientBuilder").field("client_id", &self.app.client_id.as_str()).finish_non_exhaustive()
    }
}
