//! The launches over real HTTP, through all layers: standalone and EHR launch, renewal, introspection, revocation.

use crate::world::{SCOPES, World};
use smart_core::authorize::CallbackError;
use smart_core::discovery::DiscoveryError;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::introspection::Introspection;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Interaction;
use smart_core::secret::ClientSecret;
use smart_core::time::Clock;
use smart_core::token::TokenError;
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, Error, SmartClient};
use smart_http::{Authorize as _, HttpClient};
use smart_jwt::{IdTokenError, JwsError};
use smart_on_fhir::FhirSession as _;
use smart_sandbox::Misbehaviour;
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_store::Store;
use std::time::Duration;

/// F-01, F-04, AZ-01, TK-02, ID-03 (SMART, standalone launch): from discovery to a patient's data, over real HTTP.
#[tokio::test]
async fn standalone_launch_opens_the_chosen_record() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
    assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2001");
    assert!(session.can(Interaction::Read, "Observation") && !session.can(Interaction::Create, "Observation"));
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
    assert_eq!(world.fhir_status(&session, "Observation?patient=p1001").await, 200);
    assert_eq!(world.fhir_status(&session, "Patient/p1002").await, 404);
    assert_eq!(session.expires_at().unwrap().unwrap().since(world.clock.now()), Duration::from_secs(300));
}

/// F-05, AZ-01 (SMART, standalone launch): one call logs a person in, another reads the record.
#[tokio::test]
async fn authenticate_then_read() {
    let world = World::new(None).await;
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let browse = |url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) };
    let session = world.client().authenticate_with(&world.sandbox.fhir_base(), browse).await.unwrap();
    let patient = session.patient().unwrap();
    let record = session.fhir().read::<serde_json::Value>("Patient", &patient).await.unwrap();
    assert_eq!(record["id"], patient.as_str());
    assert_eq!(record["resourceType"], "Patient");
}

/// F-02, LA-02, AZ-02, SC-23 (SMART, EHR launch): the EHR's patient and encounter, without a picker; a launch works once.
#[tokio::test]
async fn ehr_launch_brings_the_ehrs_patient() {
    let world = World::new(None).await;
    let client = world.client_of(App::public("demo-app").scopes("openid fhirUser patient/*.rs").unwrap());
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let id = world.sandbox.new_launch(Some("p1003"), None);
    let query = format!("iss={}&launch={id}", world.sandbox.fhir_base());
    let launch = EhrLaunch::from_query(&query, &AllowedIssuers::only([base])).unwrap();
    let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
    let (request, pending) = client.ehr(&launch, &redirect).await.unwrap();
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let callback = browser.authorize(&request.url()).await.unwrap();
    let session = client.complete(pending, callback.query().unwrap()).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1003");
    let (request, pending) = client.ehr(&launch, &redirect).await.unwrap();
    let callback = browser.authorize(&request.url()).await.unwrap();
    let again = client.complete(pending, callback.query().unwrap()).await.unwrap_err();
    assert!(matches!(again, Error::Callback(CallbackError::Refused { .. })), "{again}");
}

/// F-27, F-29, CS-01 (SMART, client-confidential-symmetric): a confidential client logs in, refreshes and introspects by its secret.
#[tokio::test]
async fn confidential_client_logs_in() {
    let world = World::new(None).await;
    let app = App::symmetric("demo-confidential", ClientSecret::new("demo-secret")).scopes(SCOPES).unwrap();
    let session = world.login_of(&world.client_of(app), Person::default()).await.unwrap();
    session.refresh().await.unwrap();
    assert!(session.introspect().await.unwrap().is_active());
    let wrong = App::symmetric("demo-confidential", ClientSecret::new("guess")).scopes(SCOPES).unwrap();
    let error = world.login_of(&world.client_of(wrong), Person::default()).await.unwrap_err();
    assert!(matches!(&error, Error::Token(e) if e.oauth_error().is_some()), "{error}");
}

/// CB-02, F-122 (RFC 6749 4.1.2.1): the person says no at consent.
#[tokio::test]
async fn denial_at_consent_is_told_apart() {
    let world = World::new(None).await;
    let error = world.login_of(&world.client(), Person { allows: false, ..Person::default() }).await.unwrap_err();
    assert!(matches!(&error, Error::Callback(e) if e.is_denied_by_person()), "{error}");
    assert_eq!(world.sandbox.counts().token, 0);
}

