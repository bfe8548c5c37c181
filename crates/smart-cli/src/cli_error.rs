//! The error of a command: what happened, where, and what the person can do.

use crate::exit_code::ExitCode;
use crate::style::{Colour, Style};
use crate::text::{one_line, several_lines};
use serde_json::{Value, json};

/// An error as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CliError {
    /// Which exit code it has.
    pub(crate) code: ExitCode,
    /// What happened.
    pub(crate) message: String,
    /// At which endpoint, where there is one.
    pub(crate) endpoint: Option<String>,
    /// What the person can do.
    pub(crate) next_step: String,
    /// More members for `--json`, such as the steps that were done before.
    pub(crate) more: Vec<(&'static str, Value)>,
}

impl CliError {
    /// An error with the usual next step of its code.
    pub(crate) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), endpoint: None, next_step: code.next_step().to_owned(), more: Vec::new() }
    }

    /// The same at an endpoint.
    pub(crate) fn at(self, endpoint: impl Into<Option<String>>) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }

    /// The same with another next step.
    pub(crate) fn with_next_step(self, next_step: impl Into<String>) -> Self {
        Self { next_step: next_step.into(), ..self }
    }

    /// The same with a further member for `--json`.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.push((name, value));
        self
    }

    /// The output could not be written. When nobody reads it any more, as after `| head`, that is no error.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::new(ExitCode::Ok, "nobody reads the output any more")
        } else {
            Self::new(ExitCode::Internal, format!("the output cannot be written: {error}"))
        }
    }

    /// The one JSON object that `--json` prints.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "error": {
                "code": self.code.name(),
                "message": self.message,
                "endpoint": self.endpoint,
                "next_step": self.next_step,
            }
        });
        if let Some(members) = object.as_object_mut() {
            members.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        object
    }

    /// The lines for people.
    pub(crate) fn lines(&self, style: &Style) -> Vec<String> {
        let label = |text: &str| style.paint(Colour::Head, text);
        let mut lines =
            vec![format!("{} {}", style.paint(Colour::Bad, "error:"), several_lines(self.message.trim_end()))];
        if let Some(endpoint) = &self.endpoint {
            lines.push(format!("  {} {}", label("endpoint: "), one_line(endpoint)));
        }
        lines.push(format!("  {} {}", label("next step:"), one_line(&self.next_step)));
        let code = format!("{} ({}), see `smart help exit-codes`", self.code.number(), self.code.name());
        lines.push(format!("  {} {}", label("exit code:"), code));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Characters;

    const PLAIN: Style = Style { characters: Characters::Ascii, width: 80, colour: false, live: false };

    /// The JSON has code, message, endpoint and next step, and nothing else in `error`.
    #[test]
    fn json_has_the_four_members() {
        let error = CliError::new(ExitCode::UnreachableHost, "no").at("https://ehr.example/".to_owned());
        let json = error.to_json();
        let members: Vec<_> = json["error"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["code", "message", "endpoint", "next_step"]);
        assert_eq!(json["error"]["code"], "unreachable-host");
        assert_eq!(CliError::new(ExitCode::Usage, "x").to_json()["error"]["endpoint"], Value::Null);
    }

    /// People get the message, the endpoint, the next step and the exit code; text of a server cannot steer the
    /// terminal (CB-08).
    #[test]
    fn lines_name_endpoint_next_step_and_code() {
        let error = CliError::new(ExitCode::Denied, "refused (\u{1b}[31mred)").at("https://as.example/a".to_owned());
        let shown = error.lines(&PLAIN).join("\n");
        for part in ["error: refused (\u{fffd}[31mred)", "https://as.example/a", "next step:", "7 (denied)"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    /// `smart get ... | head` is no failure.
    #[test]
    fn a_closed_pipe_is_no_error() {
        assert_eq!(CliError::output(&std::io::ErrorKind::BrokenPipe.into()).code, ExitCode::Ok);
        assert_eq!(CliError::output(&std::io::ErrorKind::StorageFull.into()).code, ExitCode::Internal);
    }
}
