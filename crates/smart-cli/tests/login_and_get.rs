//! `smart login`, and `smart get` with what it has stored.
#![expect(clippy::unwrap_used, reason = "its helpers report by panicking")]

mod support;

use serde_json::Value;
use smart_sandbox::browser::Person;
use smart_sandbox::{Sandbox, SandboxConfig};
use std::path::Path;
use std::time::Duration;
use support::{User, sandbox};

/// The octets of all files below a folder.
fn all_octets(folder: &Path) -> Vec<u8> {
    let mut octets = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        octets.extend(if path.is_dir() { all_octets(&path) } else { std::fs::read(&path).unwrap() });
    }
    octets
}

/// A login is stored, and `get` reads with it: a resource, a search, and all pages as NDJSON.
#[tokio::test]
async fn login_then_get() {
    let (sandbox, user) = (sandbox().await, User::new());
    let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    assert!(ran.out.contains("p1001") && ran.out.contains("*****"), "{ran:#?}");

    let patient = user.run(&["get", "Patient/{patient}"]).await.exits(0).json();
    assert_eq!((&patient["resourceType"], &patient["id"]), (&"Patient".into(), &"p1001".into()));
    let bundle = user.run(&["get", "Observation?patient={patient}&_count=5", "--json"]).await.exits(0).json();
    assert_eq!((&bundle["resourceType"], bundle["entry"].as_array().unwrap().len()), (&"Bundle".into(), 5));

    let ran = user.run(&["get", "--all", "Observation?patient={patient}&_count=40"]).await.exits(0);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 40 && lines.iter().all(|resource| resource["resourceType"] == "Observation"));
    let all = user.run(&["get", "--all", "Observation?patient={patient}&_count=40", "--json"]).await.exits(0).json();
    assert_eq!(all["count"].as_u64().unwrap(), lines.len() as u64);
    assert!(all["pages"].as_u64().unwrap() > 1);
    let few =
        user.run(&["get", "--all", "Observation?patient={patient}&_count=40", "--max-pages", "1", "--json"]).await;
    assert_eq!(few.exits(10).json()["error"]["code"], "fhir-error");
}

/// `login --json` prints one object, without the token unless it is asked for.
#[tokio::test]
async fn login_json_is_one_object() {
    let (sandbox, user) = (sandbox().await, User::new());
    let json = user.log_in(&sandbox.fhir_base(), Person::default(), &["--json"]).await.exits(0).json();
    assert_eq!((&json["patient"], &json["id_token"]["algorithm"]), (&"p1001".into(), &"RS256".into()));
    assert_eq!((&json["fhir_user"], &json["can_refresh"]), (&"Practitioner/pr2001".into(), &true.into()));
    assert!(sandbox.issued_secrets().iter().all(|secret| !json.to_string().contains(secret)), "{json:#}");
    let json = user.log_in(&sandbox.fhir_base(), Person::default(), &["--json", "--reveal"]).await.exits(0).json();
    assert!(sandbox.issued_secrets().iter().any(|secret| json["access_token"] == **secret));
}

/// SE-03, SE-06 (SMART, App protection): what is stored does not show the tokens, nor whose record it is.
#[tokio::test]
async fn stored_sessions_are_sealed() {
    let (sandbox, user) = (sandbox().await, User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    let octets = all_octets(user.folder());
    let holds = |text: &str| octets.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(octets.len() > 100);
    assert!(!sandbox.issued_secrets().iter().any(|secret| holds(secret)));
    assert!(!holds("p1001") && !holds(&sandbox.fhir_base()));
}

/// A passphrase seals the sessions too; without it they are not read, and it is told.
#[tokio::test]
async fn a_passphrase_seals_the_sessions() {
    let (sandbox, user) = (sandbox().await, User::new());
    let base = sandbox.fhir_base();
    let mut login = user.command(&["login", &base, "--no-browser", "--timeout", "1"]);
    let output = login.env("SMART_PASSPHRASE", "correct horse").output().await.unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    let get = |passphrase: &'static str| {
        let mut command = user.command(&["get", "Patient/1", "--json"]);
        command.env("SMART_PASSPHRASE", passphrase);
        async move { command.output().await.unwrap().status.code() }
    };
    assert_eq!(get("correct horse").await, Some(11));
    assert_eq!(get("wrong horse").await, Some(1));
}

