//! Tokens, redirects, refusals and retries.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Value, json};
use smart_core::secret::AccessToken;
use smart_fhir::{FhirClient, FhirError, RefusalKind};
use smart_http::mock::MockTransport;
use smart_http::{AuthorizeError, HttpClient, HttpError, NoAuthorization, StaticBearer};
use std::sync::Arc;
use std::time::Duration;
use support::{BASE, Tokens, authorizations, base, client, client_with, patient, tokens, urls};

const INVALID: (&str, &str) = ("www-authenticate", r#"Basic realm="x", Bearer error="invalid_token""#);

/// FR-18 (RFC 6750, 3.1): a refused token is renewed and the read repeated, once.
#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let (transport, client) = client();
    transport.respond_with(401, &[INVALID], "").respond_fhir(patient("1"));
    client.read::<Value>("Patient", "1").await.unwrap();
    let sent = authorizations(&transport);
    assert_eq!(sent, [Some("Bearer token-1".to_owned()), Some("Bearer token-2".to_owned())]);

    transport.respond_with(401, &[INVALID], "").respond_with(401, &[INVALID], "").respond_fhir(patient("1"));
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind(), RefusalKind::Unauthorized);
    assert!(error.needs_reauthorization() && !error.is_retryable());
    assert_eq!(transport.remaining(), 1);
}

/// FR-18: without another token the read is not repeated; a renewal that fails is told as it is.
#[tokio::test]
async fn without_another_token_nothing_is_repeated() {
    let (transport, _, client) = client_with(Tokens { can_renew: false, ..tokens() });
    transport.respond_with(401, &[], "");
    assert!(client.read::<Value>("Patient", "1").await.unwrap_err().needs_reauthorization());
    assert_eq!(urls(&transport).len(), 1);

    let (transport, _, client) = client_with(Tokens { renews_in_vain: true, ..tokens() });
    transport.respond_with(401, &[], "");
    assert!(client.read::<Value>("Patient", "1").await.unwrap_err().needs_reauthorization());
    assert_eq!(urls(&transport).len(), 1);

    let renew_error = Some(AuthorizeError::reauthorization("invalid_grant"));
    let (transport, _, client) = client_with(Tokens { renew_error, ..tokens() });
    transport.respond_with(401, &[], "");
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    assert!(matches!(error, FhirError::Authorize { .. }) && error.needs_reauthorization());

    let transport = MockTransport::new();
    transport.respond_with(401, &[], "");
    let open = FhirClient::new(base(), HttpClient::new(transport.clone()), Arc::new(NoAuthorization));
    assert!(open.read::<Value>("Patient", "1").await.unwrap_err().needs_reauthorization());
    assert_eq!(authorizations(&transport), [None]);
}

/// FR-18 (RFC 6750, 3.1): a 403 with `insufficient_scope` is typed, with the scope that is needed.
#[tokio::test]
async fn insufficient_scope_names_the_scope() {
    let (transport, client) = client();
    let challenge =
        r#"Bearer realm="fhir", error="insufficient_scope", scope="patient/Patient.rs", error_description="Smith""#;
    transport.respond_with(403, &[("WWW-Authenticate", challenge)], "");
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.kind(), refusal.needed_scope()), (RefusalKind::InsufficientScope, Some("patient/Patient.rs")));
    assert_eq!(refusal.challenge().unwrap().error_description.as_deref(), Some("Smith"));
    assert!(error.needs_reauthorization() && error.to_string().contains("patient/Patient.rs"));
    assert!(!format!("{error} {error:?}").contains("Smith"));

    transport.respond_with(403, &[], "");
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind(), RefusalKind::Forbidden);
    assert!(!error.needs_reauthorization());
}

