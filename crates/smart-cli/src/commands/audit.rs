//! `smart audit`: what an audit trail is worth.

use crate::api::audit::{Anchor, AuditKey, ChainReport, Verifier, VerifyError, closed_files};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::style::{Colour, Style};
use crate::table::Table;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Look after audit trails
#[derive(Debug, Args)]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
}

/// Find out whether an audit file is as it was written: no line changed, removed, put in or moved
///
/// Files that were closed when FILE grew too large are found beside it and verified with it. The end of a trail can be cut
/// off without a trace in the rest: give the anchor that was kept elsewhere. Without a key anybody who can write the file
/// can also write the whole chain anew.
///
/// Exit codes: 0 it is whole; 12 it is broken, or something is missing; 2 no key was given for a trail that has one, or
/// the key is of no use; 1 a file cannot be read.
#[derive(Debug, Args)]
struct Verify {
    /// The audit file; several are files of one trail, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// A file with the key of the trail, in hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// A point that the trail has to have, as it was kept elsewhere; may be given more than once
    #[arg(long, value_name = "NUMBER:HASH")]
    anchor: Vec<Anchor>,

    /// Let the trail begin with any line, for what is left of one whose first files were moved away
    #[arg(long)]
    any_start: bool,

    /// Verify the named files alone, without those beside them
    #[arg(long)]
    exact: bool,
}

impl AuditCommand {
    /// Does what is asked.
    pub(crate) fn run(self, output: &Output) -> Result<(), CliError> {
        match self.what {
            What::Verify(verify) => verify.run(output),
        }
    }
}

impl Verify {
    fn run(self, output: &Output) -> Result<(), CliError> {
        let files = self.files()?;
        let report = self.verifier()?.verify_files(&files).map_err(failed)?;
        if output.json {
            print_json(&as_json(&report, &files))
        } else {
            print_lines(lines(&report, &files, &output.style))
        }
    }

    fn verifier(&self) -> Result<Verifier, CliError> {
        let mut verifier = self.anchor.iter().fold(Verifier::new(), |verifier, anchor| verifier.with_anchor(*anchor));
        if let Some(path) = &self.key_file {
            let key = AuditKey::read_file(path).map_err(|error| {
                CliError::new(ExitCode::Usage, error.to_string())
                    .with_next_step("Give the file that the app reads its audit key from.")
            })?;
            verifier = verifier.with_key(key);
        }
        Ok(if self.any_start { verifier.from_any_line() } else { verifier })
    }

    /// The named files and, unless they are to be taken alone, those that were closed before them.
    fn files(&self) -> Result<Vec<PathBuf>, CliError> {
        let mut files: Vec<PathBuf> = Vec::new();
        for file in &self.files {
            let closed =
                if self.exact { Vec::new() } else { closed_files(file).map_err(|error| unreadable(file, &error))? };
            // It may be missing just now: closed, and the next one not yet begun.
            let named = (closed.is_empty() || file.exists()).then(|| file.clone());
            for found in closed.into_iter().chain(named) {
                if !files.contains(&found) {
                    files.push(found);
                }
            }
        }
        Ok(files)
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> CliError {
    CliError::new(ExitCode::Internal, format!("{} cannot be read: {error}", file.display()))
        .with_next_step("Check the path, and your rights to the file and its folder.")
}

fn failed(error: VerifyError) -> CliError {
    let message = error.to_string();
    match error {
        VerifyError::Broken(found) => CliError::new(ExitCode::AuditBroken, message).with(
            "break",
            json!({
                "file": found.file.as_ref().map(|file| file.display().to_string()),
                "line": found.line,
                "kind": found.kind.as_str(),
            }),
        ),
        VerifyError::KeyNeeded => {
            CliError::new(ExitCode::Usage, message).with_next_step("Give the key of the trail with --key-file.")
        }
        VerifyError::Io { file, reason } => unreadable(file.as_deref().unwrap_or(Path::new("the audit")), &reason),
        _ => CliError::new(ExitCode::Internal, message),
    }
}

fn as_json(report: &ChainReport, files: &[PathBuf]) -> Value {
    json!({
        "whole": true,
        "files": files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "lines": report.lines,
        "events": report.events,
        "torn": report.torn,
        "removed_before": report.removed_before,
        "anchor": report.last.map(|last| last.to_string()),
    })
}

fn lines(report: &ChainReport, files: &[PathBuf], style: &Style) -> Vec<String> {
    let mark = style.paint(Colour::Good, style.either("✓", "ok"));
    let mut lines = vec![format!("{mark} the trail is whole: {} events", report.events)];
    let mut table = Table::of_pairs();
    table.row(["Files", &files.len().to_string()]);
    table.row(["Lines", &report.lines.to_string()]);
    if report.torn > 0 {
        table.row(["Torn", &format!("{} times a writer was killed within a line; it is on record", report.torn)]);
    }
    if report.removed_before > 0 {
        table.row(["Removed", &format!("{} lines before the first one that is there", report.removed_before)]);
    }
    if let Some(last) = report.last {
        table.row(["Anchor", &last.to_string()]);
    }
    lines.extend(table.lines(style.characters, style.width));
    lines.push(
        "Keep the anchor elsewhere: with --anchor it shows later that nothing up to here was cut off.".to_owned(),
    );
    lines
}
