//! `smart sessions` and `smart logout`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "its helpers report by panicking")]

mod support;

use serde_json::{Value, json};
use smart_on_fhir::core::profile::ServerKind;
use smart_sandbox::browser::Person;
use smart_sandbox::{Sandbox, SandboxConfig};
use support::{Ran, User, assert_masked, json_error, sandbox, sandbox_with_key, text};

async fn listed(user: &User) -> Vec<Value> {
    user.run(&["sessions", "--json"]).await.exits(0).json()["sessions"].as_array().unwrap().clone()
}

/// SE-05: the list has what tells sessions apart, in 80 columns, and neither tokens nor patients.
#[tokio::test]
async fn sessions_are_listed() {
    let user = User::new();
    assert!(user.run(&["sessions"]).await.exits(0).out.contains("smart login"));
    assert!(listed(&user).await.is_empty());
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    user.log_in(&base, Person::default(), &[]).await.exits(0);
    user.run(&["backend", &base, "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    let ran = user.run(&["sessions"]).await.exits(0);
    for part in [
        "demo-app",
        "night-job (with a key)",
        "Practitioner/pr2001",
        "a backend service",
        "5 scopes, renewable",
        "active",
        &base,
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert!(!ran.out.contains("p1001"), "{}", ran.out);
    assert_masked(&sandbox, &ran);
    let sessions = listed(&user).await;
    let [app, job] =
        ["demo-app", "night-job"].map(|id| sessions.iter().find(|s| s["client_id"] == id).unwrap().clone());
    assert_eq!(
        (&app["user"], &app["backend"], &app["locked"]),
        (&"Practitioner/pr2001".into(), &false.into(), &false.into())
    );
    assert_eq!((&app["scope_count"], &app["can_refresh"], &app["client"]), (&5.into(), &true.into(), &"public".into()));
    assert!(app["last_active_at"].is_string() && app["expires_at"].is_string(), "{app:#}");
    assert_eq!((&job["client"], &job["backend"], &job["user"]), (&"key".into(), &true.into(), &Value::Null));
}

/// A session that cannot be read is listed with the reason, and the others with it.
#[tokio::test]
async fn an_unreadable_session_is_listed() {
    let (one, two, user) = (sandbox().await, sandbox().await, User::new());
    user.log_in(&one.fhir_base(), Person::default(), &[]).await.exits(0);
    let folder = user.folder().join("sessions/records");
    let first: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    user.log_in(&two.fhir_base(), Person::default(), &[]).await.exits(0);
    for path in first {
        let mut octets = std::fs::read(&path).unwrap();
        let last = octets.len() - 1;
        octets[last] ^= 1;
        std::fs::write(&path, octets).unwrap();
    }
    let ran = user.run(&["sessions", "--json"]).await.exits(0);
    let at =
        |base: String| ran.json()["sessions"].as_array().unwrap().iter().find(|s| s["server"] == base).unwrap().clone();
    assert!(at(one.fhir_base())["unusable"].as_str().unwrap().contains("altered"), "{ran:#?}");
    assert!(at(two.fhir_base())["unusable"].is_null() && at(two.fhir_base())["scope_count"] == 5, "{ran:#?}");
    assert!(user.run(&["sessions"]).await.exits(0).out.contains("cannot be used"));
    user.run(&["get", "Patient/{patient}", "--server", &two.fhir_base()]).await.exits(0);
    // What cannot be read cannot be revoked, and is wiped all the same.
    let ran = user.run(&["logout", "--all", "--json"]).await.exits(13);
    assert_eq!(ended(&ran).iter().filter(|e| e["wiped"] == true).count(), 2, "{ran:#?}");
    assert!(listed(&user).await.is_empty());
}

fn ended(ran: &Ran) -> Vec<Value> {
    ran.json()["ended"].as_array().unwrap().clone()
}

/// F-75, RV-05 (RFC 7009 2.1): the only session needs no name; it is revoked at the server and wiped here.
#[tokio::test]
async fn logout_revokes_and_wipes() {
    let (sandbox, user) = (sandbox().await, User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    let ran = user.run(&["logout"]).await.exits(0);
    assert!(ran.out.contains("revoked and wiped") && !ran.out.contains("NOT"), "{ran:#?}");
    assert_masked(&sandbox, &ran);
    assert_eq!(sandbox.counts().revoke, 2);
    assert!(listed(&user).await.is_empty());
    let error = json_error(&user.run(&["logout", "--json"]).await.exits(11), "needs-login");
    assert!(error["next_step"].as_str().unwrap().contains("Nothing has to be done"), "{error}");
    assert!(ended(&user.run(&["logout", "--all", "--json"]).await.exits(0)).is_empty());
    assert!(user.run(&["logout", "--all"]).await.exits(0).out.contains("no stored session"));
}

/// Sessions are ended by server, by id or all at once; of several one has to be chosen.
#[tokio::test]
async fn logout_ends_what_is_meant() {
    let user = User::new();
    let (one, key) = sandbox_with_key(&user).await;
    let two = sandbox().await;
    let begin = async || {
        user.log_in(&one.fhir_base(), Person::default(), &[]).await.exits(0);
        user.log_in(&two.fhir_base(), Person::default(), &[]).await.exits(0);
        user.run(&["backend", &one.fhir_base(), "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    };
    begin().await;
    let error = json_error(&user.run(&["logout", "--json"]).await.exits(2), "usage");
    assert!(error["next_step"].as_str().unwrap().contains("--all"), "{error}");
    assert_eq!(listed(&user).await.len(), 3);

    let ran = user.run(&["logout", &format!("{}/", one.fhir_base()), "--json"]).await.exits(0);
    assert_eq!(ended(&ran).iter().filter(|e| e["revoked"] == true && e["wiped"] == true).count(), 2, "{ran:#?}");
    let left = listed(&user).await;
    assert!(left.len() == 1 && left[0]["server"] == two.fhir_base(), "{left:#?}");
    let id = left[0]["session"].as_str().unwrap();
    json_error(&user.run(&["logout", "--session", "none", "--json"]).await.exits(11), "needs-login");
    let ran = user.run(&["logout", "--session", &id[..8], "--json"]).await.exits(0);
    assert_eq!(ended(&ran)[0]["session"], id);
    assert!(listed(&user).await.is_empty());

    begin().await;
    assert_eq!(ended(&user.run(&["logout", "--all", "--json"]).await.exits(0)).len(), 3);
    assert!(listed(&user).await.is_empty());
    json_error(&user.run(&["logout", "--all", "--session", "x", "--json"]).await.exits(2), "usage");
}

/// RV-04, RV-05 (RFC 7009 2.2.1): while the server is down the session is wiped all the same; that nothing was revoked, and until when
/// the tokens are good, is said, with an exit code of its own.
#[tokio::test]
async fn logout_while_the_server_is_down_is_told() {
    for arguments in [&["logout"][..], &["logout", "--json"], &["logout", "--all", "--json"]] {
        let (sandbox, user) = (sandbox().await, User::new());
        let base = sandbox.fhir_base();
        user.log_in(&base, Person::default(), &[]).await.exits(0);
        sandbox.shutdown().await;
        let ran = user.run(arguments).await.exits(13);
        if arguments.len() == 1 {
            assert!(
                ran.out.contains("wiped here") && ran.out.contains("NOT revoked") && ran.out.contains("until"),
                "{ran:#?}"
            );
            assert!(ran.err.contains("not-revoked") && ran.err.contains("next step:"), "{ran:#?}");
            assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
        } else {
            json_error(&ran, "not-revoked");
            let ended = ended(&ran);
            assert_eq!((&ended[0]["revoked"], &ended[0]["wiped"]), (&json!(false), &json!(true)), "{ran:#?}");
            assert_eq!(ended[0]["not_revoked_because"]["code"], "unreachable-host");
            assert!(ended[0]["access_token_ends_at"].is_string());
        }
        assert!(listed(&user).await.is_empty());
    }
}

/// RV-05: a server that offers no revocation is no failure of the logout; that the tokens live on is said.
#[tokio::test]
async fn logout_without_revocation_is_told() {
    let sandbox = Sandbox::start(SandboxConfig::like(ServerKind::Epic)).await.unwrap();
    let user = User::new();
    let log_in = async || user.log_in(&sandbox.fhir_base(), Person::default(), &["--like", "epic"]).await.exits(0);
    log_in().await;
    let ran = user.run(&["logout"]).await.exits(0);
    assert!(
        ran.out.contains("wiped here") && ran.out.contains("NOT revoked: the server offers no revocation"),
        "{ran:#?}"
    );
    log_in().await;
    let ran = user.run(&["logout", "--json"]).await.exits(0);
    assert_eq!(
        (&ended(&ran)[0]["revoked"], &ended(&ran)[0]["not_revoked_because"]["code"]),
        (&json!(false), &json!("not-offered"))
    );
    assert!(listed(&user).await.is_empty());
    // A login that replaces one of these says so too.
    log_in().await;
    assert!(log_in().await.err.contains("NOT revoked"));
}

/// A new login leaves the backend services of the same client alone.
#[tokio::test]
async fn a_login_leaves_backend_services_alone() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let as_client = ["--client-id", "night-job", "--key", text(&key)];
    user.run(&[&["backend", &base][..], &as_client].concat()).await.exits(0);
    for _ in 0..2 {
        user.log_in(&base, Person::default(), &as_client).await.exits(0);
    }
    assert_eq!(listed(&user).await.len(), 2);
}
