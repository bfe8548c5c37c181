//! The same read by each client: a kept-alive connection, the token sent, the resource as JSON.

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::secret::AccessToken;
use smart_core::url_policy::UrlPolicy;
use smart_fhir::FhirClient;
use smart_http::{HttpClient, HyperTransport, StaticBearer};
use std::error::Error;
use std::sync::Arc;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Reads a patient.
pub trait Read {
    /// Reads it once.
    ///
    /// # Errors
    /// When that fails.
    fn read(&self) -> Outcome<Value>;
}

fn runtime() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// The client of this name: `own`, `hyper` or `reqwest`.
///
/// # Errors
/// When it cannot be made.
pub fn client(name: &str, base: &str) -> Outcome<Box<dyn Read>> {
    match name {
        "own" => Ok(Box::new(Own::new(base)?)),
        "hyper" => Ok(Box::new(RawHyper::new(base)?)),
        "reqwest" => Ok(Box::new(Reqwest::new(base)?)),
        _ => Err("there is no such client".into()),
    }
}

/// smart-fhir, as an application has it.
struct Own {
    runtime: Runtime,
    fhir: FhirClient,
}

impl Own {
    fn new(base: &str) -> Outcome<Self> {
        let runtime = runtime()?;
        let inside = runtime.enter();
        let base = FhirBaseUrl::parse_with(base, UrlPolicy::AllowLoopbackHttp)?;
        let bearer = StaticBearer::new(base.clone(), &AccessToken::new("token"))?;
        let fhir = FhirClient::new(base, HttpClient::new(HyperTransport::new()), Arc::new(bearer));
        drop(inside);
        Ok(Self { runtime, fhir })
    }
}

impl Read for Own {
    fn read(&self) -> Outcome<Value> {
        Ok(self.runtime.block_on(self.fhir.read("Patient", "p1001"))?)
    }
}

/// hyper's own pooling client, and nothing else: no checks, no limits, no time-outs, no retries.
struct RawHyper {
    runtime: Runtime,
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
}

impl RawHyper {
    fn new(base: &str) -> Outcome<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { runtime: runtime()?, client, uri: format!("{base}/Patient/p1001").parse()? })
    }
}

impl Read for RawHyper {
    fn read(&self) -> Outcome<Value> {
        self.runtime.block_on(async {
            let request = Request::get(self.uri.clone())
                .header("accept", "application/fhir+json")
                .header("authorization", "Bearer token")
                .body(Empty::new())?;
            let response = self.client.request(request).await?;
            let body = response.into_body().collect().await?.to_bytes();
            Ok(serde_json::from_slice(&body)?)
        })
    }
}

/// reqwest, with its defaults.
struct Reqwest {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
}

impl Reqwest {
    fn new(base: &str) -> Outcome<Self> {
        Ok(Self { runtime: runtime()?, client: reqwest::Client::new(), url: format!("{base}/Patient/p1001") })
    }
}

impl Read for Reqwest {
    fn read(&self) -> Outcome<Value> {
        self.runtime.block_on(async {
            let request = self.client.get(&self.url).header("accept", "application/fhir+json").bearer_auth("token");
            let response = request.send().await?.error_for_status()?;
            Ok(serde_json::from_slice(&response.bytes().await?)?)
        })
    }
}
