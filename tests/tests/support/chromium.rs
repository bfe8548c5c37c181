//! Headless Chromium, driven over WebDriver (W3C WebDriver).
//!
//! Screenshots go to `target/screenshots`. Without chromedriver a test passes with a remark, except in CI.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "each test binary uses its part, and reports by panicking"
)]

use base64::Engine as _;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use smart_http::{HttpClient, HyperTransport, Limits};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};

/// The member that names an element in WebDriver's answers (W3C WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Headless Chromium, in a profile of its own.
pub(crate) struct Browser {
    http: HttpClient,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it. `None`, with a remark: there is no chromedriver, and this is not CI.
    pub(crate) async fn start() -> Option<Self> {
        let found = Path::new("/usr/bin/chromedriver");
        if !found.exists() {
            assert!(std::env::var_os("CI").is_none(), "chromedriver is needed in CI: Debian's package chromium-driver");
            eprintln!("skipped: there is no {}", found.display());
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(found)
            .arg(format!("--port={port}"))
            .kill_on_drop(true)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let http =
            HttpClient::new(HyperTransport::new()).with_limits(Limits::default().with_total(Duration::from_secs(60)));
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments}}}});
        let base = format!("http://127.0.0.1:{port}");
        for _ in 0..100 {
            if let Ok(answer) = call(&http, Method::POST, &format!("{base}/session"), Some(&capabilities)).await {
                let id = answer["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
                return Some(Self {
                    session: format!("{base}/session/{id}"),
                    http,
                    _driver: driver,
                    _profile: profile,
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("chromedriver does not answer");
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        call(&self.http, Method::POST, &format!("{}{path}", self.session), Some(&body)).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        call(&self.http, Method::GET, &format!("{}{path}", self.session), None).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        call(&self.http, Method::DELETE, &format!("{}{path}", self.session), None).await.unwrap()
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    pub(crate) async fn element(&self, css: &str) -> String {
        let found = self.post("/element", json!({"using": "css selector", "value": css})).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{css}: {found}")).to_owned()
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/value"), json!({"text": text})).await;
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    pub(crate) async fn resize(&self, width: u32) {
        self.post("/window/rect", json!({"width": width, "height": 900})).await;
    }

    /// Waits until a script's value is the wanted one: a click does not wait for the page that it leads to.
    pub(crate) async fn wait_for(&self, script: &str, wanted: impl Into<Value>) {
        let (script, wanted) = (format!("return {script}"), wanted.into());
        let mut seen = Value::Null;
        for _ in 0..100 {
            // A page that is just being left answers with an error.
            let (url, body) = (format!("{}/execute/sync", self.session), json!({"script": script, "args": []}));
            seen = call(&self.http, Method::POST, &url, Some(&body)).await.unwrap_or_default();
            if seen == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{script} is {seen}, not {wanted}");
    }

    /// Looks at a page on a desk and on a phone: title, labels, language, and nothing that runs out of the window.
    pub(crate) async fn look(&self, name: &str, heading: &str) {
        self.wait_for("document.querySelector('h1')?.textContent", heading).await;
        assert_eq!(self.script("return document.documentElement.lang").await, "en");
        let unlabelled = self.script("return [...document.querySelectorAll('input:not([type=hidden])')].filter(i => i.labels.length === 0).length").await;
        assert_eq!(unlabelled, 0, "{name} has inputs without a label");
        for (kind, width) in [("phone", 500), ("desk", 1100)] {
            self.resize(width).await;
            let overflow =
                self.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
            assert_eq!(overflow, 0, "{name} runs out of the window on a {kind}");
            let png = self.get("/screenshot").await;
            let png = base64::engine::general_purpose::STANDARD.decode(png.as_str().unwrap()).unwrap();
            std::fs::write(screenshots().join(format!("{name}-{kind}.png")), png).unwrap();
        }
    }

    /// The address that the browser came to, once it lies at the app.
    pub(crate) async fn callback(&self) -> url::Url {
        for _ in 0..100 {
            let at: url::Url = self.get("/url").await.as_str().unwrap().parse().unwrap();
            if at.path() == "/callback" {
                return at;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the browser did not come back to the app");
    }
}

async fn call(http: &HttpClient, method: Method, url: &str, body: Option<&Value>) -> Result<Value, String> {
    let mut request = Request::new(Bytes::from(body.map(Value::to_string).unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().unwrap();
    let response = http.fetch(request).await.map_err(|e| e.to_string())?;
    let mut answer: Value = serde_json::from_slice(response.body()).map_err(|e| e.to_string())?;
    if response.status().is_success() { Ok(answer["value"].take()) } else { Err(answer.to_string()) }
}

/// Where screenshots are put.
pub(crate) fn screenshots() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
