//! `--audit`: what a command does is on record.

mod support;

use smart_sandbox::browser::Person;
use support::{User, browser, json_error, launcher, sandbox_with_key, text};

/// F-94, SE-05: every flow of the command is recorded in one chain that is whole, with no token, secret or patient in it.
#[tokio::test]
async fn every_flow_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("audit.jsonl");
    let user = User::new().with("SMART_AUDIT", text(&trail));
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    user.log_in(&base, Person::default(), &[]).await.exits(0);
    user.run(&["get", "Patient/{patient}"]).await.exits(0);
    user.run(&["token", "refresh"]).await.exits(0);
    user.run(&["token", "introspect"]).await.exits(0);
    user.run(&["token", "revoke"]).await.exits(0);
    let launch = user.begin_launch(&base, &[]).await;
    browser(Person::default()).visit(&launcher(&sandbox, launch.url.as_ref().unwrap())).await.unwrap();
    launch.end().await.exits(0);
    let denied = Person { allows: false, ..Person::default() };
    user.log_in(&base, denied, &[]).await.exits(7);
    user.run(&["backend", &base, "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    user.run(&["logout", "--all"]).await.exits(0);

    let verified = user.run(&["audit", "verify", text(&trail), "--json"]).await.exits(0).json();
    assert!(verified["events"].as_u64().unwrap() > 30, "{verified:#}");
    let lines = std::fs::read_to_string(&trail).unwrap();
    for kind in [
        "launch-begun",
        "authentication-success",
        "authorization-denied",
        "token-issued",
        "token-refreshed",
        "token-introspected",
        "token-revoked",
        "resource-accessed",
        "session-ended",
    ] {
        assert!(lines.contains(&format!("\"{kind}\"")), "{kind}: {lines}");
    }
    for launch in ["standalone", "ehr", "backend"] {
        assert!(lines.contains(&format!("\"{launch}\"")), "{launch}");
    }
    assert!(sandbox.issued_secrets().iter().all(|secret| !lines.contains(secret)));
    assert!(!lines.contains("p1001"));
}

/// F-94: a trail with a key takes its key; what cannot be recorded is not done.
#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let user = User::new();
    let (sandbox, _) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let trail = user.folder().join("audit.jsonl");
    let key = user.private("audit.key", &"5a".repeat(32));
    let keyed = ["--audit", text(&trail), "--audit-key", text(&key)];
    user.log_in(&base, Person::default(), &keyed).await.exits(0);
    user.run(&["audit", "verify", text(&trail), "--key-file", text(&key)]).await.exits(0);
    let before = sandbox.counts().fhir;
    let get = ["get", "Patient/{patient}", "--json"];
    json_error(&user.run(&[&get[..], &["--audit", text(&trail)]].concat()).await.exits(12), "audit-broken");
    let broken = user.private("broken.key", "none");
    let ran = user.run(&[&get[..], &["--audit", text(&trail), "--audit-key", text(&broken)]].concat()).await;
    json_error(&ran.exits(2), "usage");
    let nowhere = user.folder().join("none/audit.jsonl");
    json_error(&user.run(&[&get[..], &["--audit", text(&nowhere)]].concat()).await.exits(1), "internal");
    assert_eq!(sandbox.counts().fhir, before, "a record was read");
    user.run(&[&get[..], &keyed].concat()).await.exits(0);
}
