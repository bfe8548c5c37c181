//! `smart create`: a new resource.

use super::written::{Returning, print, query};
use crate::access::Access;
use crate::api::{FhirClient, RawResource};
use crate::body;
use crate::cli_error::CliError;
use crate::output::Output;
use clap::Args;
use std::path::PathBuf;

/// Create a resource from a file or standard input
///
/// The resource goes as it is, and is printed as the server stored it, where it gives it back. Where it is and its version are told on
/// standard error, or in the object of --json.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The file with the resource; - or none is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Create it only if a search of its type finds none: 'identifier=http://ehr.example/mrn|7'
    #[arg(long, value_name = "CRITERIA")]
    if_none_exist: Option<String>,

    #[command(flatten)]
    returning: Returning,

    #[command(flatten)]
    access: Access,
}

impl Create {
    /// Creates it and prints what came.
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
        let mut write = fhir.create(resource);
        if let Some(criteria) = &self.if_none_exist {
            write = write.if_none_exist(&query(resource.resource_type().as_str(), criteria));
        }
        if let Some(preference) = self.returning.preference() {
            write = write.returning(preference);
        }
        print(&write.send_as().await?, "There is one already:", output)
    }
}
