//! `smart sandbox`: a small SMART server on this machine, until Ctrl-C.

use crate::api::{AppStatePlace, Jwks, ServerKind, ServerProfile};
use crate::cli_error::CliError;
use crate::client_options::server_kinds;
use crate::connect::{SANDBOX_CLIENT, http};
use crate::exit_code::ExitCode;
use crate::mask::{self, Reveal};
use crate::output::{Output, print_json, print_lines};
use crate::private_file;
use crate::style::{Colour, Style};
use crate::text::one_line;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{
    BulkConfig, BulkMode, Client, ClientKeys, ClientKind, Endpoints, FhirFault, Offers, RetryAfter, Sandbox,
    SandboxConfig, SandboxError,
};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Run a small SMART server with made-up patients on this machine, until Ctrl-C
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SandboxCommand {
    #[command(subcommand)]
    what: Option<What>,

    /// The port on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 4013)]
    port: u16,

    /// Behave as this kind of server does, in what matters to a client
    #[arg(long, value_name = "SERVER", default_value_t = ServerKind::Generic, value_parser = server_kinds())]
    like: ServerKind,

    /// Register a client with the public keys of a file, as `smart jwks` writes it; may be given more than once
    #[arg(long, value_name = "ID=FILE", value_parser = client_keys)]
    client_keys: Vec<KeyClient>,

    /// Offer more than such a server does; may be given more than once
    #[arg(long, value_name = "WHAT", value_enum)]
    offer: Vec<Offer>,

    /// Let every request to the FHIR API fail in this way
    #[arg(long, value_name = "HOW", value_enum)]
    fault: Option<Fault>,

    /// How many files a bulk export has
    #[arg(long, value_name = "COUNT", default_value_t = BulkConfig::default().files)]
    bulk_files: u32,

    /// How large each of them is, such as 500000 or 128MiB
    #[arg(long, value_name = "OCTETS", default_value = "256KiB", value_parser = octets)]
    bulk_file_size: u64,

    /// What is special about exports: throttled, slow, faults, failing, cut, expiring, gzip, no-ranges, other-origin, partial, errors,
    /// deleted; may be given more than once
    #[arg(long, value_name = "MODE")]
    bulk_mode: Vec<BulkMode>,
}

/// What can be offered besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Offer {
    /// Small things that apps keep at the EHR
    AppState,
    /// A bundle of user-access brands
    Brands,
    /// A style for apps
    Style,
}

/// How the FHIR API can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// Right answers, 5 seconds late
    Slow,
    /// Status 429, to be tried again in 2 seconds
    Busy,
    /// Status 503, to be tried again at a time 2 seconds on
    Unavailable,
    /// An HTML page with status 200
    Html,
    /// Status 401, though the token is good
    Unauthorized,
    /// A Bundle of 64 MiB
    Oversized,
    /// Searches go on at another server
    NextElsewhere,
    /// Searches never end
    EndlessPages,
    /// Answers are about another patient
    WrongPatient,
}

impl Fault {
    fn of_api(self) -> FhirFault {
        match self {
            Self::Slow => FhirFault::Slow(Duration::from_secs(5)),
            Self::Busy => FhirFault::TooManyRequests(RetryAfter::Seconds(2)),
            Self::Unavailable => FhirFault::Unavailable(RetryAfter::Date(2)),
            Self::Html => FhirFault::HtmlPage,
            Self::Unauthorized => FhirFault::Unauthorized,
            Self::Oversized => FhirFault::Oversized(64 * 1024 * 1024),
            Self::NextElsewhere => FhirFault::NextAt("https://elsewhere.example/fhir?page=2".to_owned()),
            Self::EndlessPages => FhirFault::EndlessPages,
            Self::WrongPatient => FhirFault::WrongPatient,
        }
    }
}

/// What is offered of these.
fn offers(asked: &[Offer]) -> Offers {
    let has = |offer| asked.contains(&offer);
    let app_state = has(Offer::AppState).then_some(AppStatePlace::Associated);
    Offers { app_state, brands: has(Offer::Brands), style: has(Offer::Style) }
}

#[derive(Debug, Subcommand)]
enum What {
    Visit(Visit),
}

/// A client with keys.
#[derive(Debug, Clone)]
struct KeyClient {
    id: String,
    file: PathBuf,
}

fn client_keys(given: &str) -> Result<KeyClient, String> {
    match given.split_once('=') {
        Some((id, file)) if !id.is_empty() && !file.is_empty() => {
            Ok(KeyClient { id: id.to_owned(), file: file.into() })
        }
        _ => Err("it has to be a client id, =, and a file".to_owned()),
    }
}

/// A number of octets, with a unit or without.
fn octets(given: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, size)| given.strip_suffix(unit).map(|number| (number, *size)))
        .unwrap_or((given, 1));
    let number =
        number.trim().parse::<u64>().map_err(|_| "it is no number of octets, such as 500000 or 128MiB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "it is too large".to_owned())
}

