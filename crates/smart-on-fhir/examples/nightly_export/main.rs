//! A service that exports a population each night: a backend service with a key, a Bulk Data export to a folder, and a journal,
//! so that a run that was killed is gone on with by the next.
//!
//! ```sh
//! cargo run -p smart-on-fhir --example nightly_export -- --sandbox --out export --once
//! cargo run -p smart-on-fhir --example nightly_export -- --issuer https://ehr.example/fhir --client-id my-service --key key.pem --kid 2026-11 --group g1 --out /srv/export
//! ```
//!
//! Each export gets a folder of its own, named after the time at which it began.
//!
//! | exit code | |
//! |---|---|
//! | 0 | the export is whole (`--once`) |
//! | 1 | it failed, and would fail again: somebody has to look |
//! | 2 | the options are wrong |
//! | 3 | the server could export a part only (`--once`) |
//! | 75 | it failed in a way that passes: run it again, it goes on (`--once`) |

mod place;
mod run;

use clap::Parser;
use run::{Outcome, Service};
use smart_on_fhir::fhir::bulk::ExportRequest;
use smart_on_fhir::jwt::{Jwks, KeyKind, SigningKey};
use smart_on_fhir::prelude::*;
use smart_sandbox::{Client, ClientKeys, Sandbox, SandboxConfig};
use std::error::Error as StdError;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How soon a failure that passes is followed by another try.
const SOON: Duration = Duration::from_secs(15 * 60);

/// Exports a population each night
#[derive(Debug, Parser)]
struct Options {
    /// The FHIR base of the server
    #[arg(long, value_name = "URL", required_unless_present = "sandbox", conflicts_with = "sandbox", requires = "key")]
    issuer: Option<String>,

    /// Start an embedded server with made-up patients, and export from it
    #[arg(long)]
    sandbox: bool,

    /// The client id that the service is registered with
    #[arg(long, default_value = "nightly-export")]
    client_id: String,

    /// The private key, as a PEM file
    #[arg(long, value_name = "FILE", requires = "kid")]
    key: Option<PathBuf>,

    /// The id under which the public key is registered
    #[arg(long, value_name = "KID")]
    kid: Option<String>,

    /// The group of patients; by default everything that the server has
    #[arg(long, value_name = "ID")]
    group: Option<String>,

    /// The scopes to ask for
    #[arg(long, default_value = "system/*.rs")]
    scopes: String,

    /// The folder of the exports
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,

    /// Export once, and end
    #[arg(long)]
    once: bool,

    /// How many hours lie between two exports
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    every_hours: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let (service, _sandbox) = match service(&options).await {
        Ok(service) => service,
        Err(error) => {
            eprintln!("nightly_export: {error}");
            return ExitCode::FAILURE;
        }
    };
    loop {
        let outcome = service.run().await;
        match &outcome {
            Outcome::Whole | Outcome::Partial => {}
            Outcome::TryAgain(error) => eprintln!("nightly_export: {error}. It is tried again"),
            Outcome::Failed(error) => eprintln!("nightly_export: {error}"),
        }
        if options.once || matches!(outcome, Outcome::Failed(_)) {
            return ExitCode::from(outcome.exit_code());
        }
        let wait = match outcome {
            Outcome::TryAgain(_) => SOON,
            _ => Duration::from_secs(3600 * u64::from(options.every_hours)),
        };
        tokio::time::sleep(wait).await;
    }
}

/// The service as the options say. A sandbox ends when it is dropped.
async fn service(options: &Options) -> Result<(Service, Option<Sandbox>), Box<dyn StdError>> {
    let registered = options.issuer.as_ref().zip(options.key.as_ref()).zip(options.kid.as_ref());
    let (key, sandbox, issuer) = if let Some(((issuer, path), kid)) = registered {
        let pem = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        (SigningKey::from_pem(&pem)?.with_kid(kid)?, None, issuer.clone())
    } else {
        let key = SigningKey::generate(KeyKind::EcP384)?.with_kid("sandbox")?;
        let keys = Jwks::from_keys(vec![key.public_jwk().clone()])?.to_json().to_string();
        let clients = vec![Client::asymmetric(options.client_id.as_str(), ClientKeys::Document(keys))];
        let sandbox = Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await?;
        let issuer = sandbox.fhir_base();
        (key, Some(sandbox), issuer)
    };
    let mut smart = SmartClient::builder(App::backend(options.client_id.as_str(), key));
    // Plain http is for servers on this machine alone, and only where somebody asked for one.
    if issuer.starts_with("http:") {
        smart = smart.allow_loopback_http();
    }
    let request = options.group.as_ref().map_or_else(ExportRequest::system, |id| ExportRequest::group(id.as_str()));
    let (scopes, out) = (options.scopes.clone(), options.out.clone());
    Ok((Service { smart: smart.build(), issuer, scopes, request, out }, sandbox))
}
