//! `smart patch`: parts of a resource.

use super::written::{Returning, Target, print, version};
use crate::access::Access;
use crate::api::{FhirClient, Patch};
use crate::body;
use crate::cli_error::CliError;
use crate::output::Output;
use clap::Args;
use std::path::PathBuf;

/// Change parts of a resource, by a patch from a file or standard input
///
/// A JSON list is a JSON Patch, a Parameters resource a FHIRPath Patch.
#[derive(Debug, Args)]
pub(crate) struct PatchCommand {
    /// Patient/123, or a search that finds one: 'Patient?identifier=http://ehr.example/mrn|7'
    target: String,

    /// The file with the patch; - or none is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Only if the resource still has this version; else the exit code is that of a conflict
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,

    #[command(flatten)]
    returning: Returning,

    #[command(flatten)]
    access: Access,
}

impl PatchCommand {
    /// Changes it and prints what came.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let patch = Patch::from_value(body::json(self.file.as_deref())?)?;
        let opened = self.access.open().await?;
        let target = Target::parse(&opened.with_patient(&self.target)?)?;
        let done = self.write(&opened.fhir(), target, &patch, output).await;
        done.map_err(|error| opened.at_its_server(error))
    }

    pub(super) async fn write(
        &self,
        fhir: &FhirClient,
        target: Target,
        patch: &Patch,
        output: &Output,
    ) -> Result<(), CliError> {
        let mut write = match &target {
            Target::Resource(resource_type, id) => fhir.patch(resource_type, id, patch),
            Target::Found(query) => fhir.patch_where(query, patch),
        };
        if let Some(text) = &self.if_match {
            write = write.if_match(&version(text)?);
        }
        if let Some(preference) = self.returning.preference() {
            write = write.returning(preference);
        }
        print(&write.send_as().await?, "Patched", output)
    }
}
