//! A clinician's web app: the EHR opens it for a patient (EHR launch), and it shows the record, with charts that the server
//! draws. There is no script on its pages.
//!
//! ```sh
//! cargo run -p smart-on-fhir --example clinician_web -- --sandbox
//! cargo run -p smart-on-fhir --example clinician_web -- --issuer https://ehr.example/fhir --client-id my-app --public-url https://app.example
//! ```
//!
//! It listens on this machine alone: put what ends TLS in front of it, and name by `--public-url` what browsers see. The
//! redirect URI to register is that URL with `/callback`, the launch URL the one with `/launch`.

mod app;
mod chart;
mod page;
mod record;
mod vitals;

use clap::Parser;
use smart_on_fhir::core::client_id::ClientId;
use smart_on_fhir::core::secret::ClientSecret;
use smart_on_fhir::core::url_policy::UrlPolicy;
use smart_on_fhir::flows::SessionPolicy;
use smart_on_fhir::flows::web::WebApp;
use smart_on_fhir::prelude::*;
use smart_sandbox::{Client, Sandbox, SandboxConfig};
use std::error::Error as StdError;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use url::Url;

const SCOPES: &str = "launch openid fhirUser online_access patient/Patient.r patient/Condition.rs patient/MedicationRequest.rs patient/Observation.rs";

/// A clinician's web app that an EHR opens
#[derive(Debug, Parser)]
struct Options {
    /// The FHIR base of an EHR that may open the app; may be given more than once
    #[arg(long, value_name = "URL", required_unless_present = "sandbox", conflicts_with = "sandbox")]
    issuer: Vec<String>,

    /// Start an embedded server with made-up patients, and take its launches
    #[arg(long)]
    sandbox: bool,

    /// The client id that the app is registered with
    #[arg(long, default_value = "clinician-web")]
    client_id: String,

    /// A file with the client secret, where the app is registered as a confidential client
    #[arg(long, value_name = "FILE", conflicts_with = "sandbox")]
    client_secret_file: Option<PathBuf>,

    /// The loopback port; 0 is a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// The URL at which browsers reach the app; by default its loopback port
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,

    /// How long a clinician may do nothing, in seconds, before the session ends
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    idle_seconds: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clinician_web: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn StdError>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let public_url = match &options.public_url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://{}", listener.local_addr()?))?,
    };
    // It ends when it is dropped.
    let sandbox = if options.sandbox {
        let clients = vec![Client::public(options.client_id.as_str())];
        Some(Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await?)
    } else {
        None
    };
    let issuers = sandbox.as_ref().map_or_else(|| options.issuer.clone(), |sandbox| vec![sandbox.fhir_base()]);
    let web = web_app(&options, &issuers, &public_url)?;
    let launcher = match &sandbox {
        Some(sandbox) => {
            let launch_url = public_url.join("launch")?;
            Some(Url::parse_with_params(&sandbox.endpoints().launcher, [("launch_url", launch_url.as_str())])?)
        }
        None => None,
    };
    println!("The app is at {public_url}");
    match &launcher {
        Some(launcher) => println!("Open it from the sandbox's EHR: {launcher}"),
        None => println!("Its launch URL, to register with the EHR: {}", public_url.join("launch")?),
    }
    let idle = Duration::from_secs(options.idle_seconds.into());
    axum::serve(listener, app::router(web, &public_url, idle, launcher)).await?;
    Ok(())
}

fn web_app(options: &Options, issuers: &[String], public_url: &Url) -> Result<WebApp, Box<dyn StdError>> {
    let client_id = ClientId::from(options.client_id.as_str());
    let app = match &options.client_secret_file {
        Some(path) => App::symmetric(client_id, ClientSecret::new(std::fs::read_to_string(path)?.trim_end())),
        None => App::public(client_id),
    };
    let policy = SessionPolicy::high_security().with_idle(Duration::from_secs(options.idle_seconds.into()));
    let smart = SmartClient::builder(app.scopes(SCOPES)?).session_policy(policy);
    // Plain http is for servers on this machine alone, and only where somebody asked for one.
    let is_plain = issuers.iter().any(|issuer| issuer.starts_with("http:"));
    let (smart, url_policy) = if is_plain {
        (smart.allow_loopback_http(), UrlPolicy::AllowLoopbackHttp)
    } else {
        (smart, UrlPolicy::HttpsOnly)
    };
    let issuers =
        issuers.iter().map(|issuer| FhirBaseUrl::parse_with(issuer, url_policy)).collect::<Result<Vec<_>, _>>()?;
    let redirect_uri = RedirectUri::parse(public_url.join("callback")?.as_str())?;
    let web = WebApp::builder(smart.build(), redirect_uri, AllowedIssuers::only(issuers));
    Ok(web.after_login("/patient").after_logout("/signed-out").build())
}
