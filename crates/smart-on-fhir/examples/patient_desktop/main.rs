//! A patient's desktop app: it logs in with the person's own browser (standalone launch, loopback redirect), keeps the session
//! in sealed files, and needs no login at its next start.
//!
//! ```sh
//! cargo run -p smart-on-fhir --example patient_desktop -- --sandbox
//! cargo run -p smart-on-fhir --example patient_desktop -- --issuer https://ehr.example/fhir --client-id my-app
//! cargo run -p smart-on-fhir --example patient_desktop -- --issuer https://ehr.example/fhir --client-id my-app --logout
//! ```
//!
//! With `--features keyring` the key that seals the files lies in the platform's credential store. Without it, or with
//! `--key-file`, it lies in a file that its owner alone can read, which protects from less.

mod summary;

use clap::Parser;
use smart_on_fhir::flows::LoopbackListener;
use smart_on_fhir::prelude::*;
use smart_on_fhir::store::{EncryptedFileStore, KeyFile, user_data_folder};
use smart_sandbox::{Client, Sandbox, SandboxConfig};
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

const SCOPES: &str = "launch/patient openid fhirUser offline_access patient/Patient.r patient/Condition.rs patient/MedicationRequest.rs patient/Observation.rs";
const NAME: &str = "smart-patient-desktop";

/// A patient's desktop app
#[derive(Debug, Parser)]
struct Options {
    /// The FHIR base of the health system
    #[arg(long, value_name = "URL", required_unless_present = "sandbox", conflicts_with = "sandbox")]
    issuer: Option<String>,

    /// Start an embedded server with made-up patients, and show a first start, a second one, and a logout
    #[arg(long, conflicts_with_all = ["logout", "folder"])]
    sandbox: bool,

    /// The client id that the app is registered with
    #[arg(long, default_value = "patient-desktop")]
    client_id: String,

    /// Where sessions are kept; by default the user's data folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Keep the key that seals the sessions in this file
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Print the URL of the login in place of opening a browser
    #[arg(long)]
    no_browser: bool,

    /// Log out: end the access at the server, and remove what is kept here
    #[arg(long)]
    logout: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("patient_desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn StdError>> {
    let Some(issuer) = &options.issuer else { return in_sandbox(&options).await };
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None => user_data_folder(NAME)?,
    };
    let desktop = Desktop::new(&options, issuer, &folder)?;
    if options.logout { desktop.logout().await } else { desktop.start().await }
}

/// Shows what happens over several starts, which with a real server are several runs.
async fn in_sandbox(options: &Options) -> Result<(), Box<dyn StdError>> {
    let clients = vec![Client::public(options.client_id.as_str())];
    let sandbox = Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await?;
    let folder = tempfile::tempdir()?;
    for heading in ["First start", "Second start"] {
        println!("== {heading}");
        Desktop::new(options, &sandbox.fhir_base(), folder.path())?.start().await?;
    }
    println!("== Logout");
    Desktop::new(options, &sandbox.fhir_base(), folder.path())?.logout().await
}

/// The app at one server.
struct Desktop {
    smart: SmartClient,
    issuer: String,
    opens_browser: bool,
}

impl Desktop {
    fn new(options: &Options, issuer: &str, folder: &Path) -> Result<Self, Box<dyn StdError>> {
        let app = App::public(options.client_id.as_str()).scopes(SCOPES)?;
        let mut smart = SmartClient::builder(app).store(Arc::new(store(options, folder)));
        // Plain http is for servers on this machine alone, and only where somebody asked for one.
        if issuer.starts_with("http:") {
            smart = smart.allow_loopback_http();
        }
        Ok(Self { smart: smart.build(), issuer: issuer.to_owned(), opens_browser: !options.no_browser })
    }

    /// Resumes the session of the last start, else logs in, and shows the record.
    async fn start(&self) -> Result<(), Box<dyn StdError>> {
        let (session, how) = match self.kept().await? {
            Some(session) => (session, "Resumed without a login"),
            None => (self.login().await?, "Logged in"),
        };
        println!("{how}.\n");
        match summary::summary(&session).await {
            Ok(summary) => print!("{summary}"),
            // The server has ended the access meanwhile: the next start begins with a login.
            Err(summary::SummaryError::Session(error)) if error.needs_reauthorization() => {
                session.logout().await;
                return Err(format!("{error}. Start the app again").into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The session of the last start that can still be used.
    async fn kept(&self) -> Result<Option<Session>, Box<dyn StdError>> {
        for key in self.smart.sessions(Some(&self.issuer)).await? {
            let Some(session) = self.smart.restore(&key).await? else { continue };
            match session.access_token().await {
                Ok(_) => return Ok(Some(session)),
                // What is over is removed; a server that does not answer just now ends nothing.
                Err(error) if error.needs_reauthorization() => drop(session.logout().await),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn login(&self) -> Result<Session, Box<dyn StdError>> {
        let launch = self.smart.standalone(&self.issuer).await?;
        if self.opens_browser {
            println!("A browser opens: please sign in there.");
            return Ok(launch.open_browser().await?);
        }
        let listener = LoopbackListener::bind().await?;
        let print = async |url: url::Url| {
            println!("Open this to sign in: {url}");
            Ok(())
        };
        Ok(launch.with_listener(listener, print).await?)
    }

    async fn logout(&self) -> Result<(), Box<dyn StdError>> {
        let keys = self.smart.sessions(Some(&self.issuer)).await?;
        if keys.is_empty() {
            println!("Nobody is logged in.");
        }
        for key in keys {
            let Some(session) = self.smart.restore(&key).await? else { continue };
            let report = session.logout().await;
            report.wiped?;
            match report.revoked {
                Ok(()) => println!("Logged out: the access is ended at the server, and nothing is kept here."),
                Err(error) => {
                    println!("Nothing is kept here. The access may live on at the server for a while: {error}.");
                }
            }
        }
        Ok(())
    }
}

/// The sealed files, with the key where the options and the build say.
fn store(options: &Options, folder: &Path) -> EncryptedFileStore {
    let sessions = folder.join("sessions");
    if let Some(path) = &options.key_file {
        return EncryptedFileStore::new(sessions, KeyFile::new(path));
    }
    #[cfg(feature = "keyring")]
    return EncryptedFileStore::new(sessions, smart_on_fhir::store::CredentialStore::new(NAME, "data key"));
    #[cfg(not(feature = "keyring"))]
    EncryptedFileStore::new(sessions, KeyFile::new(folder.join("sessions.key")))
}
