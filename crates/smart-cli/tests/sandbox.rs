//! `smart sandbox`, and `smart discover` on it.

mod support;

use serde_json::Value;
use support::{User, http, sandbox};
use tokio::io::AsyncReadExt as _;

/// The sandbox prints what to try, answers, and ends at the signal that a system ends programs with.
#[cfg(unix)]
#[tokio::test]
async fn sandbox_runs_until_it_is_told_to_stop() {
    let user = User::new();
    let mut child = user.command(&["sandbox", "--port", "0", "--json"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut text = String::new();
    let told: Value = loop {
        let mut octets = [0; 1024];
        let count = stdout.read(&mut octets).await.unwrap();
        assert!(count > 0, "it ended early: {text}");
        text.push_str(std::str::from_utf8(&octets[..count]).unwrap());
        if let Ok(value) = serde_json::from_str(&text) {
            break value;
        }
    };
    let base = told["fhir_base"].as_str().unwrap();
    assert_eq!(told["clients"][0]["client_id"], "demo-app");
    let metadata = ::http::Request::get(format!("{base}/metadata")).body(Vec::new().into()).unwrap();
    assert_eq!(http().fetch(metadata).await.unwrap().status().as_u16(), 200);

    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), child.wait()).await.expect("it ends");
    assert_eq!(ended.unwrap().code(), Some(0));
}

/// F-116, F-120: `--like` takes the names of the profiles, and tells them for another.
#[tokio::test]
async fn like_takes_the_names_of_the_profiles() {
    let ran = User::new().run(&["sandbox", "--like", "cerner"]).await.exits(2);
    assert!(ran.err.contains("oracle") && ran.err.contains("smart-sandbox"), "{ran:#?}");
}

/// A port that is taken is told, with what to do.
#[tokio::test]
async fn a_taken_port_is_told() {
    let sandbox = sandbox().await;
    let port = sandbox.address().port().to_string();
    let error = User::new().run(&["sandbox", "--port", &port, "--json"]).await.exits(1).json();
    assert!(error["error"]["next_step"].as_str().unwrap().contains("--port"), "{error}");
}

/// `smart discover` shows endpoints and capabilities, as a table and as one JSON object.
#[tokio::test]
async fn discover_shows_endpoints_and_capabilities() {
    let (sandbox, user) = (sandbox().await, User::new());
    let ran = user.run(&["discover", &sandbox.fhir_base()]).await.exits(0);
    for part in ["authorization_endpoint", "token_endpoint", "launch-standalone", "S256"] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    let json = user.run(&["discover", &sandbox.fhir_base(), "--json"]).await.exits(0).json();
    assert_eq!(json["fhir_base"], sandbox.fhir_base());
    assert_eq!(json["source"], "well-known");
    assert!(json["configuration"]["token_endpoint"].is_string(), "{json:#}");
    assert!(json["capability_sets"].as_array().is_some_and(|sets| !sets.is_empty()), "{json:#}");
    assert!(json["report"]["findings"].is_array(), "{json:#}");
}
