//! `smart login` with clients of each kind, and the ways to the browser and back.
#![expect(clippy::unwrap_used, reason = "its helpers report by panicking")]

mod support;

use smart_on_fhir::core::profile::ServerKind;
use smart_on_fhir::core::secret::ClientSecret;
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, ClientKeys, ClientKind, Sandbox, SandboxConfig, SecretMethod};
use std::process::Stdio;
use std::time::Duration;
use support::{User, assert_masked, browser, json_error, sandbox, sandbox_with_key, text};
use tokio::io::AsyncWriteExt as _;

/// A sandbox whose tokens end at once, with a client `posts` whose secret belongs in the body.
async fn short_lived(kind: ServerKind) -> Sandbox {
    let mut config = SandboxConfig { access_token_lifetime: Duration::from_secs(1), ..SandboxConfig::like(kind) };
    let posts = ClientKind::Symmetric { secret: ClientSecret::new("posted: & %"), method: SecretMethod::Post };
    config.clients.push(Client::new("posts", posts));
    config.clients.push(Client::symmetric("odd", "raw: & %"));
    Sandbox::start(config).await.unwrap()
}

async fn renews(sandbox: &Sandbox, user: &User) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = sandbox.counts().token;
    user.run(&["get", "Patient/{patient}"]).await.exits(0);
    assert!(sandbox.counts().token > before, "the token was not renewed");
}

/// F-29, F-30, CS-01, CS-03 (SMART, client-confidential-symmetric; RFC 6749 2.3.1): a secret from a file or the environment, in the header or
/// in the body; it serves the login and the renewals after it.
#[tokio::test]
async fn clients_with_a_secret_log_in() {
    let sandbox = short_lived(ServerKind::Generic).await;
    let base = sandbox.fhir_base();
    let user = User::new();
    let in_file = user.private("secret", "demo-secret\n");
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&in_file)];
    let ran = user.log_in(&base, Person::default(), &arguments).await.exits(0);
    assert_masked(&sandbox, &ran);
    renews(&sandbox, &user).await;

    let user = User::new().with("SMART_CLIENT_SECRET", "posted: & %");
    let arguments = ["--client-id", "posts", "--secret-in-body", "--json"];
    let ran = user.log_in(&base, Person::default(), &arguments).await.exits(0);
    assert!(!ran.out.contains("posted") && !ran.err.contains("posted"), "{ran:#?}");
    renews(&sandbox, &user).await;
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"][0]["client"], "secret");
}

/// CS-02 (RFC 6749 2.3.1): a server that does not decode what is in the header gets it as it is; with the profile of such a server
/// that needs no option.
#[tokio::test]
async fn raw_basic_is_an_option_and_comes_with_a_profile() {
    let sandbox = short_lived(ServerKind::Medplum).await;
    let user = User::new().with("SMART_CLIENT_SECRET", "raw: & %");
    let encoded = user.log_in(&sandbox.fhir_base(), Person::default(), &["--client-id", "odd", "--json"]).await;
    json_error(&encoded.exits(9), "token-refused");
    for option in [&["--raw-basic"][..], &["--like", "medplum"], &["--profile", "medplum"]] {
        let arguments = [&["--client-id", "odd", "--json"], option].concat();
        user.log_in(&sandbox.fhir_base(), Person::default(), &arguments).await.exits(0);
        renews(&sandbox, &user).await;
    }
    json_error(&user.run(&["login", "https://a.example", "--like", "cerner", "--json"]).await.exits(2), "usage");
}

/// F-31, RF-03 (SMART, client-confidential-asymmetric): a client with a key logs in, renews and logs out by assertions.
#[tokio::test]
async fn a_client_with_a_key_logs_in() {
    let user = User::new();
    let (sandbox, key) = sandbox_with_key(&user).await;
    let arguments = ["--client-id", "night-job", "--key", text(&key), "--json"];
    let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &arguments).await.exits(0);
    assert_masked(&sandbox, &ran);
    user.run(&["token", "refresh"]).await.exits(0);
    user.run(&["logout"]).await.exits(0);
    assert!(sandbox.counts().revoke > 0);
}

