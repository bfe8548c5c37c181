//! Each bad input gets its exit code, and a message that names the endpoint, the reason and the next step.
#![expect(clippy::unwrap_used, reason = "its helpers report by panicking")]

mod support;

use smart_sandbox::Misbehaviour;
use smart_sandbox::browser::Person;
use support::{Ran, User, browser, http, json_error, misbehaving, sandbox};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Asserts what people see.
fn assert_error(ran: &Ran, endpoint: &str, reason: &str) {
    assert!(ran.out.is_empty(), "{ran:#?}");
    for part in ["error: ", "endpoint: ", endpoint, reason, "next step: "] {
        assert!(ran.err.contains(part), "{part}: {ran:#?}");
    }
}

/// A port of this machine where nobody listens.
async fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A host that cannot be reached: exit code 3.
#[tokio::test]
async fn an_unreachable_host_is_told() {
    let user = User::new();
    let base = format!("http://127.0.0.1:{}/fhir", dead_port().await);
    let ran = user.run(&["discover", &base]).await.exits(3);
    assert_error(&ran, &base, "refused the connection");
    let ran = user.run(&["login", &base, "--json"]).await.exits(3);
    let error = json_error(&ran, "unreachable-host");
    assert!(error["endpoint"].as_str().unwrap().starts_with(&base), "{error}");
}

/// A web site instead of a FHIR base, and a wrong path on a FHIR server: exit code 4.
#[tokio::test]
async fn what_is_no_fhir_base_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let serve = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let page = "<!doctype html><title>Welcome</title>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
        }
    });
    let user = User::new();
    let ran = user.run(&["discover", &site]).await.exits(4);
    assert_error(&ran, &site, "HTML");
    serve.abort();

    let sandbox = sandbox().await;
    let elsewhere = sandbox.fhir_base().replace("/fhir", "/nothing/here");
    let ran = user.run(&["discover", &elsewhere, "--json"]).await.exits(4);
    let error = json_error(&ran, "not-a-fhir-base");
    assert_eq!(error["endpoint"], elsewhere);
}

/// DI-12 (SMART, conformance, Metadata): discovery without S256 ends the login before anybody is asked for a password: exit code 5.
#[tokio::test]
async fn discovery_without_s256_is_refused() {
    let sandbox = misbehaving(Misbehaviour::NoS256).await;
    let user = User::new();
    let ran = user.run(&["discover", &sandbox.fhir_base()]).await.exits(5);
    assert_error(&ran, &sandbox.fhir_base(), "S256");
    let ran = user.run(&["login", &sandbox.fhir_base(), "--json", "--no-browser"]).await.exits(5);
    json_error(&ran, "discovery");
    assert_eq!(sandbox.counts().authorize, 0);
}

/// DI-13, SE-02 (SMART, App protection): plain http to another machine is refused before anything is sent: exit code 6.
#[tokio::test]
async fn plain_http_off_loopback_is_refused() {
    let user = User::new();
    // A name that cannot be resolved: any request would end with another code.
    let base = "http://ehr.invalid/fhir";
    let ran = user.run(&["discover", base]).await.exits(6);
    assert_error(&ran, base, "nothing was sent");
    for arguments in [&["login", base, "--json"][..], &["get", "Patient/1", "--server", base, "--json"]] {
        let error = json_error(&user.run(arguments).await.exits(6), "insecure-http");
        assert_eq!(error["endpoint"], base);
    }
}

/// CB-02 (RFC 6749, 4.1.2.1): the person says no at consent: exit code 7, and nothing is stored.
#[tokio::test]
async fn no_at_consent_is_told() {
    let sandbox = sandbox().await;
    let user = User::new();
    let refuses = || Person { allows: false, ..Person::default() };
    let ran = user.log_in(&sandbox.fhir_base(), refuses(), &[]).await.exits(7);
    assert_error(&ran, &sandbox.issuer(), "access_denied");
    let ran = user.log_in(&sandbox.fhir_base(), refuses(), &["--json"]).await.exits(7);
    json_error(&ran, "denied");
    assert_eq!(sandbox.counts().token, 0);
    user.run(&["get", "Patient/1"]).await.exits(11);
}

