//! `smart update`: a resource replaced as a whole.

use super::written::{Returning, print, query, version};
use crate::access::Access;
use crate::api::{FhirClient, RawResource};
use crate::body;
use crate::cli_error::CliError;
use crate::output::Output;
use clap::Args;
use std::path::PathBuf;

/// Replace a resource, as a whole, by one from a file or standard input
///
/// Without --if-match, what somebody else has changed since you read the resource is lost.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The file with the resource, its id in it; - or none is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Only if the resource still has this version; else the exit code is that of a conflict
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,

    /// Replace the one resource that a search of its type finds, or create it: 'identifier=http://ehr.example/mrn|7'
    #[arg(long = "where", value_name = "CRITERIA")]
    criteria: Option<String>,

    #[command(flatten)]
    returning: Returning,

    #[command(flatten)]
    access: Access,
}

impl Update {
    /// Replaces it and prints what came.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let resource = body::resource(self.file.as_deref())?;
        let opened = self.access.open().await?;
        let done = self.write(&opened.fhir(), &resource, output).await;
        done.map_err(|error| opened.at_its_server(error))
    }

    pub(super) async fn write(
        &self,
        fhir: &FhirClient,
        resource: &RawResource,
        output: &Output,
    ) -> Result<(), CliError> {
        let mut write = match &self.criteria {
            Some(criteria) => fhir.update_where(&query(resource.resource_type().as_str(), criteria), resource),
            None => fhir.update(resource),
        };
        if let Some(text) = &self.if_match {
            write = write.if_match(&version(text)?);
        }
        if let Some(preference) = self.returning.preference() {
            write = write.returning(preference);
        }
        print(&write.send_as().await?, "Updated", output)
    }
}
