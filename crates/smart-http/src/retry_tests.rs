//! Retries of safe requests, with a clock that the test moves.
use crate::mock::{MockTimer, MockTransport};
use crate::{ConnectFailure, Endpoint, HttpClient, HttpError, Phase, Repeat, RetryPolicy, Timer as _};
use bytes::Bytes;
use http::{Method, Request};
use smart_core::time::Timestamp;
use std::time::Duration;

/// 1994-11-06T08:49:37Z.
const NOW: Timestamp = Timestamp::from_unix_seconds(784_111_777);

fn setup() -> (MockTransport, MockTimer, HttpClient, RetryPolicy) {
    let (transport, timer) = (MockTransport::new(), MockTimer::at(NOW));
    let client = HttpClient::with_timer(transport.clone(), timer.clone());
    (transport, timer, client, RetryPolicy::default().with_jitter(|| 0))
}

fn request(method: Method) -> Request<Bytes> {
    Request::builder().method(method).uri("https://ehr.example/fhir/x").body(Bytes::new()).unwrap()
}

fn interrupted() -> HttpError {
    let endpoint = Endpoint::of(&http::Uri::from_static("https://ehr.example/fhir/x"));
    HttpError::Interrupted { endpoint, phase: Phase::Headers, reason: "reset".into() }
}

/// FR-19 (RFC 9110, 10.2.3): seconds and all three date forms are waited for on 429 and 503.
#[tokio::test]
async fn retry_after_is_waited_for() {
    for (status, value) in [
        (429, "90"),
        (503, "Sun, 06 Nov 1994 08:51:07 GMT"),
        (503, "Sunday, 06-Nov-94 08:51:07 GMT"),
        (429, "Sun Nov  6 08:51:07 1994"),
    ] {
        let (transport, timer, client, policy) = setup();
        transport.respond_with(status, &[("Retry-After", value)], "").respond_fhir("{}");
        let policy = policy.with_max_wait(Duration::from_mins(2));
        let response = client.fetch_retrying(request(Method::GET), &policy).await.unwrap();
        assert_eq!((response.status().as_u16(), timer.sleeps()), (200, vec![Duration::from_secs(90)]), "{value}");
        assert_eq!(timer.now(), NOW.saturating_add(Duration::from_secs(90)));
    }
}

/// FR-19: a wait longer than allowed is not begun; the caller gets the response and can read the header.
#[tokio::test]
async fn a_long_wait_is_left_to_the_caller() {
    for value in ["3600", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let (transport, timer, client, policy) = setup();
        transport.respond_with(429, &[("retry-after", value)], "");
        let response = client.fetch_retrying(request(Method::GET), &policy).await.unwrap();
        assert_eq!((response.status().as_u16(), timer.sleeps().len()), (429, 0));
        assert_eq!(response.headers()["Retry-After"], value);
    }
}

/// FR-19: tries and waits are bounded; the last outcome is the caller's.
#[tokio::test]
async fn tries_are_bounded() {
    let (transport, timer, client, policy) = setup();
    for status in [503, 502, 504, 429] {
        transport.respond_with(status, &[], "");
    }
    let response = client.fetch_retrying(request(Method::GET), &policy).await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(timer.sleeps(), [250, 500, 1000].map(Duration::from_millis));

    let (transport, timer, client, policy) = setup();
    for _ in 0..9 {
        transport.respond_with(503, &[("retry-after", "25")], "");
    }
    client.fetch_retrying(request(Method::GET), &policy.with_max_retries(8)).await.unwrap();
    assert_eq!(timer.sleeps(), [25, 25].map(Duration::from_secs));
}

/// FR-19, TK-17: failures that may pass are tried again, for safe methods only.
#[tokio::test]
async fn only_safe_requests_are_repeated() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let (transport, _, client, policy) = setup();
        transport.fail(interrupted()).respond_with(503, &[], "").respond_fhir("{}");
        let response = client.fetch_retrying(request(method), &policy).await.unwrap();
        assert_eq!((response.status().as_u16(), transport.requests().len()), (200, 3));
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let (transport, timer, client, policy) = setup();
        transport.fail(interrupted()).respond_with(503, &[("retry-after", "1")], "");
        assert_eq!(client.fetch_retrying(request(method.clone()), &policy).await.unwrap_err(), interrupted());
        assert_eq!(client.fetch_retrying(request(method), &policy).await.unwrap().status().as_u16(), 503);
        assert_eq!((transport.requests().len(), timer.sleeps().len()), (2, 0));
    }
}

/// FR-19: what time does not cure is not tried again.
#[tokio::test]
async fn final_outcomes_are_not_repeated() {
    for status in [200, 304, 400, 401, 403, 404, 409, 410, 412, 422, 500, 501] {
        let (transport, timer, client, policy) = setup();
        transport.respond_with(status, &[("retry-after", "1")], "");
        let response = client.fetch_retrying(request(Method::GET), &policy).await.unwrap();
        assert_eq!((response.status().as_u16(), timer.sleeps().len()), (status, 0));
    }
    let (transport, timer, client, policy) = setup();
    let endpoint = Endpoint::of(&http::Uri::from_static("https://ehr.example/"));
    transport.fail(HttpError::Connect { endpoint, kind: ConnectFailure::Tls, reason: "unknown issuer".into() });
    assert!(client.fetch_retrying(request(Method::GET), &policy).await.is_err());
    assert!(timer.sleeps().is_empty());
}

/// FR-19, F-101 (RFC 9110, 9.2.2; RFC 6585, 4): what may have an effect each time is sent again only where the try before
/// certainly had none: no connection, or counted and not taken up.
#[tokio::test]
async fn what_may_have_had_an_effect_is_not_repeated() {
    let refused = || {
        let endpoint = Endpoint::of(&http::Uri::from_static("https://ehr.example/fhir/x"));
        HttpError::Connect { endpoint, kind: ConnectFailure::Refused, reason: "r".into() }
    };
    for (repeat, status, sent) in [
        (Repeat::WithoutEffect, 429, 2),
        (Repeat::WithoutEffect, 502, 1),
        (Repeat::WithoutEffect, 503, 1),
        (Repeat::WithoutEffect, 504, 1),
        (Repeat::Freely, 503, 2),
        (Repeat::Freely, 500, 1),
        (Repeat::Never, 429, 1),
    ] {
        let (transport, _, client, policy) = setup();
        transport.respond_with(status, &[], "").respond_fhir("{}");
        client.fetch_repeating(request(Method::POST), &policy, repeat).await.unwrap();
        assert_eq!(transport.requests().len(), sent, "{repeat:?} {status}");
    }
    for (repeat, error, sent) in [
        (Repeat::WithoutEffect, refused(), 2),
        (Repeat::WithoutEffect, interrupted(), 1),
        (Repeat::Freely, interrupted(), 2),
        (Repeat::Never, refused(), 1),
    ] {
        let (transport, _, client, policy) = setup();
        transport.fail(error.clone()).respond_fhir("{}");
        let outcome = client.fetch_repeating(request(Method::POST), &policy, repeat).await;
        assert_eq!((transport.requests().len(), outcome.is_ok()), (sent, sent == 2), "{repeat:?} {error:?}");
    }
}