/// ST-02, CB-03, D-08 (SMART, App protection; RFC 9207): another state or issuer is refused before the token endpoint is asked.
#[tokio::test]
async fn forged_callbacks_never_reach_the_token_endpoint() {
    for (how, expected) in [(Misbehaviour::WrongState, "StateMismatch"), (Misbehaviour::WrongIssuer, "IssuerMismatch")]
    {
        let world = World::new(Some(how)).await;
        let error = world.login().await.unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{error:?}");
        assert_eq!(world.sandbox.counts().token, 0);
    }
}

/// DI-12, F-12 (SMART, PKCE; RFC 9700 2.1.1): discovery without S256 is refused before anybody is sent anywhere.
#[tokio::test]
async fn server_without_s256_is_refused() {
    let world = World::new(Some(Misbehaviour::NoS256)).await;
    let error = world.login().await.unwrap_err();
    assert!(matches!(error, Error::Discovery(_)) && error.to_string().contains("S256"), "{error}");
    assert_eq!(world.sandbox.counts().authorize, 0);
}

/// ID-08, ID-09, ID-17, F-55, D-06 (OpenID Connect Core 3.1.3.7): a login whose ID token fails a check gives no session.
#[tokio::test]
async fn bad_id_token_gives_no_session() {
    for (how, expected) in [
        (Misbehaviour::WrongNonce, IdTokenError::Nonce),
        (Misbehaviour::ForeignKey, IdTokenError::Jws(JwsError::Signature)),
    ] {
        let world = World::new(Some(how)).await;
        match world.login().await.unwrap_err() {
            Error::IdToken { source, .. } => assert_eq!(source, expected),
            other => panic!("{other}"),
        }
        assert!(world.store.list(&smart_store::Filter::default()).await.unwrap().is_empty());
    }
    let world = World::new(Some(Misbehaviour::AlgNone)).await;
    assert!(matches!(world.login().await.unwrap_err(), Error::IdToken { source, .. } if source.code() == "algorithm"));
}

/// TK-07, TK-11, TK-12, TK-16 (RFC 6749 5.1, 5.2; RFC 9700 4.12): nonsense from the token endpoint gives typed errors.
#[tokio::test]
async fn nonsense_from_the_token_endpoint_is_typed() {
    for (how, expected) in [
        (Misbehaviour::TokenTypeMac, "TokenType"),
        (Misbehaviour::HtmlToken, "Json"),
        (Misbehaviour::RedirectToken, "Redirect"),
        (Misbehaviour::OmitPatient, "PatientMissing"),
    ] {
        let error = World::new(Some(how)).await.login().await.unwrap_err();
        assert!(matches!(error, Error::Token(_)) && format!("{error:?}").contains(expected), "{error:?}");
    }
    for how in [Misbehaviour::ExpiresInString, Misbehaviour::OmitScope] {
        assert!(World::new(Some(how)).await.login().await.is_ok(), "{how:?}");
    }
}

/// RF-10, F-66, D-01, BS-04 (SMART, refresh): a token of 300 s is used for most of its life, and renewed ahead of its end.
#[tokio::test]
async fn token_is_renewed_ahead_of_its_end() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let first = session.access_token().await.unwrap();
    world.clock.advance(224);
    assert_eq!(session.access_token().await.unwrap(), first);
    assert_eq!(world.sandbox.counts().token, 1);
    world.clock.advance(16);
    assert_ne!(session.access_token().await.unwrap(), first);
    assert_eq!(world.sandbox.counts().token, 2);
    assert_eq!(session.patient().unwrap(), "p1001");
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
}

/// RF-05, F-68 (RFC 9700 2.2.2, 4.14.2): however many tasks ask at expiry, the refresh token is presented once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_tasks_cause_one_refresh() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    world.clock.advance(400);
    let tasks: Vec<_> = (0..10_000)
        .map(|_| {
            tokio::spawn({
                let session = session.clone();
                async move { session.access_token().await }
            })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.unwrap().unwrap());
    }
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(world.sandbox.counts().token, 2);
}

/// RF-05, F-68 (RFC 9700 4.14.2): two clients on one store, as two processes are, do not replay a rotating refresh token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_on_one_store_never_replay() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let other = world.client().restore(session.key()).await.unwrap().unwrap();
    for _ in 0..20 {
        world.clock.advance(400);
        let (a, b) = tokio::join!(session.access_token(), other.access_token());
        assert_eq!(a.unwrap(), b.unwrap());
    }
    assert_eq!(world.sandbox.counts().token, 21);
    assert_eq!(world.fhir_status(&other, "Patient/p1001").await, 200);
}

/// RF-06, F-68: a caller that gives up does not take the answer of the refresh with it.
#[tokio::test]
async fn dropped_caller_does_not_lose_the_refresh_token() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    for wait in 0..10 {
        world.clock.advance(400);
        // The caller is dropped somewhere in the middle; where, depends on the wait.
        let _ = tokio::time::timeout(Duration::from_micros(wait * 300), session.access_token()).await;
        assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200, "after {wait}");
    }
}

