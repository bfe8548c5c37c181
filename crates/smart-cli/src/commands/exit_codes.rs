//! `smart exit-codes`: the table of the exit codes.

use crate::cli_error::CliError;
use crate::exit_code::{ExitCode, table_text};
use crate::output::{Output, print_json, print_lines};
use clap::Args;
use serde_json::json;

/// Show the exit codes and their names
#[derive(Debug, Args)]
#[command(after_help = table_text())]
pub(crate) struct ExitCodes {}

impl ExitCodes {
    /// Prints the table.
    #[expect(clippy::unused_self, reason = "all commands run alike")]
    pub(crate) fn run(self, output: &Output) -> Result<(), CliError> {
        if !output.json {
            return print_lines([table_text().trim_end()]);
        }
        let codes: Vec<_> = ExitCode::ALL
            .iter()
            .map(|code| {
                json!({"number": code.number(), "code": code.name(), "meaning": code.meaning(), "next_step": code.next_step()})
            })
            .collect();
        print_json(&json!({"exit_codes": codes}))
    }
}