/// RG-02: a secret is no option of the command line, two ways to authenticate are refused, and so is a secret that is not there.
#[tokio::test]
async fn clients_that_make_no_sense_are_told() {
    let user = User::new();
    let key = user.private("key.pem", "nonsense");
    let empty = user.private("empty", "\n");
    let base = "https://ehr.invalid/fhir";
    for arguments in [
        &["--client-secret", "s3cret"][..],
        &["--client-id", "a", "--client-secret-file", text(&empty), "--key", text(&key)],
        &["--client-id", "a", "--client-secret-file", text(&empty)],
        &["--client-id", "a", "--client-secret-file", "/no/such/file"],
        &["--client-id", "a", "--secret-in-body"],
        &["--client-id", "a", "--raw-basic", "--secret-in-body"],
        &["--client-id", "a", "--kid", "k1"],
        &["--client-id", "a", "--key", text(&key)],
        &["--client-id", "a", "--key", "/no/such/file"],
        &["--client-id", "a", "--redirect-uri", "https://a.example/callback"],
    ] {
        let ran = user.run(&[&["login", base, "--json"], arguments].concat()).await.exits(2);
        json_error(&ran, "usage");
    }
    // With a key or secret the sandbox's public client is not meant.
    let sandbox = sandbox().await;
    let secret = user.private("secret", "x");
    let ran =
        user.run(&["login", &sandbox.fhir_base(), "--client-secret-file", text(&secret), "--json"]).await.exits(2);
    assert!(json_error(&ran, "usage")["next_step"].as_str().unwrap().contains("--client-id"));
}

/// A wrong secret is refused by the server, with what to check; nothing is stored.
#[tokio::test]
async fn a_wrong_secret_is_told() {
    let (sandbox, user) = (sandbox().await, User::new());
    let secret = user.private("secret", "guess");
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret), "--json"];
    let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &arguments).await.exits(9);
    json_error(&ran, "token-refused");
    assert!(!ran.out.contains("guess"));
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"].as_array().unwrap().len(), 0);
}

/// The secret of a stored session stays where it is: when the file is gone, the commands that need it say which one; the session is
/// listed all the same, and `logout` wipes it.
#[tokio::test]
async fn a_secret_that_is_gone_is_told() {
    let (sandbox, user) = (sandbox().await, User::new());
    let secret = user.private("secret", "demo-secret");
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret)];
    user.log_in(&sandbox.fhir_base(), Person::default(), &arguments).await.exits(0);
    std::fs::remove_file(&secret).unwrap();
    for command in
        [&["get", "Patient/{patient}"][..], &["token", "refresh"], &["token", "introspect"], &["token", "revoke"]]
    {
        let ran = user.run(&[command, &["--json"]].concat()).await.exits(2);
        assert!(json_error(&ran, "usage")["message"].as_str().unwrap().contains(text(&secret)), "{ran:#?}");
    }
    user.run(&["token", "show"]).await.exits(0);
    assert_eq!(user.run(&["sessions", "--json"]).await.json()["sessions"][0]["can_refresh"], true);
    let ran = user.run(&["logout", "--json"]).await.exits(13);
    let json = ran.json();
    assert_eq!((&json["ended"][0]["revoked"], &json["ended"][0]["wiped"]), (&false.into(), &true.into()), "{json:#}");
    assert!(json["ended"][0]["not_revoked_because"]["message"].as_str().unwrap().contains(text(&secret)), "{json:#}");
    json_error(&user.run(&["get", "Patient/1", "--json"]).await.exits(11), "needs-login");
}

