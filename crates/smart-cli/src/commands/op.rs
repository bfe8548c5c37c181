//! `smart op`: an operation.

use super::written::print;
use crate::access::Access;
use crate::api::{Operation, RawResource};
use crate::body;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::output::Output;
use clap::Args;
use std::path::PathBuf;

/// Call an operation, such as $everything or $validate
///
/// It goes by GET, or by POST with --body or --post: an operation that changes something must not go by GET. What came is printed.
#[derive(Debug, Args)]
pub(crate) struct Op {
    /// The operation; the $ may be left out
    name: String,

    /// Where: a type such as Patient, or a resource such as Patient/{patient}; the whole server where it is left out
    #[arg(value_name = "TYPE[/ID]")]
    target: Option<String>,

    /// A parameter in the URL; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,

    /// A file with what is sent, a Parameters or the one resource that it takes; - is standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// Send it by POST although it has no body
    #[arg(long)]
    post: bool,

    #[command(flatten)]
    access: Access,
}

impl Op {
    /// Calls it and prints what came.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let sent = self.body.as_deref().map(|file| body::resource(Some(file))).transpose()?;
        let opened = self.access.open().await?;
        let operation = self.operation(sent.as_ref(), |text| opened.with_patient(text))?;
        let answer = opened.fhir().operate::<RawResource>(&operation).await;
        answer.map_err(|error| opened.at_its_server(error.into())).and_then(|answer| print(&answer, "Done", output))
    }

    pub(super) fn operation(
        &self,
        sent: Option<&RawResource>,
        fill: impl Fn(&str) -> Result<String, CliError>,
    ) -> Result<Operation, CliError> {
        let mut operation = Operation::new(&self.name);
        if let Some(target) = &self.target {
            let target = fill(target)?;
            operation = match target.split_once('/') {
                Some((resource_type, id)) => operation.on(resource_type, id),
                None => operation.on_type(target),
            };
        }
        for parameter in &self.param {
            let Some((name, value)) = parameter.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(CliError::new(ExitCode::Usage, format!("`{parameter}` is no NAME=VALUE"))
                    .with_next_step("Give parameters such as --param start=2026-01-01."));
            };
            operation = operation.param(name, fill(value)?);
        }
        if let Some(body) = sent {
            operation = operation.body(body);
        }
        Ok(if self.post { operation.by_post() } else { operation })
    }
}
