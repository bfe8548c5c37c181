//! The examples that a person uses from a terminal: standalone launches, and what they print.

use crate::program::{PersonsBrowser, Program, browser, tells_no_secret};
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, Sandbox, SandboxConfig};
use std::path::Path;
use std::time::Duration;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn sandbox_of(client: &str) -> Sandbox {
    let clients = vec![Client::public(client)];
    Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await.unwrap()
}

/// The patient that this practitioner opens.
fn who_opens(patient: &str) -> Person {
    Person { patient: Some(format!("Patient/{patient}")), ..Person::default() }
}

/// Every octet of every file below a folder.
fn contents(folder: &Path) -> String {
    let mut contents = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents.push_str(&self::contents(&path));
        } else {
            contents.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    contents
}

/// F-128, F-01 (SMART, standalone launch): the desktop app logs in, needs no login at its second start, and is logged out; nothing that
/// it prints or keeps shows a token.
#[tokio::test]
async fn the_desktop_app_resumes_without_a_login() {
    let (sandbox, folder) = (sandbox_of("patient-desktop").await, folder());
    let (place, key) = (folder.path().join("app"), folder.path().join("key"));
    let base = sandbox.fhir_base();
    let mut arguments = vec!["--issuer", &base, "--folder", place.to_str().unwrap()];
    arguments.extend(["--key-file", key.to_str().unwrap(), "--no-browser"]);
    let mut told = String::new();

    let mut first = Program::start("patient_desktop", &arguments);
    let url = first.line_after("Open this to sign in: ").await;
    browser(who_opens("p1003")).browse(&url.parse().unwrap()).await.unwrap();
    told.push_str(&first.end().await.succeeded());
    let expected = sandbox.resource("Patient/p1003").unwrap();
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    for text in [&expected["name"][0]["family"], &expected["birthDate"]] {
        assert!(told.contains(text.as_str().unwrap()), "{told}");
    }
    assert!(told.contains("Logged in.") && told.contains("  Problems    ") && told.contains(" kg on 20"), "{told}");

    let logins = sandbox.counts().authorize;
    let second = Program::start("patient_desktop", &arguments).end().await.succeeded();
    assert!(second.contains("Resumed without a login."), "{second}");
    let record = |told: &str| told.split_once(".\n\n").unwrap().1.to_owned();
    assert_eq!(record(&second), record(&told), "the same record as at the first start");
    assert_eq!(sandbox.counts().authorize, logins, "nobody logged in again");
    told.push_str(&second);
    tells_no_secret(&sandbox, &told.replace(&url, ""));
    tells_no_secret(&sandbox, &contents(folder.path()));

    arguments.push("--logout");
    let out = Program::start("patient_desktop", &arguments).end().await.succeeded();
    assert!(out.contains("Logged out: the access is ended at the server, and nothing is kept here."), "{out}");
    let again = Program::start("patient_desktop", &arguments).end().await.succeeded();
    assert!(again.contains("Nobody is logged in."), "{again}");
}

