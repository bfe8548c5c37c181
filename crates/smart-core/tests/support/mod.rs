//! What the tests of authorization and token messages share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test binary uses its part, and reports by panicking"
)]

use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, AuthorizationServer, PendingAuthorization};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Scopes;
use smart_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Other octets at each call, the same in each run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl SecureRandom for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        for (at, octet) in buffer.iter_mut().enumerate() {
            *octet = u8::try_from((call * 31 + at as u64 * 7 + 13) % 251).unwrap();
        }
        Ok(())
    }
}

pub(crate) fn server() -> AuthorizationServer {
    AuthorizationServer {
        fhir_base: FhirBaseUrl::parse("https://ehr.example/r4").unwrap(),
        issuer: Some(Issuer::parse("https://login.ehr.example").unwrap()),
        authorization_endpoint: "https://login.ehr.example/authorize".parse().unwrap(),
        token_endpoint: "https://login.ehr.example/token".parse().unwrap(),
        authorize_post: false,
        iss_parameter_supported: false,
    }
}

pub(crate) fn redirect() -> RedirectUri {
    RedirectUri::parse("https://app.example/callback").unwrap()
}

pub(crate) fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

pub(crate) fn standalone(scope: &str) -> AuthorizationBuilder {
    AuthorizationBuilder::standalone(server(), "my-app".into(), redirect(), scopes(scope)).unwrap()
}

pub(crate) fn begun(scope: &str) -> (BTreeMap<String, String>, PendingAuthorization) {
    let (request, pending) = standalone(scope).build(&Counting::default(), NOW).unwrap();
    (query(&request), pending)
}

/// The request's parameters; fails when one is sent twice.
pub(crate) fn query(request: &AuthorizationRequest) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in request.url().query_pairs() {
        assert!(map.insert(name.clone().into_owned(), value.into_owned()).is_none(), "{name} is sent twice");
    }
    map
}

pub(crate) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        assert!(map.insert(name.clone().into_owned(), value.into_owned()).is_none(), "{name} is sent twice");
    }
    map
}