/// ST-02, CB-03 (SMART, app launch; RFC 9207, 2.4): a callback with another state or issuer is refused, and its code is
/// not redeemed: exit code 8.
#[tokio::test]
async fn a_callback_with_another_state_is_refused() {
    let sandbox = misbehaving(Misbehaviour::WrongState).await;
    let user = User::new();
    let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(8);
    assert!(ran.err.contains("state") && ran.err.contains("next step: "), "{ran:#?}");
    assert_eq!(sandbox.counts().token, 0);

    let other = misbehaving(Misbehaviour::WrongIssuer).await;
    let ran = user.log_in(&other.fhir_base(), Person::default(), &["--json"]).await.exits(8);
    assert!(json_error(&ran, "callback-refused")["message"].as_str().unwrap().contains("evil.example"));
    assert_eq!(other.counts().token, 0);
}

/// ST-02 (RFC 6749, 10.12): a forged callback that comes before the real one ends the login; the real code is not redeemed.
#[tokio::test]
async fn a_forged_callback_is_refused() {
    let sandbox = sandbox().await;
    let user = User::new();
    let login = user.begin_login(&sandbox.fhir_base(), &["--json"]).await;
    let url = login.url.clone().expect("a URL to open");
    let (_, redirect) = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    let forged = format!("{redirect}?code=forged&state=guessed");
    http().fetch(::http::Request::get(forged).body(Vec::new().into()).unwrap()).await.unwrap();
    let ran = login.end().await.exits(8);
    json_error(&ran, "callback-refused");
    assert!(browser(Person::default()).browse(&url).await.is_err(), "nobody listens any more");
    assert_eq!(sandbox.counts().token, 0);
}

/// Nobody comes back from the browser: exit code 8, after the time that the person gave.
#[tokio::test]
async fn a_browser_that_does_not_come_back_is_told() {
    let sandbox = sandbox().await;
    let ran = User::new().run(&["login", &sandbox.fhir_base(), "--no-browser", "--timeout", "1"]).await.exits(8);
    assert!(ran.err.contains("did not come back"), "{ran:#?}");
}

/// ID-17, TK-11 (OIDC Core, 3.1.3.7; RFC 6749, 5.2): an ID token with another nonce, and a token endpoint that answers with a page: exit code 9.
#[tokio::test]
async fn refused_tokens_are_told() {
    for (misbehaviour, word) in [(Misbehaviour::WrongNonce, "nonce"), (Misbehaviour::HtmlToken, "JSON")] {
        let sandbox = misbehaving(misbehaviour).await;
        let user = User::new();
        let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &["--json"]).await.exits(9);
        let error = json_error(&ran, "token-refused");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        user.run(&["get", "Patient/1"]).await.exits(11);
    }
}

/// A wrong command line: exit code 2, with `--json` as one object too.
#[tokio::test]
async fn a_wrong_command_line_is_told() {
    let user = User::new();
    for arguments in [&["get", "--json"][..], &["--json", "nonsense"], &["discover", "--json", "ehr.example/fhir"]] {
        json_error(&user.run(arguments).await.exits(2), "usage");
    }
    assert!(user.run(&["get"]).await.exits(2).err.contains("Usage:"));
    let ran = user.run(&["login", "https://ehr.invalid/fhir", "--json"]).await.exits(2);
    assert!(json_error(&ran, "usage")["next_step"].as_str().unwrap().contains("--client-id"));
    let ran = user.run(&["login", "https://ehr.invalid/fhir", "--client-id", "a", "--scopes", "patient/*.sr"]).await;
    assert!([2, 3].contains(&ran.code), "{ran:#?}");
}

/// Help and version are no errors.
#[tokio::test]
async fn help_names_the_exit_codes() {
    let user = User::new();
    for arguments in [&["--help"][..], &["help", "exit-codes"], &["exit-codes"]] {
        let ran = user.run(arguments).await.exits(0);
        assert!(ran.out.contains("not-a-fhir-base") && ran.err.is_empty(), "{ran:#?}");
    }
    user.run(&["--version"]).await.exits(0);
    let json = user.run(&["exit-codes", "--json"]).await.exits(0).json();
    assert_eq!(json["exit_codes"][3]["code"], "unreachable-host");
}
