//! Running programs: their output is shown as it comes, and looked at line by line.

use crate::error::TaskError;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;

/// Where the output of programs is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// On the standard output.
    Stdout,
    /// On the standard error, because the standard output carries a result.
    Stderr,
}

impl Show {
    /// Shows one line.
    pub fn line(self, line: &str) {
        // A reader that is gone is no reason to stop the checks.
        let _ = match self {
            Self::Stdout => writeln!(std::io::stdout(), "{line}"),
            Self::Stderr => writeln!(std::io::stderr(), "{line}"),
        };
    }
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The command as one would type it.
pub fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Runs `command` without input, shows what it writes and hands each line to `look`.
///
/// # Errors
/// [`TaskError::Start`] when it cannot be started, [`TaskError::Failed`] when it ends with anything but success.
pub fn run(command: Command, show: Show, look: impl FnMut(&str)) -> Result<(), TaskError> {
    run_showing(command, show, |_| true, look)
}

/// As [`run`], but shows only the lines that `is_shown` picks.
///
/// # Errors
/// As [`run`].
pub fn run_showing(
    mut command: Command,
    show: Show,
    is_shown: impl Fn(&str) -> bool,
    mut look: impl FnMut(&str),
) -> Result<(), TaskError> {
    let name = typed(&command);
    show.line(&format!("$ {name}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("CARGO_TERM_COLOR", "never");
    let mut child = command.spawn().map_err(|source| TaskError::Start { program: name.clone(), source })?;
    let (sender, lines) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|pipe| forward(pipe, sender.clone())),
        child.stderr.take().map(|pipe| forward(pipe, sender)),
    ];
    for line in lines {
        if is_shown(&line) {
            show.line(&line);
        }
        look(&line);
    }
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(TaskError::Failed { command: name }),
        Err(source) => Err(TaskError::Start { program: name, source }),
    }
}

fn forward(pipe: impl Read + Send + 'static, lines: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    })
}

/// Whether `program arguments` can be run and succeeds, quietly.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = if program == "cargo" { cargo() } else { Command::new(program) };
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_outputs_are_seen_and_failure_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let mut lines = Vec::new();
        let result = run(command, Show::Stderr, |line| lines.push(line.to_owned()));
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert!(matches!(result, Err(TaskError::Failed { .. })));
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let result = run(Command::new("no-such-program-here"), Show::Stderr, |_| ());
        assert!(matches!(result, Err(TaskError::Start { .. })));
        assert!(!succeeds("no-such-program-here", &[]));
        assert!(succeeds("sh", &["-c", "true"]));
    }
}
