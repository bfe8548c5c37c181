//! The certified OpenID provider `oidc-provider`, started for the run with what SMART adds to it.

use super::{EhrStart, Registration, Target, follow, registered};
use crate::check::Stop;
use smart_flows::App;
use smart_http::BoxFuture;
use smart_jwt::{Jwks, KeyKind, SigningKey};
use smart_sandbox::Misbehaviour;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../../oidc-provider/package.json")),
    ("package-lock.json", include_str!("../../oidc-provider/package-lock.json")),
    ("server.mjs", include_str!("../../oidc-provider/server.mjs")),
];
/// As `server.mjs` has it.
const SECRET: &str = "a-secret";
const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
const INSTALL: Duration = Duration::from_mins(3);
const START: Duration = Duration::from_secs(30);

/// A running provider. It ends when it is dropped.
pub struct OidcProvider {
    folder: PathBuf,
    fhir_base: String,
    pem: String,
    _process: Child,
}

impl OidcProvider {
    /// Installs the provider's packages into `folder`, as the lock file has them, and starts it.
    ///
    /// # Errors
    /// When there is no `node` or `npm`, the packages cannot be had, or the provider does not start.
    pub async fn start(folder: &Path) -> Result<Self, Stop> {
        install(folder).await?;
        Self::run(folder, None).await
    }

    /// The provider itself does no wrong: its answers are spoilt on their way out.
    async fn run(folder: &Path, misbehaviour: Option<Misbehaviour>) -> Result<Self, Stop> {
        let key = SigningKey::generate(KeyKind::EcP384)?;
        let keys = Jwks::from_keys(vec![key.public_jwk().clone()])?.to_json().to_string();
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .env("CLIENT_JWKS", keys)
            .env("MISBEHAVIOUR", misbehaviour.map(|how| format!("{how:?}")).unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Stop::failed(format!("node does not start: {error}")))?;
        let output = process.stdout.take().ok_or_else(|| Stop::failed("node has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(START, lines.next_line());
        let fhir_base = first
            .await
            .map_err(|_| Stop::failed("the provider does not start"))??
            .ok_or_else(|| Stop::failed("the provider ended at once"))?;
        let (folder, pem) = (folder.to_owned(), key.to_pem().expose_secret().to_owned());
        Ok(Self { folder, fhir_base, pem, _process: process })
    }
}

/// The folder where packages are kept from run to run.
pub fn provider_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance/oidc-provider")
}

async fn install(folder: &Path) -> Result<(), Stop> {
    std::fs::create_dir_all(folder)?;
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json").exists();
    let current = installed
        && FILES
            .iter()
            .all(|(name, text)| std::fs::read_to_string(folder.join(name)).is_ok_and(|there| there == *text));
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text)?;
    }
    if current {
        return Ok(());
    }
    let install = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(INSTALL, install).await.map_err(|_| Stop::failed("npm takes too long"))?;
    let output = output.map_err(|error| Stop::failed(format!("npm does not start: {error}")))?;
    if output.status.success() {
        Ok(())
    } else {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Stop::failed(format!("{} cannot be installed: {words}", lock.display())))
    }
}

impl Target for OidcProvider {
    fn name(&self) -> String {
        "oidc-provider".to_owned()
    }

    fn fhir_base(&self) -> String {
        self.fhir_base.clone()
    }

    fn app(&self, registration: Registration) -> Option<App> {
        registered(registration, SECRET, &self.pem)
    }

    fn redirect_uri(&self) -> String {
        REDIRECT_URI.to_owned()
    }

    fn browse<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Url, Stop>> {
        Box::pin(follow(url, REDIRECT_URI))
    }

    fn refuse<'a>(&'a self, url: &'a Url) -> Option<BoxFuture<'a, Result<Url, Stop>>> {
        Some(Box::pin(async move {
            let mut url = url.clone();
            url.query_pairs_mut().append_pair("person_says", "no");
            follow(&url, REDIRECT_URI).await
        }))
    }

    fn ehr_start(&self) -> Option<EhrStart> {
        Some(EhrStart { fhir_base: self.fhir_base.clone(), launch: "a-launch".to_owned(), patient: None })
    }

    fn misbehaving(&self, how: Misbehaviour) -> Option<BoxFuture<'_, Result<Box<dyn Target>, Stop>>> {
        Some(Box::pin(async move { Ok(Box::new(Self::run(&self.folder, Some(how)).await?) as Box<dyn Target>) }))
    }

    fn has_fhir_data(&self) -> bool {
        false
    }
}
