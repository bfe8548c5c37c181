//! The three launch types end to end, by the command alone.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "its helpers report by panicking")]

mod support;

use serde_json::Value;
use smart_sandbox::browser::Person;
use support::{Ran, User, assert_masked, browser, launcher, sandbox_with_key, text};

/// F-01, F-02, F-03, SE-05 (SMART, standalone launch, EHR launch, backend services): a public client, one with a secret that an EHR
/// opens, and a service with a key, one after the other at one server; each reads what it may, and no output shows a secret.
#[tokio::test]
async fn three_launch_types_in_a_row() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let base = sandbox.fhir_base();
    let secret = user.private("secret", "demo-secret\n");
    let mut shown: Vec<Ran> = Vec::new();

    shown.push(user.log_in(&base, Person::default(), &["--json"]).await.exits(0));

    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret), "--json"];
    let launch = user.begin_launch(&base, &arguments).await;
    let person = Person { patient: Some("Patient/p1002".into()), ..Person::default() };
    let visited = browser(person).visit(&launcher(&sandbox, launch.url.as_ref().unwrap())).await.unwrap();
    assert_eq!(visited.title, "Signed in");
    shown.push(launch.end().await.exits(0));

    let arguments = ["backend", &base, "--client-id", "night-job", "--key", text(&key), "--json"];
    shown.push(user.run(&arguments).await.exits(0));

    let [standalone, ehr, backend]: [Value; 3] = shown.iter().map(Ran::json).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((&standalone["client_id"], &standalone["patient"]), (&"demo-app".into(), &"p1001".into()));
    assert_eq!((&ehr["client_id"], &ehr["patient"]), (&"demo-confidential".into(), &"p1002".into()));
    assert_eq!((&backend["client_id"], &backend["patient"]), (&"night-job".into(), &Value::Null));
    assert_eq!((&backend["backend"], &ehr["backend"]), (&true.into(), &false.into()));
    for (client, path, id) in [
        ("demo-app", "Patient/{patient}", "p1001"),
        ("demo-confidential", "Patient/{patient}", "p1002"),
        ("night-job", "Patient/p1003", "p1003"),
    ] {
        let ran = user.run(&["get", path, "--client-id", client]).await.exits(0);
        assert_eq!(ran.json()["id"], id, "{client}");
        shown.push(ran);
    }
    shown.push(user.run(&["sessions"]).await.exits(0));
    shown.push(user.run(&["logout", "--all"]).await.exits(0));
    assert!(shown.iter().all(|ran| !ran.out.is_empty()));
    for ran in &shown {
        assert_masked(&sandbox, ran);
    }
    assert_eq!(user.run(&["sessions", "--json"]).await.exits(0).json()["sessions"], Value::Array(Vec::new()));
}

/// Two ports that are free, and that the system gives to nobody who asks for any.
#[cfg(unix)]
fn two_free_ports() -> [String; 2] {
    use std::net::{Ipv4Addr, TcpListener};
    let begin = 20_000 + u16::try_from(std::process::id() % 5_000).unwrap() * 2;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let free: Vec<u16> = (begin..begin + 200).filter(is_free).take(2).collect();
    [free[0].to_string(), free[1].to_string()]
}

/// The script that shows the three in the documents runs with `smart` and a shell, and ends well.
#[cfg(unix)]
#[tokio::test]
async fn the_script_of_the_three_launches_runs() {
    let user = User::new();
    let ports = two_free_ports();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_smart")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let mut script = tokio::process::Command::new("sh");
    script
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/three_launches.sh"))
        .env_clear()
        .envs([("PATH", path.as_str()), ("PORT", &ports[0]), ("LAUNCH_PORT", &ports[1]), ("LANG", "C.UTF-8")])
        .env("TMPDIR", user.folder())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(std::time::Duration::from_secs(120), script.output()).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{out}\n{err}");
    for part in ["p1001", "p1002", "night-job", "the token is good", "the trail is whole", "patients were read"] {
        assert!(out.contains(part), "{part}: {out}\n{err}");
    }
    assert_eq!(out.matches("revoked and wiped").count(), 3, "{out}");
    assert_eq!(std::fs::read_dir(user.folder()).unwrap().count(), 0, "it leaves nothing behind");
}
