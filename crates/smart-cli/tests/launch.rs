//! `smart launch`: an EHR opens the app on this machine.

mod support;

use smart_sandbox::browser::Person;
use smart_sandbox::{Sandbox, SandboxConfig};
use std::time::Duration;
use support::{User, assert_masked, browser, json_error, launcher, sandbox, text};
use tokio::net::TcpStream;

fn opened(sandbox: &Sandbox, patient: &str) -> String {
    let launch = sandbox.new_launch(Some(patient), None);
    format!("https://app.example/launch?iss={}&launch={launch}", sandbox.fhir_base())
}

/// F-02, LA-01, LA-02 (SMART, EHR launch): the launcher opens the app, the browser ends at a page that says so, and the session is kept
/// for `get`.
#[tokio::test]
async fn an_ehr_opens_the_app() {
    let (sandbox, user) = (sandbox().await, User::new());
    let launch = user.begin_launch(&sandbox.fhir_base(), &[]).await;
    let url = launch.url.clone().unwrap();
    assert!(url.host_str() == Some("127.0.0.1") && url.path() == "/launch", "{url}");
    let visited = browser(Person::default()).visit(&launcher(&sandbox, &url)).await.unwrap();
    assert_eq!(visited.title, "Signed in");
    let ran = launch.end().await.exits(0);
    assert!(ran.out.contains("p1001") && ran.out.contains("*****") && ran.err.contains("EHR launch"), "{ran:#?}");
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    assert_masked(&sandbox, &ran);
    assert!(TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.is_err(), "the port is closed");
    assert_eq!(user.run(&["get", "Patient/{patient}"]).await.exits(0).json()["id"], "p1001");
}

/// LA-01, LA-02 (SMART, EHR launch): with the launch as an argument the browser is opened at once; JSON is one object, and the token is
/// in it only where that is asked for.
#[tokio::test]
async fn a_launch_as_an_argument_opens_the_browser() {
    let (sandbox, user) = (sandbox().await, User::new());
    for (patient, more) in [("p1002", &["--json"][..]), ("p1003", &["--json", "--reveal"])] {
        let url = opened(&sandbox, patient);
        let arguments = [&["--launch-url", &url, "--no-browser"], more].concat();
        let launch = user.begin_launch(&sandbox.fhir_base(), &arguments).await;
        browser(Person::default()).visit(launch.url.as_ref().unwrap()).await.unwrap();
        let ran = launch.end().await.exits(0);
        let json = ran.json();
        assert_eq!((&json["patient"], &json["can_refresh"]), (&patient.into(), &true.into()));
        assert_eq!(json["steps"][0]["name"], "launch");
        let revealed = sandbox.issued_secrets().iter().any(|secret| json["access_token"] == **secret);
        assert_eq!(revealed, more.len() == 2, "{json:#}");
        if more.len() == 1 {
            assert_masked(&sandbox, &ran);
        }
    }
    // The second took the place of the first, whose tokens are revoked.
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"].as_array().unwrap().len(), 1);
    assert!(sandbox.counts().revoke > 0);
}

/// A browser command is run with the URL, and does not see the client's secret; when it fails, the launch ends at once and says so.
#[cfg(unix)]
#[tokio::test]
async fn a_browser_command_takes_the_place_of_the_browser() {
    let (sandbox, user) = (sandbox().await, User::new().with("SMART_CLIENT_SECRET", "demo-secret"));
    let seen = user.folder().join("seen");
    let script = user.private(
        "browser.sh",
        &format!(
            "{{ env; echo noise; }} > {0}\necho noise\nexec {1} sandbox visit \"$1\"\n",
            text(&seen),
            env!("CARGO_BIN_EXE_smart")
        ),
    );
    let command = format!("/bin/sh {}", text(&script));
    let base = sandbox.fhir_base();
    let url = opened(&sandbox, "p1001");
    let common = ["launch", "--iss-allow", &base, "--port", "0", "--launch-url", &url, "--json", "--client-id"];
    let arguments = [&common[..], &["demo-confidential", "--browser-command", &command]].concat();
    let ran = user.run(&arguments).await.exits(0);
    assert_eq!(ran.json()["patient"], "p1001");
    assert_masked(&sandbox, &ran);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("noise") && !seen.contains("demo-secret"), "{seen}");

    for (command, words) in [("/bin/false", "exit status: 1"), ("/no/such/browser", "cannot be run")] {
        let begin = std::time::Instant::now();
        let arguments = [&common[..], &["demo-confidential", "--browser-command", command]].concat();
        let error = json_error(&user.run(&arguments).await.exits(1), "internal");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert!(error["next_step"].as_str().unwrap().contains("--no-browser"), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(20), "it waits for nobody");
    }
}

