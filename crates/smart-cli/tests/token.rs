//! `smart token`: the token of a stored session.

mod support;

use base64::Engine as _;
use serde_json::Value;
use smart_on_fhir::core::profile::ServerKind;
use smart_sandbox::browser::Person;
use smart_sandbox::{Sandbox, SandboxConfig};
use std::time::Duration;
use support::{User, assert_masked, json_error, sandbox, sandbox_with_key, text};

const COMMANDS: [&str; 4] = ["show", "refresh", "introspect", "revoke"];

async fn logged_in(sandbox: &Sandbox) -> User {
    let user = User::new();
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    user
}

/// SE-05 (SMART, App protection): `show` tells what is known here without asking the server; the token is masked, also in JSON, unless
/// --reveal is given; the patient is shown.
#[tokio::test]
async fn show_masks_the_token() {
    let sandbox = sandbox().await;
    let user = logged_in(&sandbox).await;
    let before = sandbox.counts();
    let ran = user.run(&["token", "show"]).await.exits(0);
    for part in ["p1001", "Practitioner/pr2001", "patient/*.rs", "Bearer", "*****", "minutes)", "yes"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert_masked(&sandbox, &ran);
    let ran = user.run(&["token", "show", "--json"]).await.exits(0);
    assert_masked(&sandbox, &ran);
    let json = ran.json();
    assert_eq!((&json["token_type"], &json["patient"]), (&"Bearer".into(), &"p1001".into()));
    assert_eq!((&json["can_refresh"], &json["access_token"]), (&true.into(), &Value::Null));
    assert!((3500..=3600).contains(&json["expires_in"].as_i64().unwrap()), "{json:#}");
    assert_eq!(json["context"]["need_patient_banner"], true);
    for option in [&["--reveal"][..], &["--reveal", "--json"]] {
        let ran = user.run(&[&["token", "show"], option].concat()).await.exits(0);
        assert!(sandbox.issued_secrets().iter().any(|secret| ran.out.contains(secret)), "{ran:#?}");
    }
    assert_eq!(sandbox.counts(), before, "the server was asked");
}

/// A token that has ended is shown as such, also while the server is gone, and is not renewed by that.
#[tokio::test]
async fn an_ended_token_is_shown() {
    let config = SandboxConfig { access_token_lifetime: Duration::from_secs(1), ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let user = logged_in(&sandbox).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let calls = sandbox.counts().token;
    assert!(user.run(&["token", "show"]).await.exits(0).out.contains("ago)"));
    assert_eq!(sandbox.counts().token, calls);
    sandbox.shutdown().await;
    assert!(user.run(&["token", "show", "--json"]).await.exits(0).json()["expires_in"].as_i64().unwrap() < 0);
    json_error(&user.run(&["token", "refresh", "--json"]).await.exits(3), "unreachable-host");
    json_error(&user.run(&["token", "introspect", "--json"]).await.exits(3), "unreachable-host");
    json_error(&user.run(&["token", "revoke", "--json"]).await.exits(3), "unreachable-host");
    user.run(&["token", "show"]).await.exits(0);
}

/// RF-01, RF-04 (SMART, refresh): `refresh` gets another token each time, and the new one is the one that is used.
#[tokio::test]
async fn refresh_gets_another_token() {
    let sandbox = sandbox().await;
    let user = logged_in(&sandbox).await;
    let token = |ran: &support::Ran| ran.json()["access_token"].as_str().unwrap().to_owned();
    let first = token(&user.run(&["token", "show", "--reveal", "--json"]).await.exits(0));
    let ran = user.run(&["token", "refresh", "--json"]).await.exits(0);
    assert_masked(&sandbox, &ran);
    let second = token(&user.run(&["token", "show", "--reveal", "--json"]).await.exits(0));
    let third = token(&user.run(&["token", "refresh", "--reveal", "--json"]).await.exits(0));
    assert!(first != second && second != third && first != third);
    assert_masked(&sandbox, &user.run(&["token", "refresh"]).await.exits(0));
    user.run(&["get", "Patient/{patient}"]).await.exits(0);
}

/// A session without a refresh token says what to ask for; one whose refresh token the server has ended asks for a login, and is gone.
#[tokio::test]
async fn refresh_says_why_not() {
    let sandbox = sandbox().await;
    let user = User::new();
    let scopes = ["--scopes", "launch/patient openid fhirUser patient/*.rs"];
    user.log_in(&sandbox.fhir_base(), Person::default(), &scopes).await.exits(0);
    let error = json_error(&user.run(&["token", "refresh", "--json"]).await.exits(11), "needs-login");
    assert!(error["next_step"].as_str().unwrap().contains("offline_access"), "{error}");
    user.run(&["get", "Patient/{patient}"]).await.exits(0);

    let user = logged_in(&sandbox).await;
    sandbox.revoke_refresh_tokens();
    let error = json_error(&user.run(&["token", "refresh", "--json"]).await.exits(11), "needs-login");
    assert_eq!(error["next_step"], format!("Run `smart login {}`.", sandbox.fhir_base()));
    json_error(&user.run(&["token", "show", "--json"]).await.exits(11), "needs-login");
}

/// F-76, IN-02, IN-04 (RFC 7662; SMART, token introspection): `introspect` shows what the server says, for a public client, one with a
/// secret and one with a key.
#[tokio::test]
async fn introspect_shows_what_the_server_says() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let secret = user.private("secret", "demo-secret");
    user.log_in(&base, Person::default(), &[]).await.exits(0);
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret)];
    user.log_in(&base, Person::default(), &arguments).await.exits(0);
    user.run(&["backend", &base, "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    for (client, patient) in
        [("demo-app", "p1001".into()), ("demo-confidential", "p1001".into()), ("night-job", Value::Null)]
    {
        let ran = user.run(&["token", "introspect", "--client-id", client, "--json"]).await.exits(0);
        assert_masked(&sandbox, &ran);
        let json = ran.json();
        assert_eq!((&json["active"], &json["introspection"]["client_id"]), (&true.into(), &client.into()));
        assert_eq!((&json["introspection"]["patient"], &json["introspection"]["active"]), (&patient, &true.into()));
        let ran = user.run(&["token", "introspect", "--client-id", client]).await.exits(0);
        assert!(ran.out.contains("the token is good") && ran.out.contains("(in "), "{ran:#?}");
        assert_masked(&sandbox, &ran);
    }
}

/// IN-03 (RFC 7662 2.2): a token that was revoked elsewhere is told as one that is not good, which is an answer and no error.
#[tokio::test]
async fn a_token_that_is_not_good_is_an_answer() {
    let user = User::new();
    let (sandbox, _) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let secret = user.private("secret", "demo-secret");
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret), "--json", "--reveal"];
    let json = user.log_in(&base, Person::default(), &arguments).await.exits(0).json();
    // By its owner, from elsewhere.
    let basic = base64::engine::general_purpose::STANDARD.encode("demo-confidential:demo-secret");
    let body = format!("token={}", json["access_token"].as_str().unwrap());
    let request = ::http::Request::post(sandbox.endpoints().revoke.unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {basic}"))
        .body(body.into_bytes().into())
        .unwrap();
    assert_eq!(support::http().fetch(request).await.unwrap().status().as_u16(), 200);
    let ran = user.run(&["token", "introspect", "--json"]).await.exits(0);
    assert_eq!(
        (&ran.json()["active"], &ran.json()["introspection"]),
        (&false.into(), &serde_json::json!({"active": false}))
    );
    assert!(user.run(&["token", "introspect"]).await.exits(0).out.contains("not good"));
}