/// F-75, D-02, D-15, D-19, F-73 (RFC 7009): after a restart the session goes on, knows its end, and logout revokes.
#[tokio::test]
async fn restored_session_goes_on_and_logs_out() {
    let world = World::new(None).await;
    let key = world.login().await.unwrap().key().clone();
    let client = world.client();
    assert_eq!(client.sessions(None).await.unwrap(), std::slice::from_ref(&key));
    let session = client.restore(&key).await.unwrap().unwrap();
    world.clock.advance(299);
    assert_eq!(session.patient().unwrap(), "p1001");
    let token = session.access_token().await.unwrap();
    assert_eq!(world.sandbox.counts().token, 2, "the stored token was near its end and had to be renewed");
    let report = session.logout().await;
    assert!(report.revoked.is_ok() && report.wiped.is_ok());
    assert_eq!(world.sandbox.counts().revoke, 2);
    assert!(matches!(session.access_token().await, Err(Error::SessionOver { .. })));
    assert!(client.restore(&key).await.unwrap().is_none());
    let header = smart_http::StaticBearer::new(
        FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap(),
        &token,
    )
    .unwrap();
    let url = format!("{}/Patient/p1001", world.sandbox.fhir_base()).parse().unwrap();
    let mut request = HttpClient::get_request(&url, "application/fhir+json").unwrap();
    request.headers_mut().insert("authorization", header.authorization(&url).await.unwrap().unwrap());
    assert_eq!(world.http.fetch(request).await.unwrap().status(), 401);
}

/// RV-05 (RFC 7009 2.1): logout wipes locally even when the server is down.
#[tokio::test]
async fn logout_wipes_when_the_server_is_down() {
    let World { sandbox, store, clock, http } = World::new(None).await;
    let world = World { sandbox, store: store.clone(), clock, http };
    let session = world.login().await.unwrap();
    world.sandbox.shutdown().await;
    let report = session.logout().await;
    assert!(matches!(report.revoked, Err(Error::Http(_))), "{report:?}");
    assert!(report.wiped.is_ok());
    assert!(store.list(&smart_store::Filter::default()).await.unwrap().is_empty());
    assert!(matches!(session.access_token().await, Err(Error::SessionOver { .. })));
}

/// RF-09, F-72, D-17 (RFC 6749 5.2): a refused refresh ends the session with a clear error, and nothing goes out without a token.
#[tokio::test]
async fn refused_refresh_ends_the_session() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let thief = world.client().restore(session.key()).await.unwrap().unwrap();
    thief.revoke().await.unwrap();
    world.clock.advance(400);
    let error = session.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization(), "{error}");
    let url = format!("{}/Patient/p1001", world.sandbox.fhir_base()).parse().unwrap();
    assert!(session.authorization(&url).await.unwrap_err().needs_reauthorization());
}

/// IN-01, IN-04, F-76 (SMART, token introspection): the server says what the token is good for, and that it is no more.
#[tokio::test]
async fn introspection_tells_scope_and_patient() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let Introspection::Active(token) = session.introspect().await.unwrap() else { panic!("active") };
    assert_eq!(token.context.patient.as_deref(), Some("p1001"));
    assert!(token.scope.unwrap().covers_all(&"patient/*.rs".parse().unwrap()));
    world.clock.advance(301);
    let error = session.introspect().await.unwrap_err();
    assert!(matches!(&error, Error::Token(TokenError::Refused { status: 401, .. })), "{error}");
}

/// TK-14, FR-03 (SMART, app launch step 6): the token goes below the FHIR base and nowhere else.
#[tokio::test]
async fn token_goes_below_the_base_only() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let base = world.sandbox.fhir_base();
    for (url, with) in [
        (format!("{base}/Patient/p1001"), true),
        (format!("{base}?_getpages=x"), true),
        (base.replace("/fhir", "/fhirevil/Patient/1"), false),
        (base.replace("/fhir", "/auth/token"), false),
        ("https://evil.example/fhir/Patient/1".to_owned(), false),
    ] {
        let header = session.authorization(&url.parse().unwrap()).await.unwrap();
        assert_eq!(header.is_some(), with, "{url}");
        assert!(header.is_none_or(|h| h.is_sensitive()));
    }
}

