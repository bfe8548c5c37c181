//! A transport of one's own around the usual one: it tells of every exchange, with secrets masked, and counts them.
//!
//! ```sh
//! cargo run -p smart-on-fhir --example custom_transport
//! cargo run -p smart-on-fhir --example custom_transport -- https://ehr.example/fhir my-client
//! ```
//!
//! Without arguments it is shown at an embedded sandbox, with a stand-in for the person and the browser. A transport that goes
//! through a proxy, or pins certificates, has the same form: see what [`Transport`] has to keep to.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use smart_on_fhir::http::{Body, BoxFuture, Endpoint, HttpClient, HttpError, HyperTransport, Limits, Transport};
use smart_on_fhir::prelude::*;
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The headers whose values may be told. Every other value is masked: a list of the secret ones would miss the next one.
const TOLD: [&str; 6] = ["accept", "content-type", "content-length", "date", "etag", "prefer"];

/// Tells of each exchange of the transport within.
struct Telling<T> {
    within: T,
    /// How many exchanges there were with each host.
    counts: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl<T: Transport> Transport for Telling<T> {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        // It shows no query: that is where codes and search criteria are. No body is told either.
        let what = format!("{} {}", request.method(), Endpoint::of(request.uri()));
        let sent = shown(request.headers());
        let host = request.uri().host().unwrap_or_default().to_owned();
        Box::pin(async move {
            *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(host).or_insert(0) += 1;
            let began = Instant::now();
            let outcome = self.within.send(request, limits).await;
            let took = began.elapsed().as_millis();
            match &outcome {
                Ok(response) => println!("{what} [{sent}] -> {} in {took} ms", response.status().as_u16()),
                Err(error) => println!("{what} [{sent}] -> {error} after {took} ms"),
            }
            outcome
        })
    }
}

/// Headers as they may be told.
fn shown(headers: &HeaderMap) -> String {
    let each = headers.iter().map(|(name, value)| {
        let is_told = TOLD.contains(&name.as_str()) && !value.is_sensitive();
        format!("{name}: {}", if is_told { value.to_str().unwrap_or("***") } else { "***" })
    });
    each.collect::<Vec<_>>().join("; ")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let mut arguments = std::env::args().skip(1);
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let http = HttpClient::new(Telling { within: HyperTransport::new(), counts: counts.clone() });
    let client = |client_id: &str| -> Result<SmartClient, Box<dyn StdError>> {
        let app = App::public(client_id).scopes("launch/patient openid fhirUser offline_access patient/Patient.r")?;
        // Everything goes through it: discovery, tokens, keys and FHIR.
        Ok(SmartClient::builder(app).http(http.clone()).allow_loopback_http().build())
    };
    // A sandbox ends when it is dropped.
    let (session, _sandbox) = if let Some(server) = arguments.next() {
        let client_id = arguments.next().ok_or("the client id is missing: custom_transport FHIR_BASE CLIENT_ID")?;
        (client(&client_id)?.standalone(&server).await?.open_browser().await?, None)
    } else {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let person = AutoBrowser::new(HttpClient::new(HyperTransport::new()), Person::default());
        let launch = client("demo-app")?.standalone(&sandbox.fhir_base()).await?;
        let browse = async |url: url::Url| person.browse(&url).await.map_err(|error| Error::Browser(error.to_string()));
        (launch.with_browser(browse).await?, Some(sandbox))
    };
    show(&session).await?;
    for (host, count) in &*counts.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("{count} exchanges with {host}");
    }
    Ok(())
}

/// Reads the patient, renews the token, and logs out.
async fn show(session: &Session) -> Result<(), Box<dyn StdError>> {
    let patient: serde_json::Value = session.fhir().read("Patient", &session.patient()?).await?;
    let born = patient.get("birthDate").and_then(serde_json::Value::as_str);
    println!("Patient: born {}", born.unwrap_or("at an unknown time"));
    if session.can_refresh() {
        session.refresh().await?;
    }
    session.logout().await.revoked?;
    Ok(())
}