/// RV-05, RV-06, F-74 (RFC 7009): `revoke` ends the tokens at the server and the session here.
#[tokio::test]
async fn revoke_ends_the_session() {
    let sandbox = sandbox().await;
    for arguments in [&["token", "revoke"][..], &["token", "revoke", "--json"]] {
        let user = logged_in(&sandbox).await;
        let before = sandbox.counts().revoke;
        let ran = user.run(arguments).await.exits(0);
        assert_masked(&sandbox, &ran);
        assert_eq!(sandbox.counts().revoke, before + 2, "refresh token and access token");
        if arguments.len() == 3 {
            assert_eq!(ran.json()["revoked"], true);
        }
        for command in COMMANDS {
            json_error(&user.run(&["token", command, "--json"]).await.exits(11), "needs-login");
        }
    }
}

/// IN-07, F-76 (no endpoint is guessed): where the server offers neither introspection nor revocation it is said, with what can be done;
/// the session stays.
#[tokio::test]
async fn what_a_server_does_not_offer_is_told() {
    let sandbox = Sandbox::start(SandboxConfig::like(ServerKind::Epic)).await.unwrap();
    let user = User::new();
    user.log_in(&sandbox.fhir_base(), Person::default(), &["--like", "epic"]).await.exits(0);
    let error = json_error(&user.run(&["token", "introspect", "--json"]).await.exits(5), "discovery");
    assert!(error["next_step"].as_str().unwrap().contains("smart token show"), "{error}");
    let error = json_error(&user.run(&["token", "revoke", "--json"]).await.exits(5), "discovery");
    assert!(error["next_step"].as_str().unwrap().contains("smart logout"), "{error}");
    user.run(&["token", "show"]).await.exits(0);
    // A public client gets no refresh token there.
    json_error(&user.run(&["token", "refresh", "--json"]).await.exits(11), "needs-login");
}

/// Without a session each command says so; of several one has to be chosen, by the id that is told.
#[tokio::test]
async fn the_session_has_to_be_clear() {
    let user = User::new();
    for command in COMMANDS {
        let error = json_error(&user.run(&["token", command, "--json"]).await.exits(11), "needs-login");
        assert!(error["next_step"].as_str().unwrap().contains("smart login"), "{error}");
    }
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    for scopes in ["system/Patient.rs", "system/Observation.rs"] {
        let arguments = ["backend", &base, "--client-id", "night-job", "--key", text(&key), "--scopes", scopes];
        user.run(&arguments).await.exits(0);
    }
    for arguments in
        [&["token", "show"][..], &["get", "Patient/p1001"], &["logout"], &["token", "show", "--server", &base]]
    {
        let error = json_error(&user.run(&[arguments, &["--json"]].concat()).await.exits(2), "usage");
        assert!(error["next_step"].as_str().unwrap().contains("--session ID"), "{error}");
        let listed = user.run(&["sessions", "--json"]).await.exits(0).json();
        for session in listed["sessions"].as_array().unwrap() {
            let id = session["session"].as_str().unwrap();
            assert!(error["message"].as_str().unwrap().contains(&id[..16]), "{error}");
        }
    }
    let listed = user.run(&["sessions", "--json"]).await.exits(0).json();
    let mut found: Vec<String> = Vec::new();
    for session in listed["sessions"].as_array().unwrap() {
        let id = session["session"].as_str().unwrap();
        let shown = user.run(&["token", "show", "--session", &id[..20], "--json"]).await.exits(0).json();
        assert_eq!(shown["session"], id);
        found.push(shown["scopes"].as_str().unwrap().to_owned());
    }
    found.sort();
    assert_eq!(found, ["system/Observation.rs", "system/Patient.rs"]);
    json_error(&user.run(&["token", "show", "--session", "none", "--json"]).await.exits(11), "needs-login");
}