/// SE-02, DI-13: http is refused before any request, off loopback and, unless allowed, on it.
#[tokio::test]
async fn plain_http_is_refused_before_any_request() {
    let world = World::new(None).await;
    let strict = SmartClient::new(App::public("demo-app").scopes(SCOPES).unwrap());
    for base in [world.sandbox.fhir_base(), "http://ehr.example/fhir".to_owned()] {
        let error = strict.standalone(&base).await.unwrap_err();
        assert!(matches!(error, Error::Core(smart_core::error::Error::Url(_))), "{error}");
    }
}

/// DI-15, DI-03: what is no FHIR base is told apart, with the address and the next step.
#[tokio::test]
async fn not_a_fhir_base_is_told_apart() {
    let world = World::new(None).await;
    let wrong = world.sandbox.fhir_base().replace("/fhir", "/nothing");
    let error = world.client().standalone(&wrong).await.unwrap_err();
    assert!(matches!(error, Error::Discovery(DiscoveryError::NotFound { .. })), "{error}");
    assert!(error.endpoint().unwrap().contains("/nothing"));
    let address = world.sandbox.address();
    world.sandbox.shutdown().await;
    let client = SmartClient::builder(App::public("x")).allow_loopback_http().build();
    let gone = client.standalone(&format!("http://{address}/fhir")).await.unwrap_err();
    assert!(matches!(&gone, Error::Http(e) if !e.may_have_reached_server()), "{gone}");
}

/// SE-05, FR-23, F-85: no code, token or secret of a whole login shows in any Debug output or error of the library.
#[tokio::test]
async fn no_secret_shows_in_debug() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    session.refresh().await.unwrap();
    let client = world.client();
    let mut shown = format!("{session:?} {client:?} {:?} {:?}", session.context(), session.user());
    session.revoke().await.unwrap();
    let over = format!("{:?} {:?}", session.access_token().await, session.introspect().await);
    shown += &over;
    let secrets = world.sandbox.issued_secrets();
    assert!(secrets.len() >= 6, "a code, two access tokens, two refresh tokens and an ID token");
    assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())));
    assert!(!shown.contains("p1001"), "{shown}");
}

/// FR-23, SE-05 (SMART, App protection): a patient who logs in is named in no error and no `Debug`, nor in the name of their session
/// as logs show it: to the app alone.
#[tokio::test]
async fn who_logged_in_is_told_to_the_app_alone() {
    let world = World::new(None).await;
    let person = Person { user: "Patient/p1001".into(), ..Person::default() };
    let session = world.login_of(&world.client(), person).await.unwrap();
    let (key, user) = (session.key().clone(), session.user().unwrap().unwrap());
    assert_eq!((key.user(), user.subject.as_str()), ("patient-p1001", "patient-p1001"));
    drop(session);
    let nonsense = smart_store::SecretBytes::new(b"nonsense".to_vec());
    let conflict = world.store.put(&key, nonsense.clone(), smart_store::Expected::Absent).await.unwrap_err();
    world.store.put(&key, nonsense, smart_store::Expected::Any).await.unwrap();
    let unusable = world.client().restore(&key).await.unwrap_err();
    for shown in
        [format!("{user:?}"), format!("{key} {key:?}"), format!("{conflict:?}"), format!("{unusable} {unusable:?}")]
    {
        assert!(!shown.contains("p1001"), "{shown}");
    }
}

/// LA-03, CS-03 (SMART, counterfeit servers): a client with a secret is not launched by whoever makes a link; nothing is sent.
#[tokio::test]
async fn secret_goes_to_no_server_that_anybody_named() {
    let world = World::new(None).await;
    let launch = world.sandbox.new_launch(Some("p1001"), None);
    let query = format!("iss={}&launch={launch}", world.sandbox.fhir_base());
    let redirect_uri = RedirectUri::parse("http://127.0.0.1:8000/callback").unwrap();
    let any = EhrLaunch::from_query(&query, &AllowedIssuers::dangerous_any_with_private_addresses()).unwrap();
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let listed = EhrLaunch::from_query(&query, &AllowedIssuers::only([base])).unwrap();
    let secret = App::symmetric("demo-confidential", ClientSecret::new("demo-secret"));
    let client = world.client_of(secret.scopes("launch patient/*.rs").unwrap());
    let error = client.ehr(&any, &redirect_uri).await.err().unwrap();
    assert!(matches!(error, Error::SecretForAnybody { .. }), "{error}");
    assert_eq!(world.sandbox.counts().discovery, 0, "nothing was sent");
    assert!(client.ehr(&listed, &redirect_uri).await.is_ok());
    let public = world.client_of(App::public("demo-app").scopes("launch patient/*.rs").unwrap());
    assert!(public.ehr(&any, &redirect_uri).await.is_ok(), "there is nothing that a public client could lose so");
}
