//! Limits of the app's own, and what a transport can be told to refuse or add.

use crate::mock::{MockTimer, MockTransport};
use crate::{
    Body, BoxFuture, HttpClient, HttpError, Limits, RateLimit, RateLimited, Timer as _, Transport, WhenLimited,
};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use smart_core::time::Timestamp;
use std::time::Duration;

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

fn form(url: &str) -> Request<Bytes> {
    let mut request = Request::post(url).body(Bytes::from_static(b"grant_type=x")).unwrap();
    request.headers_mut().insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    request
}

fn limited(when: WhenLimited) -> (HttpClient, MockTransport, MockTimer) {
    let (mock, timer) = (MockTransport::new(), MockTimer::at(Timestamp::from_unix_seconds(1_800_000_000)));
    mock.handle(|_| Ok(Response::new(Bytes::new())));
    let limited = RateLimited::new(mock.clone(), timer.clone(), when);
    (HttpClient::with_timer(limited, timer.clone()), mock, timer)
}

/// F-96: the presets: token endpoint 5 a minute and 2 at once, API 100 a minute and 20 at once, each origin by itself; what comes
/// too early fails and says when to come back, with nothing sent.
#[tokio::test]
async fn presets_fail_what_comes_too_early() {
    let (client, mock, timer) = limited(WhenLimited::Fail);
    let token = "https://ehr.example/token";
    for _ in 0..2 {
        client.fetch(form(token)).await.unwrap();
    }
    let error = client.fetch(form(token)).await.unwrap_err();
    assert!(
        matches!(error, HttpError::RateLimited { retry_after, .. } if retry_after == Duration::from_secs(12)),
        "{error}"
    );
    assert!(error.is_retryable() && !error.may_have_reached_server());
    assert_eq!(mock.requests().len(), 2);
    client.fetch(form("https://other.example/token")).await.unwrap();
    for _ in 0..20 {
        client.fetch(get("https://ehr.example/fhir/Patient/1")).await.unwrap();
    }
    assert!(client.fetch(get("https://ehr.example/fhir/Patient/1")).await.is_err());
    client.fetch(get("https://other.example/fhir/Patient/1")).await.unwrap();
    timer.sleep(Duration::from_secs(12)).await;
    client.fetch(form(token)).await.unwrap();
    assert!(client.fetch(form(token)).await.is_err());
}

/// F-96: with waiting, requests take their turn; over five minutes there are as many as the limit says, and a wait that is too long
/// fails.
#[tokio::test]
async fn requests_wait_their_turn() {
    let (client, mock, timer) = limited(WhenLimited::Wait { at_most: Duration::from_secs(30) });
    for _ in 0..27 {
        client.fetch(form("https://ehr.example/token")).await.unwrap();
    }
    let waited: Duration = timer.sleeps().iter().sum();
    assert_eq!((mock.requests().len(), waited), (27, Duration::from_secs(300)));
    let (mock, timer) = (MockTransport::new(), MockTimer::at(Timestamp::from_unix_seconds(0)));
    mock.handle(|_| Ok(Response::new(Bytes::new())));
    let slow = RateLimited::new(mock, timer.clone(), WhenLimited::Wait { at_most: Duration::from_secs(30) })
        .with_rule(|_| Some(RateLimit::LOGIN));
    let client = HttpClient::with_timer(slow, timer);
    client.fetch(get("https://ehr.example/authorize")).await.unwrap();
    assert!(matches!(client.fetch(get("https://ehr.example/authorize")).await, Err(HttpError::RateLimited { .. })));
}

/// Puts a proof of its own into each request.
struct Proving<T>(T);

impl<T: Transport> Transport for Proving<T> {
    fn send(&self, mut request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        let proof = format!("proof-of-{}-{}", request.method(), request.uri().path());
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        self.0.send(request, limits)
    }
}

/// SE-10 (RFC 9700, 2.2.1): there is room for sender-constrained tokens: a transport sees each request, with method and URL, and
/// can add a proof to it.
#[tokio::test]
async fn transport_can_prove_possession_for_each_request() {
    let mock = MockTransport::new();
    mock.handle(|_| Ok(Response::new(Bytes::new())));
    let client = HttpClient::new(Proving(mock.clone()));
    client.fetch(get("https://ehr.example/fhir/Patient/1")).await.unwrap();
    client.fetch(form("https://ehr.example/token")).await.unwrap();
    let proofs: Vec<_> = mock.requests().iter().map(|request| request.headers()["dpop"].clone()).collect();
    assert_eq!(proofs, ["proof-of-GET-/fhir/Patient/1", "proof-of-POST-/token"]);
}
