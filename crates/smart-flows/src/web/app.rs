//! The requests of a browser to a SMART web app.

use super::cookies::{Cookie, CookieRules};
use super::pages;
use super::unclaimed::Unclaimed;
use crate::client::SmartClient;
use crate::error::Error;
use crate::logout::LogoutReport;
use crate::pending_logins::BrowserId;
use crate::session::Session;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde::{Deserialize, Serialize};
use smart_core::authorize::{AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch, LaunchError};
use smart_core::random::random_token;
use smart_core::redirect_uri::RedirectUri;
use smart_store::{Expected, Filter, Key, Kind, SecretBytes, StoreError};
use std::future::Future;
use std::sync::Arc;

/// The query parameter and the header that name a session.
const PARAMETER: &str = "smart_session";
const HEADER: &str = "smart-session";
/// How many sessions one browser may have at a time.
const MAX_SESSIONS: usize = 50;

/// A SMART web app: who may launch it, and where its pages are. Clones are cheap.
#[derive(Clone, Debug)]
pub struct WebApp {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    smart: SmartClient,
    redirect_uri: RedirectUri,
    allowed: AllowedIssuers,
    after_login: String,
    after_logout: String,
    cookies: CookieRules,
}

/// Makes a [`WebApp`].
#[derive(Debug)]
pub struct WebAppBuilder {
    smart: SmartClient,
    redirect_uri: RedirectUri,
    allowed: AllowedIssuers,
    after_login: String,
    after_logout: String,
    embedded: bool,
}

impl WebAppBuilder {
    /// The path within the app that the browser is sent to after a login. Default: `/`.
    pub fn after_login(mut self, path: impl Into<String>) -> Self {
        self.after_login = path.into();
        self
    }

    /// The path within the app that the browser is sent to after a logout. Default: `/`.
    pub fn after_logout(mut self, path: impl Into<String>) -> Self {
        self.after_logout = path.into();
        self
    }

    /// For an app that EHRs show in a frame of their own pages: cookies are then sent there too, kept apart for each EHR
    /// (`SameSite=None; Partitioned`). Allow those EHRs alone to frame your pages, by `frame-ancestors`.
    pub fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// The app.
    pub fn build(self) -> WebApp {
        let cookies = CookieRules::new(&self.redirect_uri, self.embedded);
        WebApp {
            inner: Arc::new(Inner {
                smart: self.smart,
                redirect_uri: self.redirect_uri,
                allowed: self.allowed,
                after_login: within(&self.after_login),
                after_logout: within(&self.after_logout),
                cookies,
            }),
        }
    }
}

