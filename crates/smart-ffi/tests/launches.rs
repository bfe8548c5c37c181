//! Launches, sessions and requests through the binding's own types, against the sandbox.

mod support;

use smart_ffi::{Credential, EntryMode, EventKind, Parameter, SmartClient, SmartError, search_literal};
use smart_sandbox::browser::Person;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::{REDIRECT, World, code};

/// F-01, F-111: a login begins with a URL for the person's own browser, and the URL that comes back completes it, once.
#[tokio::test]
async fn standalone_launch_and_requests() {
    let world = World::new().await;
    let login = world.app().begin_standalone(None, None).await.unwrap();
    let callback = world.person(&login).await;
    let session = login.complete(callback.clone()).await.unwrap();
    assert_eq!(session.patient().unwrap().as_deref(), Some("p1001"));
    assert_eq!(session.fhir_user().unwrap().as_deref(), Some("Practitioner/pr2001"));
    assert!(session.granted_scopes().unwrap().contains("offline_access") && session.can_refresh());
    assert!(session.read("Patient".into(), "p1001".into()).await.unwrap().contains("\"p1001\""));
    assert_eq!(code(login.complete(callback).await), "no-pending-login");
    assert_eq!(world.sandbox.counts().token, 1);
}

/// F-02: an EHR launch from an allowed server; any other is refused before anything is sent.
#[tokio::test]
async fn ehr_launch() {
    let world = World::new().await;
    let launch = |iss: &str| {
        format!("https://app.example/launch?iss={iss}&launch={}", world.sandbox.new_launch(Some("p1002"), None))
    };
    let refused = world.launched_app().begin_ehr(launch("https://evil.example/fhir"), None).await;
    assert!(code(refused).starts_with("launch/"));
    let login = world.launched_app().begin_ehr(launch(&world.sandbox.fhir_base()), None).await.unwrap();
    let session = login.complete(world.person(&login).await).await.unwrap();
    assert_eq!(session.patient().unwrap().as_deref(), Some("p1002"));
}

/// F-111, F-24, ST-04: the app was ended while its person was in the browser: another start of it completes the login, and a third finds the
/// session.
#[tokio::test]
async fn login_and_session_survive_the_end_of_the_app() {
    let world = World::new().await;
    let login = world.app().begin_standalone(None, None).await.unwrap();
    let callback = world.person(&login).await;
    drop(login);
    let key = world.app().complete(callback.clone()).await.unwrap().key();
    assert_eq!(code(world.app().complete(callback).await), "no-pending-login");
    let third = world.app();
    let stored = third.sessions(Some(world.sandbox.fhir_base())).await.unwrap();
    assert_eq!(stored.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), [key.as_str()]);
    let session = third.restore(key).await.unwrap().unwrap();
    session.refresh().await.unwrap();
    assert!(session.read("Patient".into(), "p1001".into()).await.is_ok());
    assert!(third.restore("session-0".into()).await.unwrap().is_none());
}

/// F-20, ST-04: a callback of another login, to another URL, or with another state completes nothing, and spoils nothing.
#[tokio::test]
async fn wrong_callbacks_are_refused() {
    let world = World::new().await;
    let app = world.app();
    let (one, two) = (app.begin_standalone(None, None).await.unwrap(), app.begin_standalone(None, None).await.unwrap());
    let callback = world.person(&one).await;
    assert_eq!(code(two.complete(callback.clone()).await), "no-pending-login");
    assert_eq!(code(app.complete(format!("{REDIRECT}?code=x&state=guessed")).await), "no-pending-login");
    assert_eq!(code(app.complete(format!("{REDIRECT}?code=x")).await), "callback/state-missing");
    assert_eq!(code(app.complete("not a URL".into()).await), "binding/callback-url");
    assert!(one.complete(callback).await.is_ok());
    let moved = world.person(&two).await.replace("app.example", "evil.example");
    assert_eq!(code(two.complete(moved).await), "callback/other-url");
    assert_eq!(world.sandbox.counts().token, 1);
}

