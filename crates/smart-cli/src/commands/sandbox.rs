//! `smart sandbox`: a small SMART server on this machine, until Ctrl-C.

use crate::api::{ServerKind, ServerProfile};
use crate::cli_error::CliError;
use crate::connect::SANDBOX_CLIENT;
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::style::{Colour, Style};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use smart_sandbox::{Client, ClientKind, Endpoints, Sandbox, SandboxConfig, SandboxError};

/// Run a small SMART server with made-up patients on this machine, until Ctrl-C
#[derive(Debug, Args)]
pub(crate) struct SandboxCommand {
    /// The port on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 4013)]
    port: u16,

    /// Behave as this kind of server does, in what matters to a client
    #[arg(long, value_name = "SERVER", default_value_t = ServerKind::Generic, value_parser = server_kinds())]
    like: ServerKind,
}

/// The kinds of servers by name.
fn server_kinds() -> impl TypedValueParser<Value = ServerKind> {
    let names = ServerKind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<ServerKind>())
}

impl SandboxCommand {
    /// Runs until Ctrl-C.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let config = SandboxConfig { port: self.port, ..SandboxConfig::like(self.like) };
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

    /// The client that `smart login` takes for the sandbox is one that the sandbox knows.
    #[test]
    fn the_usual_client_is_known_to_the_sandbox() {
        assert!(SandboxConfig::default().clients.iter().any(|c| c.id == SANDBOX_CLIENT && !c.is_confidential()));
    }
}