/// RF-04, RF-10 (SMART, app launch, refresh): a token that has ended is renewed, and the rotated refresh token is kept for the next time.
#[tokio::test]
async fn ended_tokens_are_renewed() {
    let config = SandboxConfig { access_token_lifetime: Duration::from_secs(1), ..SandboxConfig::default() };
    let (sandbox, user) = (Sandbox::start(config).await.unwrap(), User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let before = sandbox.counts().token;
        user.run(&["get", "Patient/{patient}"]).await.exits(0);
        assert!(sandbox.counts().token > before, "the token was not renewed");
    }
}

/// RV-05 (RFC 7009, 2.1): a new login takes the place of the one before, whose tokens are revoked.
#[tokio::test]
async fn a_new_login_replaces_the_old_one() {
    let (sandbox, user) = (sandbox().await, User::new());
    for _ in 0..2 {
        user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    }
    assert!(sandbox.counts().revoke > 0);
    user.run(&["get", "Patient/{patient}"]).await.exits(0);
}

/// With sessions at several servers, `--server` chooses; without it, it is said which there are.
#[tokio::test]
async fn several_sessions_have_to_be_told_apart() {
    let (one, two, user) = (sandbox().await, sandbox().await, User::new());
    let other = || Person { patient: Some("Patient/p1002".into()), ..Person::default() };
    user.log_in(&one.fhir_base(), Person::default(), &[]).await.exits(0);
    user.log_in(&two.fhir_base(), other(), &[]).await.exits(0);
    let ran = user.run(&["get", "Patient/{patient}"]).await.exits(2);
    assert!(ran.err.contains(&one.fhir_base()) && ran.err.contains(&two.fhir_base()), "{ran:#?}");
    for (sandbox, patient) in [(&one, "p1001"), (&two, "p1002")] {
        let server = format!("{}/", sandbox.fhir_base());
        let read = user.run(&["get", "Patient/{patient}", "--server", &server]).await.exits(0).json();
        assert_eq!(read["id"], patient);
    }
}

/// FR-17 (FHIR R4, http.html#Status-Codes): what the server refuses is an error with its status: exit code 10; a path that leads away is none to send.
#[tokio::test]
async fn refused_requests_are_told() {
    let (sandbox, user) = (sandbox().await, User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    let error = user.run(&["get", "Observation/does-not-exist", "--json"]).await.exits(10).json();
    assert_eq!(error["error"]["code"], "fhir-error");
    assert!(error["error"]["message"].as_str().unwrap().contains("404"), "{error}");
    let before = sandbox.counts().fhir;
    user.run(&["get", "https://elsewhere.invalid/fhir/Patient/1"]).await.exits(2);
    assert_eq!(sandbox.counts().fhir, before);
}

/// Without a login, `get` says which command to run: exit code 11.
#[tokio::test]
async fn get_without_a_login_says_so() {
    let user = User::new();
    let error = user.run(&["get", "Patient/1", "--json"]).await.exits(11).json();
    assert_eq!(error["error"]["code"], "needs-login");
    let ran = user.run(&["get", "Patient/1", "--server", "https://ehr.invalid/fhir"]).await.exits(11);
    assert!(ran.err.contains("smart login https://ehr.invalid/fhir"), "{ran:#?}");
}

/// RF-09 (RFC 6749, 5.2): a session that the server has forgotten needs a login: exit code 11. A server that is gone is
/// told as such: exit code 3.
#[tokio::test]
async fn a_session_that_the_server_has_ended_needs_a_login() {
    let user = User::new();
    let config =
        |port| SandboxConfig { port, access_token_lifetime: Duration::from_secs(1), ..SandboxConfig::default() };
    let first = Sandbox::start(config(0)).await.unwrap();
    let (base, port) = (first.fhir_base(), first.address().port());
    user.log_in(&base, Person::default(), &[]).await.exits(0);
    first.shutdown().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let error = user.run(&["get", "Patient/{patient}", "--json"]).await.exits(3).json();
    assert_eq!(error["error"]["code"], "unreachable-host");

    let _second = Sandbox::start(config(port)).await.unwrap();
    let error = user.run(&["get", "Patient/{patient}", "--json"]).await.exits(11).json();
    assert_eq!(error["error"]["next_step"], format!("Run `smart login {base}`."));
}
