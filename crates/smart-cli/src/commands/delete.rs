//! `smart delete`: a resource, or what a search finds.

use super::written::{Target, print, version};
use crate::access::Access;
use crate::api::FhirClient;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::output::Output;
use clap::Args;

/// Delete a resource
///
/// With a search in the place of the resource, some servers delete all that it finds: that has to be said by --every-match.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Patient/123, or a search: 'Patient?identifier=http://ehr.example/mrn|7'
    target: String,

    /// Only if the resource still has this version; else the exit code is that of a conflict
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,

    /// Delete what a search finds, be it one resource or many
    #[arg(long)]
    every_match: bool,

    #[command(flatten)]
    access: Access,
}

impl Delete {
    /// Deletes it and prints what came.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let target = Target::parse(&self.target)?;
        if matches!(target, Target::Found(_)) != self.every_match {
            let message =
                if self.every_match { "--every-match is for a search" } else { "a search may find many resources" };
            return Err(CliError::new(ExitCode::Usage, message)
                .with_next_step("Name one resource such as Patient/123, or give a search and --every-match."));
        }
        let opened = self.access.open().await?;
        let done = self.write(&opened.fhir(), target, output).await;
        done.map_err(|error| opened.at_its_server(error))
    }

    pub(super) async fn write(&self, fhir: &FhirClient, target: Target, output: &Output) -> Result<(), CliError> {
        let mut write = match &target {
            Target::Resource(resource_type, id) => fhir.delete(resource_type, id),
            Target::Found(query) => fhir.delete_where(query),
        };
        if let Some(text) = &self.if_match {
            write = write.if_match(&version(text)?);
        }
        print(&write.send_as().await?, "Deleted", output)
    }
}
