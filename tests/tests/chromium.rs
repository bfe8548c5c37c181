//! The sandbox's pages in a real browser: headless Chromium, driven over WebDriver.
//!
//! Screenshots go to `target/screenshots`. Without chromedriver the test passes with a remark, except in CI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test reports by panicking, its helpers too"
)]

use base64::Engine as _;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use smart_core::authorize::{Callback, CallbackError};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::AllowedIssuers;
use smart_core::redirect_uri::RedirectUri;
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, Error, LoopbackListener, SmartClient};
use smart_http::{HttpClient, HyperTransport, Limits};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};

/// The member that names an element in WebDriver's answers (W3C WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

struct Browser {
    http: HttpClient,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn start() -> Option<Self> {
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

    async fn post(&self, path: &str, body: Value) -> Value {
        call(&self.http, Method::POST, &format!("{}{path}", self.session), Some(&body)).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        call(&self.http, Method::GET, &format!("{}{path}", self.session), None).await.unwrap()
    }

    async fn open(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    async fn element(&self, css: &str) -> String {
        let found = self.post("/element", json!({"using": "css selector", "value": css})).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{css}: {found}")).to_owned()
    }

    async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.post(&format!("/element/{element}/value"), json!({"text": text})).await;
    }

    async fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    async fn resize(&self, width: u32) {
        self.post("/window/rect", json!({"width": width, "height": 900})).await;
    }

    /// Waits until a script's value is the wanted one: a click does not wait for the page that it leads to.
    async fn wait_for(&self, script: &str, wanted: impl Into<Value>) {
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
    async fn look(&self, name: &str, heading: &str) {
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
    async fn callback(&self) -> url::Url {
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

fn screenshots() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// F-01, F-127 (SMART, standalone launch): a person walks through login, patient picker and consent, allows, and the app gets
/// that patient; then says no, and the app is told so.
#[tokio::test]
async fn a_person_logs_in_picks_a_patient_and_decides() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let app = App::public("demo-app")
        .scopes("launch/patient openid fhirUser offline_access patient/*.rs user/Patient.s")
        .unwrap();
    let client = SmartClient::builder(app).allow_loopback_http().build();
    let launch = client.standalone(&sandbox.fhir_base()).await.unwrap();
    // Nothing listens there: the browser's address bar tells all.
    let redirect = RedirectUri::parse("http://127.0.0.1:9/callback").unwrap();
    for allows in [true, false] {
        let (request, pending) = launch.authorize(&redirect).unwrap();
        browser.open(request.url().as_str()).await;
        browser.look("1-login", "Sign in").await;
        assert_eq!(
            browser.script("return document.querySelectorAll('input:checked').length").await,
            0,
            "nobody is chosen beforehand"
        );
        browser.click("input[value='Practitioner/pr2002']").await;
        browser.click("button").await;
        browser.look("2-patient", "Choose a patient").await;
        browser.write("#name", "okafor").await;
        browser.click("form[role=search] button").await;
        browser.wait_for("document.querySelectorAll('input[name=patient]').length", 1).await;
        browser.look("3-patient-found", "Choose a patient").await;
        browser.click("input[value='Patient/p1001']").await;
        browser.click("form[method=post] button").await;
        browser.look("4-consent", "Allow this app?").await;
        let text = browser.script("return document.body.innerText").await;
        assert!(text.as_str().unwrap().contains("To read and search all records of this patient"), "{text}");
        browser.click(if allows { "button[value=approve]" } else { "button[value=deny]" }).await;
        let callback = Callback::from_url(&browser.callback().await).unwrap();
        match (allows, client.complete_callback(pending, callback).await) {
            (true, Ok(session)) => {
                assert_eq!(session.patient().unwrap(), "p1001");
                assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2002");
            }
            (false, Err(Error::Callback(error @ CallbackError::Refused { .. }))) => {
                assert!(error.is_denied_by_person());
            }
            (_, other) => panic!("{other:?}"),
        }
    }
    browser.open(&format!("{}/authorize?client_id=nobody", sandbox.issuer())).await;
    browser.look("5-error", "This sign-in cannot go on").await;
}

/// F-02, CB-10 (SMART, EHR launch; RFC 9700 4.3.1): a person opens the app from the EHR's page; the app waits on this machine, and its
/// last page is at an address without code and state.
#[tokio::test]
async fn a_person_opens_the_app_from_the_ehr() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let base = FhirBaseUrl::parse_with(&sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let app = App::public("demo-app").scopes("launch openid fhirUser patient/*.rs").unwrap();
    let client = SmartClient::builder(app).allow_loopback_http().build();
    let listener = LoopbackListener::bind().await.unwrap();
    let receiver = client.launch_receiver(listener, AllowedIssuers::only([base]));
    let launch_url = receiver.launch_url();
    let waiting = tokio::spawn(receiver.receive());
    browser.open(&sandbox.endpoints().launcher).await;
    browser.look("6-launcher", "Start an app").await;
    browser.write("#launch_url", &launch_url).await;
    browser.click("input[value='Patient/p1003']").await;
    browser.click("button").await;
    browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    browser.click("input[value='Practitioner/pr2002']").await;
    browser.click("button").await;
    browser.wait_for("document.querySelector('h1')?.textContent", "Allow this app?").await;
    browser.click("button[value=approve]").await;
    browser.look("7-signed-in", "Signed in").await;
    assert_eq!(browser.script("return location.pathname + location.search").await, "/done");
    assert_eq!(waiting.await.unwrap().unwrap().patient().unwrap(), "p1003");
}
