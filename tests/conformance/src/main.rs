//! `cargo xtask conformance`: runs the suites against a server.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a terminal")]

use clap::{Parser, ValueEnum};
use smart_conformance::check::{Stop, Suite};
use smart_conformance::report;
use smart_conformance::run::run;
use smart_conformance::suites;
use smart_conformance::target::{
    Issuer, IssuerOptions, Launcher, OidcProvider, Registration, SandboxTarget, Target, provider_folder,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs this workspace's client against a SMART server, check by check.
///
/// Exit codes: 0 nothing failed; 1 a check failed; 2 the command line, a file or the server could not be used.
#[derive(Debug, Parser)]
#[command(name = "conformance")]
struct Arguments {
    /// A server that is started for the run.
    #[arg(long, value_enum, default_value_t = Server::Sandbox, conflicts_with = "issuer")]
    server: Server,
    /// The FHIR base of any server instead. A browser opens for each login.
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// A launcher of SMART Health IT at this origin instead, such as `http://localhost:8080`. Nobody has to log in.
    #[arg(long, value_name = "ORIGIN", conflicts_with_all = ["issuer", "server"])]
    launcher: Option<String>,
    /// How the launcher takes the app to be registered.
    #[arg(long, value_enum, default_value_t = Kind::Public, requires = "launcher")]
    registration: Kind,
    /// The client id that is registered there.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file with the client's secret.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    client_secret_file: Option<PathBuf>,
    /// A file with the client's private key, as PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The id under which the key is registered.
    #[arg(long, value_name = "KID", requires = "key")]
    kid: Option<String>,
    /// The scopes of a person's app.
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,
    /// The scopes of a backend service: the client is one.
    #[arg(long, value_name = "SCOPES", requires = "key")]
    backend_scopes: Option<String>,
    /// The redirect URI that is registered.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000/callback")]
    redirect_uri: String,
    /// The launch value of an EHR launch.
    #[arg(long, value_name = "VALUE")]
    launch: Option<String>,
    /// Nobody has to log in: the server redirects all the way, as the SMART Health IT launcher does when it is told to.
    #[arg(long)]
    unattended: bool,
    /// Only suites whose name contains this. May be given more than once.
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,
    /// Lists the checks and runs none.
    #[arg(long)]
    list: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Writes JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes a page to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    /// The embedded sandbox.
    Sandbox,
    /// The certified OpenID provider of that name, installed by npm.
    OidcProvider,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Public,
    Symmetric,
    Asymmetric,
    Backend,
}

impl From<Kind> for Registration {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Public => Self::Public,
            Kind::Symmetric => Self::Symmetric,
            Kind::Asymmetric => Self::Asymmetric,
            Kind::Backend => Self::Backend,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut suites = suites::all();
    if !arguments.suite.is_empty() {
        suites.retain(|suite| arguments.suite.iter().any(|part| suite.name.contains(part.as_str())));
    }
    if suites.is_empty() {
        eprintln!("no suite has such a name; --list shows them");
        return ExitCode::from(2);
    }
    if arguments.list {
        list(&suites);
        return ExitCode::SUCCESS;
    }
    match conform(&arguments, &suites).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn list(suites: &[Suite]) {
    for suite in suites {
        println!("{}: {}", suite.name, suite.about);
        for check in &suite.checks {
            println!("  {} [{}]", check.name, check.ids.join(" "));
        }
    }
}

async fn conform(arguments: &Arguments, suites: &[Suite]) -> Result<bool, String> {
    let target = target(arguments).await?;
    let results = run(&*target, suites, |ran| {
        if !arguments.json {
            println!("{}", report::line(ran));
        }
    })
    .await;
    if arguments.json {
        println!("{}", report::json(&results));
    } else {
        println!("\n{}", report::summary(&results));
    }
    if let Some(path) = &arguments.junit {
        write(path, &report::junit(&results))?;
    }
    if let Some(path) = &arguments.html {
        write(path, &report::html(&results))?;
    }
    Ok(results.is_good())
}

async fn target(arguments: &Arguments) -> Result<Box<dyn Target>, String> {
    if let Some(origin) = &arguments.launcher {
        return match Launcher::new(origin, arguments.registration.into()) {
            Ok(launcher) => Ok(Box::new(launcher)),
            Err(Stop::Failed(reason) | Stop::Skipped(reason)) => Err(reason),
        };
    }
    let Some(issuer) = &arguments.issuer else {
        let started: Result<Box<dyn Target>, Stop> = match arguments.server {
            Server::Sandbox => SandboxTarget::start(None).await.map(|server| Box::new(server) as Box<dyn Target>),
            Server::OidcProvider => OidcProvider::start(&provider_folder()).await.map(|server| Box::new(server) as _),
        };
        return started.map_err(|stop| match stop {
            Stop::Failed(reason) | Stop::Skipped(reason) => format!("the server does not start: {reason}"),
        });
    };
    let secret = arguments.client_secret_file.as_deref().map(read).transpose()?;
    Ok(Box::new(Issuer::new(IssuerOptions {
        fhir_base: issuer.clone(),
        client_id: arguments.client_id.clone().unwrap_or_default(),
        client_secret: secret.map(|secret| secret.trim().to_owned()),
        key_pem: arguments.key.as_deref().map(read).transpose()?,
        kid: arguments.kid.clone(),
        scopes: arguments.scopes.clone(),
        backend_scopes: arguments.backend_scopes.clone(),
        redirect_uri: arguments.redirect_uri.clone(),
        unattended: arguments.unattended,
        launch: arguments.launch.clone(),
    })))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