impl KeyClient {
    fn client(&self) -> Result<Client, CliError> {
        // What is read is public.
        let document = private_file::read(&self.file, "the key set")?;
        let wrong = |reason: String| {
            CliError::new(ExitCode::Usage, format!("{} is no set of public keys: {reason}", self.file.display()))
                .with_next_step("Make it with `smart jwks KEYFILE --out FILE`.")
        };
        let keys = Jwks::parse(document.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        if keys.keys().is_empty() {
            return Err(wrong("none of its keys is of use".to_owned()));
        }
        Ok(Client::asymmetric(&self.id, ClientKeys::Document(keys.to_json().to_string())))
    }
}

impl SandboxCommand {
    /// Runs until Ctrl-C.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        if let Some(What::Visit(visit)) = self.what {
            return visit.run(output).await;
        }
        let bulk = BulkConfig { files: self.bulk_files, file_size: self.bulk_file_size, ..BulkConfig::default() };
        let bulk = bulk.with_modes(self.bulk_mode.iter().copied());
        let mut config = SandboxConfig {
            port: self.port,
            offers: offers(&self.offer),
            fhir_fault: self.fault.map(Fault::of_api),
            bulk,
            ..SandboxConfig::like(self.like)
        };
        for given in &self.client_keys {
            config.clients.push(given.client()?);
        }
        let clients = config.clients.clone();
        let sandbox = Sandbox::start(config).await.map_err(|error| failed(&error))?;
        let shown = Shown {
            kind: self.like,
            base: &sandbox.fhir_base(),
            issuer: &sandbox.issuer(),
            endpoints: &sandbox.endpoints(),
            clients: &clients,
        };
        if output.json {
            print_json(&shown.as_json())?;
        } else {
            print_lines(shown.lines(&output.style))?;
        }
        let waited = stop_signal().await;
        output.note("The sandbox stops.");
        sandbox.shutdown().await;
        waited.map_err(|e| CliError::new(ExitCode::Internal, format!("cannot wait for Ctrl-C: {e}")))
    }
}

/// Stand in for a person with a browser: sign in at a sandbox, pick a patient, and allow the app
///
/// For scripts: `smart login URL --browser-command 'smart sandbox visit'`. With the URL of a sandbox's launcher it opens the app as an
/// EHR does. It goes nowhere but to this machine.
#[derive(Debug, Args)]
struct Visit {
    /// Where to begin: an authorization URL, an app's launch URL, or the launcher with the app's launch URL in launch_url
    url: Url,

    /// Who signs in
    #[arg(long, value_name = "REFERENCE", default_value = "Practitioner/pr2001")]
    user: String,

    /// The patient to pick
    #[arg(long, value_name = "REFERENCE", default_value = "Patient/p1001")]
    patient: String,

    /// Do not allow the app
    #[arg(long)]
    deny: bool,
}

impl Visit {
    async fn run(self, output: &Output) -> Result<(), CliError> {
        let person = Person { user: self.user, patient: Some(self.patient), allows: !self.deny };
        let visited = AutoBrowser::new(http(), person).visit(&self.url).await.map_err(|error| failed(&error))?;
        if output.json {
            let ended_at = mask::url(&visited.url, Reveal::Masked);
            return print_json(&json!({"page": visited.title, "ended_at": ended_at}));
        }
        print_lines([format!("The way ended at the page: {}", one_line(&visited.title))])
    }
}

/// Waits for Ctrl-C, or for the signal by which a system ends a program.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// What it means that the sandbox did not start.
pub(crate) fn failed(error: &SandboxError) -> CliError {
    let shown = CliError::new(ExitCode::Internal, error.to_string());
    match error {
        SandboxError::Browser(_) => shown.with_next_step("Check the URL, and that the sandbox and the app both run."),
        SandboxError::Bind { port, .. } => shown
            .at(format!("http://127.0.0.1:{port}"))
            .with_next_step("Choose another port with --port; --port 0 takes a free one."),
        _ => shown,
    }
}

/// What a person has to know to use a sandbox.
struct Shown<'a> {
    kind: ServerKind,
    base: &'a str,
    issuer: &'a str,
    endpoints: &'a Endpoints,
    clients: &'a [Client],
}