/// FR-17 (FHIR R4, http.html#Status-Codes): each status has its meaning, with the OperationOutcome or the raw body.
#[tokio::test]
async fn each_status_has_its_meaning() {
    use RefusalKind as Kind;
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "processing", "diagnostics": "Smith"}]})
    .to_string();
    for (status, kind) in [
        (400, Kind::BadRequest),
        (403, Kind::Forbidden),
        (404, Kind::NotFound),
        (405, Kind::MethodNotAllowed),
        (406, Kind::NotAcceptable),
        (409, Kind::Conflict),
        (410, Kind::Gone),
        (412, Kind::PreconditionFailed),
        (415, Kind::UnsupportedMediaType),
        (418, Kind::Other),
        (422, Kind::UnprocessableEntity),
        (500, Kind::ServerError),
        (501, Kind::ServerError),
        (304, Kind::Other),
    ] {
        let (transport, client) = client();
        transport.respond_with(status, &[("content-type", "application/fhir+json")], outcome.clone());
        let error = client.read::<Value>("Patient", "1").await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.status(), refusal.kind()), (status, kind));
        let issue = &refusal.outcome().unwrap().issues()[0];
        assert_eq!((issue.code(), issue.diagnostics()), ("processing", Some("Smith")));
        assert!(error.to_string().contains(&status.to_string()) && error.to_string().contains("error processing"));
        assert!(!format!("{error} {error:?}").contains("Smith"), "{error:?}");

        transport.respond_with(status, &[("content-type", "text/html")], "<p>Smith");
        let error = client.read::<Value>("Patient", "1").await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.kind(), refusal.outcome(), refusal.body().as_ref()), (kind, None, &b"<p>Smith"[..]));
        assert!(!format!("{error} {error:?}").contains("Smith"), "{error:?}");
    }
}

/// FR-19 (RFC 9110, 10.2.3): an overloaded server is asked again after the wait that it names; a long wait is the
/// caller's to decide.
#[tokio::test]
async fn an_overloaded_server_is_asked_again() {
    let (transport, timer, client) = client_with(tokens());
    transport
        .respond_with(429, &[("retry-after", "7")], "")
        .respond_with(503, &[("retry-after", "Sun, 06 Nov 1994 08:49:50 GMT")], "")
        .respond_fhir(patient("1"));
    client.read::<Value>("Patient", "1").await.unwrap();
    assert_eq!(timer.sleeps(), [7, 6].map(Duration::from_secs));

    transport.respond_with(429, &[("retry-after", "3600")], "");
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.refusal().unwrap().kind(), RefusalKind::TooManyRequests);
    assert!(error.is_retryable() && timer.sleeps().len() == 2);
}

/// FR-04 (RFC 9110, 15.4): a redirect to another origin is not followed; nothing is sent there.
#[tokio::test]
async fn redirects_to_another_origin_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        for location in ["https://evil.example/x", "http://ehr.example/t1/r4/Patient/1", "https://ehr.example:8443/"] {
            let (transport, client) = client();
            transport.respond_with(status, &[("location", location)], "").respond_fhir(patient("1"));
            let error = client.read::<Value>("Patient", "1").await.unwrap_err();
            assert!(matches!(error, FhirError::Http(HttpError::CrossOriginRedirect { .. })), "{error:?}");
            assert_eq!(urls(&transport).len(), 1);
        }
    }
}

/// FR-04, TK-14: within the origin a redirect is followed; the token goes along below the FHIR base only.
#[tokio::test]
async fn the_token_stays_below_the_base_on_redirects() {
    let (transport, client) = client();
    transport
        .respond_with(307, &[("location", "/t1/r4/moved/Patient/1")], "")
        .respond_with(302, &[("location", "/t2/r4/Patient/1")], "")
        .respond_fhir(patient("1"));
    client.read::<Value>("Patient", "1").await.unwrap();
    assert_eq!(
        urls(&transport)[1..],
        [format!("{BASE}/moved/Patient/1"), "https://ehr.example/t2/r4/Patient/1".into()]
    );
    let token = Some("Bearer token-1".to_owned());
    assert_eq!(authorizations(&transport), [token.clone(), token, None]);

    let (transport, client) = support::client();
    transport.handle(|_| {
        let response = http::Response::builder().status(302).header("location", "/t1/r4/again");
        Ok(response.body(bytes::Bytes::new()).unwrap())
    });
    let error = client.read::<Value>("Patient", "1").await.unwrap_err();
    assert!(matches!(error, FhirError::Http(HttpError::TooManyRedirects { .. })), "{error:?}");
}

/// SE-05, FR-23: Debug of the client shows no token.
#[tokio::test]
async fn debug_shows_no_token() {
    let bearer = StaticBearer::new(base(), &AccessToken::new("s3cret")).unwrap();
    let client = FhirClient::new(base(), HttpClient::new(MockTransport::new()), Arc::new(bearer));
    assert!(!format!("{client:?} {:?}", client.search(smart_fhir::SearchQuery::new("Patient"))).contains("s3cret"));
}
