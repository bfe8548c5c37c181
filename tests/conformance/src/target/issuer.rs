//! Any server: its URL and a registration are given, and a person logs in.

use super::{EhrStart, Registration, Target, follow};
use crate::check::Stop;
use smart_core::secret::ClientSecret;
use smart_flows::App;
use smart_http::BoxFuture;
use smart_jwt::SigningKey;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

/// How long a person may take.
const LOGIN: Duration = Duration::from_secs(55);

/// What is given of a server.
#[derive(Debug, Clone, Default)]
pub struct IssuerOptions {
    /// Its FHIR base.
    pub fhir_base: String,
    /// The client id of the app.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<String>,
    /// Its key as PEM, if it has one.
    pub key_pem: Option<String>,
    /// The id under which the key is registered.
    pub kid: Option<String>,
    /// The scopes of a person's app.
    pub scopes: Option<String>,
    /// The scopes of a backend service. `None`: it is none.
    pub backend_scopes: Option<String>,
    /// The redirect URI that is registered: `http://127.0.0.1:PORT/..`.
    pub redirect_uri: String,
    /// Whether the server lets a login through without a person, by redirects alone, as the launcher of SMART Health IT does.
    pub unattended: bool,
    /// The launch value of an EHR launch, where the server takes a fixed one.
    pub launch: Option<String>,
}

/// A server that was given by its URL.
pub struct Issuer {
    options: IssuerOptions,
}

impl Issuer {
    /// The server of these options.
    pub fn new(options: IssuerOptions) -> Self {
        Self { options }
    }

    fn key(&self) -> Option<SigningKey> {
        let key = SigningKey::from_pem(self.options.key_pem.as_deref()?).ok()?;
        match &self.options.kid {
            Some(kid) => key.with_kid(kid).ok(),
            None => Some(key),
        }
    }

    /// Opens the person's browser, and waits for the callback on the registered port.
    async fn ask(&self, url: &Url) -> Result<Url, Stop> {
        let redirect = Url::parse(&self.options.redirect_uri)?;
        let port = redirect.port().ok_or_else(|| Stop::failed("the redirect URI has no port"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        webbrowser::open(url.as_str()).map_err(|error| Stop::failed(format!("no browser: {error}")))?;
        tokio::time::timeout(LOGIN, callback(&listener, &redirect))
            .await
            .unwrap_or_else(|_| Err(Stop::failed("nobody came back from the browser")))
    }
}

/// Waits for a request to the redirect URI's path, and shows a page.
async fn callback(listener: &TcpListener, redirect: &Url) -> Result<Url, Stop> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut head = vec![0; 16 * 1024];
        let length = stream.read(&mut head).await?;
        let head = String::from_utf8_lossy(head.get(..length).unwrap_or_default()).into_owned();
        let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let page = "Back in the terminal. This window can be closed.";
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}", page.len());
        stream.write_all(answer.as_bytes()).await?;
        let came = redirect.join(target)?;
        if came.path() == redirect.path() && came.query().is_some() {
            return Ok(came);
        }
    }
}

impl Target for Issuer {
    fn name(&self) -> String {
        Url::parse(&self.options.fhir_base)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_else(|| "a server".to_owned())
    }

    fn fhir_base(&self) -> String {
        self.options.fhir_base.clone()
    }

    fn app(&self, registration: Registration) -> Option<App> {
        let id = self.options.client_id.clone();
        let secret = self.options.client_secret.clone();
        match registration {
            Registration::Public if secret.is_none() && self.options.key_pem.is_none() => Some(App::public(id)),
            Registration::Symmetric => secret.map(|secret| App::symmetric(id, ClientSecret::new(secret))),
            Registration::Asymmetric if self.options.backend_scopes.is_none() => Some(App::asymmetric(id, self.key()?)),
            Registration::Backend if self.options.backend_scopes.is_some() => Some(App::backend(id, self.key()?)),
            _ => None,
        }
    }

    fn redirect_uri(&self) -> String {
        self.options.redirect_uri.clone()
    }

    fn scopes(&self) -> String {
        let default = "launch/patient openid fhirUser offline_access patient/*.rs";
        self.options.scopes.clone().unwrap_or_else(|| default.to_owned())
    }

    fn backend_scopes(&self) -> String {
        self.options.backend_scopes.clone().unwrap_or_else(|| "system/Patient.rs".to_owned())
    }

    fn browse<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Url, Stop>> {
        Box::pin(async move {
            if self.options.unattended { follow(url, &self.options.redirect_uri).await } else { self.ask(url).await }
        })
    }

    fn ehr_start(&self) -> Option<EhrStart> {
        let launch = self.options.launch.as_ref()?;
        Some(EhrStart { fhir_base: self.options.fhir_base.clone(), launch: launch.clone(), patient: None })
    }
}
