//! `smart demo` as a newcomer runs it.

mod support;

use support::User;

const STEPS: [&str; 12] = [
    "sandbox",
    "discover",
    "authorize",
    "tokens",
    "patient",
    "observations",
    "conditions",
    "medications",
    "refresh",
    "introspect",
    "revoke",
    "use_revoked",
];

/// The demo works without any input: steps with their times, the patient, vital signs, and a plot.
#[tokio::test]
async fn demo_works_and_shows_everything() {
    let ran = User::new().run(&["demo"]).await.exits(0);
    assert_eq!(ran.err, "");
    assert_eq!(ran.out.matches('✓').count(), STEPS.len(), "{}", ran.out);
    assert!(!ran.out.contains('✗'), "{}", ran.out);
    for part in ["Read the patient", " ms ", "Born", "Conditions", "Medications", "Last vital signs", "401"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(ran.out.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "there is no plot: {}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "colours although it is no terminal");
}

/// `smart demo --json | jq .patient.id`: one object, with each step and its result.
#[tokio::test]
async fn demo_json_is_one_object_with_the_patient_and_each_step() {
    let ran = User::new().run(&["demo", "--json"]).await.exits(0);
    assert_eq!(ran.err, "");
    let json = ran.json();
    assert!(json["patient"]["id"].as_str().is_some_and(|id| !id.is_empty()), "{json:#}");
    assert_eq!(json["patient"]["resourceType"], "Patient");
    let steps = json["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, STEPS);
    assert!(
        steps.iter().all(|step| step["ok"] == true && step["elapsed_ms"].is_number() && step["result"].is_object())
    );
    let result = |name: &str| &steps.iter().find(|step| step["name"] == name).unwrap()["result"];
    assert!(result("observations")["pages"].as_u64().unwrap() > 1, "paging is shown");
    assert_eq!(result("tokens")["id_token"]["algorithm"], "RS256");
    assert_eq!(result("introspect")["active"], true);
    assert_eq!(result("use_revoked")["status"], 401);
    assert_eq!(result("tokens")["patient"], json["patient"]["id"]);
}

/// SE-05 (SMART, App protection): tokens and one-time values are masked, and shown when the person asks for it.
#[tokio::test]
async fn secrets_are_masked_unless_revealed() {
    let masked = User::new().run(&["demo", "--json"]).await.exits(0).json();
    let step = |json: &serde_json::Value, name: &str| {
        json["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()["result"].clone()
    };
    let token = step(&masked, "tokens")["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("*****"), "{token}");
    let url = step(&masked, "authorize")["authorization_url"].as_str().unwrap().to_owned();
    assert!(url.contains("state=*****") && url.contains("nonce=*****"), "{url}");

    let revealed = User::new().run(&["demo", "--json", "--reveal"]).await.exits(0).json();
    assert!(!revealed.to_string().contains("*****"));
}

/// `--ascii` draws with ASCII alone, and a locale without UTF-8 does so unasked.
#[tokio::test]
async fn ascii_output_is_ascii() {
    let user = User::new();
    let ran = user.run(&["demo", "--ascii"]).await.exits(0);
    let drawn: Vec<char> = ran.out.chars().filter(|c| ('\u{2190}'..='\u{28ff}').contains(c)).collect();
    assert!(drawn.is_empty(), "{drawn:?}");
    let output = user.command(&["exit-codes"]).env("LC_ALL", "C").output().await.unwrap();
    assert!(output.status.success() && output.stdout.is_ascii());
}
