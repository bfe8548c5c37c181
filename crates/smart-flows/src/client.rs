//! The client: one app, ready for any number of servers and users.

use crate::app::App;
use crate::error::Error;
use crate::id_token::IdTokens;
use crate::launch::StandaloneLaunch;
use crate::record::{SessionEndpoints, SessionRecord, issuer_part};
use crate::session::Session;
use crate::system::{SystemClock, SystemRandom};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::discovery::{
    Discovered, Discovery, DiscoveryOptions, DiscoveryPolicy, Endpoint, EndpointOverrides, Flow, GatePolicy, Step,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::EhrLaunch;
use smart_core::random::{SecureRandom, random_token};
use smart_core::redirect_uri::RedirectUri;
use smart_core::time::Clock;
use smart_core::token::CodeExchange;
use smart_core::url_policy::UrlPolicy;
use smart_http::{HttpClient, HttpError, HyperTransport, Limits, RedirectPolicy};
use smart_store::{Filter, Key, Kind, MemoryStore, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The largest document of an authorization server that is read: discovery, keys, tokens.
const MAX_DOCUMENT: u64 = 1024 * 1024;

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
    pub(crate) random: Arc<dyn SecureRandom>,
    pub(crate) discovery: DiscoveryOptions,
    pub(crate) gate: GatePolicy,
    pub(crate) id_tokens: IdTokens,
    pub(crate) login_timeout: Duration,
    /// Live sessions by key: two handles on one stored session share one refresh.
    sessions: Mutex<HashMap<Key, Weak<crate::session::Inner>>>,
}

/// Makes a [`SmartClient`].
pub struct SmartClientBuilder {
    app: App,
    http: Option<HttpClient>,
    store: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    discovery: DiscoveryOptions,
    gate: GatePolicy,
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

    /// How long a person may take to log in. Default: 5 minutes.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.login_timeout = timeout;
        self
    }

    /// The client.
    pub fn build(self) -> SmartClient {
        let http = self.http.unwrap_or_else(|| HttpClient::new(HyperTransport::new()));
        SmartClient {
            inner: Arc::new(Inner {
                app: self.app,
                documents: http.with_limits(Limits { max_body: MAX_DOCUMENT, ..http.limits() }),
                http,
                store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::with_clock(self.clock.clone()))),
                clock: self.clock,
                random: self.random,
                discovery: self.discovery,
                gate: self.gate,
                id_tokens: IdTokens::default(),
                login_timeout: self.login_timeout,
                sessions: Mutex::default(),
            }),
        }
    }
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
            random: Arc::new(SystemRandom::new()),
            discovery: DiscoveryOptions::default(),
            gate: GatePolicy::Warn,
            login_timeout: Duration::from_mins(5),
        }
    }

    /// The app.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// Reads what a FHIR server says of its authorization: the smart-configuration, or the CapabilityStatement of an
    /// old server.
    ///
    /// # Errors
    /// [`Error::Core`] for a URL that may not be used, before any request; [`Error::Http`]; [`Error::Discovery`].
    pub async fn discover(&self, fhir_base: &str) -> Result<Discovered, Error> {
        let base = FhirBaseUrl::parse_with(fhir_base, self.inner.discovery.url_policy)?;
        self.inner.discover(base).await
    }

    /// Begins a standalone launch at a FHIR server: discovers it.
    ///
    /// # Errors
    /// As for [`discover`](Self::discover), and when the server offers no authorization endpoint.
    pub async fn standalone(&self, fhir_base: &str) -> Result<StandaloneLaunch, Error> {
        let server = self.discover(fhir_base).await?;
        server.gate(Flow::StandaloneLaunch, self.inner.gate)?;
        Ok(StandaloneLaunch::new(self.clone(), server))
    }

    /// The authorization request of an EHR launch: discovers the server that launched the app. Keep the pending half
    /// in the user's own web session, and hand the callback to [`complete`](Self::complete).
    ///
    /// # Errors
    /// As for [`standalone`](Self::standalone).
    pub async fn ehr(
        &self,
        launch: &EhrLaunch,
        redirect_uri: &RedirectUri,
    ) -> Result<(AuthorizationRequest, PendingAuthorization), Error> {
        let server = self.inner.discover(launch.iss().clone()).await?;
        server.gate(Flow::EhrLaunch, self.inner.gate)?;
        let app = &self.inner.app;
        let builder = AuthorizationBuilder::ehr(
            server.authorization_server()?,
            launch,
            app.client_id.clone(),
            redirect_uri.clone(),
            app.scopes.clone(),
        )?;
        Ok(builder.build(&*self.inner.random, self.inner.clock.now())?)
    }

    /// Completes a login: checks the callback, redeems the code, validates the ID token, stores the session.
    ///
    /// `callback` is the query of the request to the redirect URI. The pending half is consumed: state and code are
    /// good for one try. Not cancel-safe: when dropped half-way, the login is lost and has to begin anew.
    ///
    /// # Errors
    /// [`Error::Callback`], [`Error::Token`], [`Error::IdToken`], [`Error::Http`], [`Error::Store`].
    pub async fn complete(&self, pending: PendingAuthorization, callback: &str) -> Result<Session, Error> {
        self.complete_callback(pending, Callback::from_query(callback)?).await
    }

    /// The same for a callback that is read already.
    ///
    /// # Errors
    /// As for [`complete`](Self::complete).
    pub async fn complete_callback(&self, pending: PendingAuthorization, callback: Callback) -> Result<Session, Error> {
        let inner = &self.inner;
        let exchange = pending.complete(callback, inner.clock.now())?;
        let server = inner.discover(exchange.server().fhir_base.clone()).await?;
        self.exchange(exchange, &server).await
    }

    async fn exchange(&self, exchange: CodeExchange, server: &Discovered) -> Result<Session, Error> {
        let inner = &self.inner;
        let app = &inner.app;
        let (request, expected) = exchange.into_request(&app.authentication(), app.id_in_body)?;
        let response = inner.send(request).await?;
        let now = inner.clock.now();
        let token = expected.parse(response.status().as_u16(), response.body(), now)?;
        for leniency in &token.leniencies {
            tracing::warn!(code = leniency.code(), "the token response departs from the specification");
        }
        let user = inner.id_tokens.validate(inner, server, &expected, &token).await?;
        let endpoint = |endpoint| server.configuration.endpoint(endpoint).cloned();
        let record = SessionRecord::new(
            random_token::<16>(&*inner.random)?,
            expected.server().fhir_base.clone(),
            app.client_id.clone(),
            SessionEndpoints {
                token: expected.server().token_endpoint.clone(),
                introspection: endpoint(Endpoint::Introspection),
                revocation: endpoint(Endpoint::Revocation),
            },
            user,
            expected.requested_scopes().clone(),
            token,
        );
        let session = Session::create(self.clone(), record).await?;
        self.remember(&session);
        Ok(session)
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
        let record = SessionRecord::from_bytes(key, &stored.value)?;
        let session = Session::restored(self.clone(), record, stored.version);
        Ok(Some(self.remember(&session)))
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
        let of_this_app = format!(" {client_id}");
        keys.retain(|key| key.issuer().ends_with(&of_this_app));
        Ok(keys)
    }

    fn live_sessions(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Weak<crate::session::Inner>>> {
        self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle that others hold on a session, unless it is over.
    fn live(&self, key: &Key) -> Option<Arc<crate::session::Inner>> {
        self.live_sessions().get(key).and_then(Weak::upgrade).filter(|inner| inner.record().is_ok())
    }

    /// Keeps a session findable, or gives the one that somebody else made live in the meantime.
    fn remember(&self, session: &Session) -> Session {
        let mut sessions = self.live_sessions();
        sessions.retain(|_, inner| inner.strong_count() > 0);
        if let Some(inner) = sessions.get(session.key()).and_then(Weak::upgrade).filter(|inner| inner.record().is_ok())
        {
            return Session::of(inner);
        }
        sessions.insert(session.key().clone(), session.downgrade());
        session.clone()
    }
}

impl Inner {
    async fn discover(&self, base: FhirBaseUrl) -> Result<Discovered, Error> {
        let mut discovery = Discovery::new(base, self.discovery.clone());
        // A discovery takes two requests at most; the bound is for a fault in it.
        for _ in 0..4 {
            let request = discovery.request()?;
            let response = self.documents.fetch_following(request, RedirectPolicy::same_origin()).await?;
            let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
            match discovery.next_step(response.status(), content_type, response.body())? {
                Step::Done(discovered) => return Ok(*discovered),
                Step::Next(next) => discovery = *next,
            }
        }
        Err(Error::Internal("discovery does not end"))
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
