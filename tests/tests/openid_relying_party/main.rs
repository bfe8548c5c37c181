//! The OpenID Foundation's conformance suite for relying parties: what its modules ask of a client, asked of ours.
//!
//! Each test is one module: a provider on loopback does as the module says, and [`SmartClient`](smart_flows::SmartClient) logs in
//! there. The chapter on it in this project's book lists all modules, those that do not apply too; a test here compares it with
//! the tests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod authorization;
mod discovery;
mod id_token;
mod keys;
mod login;
mod provider;
mod refresh;
mod table;
mod userinfo;

use http::Request;
use http::header::LOCATION;
use provider::{CLIENT, Provider};
use smart_core::redirect_uri::RedirectUri;
use smart_core::secret::ClientSecret;
use smart_flows::{App, Error, Session, SmartClient};
use smart_http::{HttpClient, HyperTransport};

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
const SCOPES: &str = "openid fhirUser offline_access";

/// A client without a secret.
fn client() -> SmartClient {
    client_of(App::public(CLIENT).scopes(SCOPES).unwrap())
}

/// A client with one.
fn client_with(secret: &str) -> SmartClient {
    client_of(App::symmetric(CLIENT, ClientSecret::new(secret)).scopes(SCOPES).unwrap())
}

fn client_of(app: App) -> SmartClient {
    SmartClient::builder(app).allow_loopback_http().build()
}

/// A login, by way of a browser that follows one redirect: the provider asks nobody anything.
async fn log_in_with(client: &SmartClient, provider: &Provider) -> Result<Session, Error> {
    let launch = client.standalone(&provider.fhir_base()).await.unwrap();
    let (request, pending) = launch.authorize(&RedirectUri::parse(REDIRECT_URI).unwrap()).unwrap();
    let browser = HttpClient::new(HyperTransport::new());
    let shown = browser.fetch(Request::get(request.url().as_str()).body(bytes::Bytes::new()).unwrap()).await.unwrap();
    let callback = shown.headers()[LOCATION].to_str().unwrap().to_owned();
    client.complete(pending, &callback).await
}

/// A login with a new client, as it is registered there.
async fn log_in(provider: &Provider) -> Result<Session, Error> {
    let client = provider.secret().map_or_else(client, client_with);
    log_in_with(&client, provider).await
}