/// The person said no.
#[tokio::test]
async fn denial_is_told() {
    let world = World::new().await;
    let login = world.app().begin_standalone(None, None).await.unwrap();
    let callback = world.browser(Person { allows: false, ..Person::default() }, &login.url()).await;
    let SmartError::Failed { code, needs_reauthorization, endpoint, .. } = login.complete(callback).await.unwrap_err();
    assert!(code.starts_with("callback/refused"), "{code}");
    assert!(!needs_reauthorization && endpoint.is_some());
}

/// F-86, F-89: by the app's clock a session ends when nobody uses it, unless the person was seen.
#[tokio::test]
async fn time_outs_go_by_the_apps_clock() {
    let world = World::new().await;
    let session = world.login().await;
    let (events, watch) = (session.events(), session.watch(true).await);
    world.clock.advance(800);
    session.touch().await.unwrap();
    world.clock.advance(800);
    session.check().await.unwrap();
    assert_eq!(session.idle_remaining_seconds(), Some(100));
    world.clock.advance(200);
    assert_eq!(code(session.patient()), "session-timeout/idle");
    let SmartError::Failed { code: on_read, needs_reauthorization, .. } =
        session.read("Patient".into(), "p1001".into()).await.unwrap_err();
    assert_eq!((on_read.as_str(), needs_reauthorization), ("fhir/authorize", true));
    assert_eq!(session.end_reason().as_deref(), Some("timed-out/idle"));
    watch.stop();
    let over = loop {
        let event = events.next().await.unwrap();
        if event.kind == EventKind::Over {
            break event;
        }
    };
    assert_eq!(over.reason.as_deref(), Some("timed-out/idle"));
    assert!(world.app().sessions(None).await.unwrap().is_empty());
}

/// A locked session gives out nothing, also after a start of the app.
#[tokio::test]
async fn lock_outlives_the_app() {
    let world = World::new().await;
    let session = world.login().await;
    session.lock().await.unwrap();
    let again = world.app().restore(session.key()).await.unwrap().unwrap();
    assert!(again.is_locked());
    assert_eq!(code(again.patient()), "session-locked");
    again.unlock().await.unwrap();
    assert!(again.patient().is_ok());
}

/// Of an app that gives up waiting no renewal is lost: it is stored, and the old refresh token is not used again.
#[tokio::test]
async fn a_refresh_that_nobody_waits_for_is_kept() {
    let world = World::new().await;
    let session = world.login().await;
    let before = world.store.blobs.lock().unwrap().clone();
    let gone = tokio::time::timeout(std::time::Duration::ZERO, session.refresh()).await;
    assert!(gone.is_err(), "it was given up before it could end");
    let stored = async {
        while *world.store.blobs.lock().unwrap() == before || world.sandbox.counts().token < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), stored).await.unwrap();
    session.refresh().await.unwrap();
    assert!(world.app().restore(session.key()).await.unwrap().unwrap().refresh().await.is_ok());
}

/// F-75: a logout revokes and wipes; when the store cannot be reached the report says so, and the session is over all the same.
#[tokio::test]
async fn logout_reports_what_it_could_not_do() {
    let world = World::new().await;
    let session = world.login().await;
    let report = session.logout().await;
    assert_eq!((report.not_revoked, report.not_wiped), (None, None));
    assert_eq!(code(session.patient()), "session-over/logged-out");
    let session = world.login().await;
    world.store.is_away.store(true, Ordering::SeqCst);
    let report = session.logout().await;
    let problem = report.not_wiped.unwrap();
    assert_eq!((problem.code.as_str(), problem.is_retryable), ("store/unavailable", true));
    assert_eq!(session.end_reason().as_deref(), Some("logged-out"));
}