impl Shown<'_> {
    fn as_json(&self) -> Value {
        let client = |client: &Client| json!({"client_id": client.id, "confidential": client.is_confidential()});
        json!({
            "like": self.kind.name(),
            "fhir_base": self.base,
            "issuer": self.issuer,
            "launcher": self.endpoints.launcher,
            "authorization_endpoint": self.endpoints.authorize,
            "token_endpoint": self.endpoints.token,
            "clients": self.clients.iter().map(client).collect::<Vec<_>>(),
        })
    }

    fn lines(&self, style: &Style) -> Vec<String> {
        let head = |text: &str| style.paint(Colour::Head, text);
        let base = self.base;
        let root = base.trim_end_matches('/');
        let profile = ServerProfile::of(self.kind);
        let like = match self.kind {
            ServerKind::Generic => String::new(),
            _ => format!(" It behaves like {}.", profile.title),
        };
        let mut lines = vec![
            format!("{} a small SMART server with made-up patients runs on this machine.{like}", head("Sandbox:")),
            String::new(),
            format!("  FHIR base   {base}"),
            format!("  Issuer      {}", self.issuer),
        ];
        for (at, client) in self.clients.iter().enumerate() {
            let label = if at == 0 { "Clients" } else { "" };
            let kind = match &client.kind {
                ClientKind::Public => "public".to_owned(),
                // It is printed on purpose: it guards made-up patients on this machine.
                ClientKind::Symmetric { secret, .. } => {
                    format!("confidential, its secret is {}", secret.expose_secret())
                }
                ClientKind::Asymmetric { .. } => "confidential, with a key".to_owned(),
            };
            lines.push(format!("  {label:<10}  {} ({kind})", client.id));
        }
        lines.extend([
            "  Redirects   http://127.0.0.1:PORT/callback, any port".to_owned(),
            format!("  Launcher    {}", self.endpoints.launcher),
        ]);
        if !profile.notes.is_empty() {
            lines.extend([String::new(), head("What is known of such servers:")]);
            lines.extend(profile.notes.iter().map(|note| format!("  {note}")));
        }
        lines.extend([String::new(), head("Try, in another terminal:"), format!("  curl {root}/metadata")]);
        if self.endpoints.published {
            lines.extend([
                format!("  curl {root}/.well-known/smart-configuration"),
                format!("  smart discover {base}"),
                format!("  smart login {base} --client-id {SANDBOX_CLIENT}"),
                format!("  smart launch --iss-allow {base}, and the launcher"),
                "  smart get 'Patient/{patient}'".to_owned(),
                "  smart get --all 'Observation?patient={patient}'".to_owned(),
            ]);
        }
        lines.extend([String::new(), "Ctrl-C stops it.".to_owned()]);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Characters;

    fn shown(kind: ServerKind) -> (String, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = SandboxConfig::like(kind);
        let clients = config.clients.clone();
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let (base, issuer, endpoints) = (sandbox.fhir_base(), sandbox.issuer(), sandbox.endpoints());
        let shown = Shown { kind, base: &base, issuer: &issuer, endpoints: &endpoints, clients: &clients };
        let style = Style { characters: Characters::Ascii, width: 80, colour: false, live: false };
        (shown.lines(&style).join("\n"), shown.as_json())
    }

    /// What is printed names the URLs, the clients, and what to try.
    #[test]
    fn what_to_try_is_printed() {
        let (text, json) = shown(ServerKind::Generic);
        let base = json["fhir_base"].as_str().unwrap();
        for part in [
            format!("smart discover {base}"),
            format!("curl {base}/metadata"),
            "smart login ".to_owned(),
            "demo-app (public)".to_owned(),
            "demo-secret".to_owned(),
        ] {
            assert!(text.contains(&part), "{part}: {text}");
        }
        assert!(!text.contains("behaves like"));
    }

    /// F-116, F-120: with `--like` it is printed whom the sandbox is like, and what is known of such servers.
    #[test]
    fn the_imitated_server_is_printed() {
        assert!(!shown(ServerKind::Hapi).0.contains("smart login"));
        let (text, json) = shown(ServerKind::Epic);
        assert!(text.contains("behaves like Epic") && text.contains("refresh token"), "{text}");
        assert!(json["like"] == "epic" && json["token_endpoint"].as_str().unwrap().ends_with("/oauth2/token"));
    }

    /// Each offer turns on what it names, and each fault is one that the sandbox has.
    #[test]
    fn offers_and_faults_reach_the_sandbox() {
        assert_eq!(offers(&[]), Offers::default());
        assert_eq!(offers(&[Offer::Style, Offer::AppState, Offer::Brands]), Offers::ALL);
        let brands = Offers { brands: true, ..Offers::default() };
        assert_eq!(offers(&[Offer::Brands, Offer::Brands]), brands);
        let mut faults: Vec<_> = Fault::value_variants().iter().map(|fault| format!("{:?}", fault.of_api())).collect();
        faults.sort_unstable();
        faults.dedup();
        assert_eq!(faults.len(), Fault::value_variants().len(), "{faults:?}");
    }

    /// The client that `smart login` takes for the sandbox is one that the sandbox knows.
    #[test]
    fn the_usual_client_is_known_to_the_sandbox() {
        assert!(SandboxConfig::default().clients.iter().any(|c| c.id == SANDBOX_CLIENT && !c.is_confidential()));
    }
}
