//! What the tests of the client share: a mock server behind a base, and a giver of tokens that keeps count.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test binary uses its part, and reports by panicking"
)]

use http::HeaderValue;
use serde_json::{Value, json};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::AccessRequest;
use smart_core::time::Timestamp;
use smart_fhir::FhirClient;
use smart_http::mock::{MockTimer, MockTransport};
use smart_http::{Authorize, AuthorizeError, BoxFuture, HttpClient, RetryPolicy};
use std::sync::{Arc, Mutex};
use url::Url;

pub(crate) const BASE: &str = "https://ehr.example/t1/r4";
/// 1994-11-06T08:49:37Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(784_111_777);

/// Gives `Bearer token-1`, then `token-2` and so on after each renewal, for any URL at all: keeping the token at home
/// is left to the client. With `can_renew` off, it has no other.
pub(crate) struct Tokens {
    pub(crate) current: Mutex<u32>,
    pub(crate) can_renew: bool,
    /// Says that there is another token, and gives the same.
    pub(crate) renews_in_vain: bool,
    pub(crate) renew_error: Option<AuthorizeError>,
    pub(crate) denies: Option<&'static str>,
}

impl Authorize for Tokens {
    fn authorization<'a>(&'a self, _url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>> {
        let header = format!("Bearer token-{}", self.current.lock().unwrap());
        Box::pin(async move { Ok(Some(HeaderValue::from_str(&header).unwrap())) })
    }

    fn renew<'a>(&'a self, rejected: &'a HeaderValue) -> BoxFuture<'a, Result<bool, AuthorizeError>> {
        Box::pin(async move {
            if let Some(error) = &self.renew_error {
                return Err(error.clone());
            }
            let mut current = self.current.lock().unwrap();
            if self.can_renew && !self.renews_in_vain && rejected == &format!("Bearer token-{current}") {
                *current += 1;
            }
            Ok(self.can_renew)
        })
    }

    fn permits(&self, request: &AccessRequest<'_>) -> Result<(), AuthorizeError> {
        match self.denies {
            Some(denied) if request.resource_type() == Some(denied) => {
                Err(AuthorizeError::not_permitted("no scope").with_needed_scope("patient/Patient.c"))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn tokens() -> Tokens {
    Tokens { current: Mutex::new(1), can_renew: true, renews_in_vain: false, renew_error: None, denies: None }
}

pub(crate) fn base() -> FhirBaseUrl {
    FhirBaseUrl::parse(BASE).unwrap()
}

pub(crate) fn client_with(tokens: Tokens) -> (MockTransport, MockTimer, FhirClient) {
    let (transport, timer) = (MockTransport::new(), MockTimer::at(NOW));
    let http = HttpClient::with_timer(transport.clone(), timer.clone());
    let client = FhirClient::new(base(), http, Arc::new(tokens));
    (transport, timer, client.with_retries(RetryPolicy::default().with_jitter(|| 0)))
}

pub(crate) fn client() -> (MockTransport, FhirClient) {
    let (transport, _, client) = client_with(tokens());
    (transport, client)
}

pub(crate) fn patient(id: &str) -> String {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Smith"}]}).to_string()
}

/// A searchset of observations with these ids and maybe a `next` link.
pub(crate) fn page(ids: &[&str], next: Option<&str>) -> String {
    let entries: Vec<Value> = ids
        .iter()
        .map(|id| json!({"resource": {"resourceType": "Observation", "id": id}, "search": {"mode": "match"}}))
        .collect();
    let links: Vec<Value> = next.iter().map(|url| json!({"relation": "next", "url": url})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}).to_string()
}

/// The URLs requested so far.
pub(crate) fn urls(transport: &MockTransport) -> Vec<String> {
    transport.requests().iter().map(|request| request.uri().to_string()).collect()
}

/// The Authorization headers sent so far.
pub(crate) fn authorizations(transport: &MockTransport) -> Vec<Option<String>> {
    let header = |request: &http::Request<bytes::Bytes>| {
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned())
    };
    transport.requests().iter().map(header).collect()
}
