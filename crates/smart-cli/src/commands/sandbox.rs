//! `smart sandbox`: a small SMART server on this machine, until Ctrl-C.

use crate::cli_error::CliError;
use crate::connect::SANDBOX_CLIENT;
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::style::{Colour, Style};
use clap::Args;
use serde_json::{Value, json};
use smart_sandbox::{Client, Sandbox, SandboxConfig, SandboxError};

/// Run a small SMART server with made-up patients on this machine, until Ctrl-C
#[derive(Debug, Args)]
pub(crate) struct SandboxCommand {
    /// The port on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 4013)]
    port: u16,
}

impl SandboxCommand {
    /// Runs until Ctrl-C.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let config = SandboxConfig { port: self.port, ..SandboxConfig::default() };
        let clients = config.clients.clone();
        let sandbox = Sandbox::start(config).await.map_err(|error| failed(&error))?;
        let (base, issuer) = (sandbox.fhir_base(), sandbox.issuer());
        if output.json {
            print_json(&as_json(&base, &issuer, &clients))?;
        } else {
            print_lines(lines(&base, &issuer, &clients, &output.style))?;
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

fn as_json(base: &str, issuer: &str, clients: &[Client]) -> Value {
    let clients: Vec<Value> =
        clients.iter().map(|client| json!({"client_id": client.id, "confidential": client.secret.is_some()})).collect();
    json!({"fhir_base": base, "issuer": issuer, "clients": clients})
}

fn lines(base: &str, issuer: &str, clients: &[Client], style: &Style) -> Vec<String> {
    let head = |text: &str| style.paint(Colour::Head, text);
    let mut lines = vec![
        format!("{} a small SMART server with made-up patients runs on this machine.", head("Sandbox:")),
        String::new(),
        format!("  FHIR base   {base}"),
        format!("  Issuer      {issuer}"),
    ];
    for (at, client) in clients.iter().enumerate() {
        let label = if at == 0 { "Clients" } else { "" };
        let kind = match &client.secret {
            // It is printed on purpose: it guards made-up patients on this machine.
            Some(secret) => format!("confidential, its secret is {secret}"),
            None => "public".to_owned(),
        };
        lines.push(format!("  {label:<10}  {} ({kind})", client.id));
    }
    lines.extend([
        "  Redirects   http://127.0.0.1:PORT/callback, any port".to_owned(),
        String::new(),
        head("Try, in another terminal:"),
        format!("  curl {base}/metadata"),
        format!("  curl {base}/.well-known/smart-configuration"),
        format!("  smart discover {base}"),
        format!("  smart login {base} --client-id {SANDBOX_CLIENT}"),
        "  smart get 'Patient/{patient}'".to_owned(),
        "  smart get --all 'Observation?patient={patient}'".to_owned(),
        String::new(),
        "Ctrl-C stops it.".to_owned(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Characters;

    /// What is printed names the URLs, the clients, and what to try.
    #[test]
    fn what_to_try_is_printed() {
        let style = Style { characters: Characters::Ascii, width: 80, colour: false, live: false };
        let clients = SandboxConfig::default().clients;
        let shown = lines("http://127.0.0.1:4013/fhir", "http://127.0.0.1:4013/auth", &clients, &style).join("\n");
        for part in [
            "smart discover http://127.0.0.1:4013/fhir",
            "curl ",
            "smart login ",
            "demo-app (public)",
            "demo-confidential",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    /// The client that `smart login` takes for the sandbox is one that the sandbox knows.
    #[test]
    fn the_usual_client_is_known_to_the_sandbox() {
        assert!(SandboxConfig::default().clients.iter().any(|c| c.id == SANDBOX_CLIENT && c.secret.is_none()));
    }
}