/// LA-03, F-23, D-21 (SMART, App protection): a server that is not allowed is refused before anything is sent to it, with the option
/// that would allow it; so is an address of this machine where any server is allowed.
#[tokio::test]
async fn other_servers_may_not_launch_the_app() {
    let (sandbox, user) = (sandbox().await, User::new());
    let url = opened(&sandbox, "p1001");
    let listed =
        ["launch", "--iss-allow", "https://ehr.example/r4", "--client-id", "a", "--launch-url", &url, "--json"];
    let error = json_error(&user.run(&listed).await.exits(6), "insecure-http");
    assert_eq!(error["endpoint"], sandbox.fhir_base());
    let https = "https://app.example/launch?iss=https%3A%2F%2Fevil.example%2Fr4&launch=x";
    let listed =
        ["launch", "--iss-allow", "https://ehr.example/r4", "--client-id", "a", "--launch-url", https, "--json"];
    let error = json_error(&user.run(&listed).await.exits(2), "usage");
    assert!(error["next_step"].as_str().unwrap().contains("--iss-allow https://evil.example/r4"), "{error}");
    let private = "https://app.example/launch?iss=https%3A%2F%2F10.0.0.7%2Fr4&launch=x";
    let any = ["launch", "--dangerous-any-issuer", "--client-id", "a", "--launch-url", private, "--json"];
    let error = json_error(&user.run(&any).await.exits(2), "usage");
    assert!(error["message"].as_str().unwrap().contains("private address"), "{error}");
    assert_eq!((sandbox.counts().discovery, sandbox.counts().authorize), (0, 0));

    // The same over the port: the person sees it, and the command ends.
    let other = support::sandbox().await;
    let launch = user.begin_launch(&other.fhir_base(), &["--json"]).await;
    let stuck = browser(Person::default()).visit(&launcher(&sandbox, launch.url.as_ref().unwrap())).await.unwrap_err();
    assert!(stuck.to_string().contains("cannot be opened from there"), "{stuck}");
    json_error(&launch.end().await.exits(2), "usage");
    assert_eq!(sandbox.counts().authorize, 0);
}

/// One of the two ways to say who may launch the app has to be given, and not both.
#[tokio::test]
async fn who_may_launch_has_to_be_said() {
    let user = User::new();
    for arguments in [
        &["launch", "--json"][..],
        &["launch", "--iss-allow", "https://ehr.example/r4", "--dangerous-any-issuer", "--client-id", "a", "--json"],
        &["launch", "--iss-allow", "https://ehr.example/r4", "--json"],
        &["launch", "--iss-allow", "https://ehr.example/r4", "--client-id", "a", "--launch-url", "nonsense", "--json"],
        &[
            "launch",
            "--iss-allow",
            "https://ehr.example/r4",
            "--client-id",
            "a",
            "--launch-url",
            "https://a.example/?launch=x",
            "--json",
        ],
    ] {
        json_error(&user.run(arguments).await.exits(2), "usage");
    }
    let ran = user.run(&["launch", "--iss-allow", "http://ehr.example/r4", "--client-id", "a", "--json"]).await;
    json_error(&ran.exits(6), "insecure-http");
}

/// ST-02, CB-02: a forged callback and a person who says no end the launch; nothing is stored.
#[tokio::test]
async fn launches_that_come_to_nothing_are_told() {
    let (sandbox, user) = (sandbox().await, User::new());
    let denied = Person { allows: false, ..Person::default() };
    let launch = user.begin_launch(&sandbox.fhir_base(), &["--json"]).await;
    let visited = browser(denied).visit(&launcher(&sandbox, launch.url.as_ref().unwrap())).await.unwrap();
    assert_eq!(visited.title, "Sign-in not completed");
    json_error(&launch.end().await.exits(7), "denied");

    let ran =
        user.run(&["launch", "--iss-allow", &sandbox.fhir_base(), "--port", "0", "--timeout", "1"]).await.exits(8);
    assert!(ran.err.contains("no EHR opened the app") && ran.err.contains("next step:"), "{ran:#?}");
    assert_eq!(sandbox.counts().token, 0);
    json_error(&user.run(&["get", "Patient/1", "--json"]).await.exits(11), "needs-login");
}

/// A port that is taken is told, with the option to choose another.
#[tokio::test]
async fn a_taken_port_is_told() {
    let (sandbox, user) = (sandbox().await, User::new());
    let port = sandbox.address().port().to_string();
    let ran = user.run(&["launch", "--iss-allow", &sandbox.fhir_base(), "--port", &port, "--json"]).await.exits(1);
    assert!(json_error(&ran, "internal")["next_step"].as_str().unwrap().contains("--port"));
}

/// RF-03 (SMART, refresh): the token of a launch with a secret is renewed by the same secret.
#[tokio::test]
async fn a_launch_with_a_secret_is_renewed() {
    let config = SandboxConfig { access_token_lifetime: Duration::from_secs(1), ..SandboxConfig::default() };
    let (sandbox, user) = (Sandbox::start(config).await.unwrap(), User::new());
    let secret = user.private("secret", "demo-secret");
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret)];
    let launch = user.begin_launch(&sandbox.fhir_base(), &arguments).await;
    browser(Person::default()).visit(&launcher(&sandbox, launch.url.as_ref().unwrap())).await.unwrap();
    launch.end().await.exits(0);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = sandbox.counts().token;
    user.run(&["get", "Patient/{patient}"]).await.exits(0);
    assert!(sandbox.counts().token > before, "the token was not renewed");
}