/// F-128: when the server has ended the access, the desktop app asks for another login, and shows that one's record.
#[tokio::test]
async fn the_desktop_app_logs_in_again_when_the_access_is_over() {
    let config = SandboxConfig {
        clients: vec![Client::public("patient-desktop")],
        access_token_lifetime: Duration::from_secs(5),
        ..SandboxConfig::default()
    };
    let (sandbox, folder) = (Sandbox::start(config).await.unwrap(), folder());
    let (place, key) = (folder.path().join("app"), folder.path().join("key"));
    let base = sandbox.fhir_base();
    let place = ["--folder", place.to_str().unwrap(), "--key-file", key.to_str().unwrap(), "--no-browser"];
    let arguments = [["--issuer", &base].as_slice(), &place].concat();
    for patient in ["p1001", "p1003"] {
        let mut program = Program::start("patient_desktop", &arguments);
        let url = program.line_after("Open this to sign in: ").await;
        browser(who_opens(patient)).browse(&url.parse().unwrap()).await.unwrap();
        let told = program.end().await.succeeded();
        assert!(told.contains("Logged in.") && told.contains("Okafor") == (patient == "p1001"), "{told}");
        sandbox.revoke_refresh_tokens();
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
}

/// F-128: `--sandbox` shows two starts and a logout with one command, in the person's own browser.
#[tokio::test]
async fn the_desktop_app_shows_itself() {
    let own = PersonsBrowser::new();
    let folder = folder();
    let key = folder.path().join("key");
    let arguments = ["--sandbox", "--key-file", key.to_str().unwrap()];
    let program = Program::start_with("patient_desktop", &arguments, |command| own.set(command));
    own.sign_in(Person::default()).await;
    let told = program.end().await.succeeded();
    let parts: Vec<&str> = told.split("== ").skip(1).collect();
    let [first, second, logout] = parts.as_slice() else { panic!("{told}") };
    assert!(first.starts_with("First start\n") && first.contains("Logged in.") && first.contains("Okafor"), "{told}");
    assert!(second.starts_with("Second start\nResumed without a login.") && second.contains("Okafor"), "{told}");
    assert!(logout.starts_with("Logout\nLogged out"), "{told}");
}

/// F-128: a whole command is 30 lines, and shows how the weight of the chosen patient went.
#[tokio::test]
async fn a_command_is_30_lines() {
    let source = include_str!("../../../crates/smart-on-fhir/examples/cli_in_30_lines.rs");
    assert!(source.lines().count() <= 30, "{} lines", source.lines().count());
    let (sandbox, own) = (sandbox_of("demo-app").await, PersonsBrowser::new());
    let base = sandbox.fhir_base();
    let with_server = ["cli_in_30_lines", &base, "demo-app"];
    for arguments in [&with_server[1..], &[]] {
        let program = Program::start_with("cli_in_30_lines", arguments, |command| own.set(command));
        own.sign_in(who_opens("p1001")).await;
        let told = program.end().await.succeeded();
        assert!(told.contains("Okafor") && told.contains("born"), "{told}");
        let weights: Vec<f64> =
            told.lines().filter_map(|line| line.strip_suffix(" kg")?.rsplit(' ').next()?.parse().ok()).collect();
        assert!(weights.len() > 10 && weights.iter().all(|weight| (75.0..95.0).contains(weight)), "{told}");
        let dates: Vec<&str> = told.lines().skip(1).map(|line| &line[..10]).collect();
        assert!(dates.len() == weights.len() && dates.is_sorted(), "{told}");
    }
    assert!(sandbox.counts().token > 0, "the first one was run at this server");
}

/// F-128: the transport of one's own is what every exchange goes through, and it tells no secret.
#[tokio::test]
async fn a_transport_of_ones_own_tells_no_secret() {
    let told = Program::start("custom_transport", &[]).end().await.succeeded();
    for exchange in [
        "/.well-known/smart-configuration [accept: application/json] -> 200",
        "/auth/token [",
        "/fhir/Patient/p1001 [accept: application/fhir+json; authorization: ***] -> 200",
        "/auth/revoke [",
        "Patient: born 1958-04-17",
    ] {
        assert!(told.contains(exchange), "{exchange}: {told}");
    }
    let exchanges = told.lines().filter(|line| line.contains(" -> ")).count();
    assert!(told.ends_with(&format!("{exchanges} exchanges with 127.0.0.1\n")), "{told}");

    let (sandbox, own) = (sandbox_of("demo-app").await, PersonsBrowser::new());
    let base = sandbox.fhir_base();
    let program = Program::start_with("custom_transport", &[&base, "demo-app"], |command| own.set(command));
    own.sign_in(Person::default()).await;
    let ended = program.end().await;
    tells_no_secret(&sandbox, &ended.errors);
    let told = ended.succeeded();
    assert!(told.contains(&format!("GET {base}/Patient/p1001 ")), "{told}");
    tells_no_secret(&sandbox, &told);
}