/// ST-02 (SMART, App protection): without a browser on the machine the person carries the URL and the answer; only the redirect URI's own
/// address is taken.
#[tokio::test]
async fn the_answer_can_be_pasted() {
    let (sandbox, user) = (sandbox().await, User::new());
    let base = sandbox.fhir_base();
    let pasted = |arguments: &'static [&'static str], change: fn(String) -> String| {
        let (user, base) = (&user, base.clone());
        async move {
            let all = [&["login", base.as_str(), "--paste", "--json"], arguments].concat();
            let mut command = user.command(&all);
            command.stdin(Stdio::piped());
            let mut login = User::begin(command).await;
            let answer = browser(Person::default()).authorize(login.url.as_ref().unwrap()).await.unwrap();
            let mut input = login.child.stdin.take().unwrap();
            input.write_all(change(format!(" {answer}\n")).as_bytes()).await.unwrap();
            (login.url.clone().unwrap(), login.end().await)
        }
    };
    let (url, ran) = pasted(&[], |answer| answer).await;
    assert!(url.as_str().contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A4014%2Fcallback"), "{url}");
    assert_eq!(ran.exits(0).json()["patient"], "p1001");
    let (url, ran) = pasted(&["--port", "9321"], |answer| answer).await;
    assert!(url.as_str().contains("127.0.0.1%3A9321"), "{url}");
    assert_masked(&sandbox, &ran.exits(0));
    let (url, ran) = pasted(&["--redirect-uri", "https://app.example/callback"], |answer| answer).await;
    assert!(url.as_str().contains("redirect_uri=https%3A%2F%2Fapp.example%2Fcallback"), "{url}");
    ran.exits(0);

    let before = sandbox.counts().token;
    let (_, ran) = pasted(&[], |answer| answer.replace("127.0.0.1", "127.0.0.2")).await;
    json_error(&ran.exits(8), "callback-refused");
    let (_, ran) = pasted(&[], |answer| answer.replace("state=", "state=x")).await;
    json_error(&ran.exits(8), "callback-refused");
    for line in ["\n", "nonsense\n", ""] {
        let mut command = user.command(&["login", &base, "--paste", "--json"]);
        command.stdin(Stdio::piped());
        let mut login = User::begin(command).await;
        login.child.stdin.take().unwrap().write_all(line.as_bytes()).await.unwrap();
        json_error(&login.end().await.exits(8), "callback-refused");
    }
    assert_eq!(sandbox.counts().token, before, "no code was redeemed");

    // Nobody pastes anything.
    let mut command = user.command(&["login", &base, "--paste", "--json", "--timeout", "1"]);
    command.stdin(Stdio::piped());
    let mut login = User::begin(command).await;
    let _held = login.child.stdin.take();
    let error = json_error(&login.end().await.exits(8), "callback-refused");
    assert!(error["message"].as_str().unwrap().contains("within 1 seconds"), "{error}");
}

/// RG-06 (RFC 8252 7.3): the redirect URI can have a fixed port; its older name is still known.
#[tokio::test]
async fn the_port_can_be_fixed() {
    let (sandbox, user) = (sandbox().await, User::new());
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
    for option in ["--port", "--redirect-port"] {
        let login = user.begin_login(&sandbox.fhir_base(), &[option, &free]).await;
        let url = login.url.clone().unwrap();
        assert!(url.as_str().contains(&format!("127.0.0.1%3A{free}%2Fcallback")), "{url}");
        browser(Person::default()).browse(&url).await.unwrap();
        login.end().await.exits(0);
    }
}

/// What is known of a server counts for later renewals too: the ID tokens that this kind sends with them have
/// no audience, and are passed over as its profile says.
#[tokio::test]
async fn the_profile_of_a_server_is_remembered() {
    let sandbox = short_lived(ServerKind::SmartHealthIt).await;
    let base = sandbox.fhir_base();
    let user = User::new();
    user.log_in(&base, Person::default(), &["--like", "smart-sandbox"]).await.exits(0);
    user.run(&["token", "refresh"]).await.exits(0);
    let strict = User::new();
    strict.log_in(&base, Person::default(), &[]).await.exits(0);
    assert_ne!(strict.run(&["token", "refresh"]).await.code, 0);
}

/// SE-03: a key or secret that others may read is warned of.
#[cfg(unix)]
#[tokio::test]
async fn secrets_that_others_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, user) = (sandbox().await, User::new());
    let secret = user.private("secret", "demo-secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let arguments = ["--client-id", "demo-confidential", "--client-secret-file", text(&secret)];
    let ran = user.log_in(&sandbox.fhir_base(), Person::default(), &arguments).await.exits(0);
    assert!(ran.err.contains("others may read") && ran.err.contains("chmod 600"), "{ran:#?}");
}

/// A key in PEM has no id: the one that it is registered under has to be given, and is remembered.
#[tokio::test]
async fn keys_in_pem_need_their_registered_id() {
    let user = User::new();
    let key = user.folder().join("key.pem");
    user.run(&["keygen", "--kid", "mine", "--out", text(&key)]).await.exits(0);
    let jwks = user.run(&["jwks", text(&key), "--kid", "mine", "--json"]).await.exits(0).json()["jwks"].to_string();
    let mut config = SandboxConfig::default();
    config.clients.push(Client::asymmetric("app", ClientKeys::Document(jwks)));
    let sandbox = Sandbox::start(config).await.unwrap();
    let base = sandbox.fhir_base();
    let arguments = ["backend", &base, "--client-id", "app", "--key", text(&key), "--json"];
    json_error(&user.run(&arguments).await.exits(9), "token-refused");
    user.run(&[&arguments[..], &["--kid", "mine"]].concat()).await.exits(0);
    user.run(&["token", "refresh"]).await.exits(0);
}
