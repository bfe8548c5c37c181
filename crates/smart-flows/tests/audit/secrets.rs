//! No secret, no patient and no word of a server's gets into any sink.

use super::support::{base, builder, logged};
use http::Method;
use smart_core::authorize::{AuthorizationErrorCode, CallbackError};
use smart_core::scope::Scopes;
use smart_core::secret::{AccessToken, RawIdToken, RefreshToken};
use smart_core::token::{TokenError, TokenErrorCode, TokenErrorResponse};
use smart_flows::audit::{
    AuditContext, AuditKind, AuditQuery, AuditSource, AuditUser, Auditor, AuditorBuilder, EndpointRole, FhirAudit,
    FhirSink, JsonLinesSink, MemorySink, RequestLine, SessionHandle, TokenId, TracingSink,
};
use smart_store::{Key, Kind};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use url::Url;

/// All that must not come out, each recognisable.
const ACCESS: &str = "eyJhY2Nlc3M.access-token-s3cret";
const REFRESH: &str = "refresh-token-s3cret";
const ID: &str = "eyJpZA.id-token-s3cret.sig";
const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const STATE: &str = "af0ifjsldkj-state";
const COOKIE: &str = "web-session-cookie-9911";
const NAME: &str = "Lovelace";
const PATIENT: &str = "pat-4711";
const SUBJECT: &str = "ada.lovelace@clinic.example";
const SECRETS: &[&str] = &[ACCESS, REFRESH, ID, CODE, VERIFIER, STATE, COOKIE, NAME, PATIENT, SUBJECT, "hunter2"];

/// Events of a whole login and session, each given everything that could be given it, in every sink.
fn everything(make: impl FnOnce(AuditorBuilder) -> AuditorBuilder) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let memory = MemorySink::new();
    let resources = Arc::new(Mutex::new(String::new()));
    let taken = resources.clone();
    let fhir = FhirSink::to(FhirAudit::new(AuditSource::new("Intake", "ws-12")), move |resource| {
        let mut all = taken.lock().unwrap();
        *all += &resource.to_string();
        for entity in resource.as_json()["entity"].as_array().into_iter().flatten() {
            if let Some(query) = entity["query"].as_str() {
                use base64::Engine as _;
                let query = base64::engine::general_purpose::STANDARD.decode(query).unwrap();
                *all += &String::from_utf8(query).unwrap();
            }
        }
        Ok(())
    });
    let sinks =
        builder().sink(TracingSink).sink(memory.clone()).sink(JsonLinesSink::options(&path).open().unwrap()).sink(fhir);
    let auditor = make(sinks).build();
    let mut all = logged(|| run(&auditor));
    assert!(memory.len() > 20);
    write!(all, "{:?}{auditor:?}", memory.query(&AuditQuery::new())).unwrap();
    all += &serde_json::to_string(
        &memory.query(&AuditQuery::new()).iter().map(|event| (**event).clone()).collect::<Vec<_>>(),
    )
    .unwrap();
    all += &std::fs::read_to_string(&path).unwrap();
    all += &resources.lock().unwrap();
    all
}

fn run(auditor: &Auditor) {
    let key = Key::new(Kind::Session, "https://ehr.example/r4 my-app", SUBJECT, COOKIE);
    let context = AuditContext::new()
        .fhir_base(&base())
        .client(&"my-app".into())
        .session(SessionHandle::of(&key))
        .user("https://login.example", SUBJECT)
        .patient(PATIENT);
    let url = |text: &str| Url::parse(text).unwrap();
    let record = |entry| auditor.record(entry).unwrap();
    let entry = |kind| context.entry(kind);
    let authorize =
        url(&format!("https://u:hunter2@login.example/{PATIENT}/authorize?state={STATE}&code_challenge={VERIFIER}"));
    record(entry(AuditKind::AuthenticationAttempt).endpoint(EndpointRole::Authorization, &authorize));
    for token in [
        TokenId::access(&AccessToken::new(ACCESS)),
        TokenId::refresh(&RefreshToken::new(REFRESH)),
        TokenId::id(&RawIdToken::new(ID)),
    ] {
        for kind in [AuditKind::TokenIssued, AuditKind::TokenRevoked, AuditKind::TokenValidated] {
            record(entry(kind).token(token));
        }
    }
    let granted =
        format!("patient/*.rs patient/Observation.rs?code={CODE} {ACCESS} launch/list?role={NAME} user/{NAME}x1.r");
    record(entry(AuditKind::AuthorizationGranted).scopes(&Scopes::parse_granted(&granted)));
    for relative in [
        format!("Patient/{PATIENT}"),
        format!("Patient/{NAME}"),
        format!("Patient/{PATIENT}/_history/{CODE}"),
        format!("Patient?name={NAME}&_id={PATIENT}"),
        format!("Observation?patient={PATIENT}&{CODE}={NAME}&{ACCESS}"),
        format!("Patient/{PATIENT}/$everything?access_token={ACCESS}"),
        format!("{CODE}/{NAME}?code={CODE}&code_verifier={VERIFIER}#{STATE}"),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let line = RequestLine::new(&method, &base().join(&relative).unwrap(), &base());
            record(
                entry(line.kind()).request(line.clone()).token(TokenId::access(&AccessToken::new(ACCESS))).status(200),
            );
            record(entry(line.kind()).request(line).status(401));
        }
    }
    let elsewhere = url(&format!("https://u:hunter2@files.example/{PATIENT}?sig={CODE}"));
    record(entry(AuditKind::ResourceAccessed).request(RequestLine::new(&Method::GET, &elsewhere, &base())));
    let words = Some(format!("{NAME} {PATIENT} {CODE}"));
    let refused = TokenErrorResponse {
        error: TokenErrorCode::Other(CODE.into()),
        description: words.clone(),
        uri: words.clone(),
    };
    let endpoint = format!("https://login.example/token/{PATIENT}");
    record(entry(AuditKind::UnexpectedError).found(&TokenError::Refused {
        endpoint: endpoint.clone(),
        status: 400,
        response: refused,
    }));
    let denied = AuthorizationErrorCode::Other(STATE.into());
    record(entry(AuditKind::UnexpectedError).found(&CallbackError::Refused {
        endpoint,
        error: denied,
        description: words.clone(),
        uri: words,
    }));
    record(
        entry(AuditKind::UnexpectedError)
            .found(&CallbackError::IssuerMismatch { got: NAME.into(), expected: Some(NAME.into()) }),
    );
}

/// F-93, F-94, F-95, SE-05 (SMART, App protection): no token, code, verifier, state, id or name of a patient comes out of
/// any sink, though events were given all of them.
#[test]
fn no_secret_comes_out_of_any_sink() {
    for make in [(|b| b) as fn(AuditorBuilder) -> _, |b| b.with_user_key(super::support::audit_key(1))] {
        let all = everything(make);
        assert!(all.contains("token-issued") && all.contains("my-app"), "there is something to look through");
        for secret in SECRETS {
            assert!(!all.to_lowercase().contains(&secret.to_lowercase()), "{secret} came out");
        }
    }
}

/// Users come out where the app asks for it, and nothing else does.
#[test]
fn subjects_come_out_only_where_the_app_asks_for_it() {
    let all = everything(AuditorBuilder::with_plain_users);
    assert!(all.contains(SUBJECT));
    let user: AuditUser = builder().with_plain_users().build().user("https://login.example", SUBJECT);
    assert_eq!(user.name(), SUBJECT);
    for secret in SECRETS.iter().filter(|secret| **secret != SUBJECT && **secret != NAME) {
        assert!(!all.contains(secret), "{secret} came out");
    }
}
