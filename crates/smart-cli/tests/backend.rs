//! `smart backend`, and `smart get` with what it has stored.

mod support;

use smart_sandbox::{Client, ClientKeys, Sandbox, SandboxConfig};
use std::time::Duration;
use support::{User, assert_masked, json_error, sandbox_with_key, text};

/// F-03, F-32, BS-01, BS-02 (SMART, backend services): a token by an assertion, shown masked, and in the clear where that is asked for; `get`
/// reads with it, and says that there is no patient in context.
#[tokio::test]
async fn a_backend_service_gets_a_token() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let arguments = ["backend", &base, "--client-id", "night-job", "--key", text(&key)];
    let ran = user.run(&arguments).await.exits(0);
    assert!(ran.out.contains("night-job, a backend service") && ran.out.contains("*****"), "{ran:#?}");
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert_masked(&sandbox, &ran);
    let found = user.run(&["get", "Patient?_count=5", "--json"]).await.exits(0).json();
    assert_eq!(found["entry"].as_array().unwrap().len(), 5);
    let error = json_error(&user.run(&["get", "Patient/{patient}", "--json"]).await.exits(2), "usage");
    assert!(error["message"].as_str().unwrap().contains("no patient in context"), "{error}");

    let ran =
        user.run(&[&arguments[..], &["--json", "--reveal", "--scopes", "system/Patient.rs"]].concat()).await.exits(0);
    let json = ran.json();
    assert_eq!((&json["scopes"], &json["backend"]), (&"system/Patient.rs".into(), &true.into()));
    assert!(sandbox.issued_secrets().iter().any(|secret| json["access_token"] == **secret), "{json:#}");
}

/// F-03, BS-04 (SMART, backend services): asked again it shows the key again and gets another token; an ended token is renewed
/// with the key.
#[tokio::test]
async fn each_call_gets_a_new_token() {
    let user = User::new();
    let (_, key) = sandbox_with_key(&user).await;
    let jwks = user.run(&["jwks", text(&key), "--json"]).await.exits(0).json()["jwks"].to_string();
    let mut config = SandboxConfig { backend_token_lifetime: Duration::from_secs(1), ..SandboxConfig::default() };
    config.clients.push(Client::asymmetric("night-job", ClientKeys::Document(jwks)));
    let sandbox = Sandbox::start(config).await.unwrap();
    let base = sandbox.fhir_base();
    let arguments = ["backend", &base, "--client-id", "night-job", "--key", text(&key), "--json", "--reveal"];
    let first = user.run(&arguments).await.exits(0).json();
    let second = user.run(&arguments).await.exits(0).json();
    assert_eq!(first["session"], second["session"]);
    assert_ne!(first["access_token"], second["access_token"]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = sandbox.counts().token;
    user.run(&["get", "Patient/p1001"]).await.exits(0);
    assert!(sandbox.counts().token > before, "the token was not renewed");
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"].as_array().unwrap().len(), 1);
}

/// A key that the server does not know is refused, with what to check, and takes the place of no session that works.
#[tokio::test]
async fn a_wrong_key_is_told() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let wrong = user.folder().join("wrong.pem");
    user.run(&["keygen", "--out", text(&wrong)]).await.exits(0);
    let with = |key| ["backend", base.as_str(), "--client-id", "night-job", "--json", "--key", key];
    let error = json_error(&user.run(&with(text(&wrong))).await.exits(9), "token-refused");
    assert!(error["next_step"].as_str().unwrap().contains("smart jwks"), "{error}");
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"].as_array().unwrap().len(), 0);
    user.run(&with(text(&key))).await.exits(0);
    json_error(&user.run(&with(text(&wrong))).await.exits(9), "token-refused");
    user.run(&["token", "refresh"]).await.exits(0);
}

/// CS-04 (SMART, backend services): what is no backend service is told before anything is sent.
#[tokio::test]
async fn what_is_no_backend_service_is_told() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    for arguments in [
        &["--key", text(&key)][..],
        &["--client-id", "a"],
        &["--client-id", "a", "--key", "/no/such/key"],
        &["--client-id", "a", "--key", text(&key), "--scopes", "system/*.sr"],
        &["--client-id", "a", "--key", text(&key), "--client-secret-file", text(&key)],
    ] {
        json_error(&user.run(&[&["backend", &base, "--json"], arguments].concat()).await.exits(2), "usage");
    }
    assert_eq!(sandbox.counts().token, 0);
    let public = ["backend", &base, "--client-id", "demo-app", "--key", text(&key), "--json"];
    json_error(&user.run(&public).await.exits(9), "token-refused");
}
