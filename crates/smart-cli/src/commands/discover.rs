//! `smart discover`: what a FHIR server says of its authorization.

use crate::api::{App, Discovered, Severity, SmartEndpoint};
use crate::cli_error::CliError;
use crate::connect::{SANDBOX_CLIENT, Wanted, http};
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::style::{Colour, Style};
use crate::table::{Align, Table};
use crate::text::one_line;
use clap::Args;
use serde_json::{Value, json};

/// Show what a FHIR server offers: endpoints, capabilities, and what is wrong with them
///
/// Reads `.well-known/smart-configuration`, or the CapabilityStatement of a server of SMART 1. Nobody is logged in and
/// nothing is sent but these questions.
#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// The base URL of the FHIR server, such as `https://ehr.example/fhir`
    url: String,
}

impl Discover {
    /// Prints what the server offers.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let client = Wanted::new(&self.url, App::public(SANDBOX_CLIENT)).client(&http());
        let server = client.discover(&self.url).await?;
        if output.json { print_json(&as_json(&server)?) } else { print_lines(lines(&server, &output.style)) }
    }
}

fn as_json(server: &Discovered) -> Result<Value, CliError> {
    let failed = |e: serde_json::Error| CliError::new(ExitCode::Internal, format!("no JSON can be made: {e}"));
    let mut value = serde_json::to_value(server).map_err(failed)?;
    if let Some(members) = value.as_object_mut() {
        members.insert("capability_sets".to_owned(), json!(server.capability_sets()));
    }
    Ok(value)
}

fn lines(server: &Discovered, style: &Style) -> Vec<String> {
    let configuration = &server.configuration;
    let mut lines = vec![
        format!("{} {}", style.paint(Colour::Head, "FHIR base:"), one_line(server.fhir_base.as_str())),
        format!("{} {} or later", style.paint(Colour::Head, "SMART:    "), server.version),
        String::new(),
    ];
    let mut endpoints = Table::of_pairs();
    if let Some(issuer) = &configuration.issuer {
        endpoints.row(["issuer", issuer.as_str()]);
    }
    for endpoint in SmartEndpoint::ALL {
        if let Some(url) = configuration.endpoint(*endpoint) {
            endpoints.row([endpoint.member(), url.as_str()]);
        }
    }
    lines.extend(endpoints.lines(style.characters, style.width));

    let mut offers = Table::of_pairs();
    let words = |list: &Option<Vec<String>>| list.as_ref().map(|words| words.join(", "));
    let capabilities: Vec<String> = configuration.capabilities.iter().map(ToString::to_string).collect();
    let sets: Vec<String> = server.capability_sets().iter().filter_map(kebab).collect();
    let known = [
        ("Capabilities", Some(capabilities.join(", "))),
        ("Use cases", Some(sets.join(", "))),
        ("Scopes", words(&configuration.scopes_supported)),
        ("Grants", words(&configuration.grant_types_supported)),
        ("PKCE", words(&configuration.code_challenge_methods_supported)),
    ];
    for (label, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            offers.row([label, &value]);
        }
    }
    if !offers.is_empty() {
        lines.extend(offers.lines(style.characters, style.width));
    }
    lines.extend(findings(server, style));
    lines
}

fn findings(server: &Discovered, style: &Style) -> Vec<String> {
    if server.report.findings.is_empty() {
        return vec![format!("{} no findings", style.paint(Colour::Good, style.either("✓", "ok")))];
    }
    let mut table = Table::new(&[("Finding", Align::Left), ("Grade", Align::Left), ("See", Align::Left)]);
    for finding in &server.report.findings {
        let grade = match finding.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Fatal => "fatal",
        };
        table.row([finding.message.as_str(), grade, finding.section]);
    }
    table.lines(style.characters, style.width)
}

/// The name that serde gives a value.
fn kebab(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}
