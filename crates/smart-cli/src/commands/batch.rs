//! `smart batch`: a batch or transaction.

use crate::access::Access;
use crate::api::{FhirClient, RawResource};
use crate::body;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::fhir_output::{entry_object, object_with_list};
use crate::output::{Output, print_lines};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Send a batch or transaction from a file or standard input
///
/// The Bundle goes as it is. What came of each entry is printed on a line of JSON; an entry that was refused makes the exit code that
/// of a refused request.
#[derive(Debug, Args)]
pub(crate) struct BatchCommand {
    /// The file with the Bundle, of type batch or transaction; - or none is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    access: Access,
}

impl BatchCommand {
    /// Sends it and prints what came.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let bundle = body::resource(self.file.as_deref())?;
        let opened = self.access.open().await?;
        let done = submit(&opened.fhir(), &bundle, output).await;
        done.map_err(|error| opened.at_its_server(error))
    }
}

pub(super) async fn submit(fhir: &FhirClient, bundle: &RawResource, output: &Output) -> Result<(), CliError> {
    let answer = fhir.submit_bundle(bundle).await?;
    let count = answer.entries().len();
    let lines: Vec<String> = (0..count).map(|at| entry_object(at, answer.at(at))).collect();
    let refused = answer.errors().count();
    let failed = || {
        CliError::new(ExitCode::FhirError, format!("{refused} of {count} entries were refused"))
            .at(fhir.base().to_string())
            .with_next_step("See the issues of the entries; what is not among the refused was done.")
    };
    if output.json {
        if refused > 0 {
            // One object, the error with the entries in it.
            let entries: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            return Err(failed().with("entries", entries.into()));
        }
        return print_lines([object_with_list(&json!({"count": count}), "entries", &lines)]);
    }
    print_lines(lines)?;
    if refused > 0 { Err(failed()) } else { Ok(()) }
}