/// Searches page by page, writes with a version, and operations, as JSON texts.
#[tokio::test]
async fn searches_writes_and_operations() {
    let world = World::new().await;
    let session = world.login().await;
    let parameter = |name: &str, value: &str| Parameter { name: name.into(), value: value.into() };
    let all = session.search("Observation".into(), vec![parameter("patient", "p1001"), parameter("_count", "1")]);
    let mut entries = Vec::new();
    while let Some(entry) = all.next().await.unwrap() {
        entries.push(entry);
    }
    assert!(entries.len() > 1 && entries.iter().all(|entry| entry.mode == EntryMode::Match));
    let nobody = session.search("Patient".into(), vec![parameter("name", &search_literal("a,b"))]);
    assert!(nobody.matches(10).await.unwrap().is_empty());

    let note = r#"{"resourceType":"Observation","status":"final","code":{"text":"weight"},"subject":{"reference":"Patient/p1001"},"valueQuantity":{"value":70.10}}"#;
    let created = session.create(note.into()).await.unwrap();
    assert_eq!(created.status, 201);
    let (id, version) = (created.id.unwrap(), created.version.unwrap());
    let read = session.read("Observation".into(), id.clone()).await.unwrap();
    assert!(read.contains("weight"), "{read}");
    let changed = read.replace("final", "amended");
    let updated = session.update(changed.clone(), Some(version.clone())).await.unwrap();
    assert_ne!(updated.version.as_deref(), Some(version.as_str()));
    assert_eq!(code(session.update(changed, Some(version)).await), "fhir/refused/precondition-failed");
    let patch = r#"[{"op":"replace","path":"/status","value":"corrected"}]"#;
    session.patch("Observation".into(), id.clone(), patch.into(), None).await.unwrap();
    assert!(session.read("Observation".into(), id.clone()).await.unwrap().contains("corrected"));
    session.delete("Observation".into(), id.clone(), None).await.unwrap();
    assert_eq!(code(session.read("Observation".into(), id).await), "fhir/refused/gone");
    let everything = session
        .operation("everything".into(), Some("Patient".into()), Some("p1001".into()), vec![], None)
        .await
        .unwrap();
    assert!(everything.unwrap().contains("Bundle"));
}

/// SE-05: neither Debug nor errors show a secret; a secret in the settings is refused without being shown; a credential is for one client.
#[tokio::test]
async fn nothing_shows_a_secret() {
    let world = World::new().await;
    let credential = Credential::secret("topsecret".to_owned());
    let settings =
        world.settings().replace("demo-app\"", "demo-confidential\", \"client_type\": \"confidential-symmetric\"");
    let app = SmartClient::new(&settings, Some(credential.clone()), Some(world.store.clone()), None).unwrap();
    let again = SmartClient::new(&settings, Some(credential.clone()), None, None);
    assert!(!format!("{app:?} {credential:?} {again:?}").contains("topsecret"));
    assert_eq!(code(again), "binding/credential-used");
    let refused =
        SmartClient::new(r#"{"client_id":"a","scopes":"openid","client_secret":"topsecret"}"#, None, None, None);
    assert!(!format!("{refused:?}").contains("topsecret"));
    assert_eq!(code(refused), "settings");
    let session = world.login().await;
    let login = world.app().begin_standalone(None, None).await.unwrap();
    let shown = format!("{session:?} {login:?} {:?}", session.search("Patient".into(), vec![]));
    assert!(!shown.contains("state=") && !shown.contains("p1001"), "{shown}");
}

/// A client with a secret, and the tokens of a login that the store could not keep are not left behind.
#[tokio::test]
async fn a_store_that_is_away_ends_a_login() {
    let world = World::new().await;
    let settings =
        world.settings().replace("demo-app\"", "demo-confidential\", \"client_type\": \"confidential-symmetric\"");
    let credential = Credential::secret("demo-secret".to_owned());
    let app =
        SmartClient::new(&settings, Some(credential), Some(world.store.clone()), Some(world.clock.clone())).unwrap();
    let login = app.begin_standalone(None, None).await.unwrap();
    let callback = world.person(&login).await;
    world.store.is_away.store(true, Ordering::SeqCst);
    assert_eq!(code(login.complete(callback.clone()).await), "store/unavailable");
    assert_eq!(world.sandbox.counts().token, 0);
    world.store.is_away.store(false, Ordering::SeqCst);
    assert!(login.complete(callback).await.is_ok(), "the login still waits");
    let _: Arc<SmartClient> = app;
}
