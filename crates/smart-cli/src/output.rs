//! Printing: text for people, or exactly one JSON object.

use crate::cli_error::CliError;
use crate::style::Style;
use crate::text::json_for_terminal;
use serde_json::Value;
use std::io::Write as _;

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Whether `--json` was given.
    pub(crate) json: bool,
    /// How standard output looks.
    pub(crate) style: Style,
    /// How standard error looks.
    pub(crate) error_style: Style,
}

impl Output {
    /// The output that the options ask for.
    pub(crate) fn new(json: bool, ascii: bool) -> Self {
        Self { json, style: Style::of_stdout(ascii), error_style: Style::of_stderr(ascii) }
    }

    /// Tells the person something on standard error; nothing with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            tell(text);
        }
    }

    /// Shows an error: as JSON on standard output, or for people on standard error.
    pub(crate) fn error(&self, error: &CliError) {
        if self.json {
            // When the output cannot be written there is nowhere left to say so.
            let _ = print_json(&error.to_json());
        } else {
            error.lines(&self.error_style).iter().for_each(|line| tell(line));
        }
    }
}

/// Prints lines on standard output.
///
/// # Errors
/// As for [`CliError::output`].
pub(crate) fn print_lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", line.as_ref()).map_err(|e| CliError::output(&e))?;
    }
    out.flush().map_err(|e| CliError::output(&e))
}

/// Prints a JSON value over several lines.
///
/// # Errors
/// As for [`CliError::output`].
pub(crate) fn print_json(value: &Value) -> Result<(), CliError> {
    print_lines([json_for_terminal(&format!("{value:#}"))])
}

/// Prints a JSON value on one line.
///
/// # Errors
/// As for [`CliError::output`].
pub(crate) fn print_json_line(value: &Value) -> Result<(), CliError> {
    print_lines([json_for_terminal(&value.to_string())])
}

/// Says something on standard error.
pub(crate) fn tell(text: &str) {
    // Nobody may read standard error any more: that is no reason to stop.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