/// A path of this host: `//other.example` is one of another.
fn within(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

/// Which session a browser has: its key in the store.
#[derive(Serialize, Deserialize)]
struct Opened {
    issuer: String,
    user: String,
    id: String,
}

impl Opened {
    fn of(key: &Key) -> Self {
        Self { issuer: key.issuer().to_owned(), user: key.user().to_owned(), id: key.id().to_owned() }
    }

    fn key(self) -> Key {
        Key::new(Kind::Session, self.issuer, self.user, self.id)
    }
}

/// What of a browser's request counts.
struct FromBrowser {
    login: Option<BrowserId>,
    session: Option<BrowserId>,
    query: String,
    named: Named,
}

/// The session that a request names.
enum Named {
    Nothing,
    One(String),
    /// Two different ones.
    Several,
}

impl WebApp {
    /// An app that these servers may launch, with the redirect URI that is registered for it.
    pub fn builder(smart: SmartClient, redirect_uri: RedirectUri, allowed: AllowedIssuers) -> WebAppBuilder {
        let (after_login, after_logout) = ("/".to_owned(), "/".to_owned());
        WebAppBuilder { smart, redirect_uri, allowed, after_login, after_logout, embedded: false }
    }

    /// The client.
    pub fn smart(&self) -> &SmartClient {
        &self.inner.smart
    }

    /// The redirect URI.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.inner.redirect_uri
    }

    /// Answers the request by which an EHR opens the app (`?iss=..&launch=..`): sends the browser on to sign in.
    ///
    /// # Errors
    /// [`Error::Core`] when the request is no launch, or by a server that may not launch the app: nothing was sent to it.
    /// Those of [`SmartClient::ehr`]; [`Error::Store`].
    pub fn launch<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Result<Response<Bytes>, Error>> + Send + 'static + use<B> {
        let (app, from) = (self.clone(), self.read(request));
        async move {
            let launch = EhrLaunch::from_query(&from.query, &app.inner.allowed)?;
            let begun = app.inner.smart.ehr(&launch, &app.inner.redirect_uri).await?;
            app.send_to_server(from.login, begun).await
        }
    }

    /// Begins a login that the person asks for, at a server that the app knows (standalone launch).
    ///
    /// # Errors
    /// [`Error::Core`] when the server is not one of the allowed ones; those of [`SmartClient::standalone`];
    /// [`Error::Store`].
    pub fn login<B>(
        &self,
        request: &Request<B>,
        fhir_base: &str,
    ) -> impl Future<Output = Result<Response<Bytes>, Error>> + Send + 'static + use<B> {
        let (app, from, fhir_base) = (self.clone(), self.read(request), fhir_base.to_owned());
        async move {
            let base = FhirBaseUrl::parse_with(&fhir_base, app.inner.smart.inner.discovery.url_policy)?;
            app.inner.allowed.check(&base).map_err(LaunchError::from)?;
            let launch = app.inner.smart.standalone(&fhir_base).await?;
            let begun = launch.authorize(&app.inner.redirect_uri)?;
            app.send_to_server(from.login, begun).await
        }
    }

    /// Answers the request that comes back from signing in: completes the login and sends the browser on into the app, with
    /// the name of its session in the URL and without the code. The page of an error is [`error_page`](Self::error_page).
    ///
    /// When it is dropped before it answers, as servers do when the browser is gone, the login is undone.
    ///
    /// # Errors
    /// [`Error::NoPendingLogin`] when no such login waits in this browser; those of [`SmartClient::complete`].
    pub fn callback<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Result<(Session, Response<Bytes>), Error>> + Send + 'static + use<B> {
        let (app, from) = (self.clone(), self.read(request));
        async move {
            // A browser that is gone drops this future. The login goes on, and is undone: nobody could ever find it again.
            let completing = tokio::spawn(async move { app.complete(from).await });
            let unclaimed = completing.await.map_err(|_| Error::Internal("a login was stopped half-way"))??;
            unclaimed.claim()
        }
    }

    /// The session that a request is for. `None`: the browser has none of this name.
    ///
    /// # Errors
    /// [`Error::SeveralSessions`] when the request names none and the browser has more than one; those of
    /// [`SmartClient::restore`].
    pub fn session<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Result<Option<Session>, Error>> + Send + 'static + use<B> {
        let (app, from) = (self.clone(), self.read(request));
        async move { Ok(app.find(&from).await?.map(|(_, session)| session)) }
    }

    /// Logs out the session that a request is for, and sends the browser on. Call it for a POST only, so that no page
    /// elsewhere can do it.
    ///
    /// # Errors
    /// As for [`session`](Self::session).
    pub fn logout<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Result<(Option<LogoutReport>, Response<Bytes>), Error>> + Send + 'static + use<B> {
        let (app, from) = (self.clone(), self.read(request));
        async move {
            let mut report = None;
            if let Some((key, session)) = app.find(&from).await? {
                report = Some(session.logout().await);
                app.store().remove(&key, Expected::Any).await?;
            }
            let is_last = match &from.session {
                Some(browser) => app.opened(browser).await?.is_empty(),
                None => false,
            };
            let cookie = if is_last {
                app.inner.cookies.set(Cookie::Session, None)
            } else {
                app.inner.cookies.set(Cookie::SignedOut, Some(&app.inner.smart.new_browser_id()?))
            };
            Ok((report, pages::redirect(&app.inner.after_logout, cookie)))
        }
    }

    /// A page for the person that says what went wrong and what to do.
    pub fn error_page(error: &Error) -> Response<Bytes> {
        pages::error_page(error)
    }

    /// The name of a request's session, for links and requests of its page.
    pub fn session_name<B>(request: &Request<B>) -> Option<String> {
        match named(request.headers(), request.uri().query().unwrap_or_default()) {
            Named::One(name) => Some(name),
            Named::Nothing | Named::Several => None,
        }
    }

    fn read<B>(&self, request: &Request<B>) -> FromBrowser {
        let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
        FromBrowser {
            login: self.inner.cookies.read(headers, Cookie::Login),
            session: self.inner.cookies.read(headers, Cookie::Session),
            query: query.to_owned(),
            named: named(headers, query),
        }
    }

    async fn complete(&self, from: FromBrowser) -> Result<Unclaimed, Error> {
        let callback = Callback::from_query(&from.query)?;
        let login = from.login.ok_or(Error::NoPendingLogin)?;
        let session = self.inner.smart.complete_kept(&login, callback).await?;
        match self.open(from.session, &session).await {
            Ok((key, response)) => Ok(Unclaimed::new(self.clone(), key, session, response)),
            Err(error) => {
                // Nobody could ever find it again.
                session.logout().await;
                Err(error)
            }
        }
    }

    async fn send_to_server(
        &self,
        browser: Option<BrowserId>,
        (request, pending): (AuthorizationRequest, PendingAuthorization),
    ) -> Result<Response<Bytes>, Error> {
        let is_new = browser.is_none();
        let browser = browser.map_or_else(|| self.inner.smart.new_browser_id(), Ok)?;
        let cookie = is_new.then(|| self.inner.cookies.set(Cookie::Login, Some(&browser))).flatten();
        self.inner.smart.keep_pending(&browser, &pending).await?;
        Ok(pages::to_server(&request, cookie))
    }

    /// Gives the browser a new session, under a new id unless it has sessions already: an id that somebody knew before the
    /// login opens nothing.
    async fn open(&self, browser: Option<BrowserId>, session: &Session) -> Result<(Key, Response<Bytes>), Error> {
        let opened = if let Some(browser) = &browser { self.opened(browser).await? } else { Vec::new() };
        let known = browser.filter(|_| !opened.is_empty());
        let is_new = known.is_none();
        let browser = known.map_or_else(|| self.inner.smart.new_browser_id(), Ok)?;
        let cookie = is_new.then(|| self.inner.cookies.set(Cookie::Session, Some(&browser))).flatten();
        self.tidy(&opened).await?;
        let name = random_token::<12>(&*self.inner.smart.inner.random)?;
        let bytes = serde_json::to_vec(&Opened::of(session.key()))
            .map_err(|_| Error::Internal("a browser's session cannot be written"))?;
        let key = self.key(&browser, &name);
        self.store().put(&key, SecretBytes::new(bytes), Expected::Absent).await?;
        let joint = if self.inner.after_login.contains('?') { '&' } else { '?' };
        Ok((key, pages::redirect(&format!("{}{joint}{PARAMETER}={name}", self.inner.after_login), cookie)))
    }

    /// The session of a request, and the key of the browser's record of it.
    async fn find(&self, from: &FromBrowser) -> Result<Option<(Key, Session)>, Error> {
        let Some(browser) = &from.session else { return Ok(None) };
        let key = match &from.named {
            Named::One(name) => self.key(browser, name),
            Named::Several => return Err(Error::SeveralSessions),
            Named::Nothing => match <[Key; 1]>::try_from(self.opened(browser).await?) {
                Ok([key]) => key,
                Err(keys) if keys.is_empty() => return Ok(None),
                Err(_) => return Err(Error::SeveralSessions),
            },
        };
        let Some(opened) = self.read_opened(&key).await? else { return Ok(None) };
        let session = self.inner.smart.restore(&opened).await?;
        if session.is_none() {
            self.store().remove(&key, Expected::Any).await?;
        }
        Ok(session.map(|session| (key, session)))
    }

    async fn read_opened(&self, key: &Key) -> Result<Option<Key>, Error> {
        match self.store().get(key).await {
            Ok(Some(stored)) => {
                let opened: Option<Opened> = serde_json::from_slice(stored.value.expose_secret()).ok();
                Ok(opened.map(Opened::key))
            }
            Ok(None) | Err(StoreError::Unreadable { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn opened(&self, browser: &BrowserId) -> Result<Vec<Key>, Error> {
        let filter = Filter {
            kind: Some(Kind::Browser),
            issuer: Some(self.inner.smart.app().client_id().to_string()),
            user: Some(browser.lookup_key()),
        };
        Ok(self.store().list(&filter).await?)
    }

    /// Drops names of sessions that are gone; of too many, any.
    async fn tidy(&self, opened: &[Key]) -> Result<(), Error> {
        let mut kept = 0;
        for key in opened {
            let is_there = match self.read_opened(key).await? {
                Some(session) => !matches!(self.store().get(&session).await, Ok(None)),
                None => false,
            };
            kept += usize::from(is_there);
            if !is_there || kept >= MAX_SESSIONS {
                self.store().remove(key, Expected::Any).await?;
            }
        }
        Ok(())
    }

    fn key(&self, browser: &BrowserId, name: &str) -> Key {
        Key::new(Kind::Browser, self.inner.smart.app().client_id().to_string(), browser.lookup_key(), name)
    }

    pub(super) fn store(&self) -> &dyn smart_store::Store {
        &*self.inner.smart.inner.store
    }
}

fn named(headers: &HeaderMap, query: &str) -> Named {
    let in_query = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == PARAMETER)
        .map(|(_, value)| value.into_owned());
    let in_headers = headers.get_all(HEADER).iter().map(|value| value.to_str().unwrap_or_default().to_owned());
    let mut names: Vec<String> = in_query.chain(in_headers).collect();
    names.dedup();
    match (names.pop(), names.is_empty()) {
        (None, _) => Named::Nothing,
        (Some(name), true) => Named::One(name),
        (Some(_), false) => Named::Several,
    }
}
