//! The example of smart-wasm on an origin of its own, a sandbox on another, and a browser.

use crate::browser::{Browser, screenshots};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use smart_sandbox::{Client, Sandbox, SandboxConfig};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

pub(crate) const SCOPES: &str = "launch launch/patient openid fhirUser offline_access patient/*.rs";

/// What a page and its server need.
pub(crate) struct World {
    pub(crate) browser: Browser,
    pub(crate) sandbox: Sandbox,
    /// The origin of the page.
    pub(crate) app: String,
}

struct Files {
    folder: PathBuf,
    config: Value,
}

impl World {
    /// `None`, with a remark: no browser or no package, and this is not CI.
    pub(crate) async fn start() -> Option<Self> {
        Self::with(SCOPES, |config| config).await
    }

    /// The same with other scopes and another sandbox.
    pub(crate) async fn with(scopes: &str, set_up: impl FnOnce(SandboxConfig) -> SandboxConfig) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/web");
        if !folder.join("smart-on-fhir-web/wasm/smart_wasm_bg.wasm").is_file() {
            assert!(std::env::var_os("CI").is_none(), "the package is needed in CI: cargo xtask wasm");
            eprintln!("skipped: there is no package; `cargo xtask wasm` builds it");
            return None;
        }
        let browser = Browser::start().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = format!("http://{}", listener.local_addr().unwrap());
        let mut client = Client::public("web-app");
        client.redirect_uris = vec![format!("{app}/index.html"), format!("{app}/smart-on-fhir-web/callback.html")];
        client.any_loopback_port = false;
        let config = SandboxConfig { clients: vec![client], ..SandboxConfig::default() };
        let sandbox = Sandbox::start(set_up(config)).await.unwrap();
        let config = json!({
            "clientId": "web-app",
            "scope": scopes,
            "redirectUri": "index.html",
            "iss": sandbox.fhir_base(),
            "allowLoopbackHttp": true,
        });
        let router = Router::new().fallback(file).with_state(Arc::new(Files { folder, config }));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Some(Self { browser, sandbox, app })
    }

    /// The page's own address.
    pub(crate) fn page(&self) -> String {
        format!("{}/index.html", self.app)
    }

    /// What an expression of the page's module world comes to; `smart` is the package, `options` the app's.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let told = self.try_run(script).await;
        assert!(told.get("failed").is_none(), "{script}: {told}");
        told["value"].clone()
    }

    /// The code of the error that a script ends with.
    pub(crate) async fn code_of(&self, script: &str) -> String {
        let told = self.try_run(script).await;
        told["failed"]["code"].as_str().unwrap_or_else(|| panic!("{script} ended with {told}")).to_owned()
    }

    async fn try_run(&self, script: &str) -> Value {
        let app = &self.app;
        let whole = format!(
            "return (async () => {{ \
                const smart = await import('{app}/smart-on-fhir-web/index.js'); \
                const options = await (await fetch('{app}/config.json')).json(); \
                try {{ return {{ value: await (async () => {{ {script} }})() ?? null }}; }} \
                catch (error) {{ return {{ failed: {{ code: error.code ?? error.name, message: error.message }} }}; }} \
            }})()"
        );
        self.browser.script(&whole).await
    }

    /// Signs in at the sandbox's pages, chooses a patient where that is asked, and allows.
    pub(crate) async fn sign_in(&self, patient: Option<&str>) {
        let browser = &self.browser;
        browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
        browser.click("input[value='Practitioner/pr2002']").await;
        browser.click("button").await;
        if let Some(patient) = patient {
            browser.wait_for("document.querySelector('h1')?.textContent", "Choose a patient").await;
            browser.click(&format!("input[value='Patient/{patient}']")).await;
            browser.click("form[method=post] button").await;
        }
        browser.wait_for("document.querySelector('h1')?.textContent", "Allow this app?").await;
        browser.click("button[value=approve]").await;
    }

    /// A standalone launch by the page's button, up to the record.
    pub(crate) async fn log_in(&self, patient: &str) {
        self.browser.open(&self.page()).await;
        self.browser.wait_for("document.getElementById('login')?.hidden", false).await;
        self.browser.click("#redirect").await;
        self.sign_in(Some(patient)).await;
        self.record_is_shown(patient).await;
    }

    pub(crate) async fn record_is_shown(&self, patient: &str) {
        let script = "document.getElementById('record')?.hidden === false \
            ? document.getElementById('patient').textContent : document.getElementById('status')?.textContent";
        self.browser.wait_for(script, patient).await;
    }

    /// What the page says, once it is this.
    pub(crate) async fn says(&self, beginning: &str) {
        let script = format!(
            "document.getElementById('status')?.textContent.startsWith({}) || document.getElementById('status')?.textContent",
            json!(beginning)
        );
        self.browser.wait_for(&script, true).await;
    }

    pub(crate) async fn screenshot(&self, name: &str) {
        let png = self.browser.get("/screenshot").await;
        let png = base64::engine::general_purpose::STANDARD.decode(png.as_str().unwrap()).unwrap();
        std::fs::write(screenshots().join(format!("{name}.png")), png).unwrap();
    }
}

async fn file(State(files): State<Arc<Files>>, uri: Uri) -> Response {
    if uri.path() == "/config.json" {
        return ([(CONTENT_TYPE, "application/json")], files.config.to_string()).into_response();
    }
    let path = Path::new(uri.path().trim_start_matches('/'));
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let octets = if is_plain { std::fs::read(files.folder.join(path)).ok() } else { None };
    let Some(octets) = octets else { return StatusCode::NOT_FOUND.into_response() };
    let content_type = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], octets).into_response()
}
