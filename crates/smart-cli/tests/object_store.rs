//! `smart export` to an object store: a server that speaks S3, on this machine.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use smart_sandbox::{BulkConfig, Client, ClientKeys, Sandbox, SandboxConfig};
use std::process::Stdio;
use std::time::Duration;
use support::{User, text};

/// moto, on a port of its own. `cargo xtask ci` installs it.
struct Store {
    _server: tokio::process::Child,
    url: String,
}

impl Store {
    /// None, told plainly, where it is not installed; in CI that is a failure.
    async fn start() -> Option<Self> {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/moto/bin/moto_server");
        if !std::path::Path::new(program).exists() {
            assert!(std::env::var_os("CI").is_none(), "moto is not installed: run `cargo xtask ci`");
            #[expect(clippy::print_stderr, reason = "whoever runs the tests has to see it")]
            {
                eprintln!("skipped: moto is not installed: run `cargo xtask ci`");
            }
            return None;
        }
        let port = support::free_port();
        let mut server = tokio::process::Command::new(program);
        server
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let store = Self { _server: server.spawn().unwrap(), url: format!("http://127.0.0.1:{port}") };
        for _ in 0..300 {
            if store.ask(Method::PUT, "/exports").await == Some(Bytes::new()) {
                return Some(store);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto does not answer");
    }

    /// The body of a good answer.
    async fn ask(&self, method: Method, path: &str) -> Option<Bytes> {
        // moto wants a request to be signed, and does not look at the signature.
        let signed =
            "AWS4-HMAC-SHA256 Credential=tester/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let request =
            Request::builder().method(method).uri(format!("{}{path}", self.url)).header("authorization", signed);
        let request = request.body(Bytes::new()).unwrap();
        let response = support::http().fetch(request).await.ok()?;
        response.status().is_success().then(|| response.into_body())
    }

    fn user(&self) -> User {
        User::new()
            .with("AWS_ACCESS_KEY_ID", "tester")
            .with("AWS_SECRET_ACCESS_KEY", "s3cret-of-the-store")
            .with("AWS_REGION", "us-east-1")
            .with("AWS_ENDPOINT_URL", &self.url)
            .with("AWS_ALLOW_HTTP", "true")
    }

    /// Asserts that each object has the digest that was reported.
    async fn assert_has(&self, folder: &str, report: &Value) {
        for file in report["files"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            let octets = self.ask(Method::GET, &format!("/exports/{folder}/{name}")).await.unwrap();
            let digest = ring::digest::digest(&ring::digest::SHA256, &octets);
            let digest = digest.as_ref().iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"));
            assert_eq!(file["sha256"], digest.as_str(), "{name}");
        }
    }
}

async fn signed_in(user: &User, bulk: BulkConfig) -> Sandbox {
    let key = user.folder().join("key.jwk");
    user.run(&["keygen", "--jwk", "--out", text(&key)]).await.exits(0);
    let jwks = user.run(&["jwks", text(&key), "--json"]).await.exits(0).json()["jwks"].to_string();
    let mut config = SandboxConfig { bulk, ..SandboxConfig::default() };
    config.clients.push(Client::asymmetric("night-job", ClientKeys::Document(jwks)));
    let sandbox = Sandbox::start(config).await.unwrap();
    user.run(&["backend", &sandbox.fhir_base(), "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    sandbox
}

/// F-109, BK-46: an export to an S3 server, in parts and in one piece, killed and resumed; the objects have the digests that are
/// reported, and no key is shown.
#[tokio::test]
async fn an_export_to_an_object_store() {
    let Some(store) = Store::start().await else { return };
    let user = store.user();
    // More than two parts of 8 MiB, so that uploads are in parts.
    let _sandbox =
        signed_in(&user, BulkConfig { files: 3, file_size: 18 * 1024 * 1024, ..BulkConfig::default() }).await;
    let ran = user.run(&["export", "s3://exports/one", "--json"]).await.exits(0);
    let report = ran.json();
    store.assert_has("one", &report).await;
    assert_eq!(report["destination"], "s3://exports/one");
    assert!(!format!("{ran:?}").contains("s3cret-of-the-store"));
    let summary = store.ask(Method::GET, "/exports/one/export.json").await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&summary).unwrap()["files"], report["files"]);

    let mut child = user.command(&["export", "s3://exports/two", "--parallel", "1"]).spawn().unwrap();
    let journals = user.folder().join("exports");
    let is_half = || {
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default()
        };
        let texts: Vec<String> = std::fs::read_dir(&journals).into_iter().flatten().map(read).collect();
        texts.iter().any(|text| text.contains("\"whole\"") && !text.contains("\"done\""))
    };
    for _ in 0..2000 {
        if is_half() || child.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    let again = user.run(&["export", "s3://exports/two", "--resume", "--json"]).await.exits(0).json();
    assert_eq!(again["files"], report["files"]);
    store.assert_has("two", &again).await;
}

/// A store that refuses is told, with what to check, and the export can be gone on with.
#[tokio::test]
async fn a_store_that_refuses_is_told() {
    let Some(store) = Store::start().await else { return };
    let user = store.user();
    let _sandbox = signed_in(&user, BulkConfig { files: 1, file_size: 1000, ..BulkConfig::default() }).await;
    let ran = user.run(&["export", "s3://no-such-bucket/x", "--json"]).await.exits(1);
    let error = support::json_error(&ran, "internal");
    assert!(error["message"].as_str().unwrap().contains("s3://no-such-bucket/x"), "{error}");
    assert!(!format!("{ran:?}").contains("s3cret-of-the-store"));
    let ran = user.run(&["export", "s3://key:s3cret@bucket/x", "--json"]).await.exits(1);
    assert!(!format!("{ran:?}").contains("s3cret@"), "{ran:#?}");
}
