//! Steps: what is being done, whether it worked, and how long it took.

use crate::cli_error::CliError;
use crate::style::{Colour, Style};
use crate::text::{one_line, pad, pad_left, wrap};
use serde::Serialize;
use serde_json::Value;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Where the steps are shown as they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On standard output: the steps are what the person asked for.
    Stdout,
    /// On standard error: they only tell the progress.
    Stderr,
    /// Nowhere: they are printed as JSON in the end.
    Nowhere,
}

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Step {
    /// A short name for programs.
    pub(crate) name: &'static str,
    /// What was done, for people.
    pub(crate) title: String,
    /// Whether it worked.
    pub(crate) ok: bool,
    /// What came out, in a line.
    pub(crate) detail: String,
    /// How long it took, in milliseconds.
    pub(crate) elapsed_ms: f64,
    /// What came out, for programs.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) result: Value,
}

/// What came out of a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Outcome {
    /// In a line.
    pub(crate) detail: String,
    /// For programs.
    pub(crate) result: Value,
}

impl Outcome {
    /// What came out.
    pub(crate) fn new(detail: impl Into<String>, result: Value) -> Self {
        Self { detail: detail.into(), result }
    }
}

/// The steps of one command.
#[derive(Debug)]
pub(crate) struct Steps {
    place: Place,
    style: Style,
    done: Vec<Step>,
}

/// The width of the titles' column.
const TITLE: usize = 25;
/// The width of the times' column.
const TIME: usize = 9;

impl Steps {
    /// No steps yet.
    pub(crate) fn new(place: Place, style: Style) -> Self {
        Self { place, style, done: Vec::new() }
    }

    /// Does a step, shows it, and gives what it gives.
    pub(crate) async fn run<T>(
        &mut self,
        name: &'static str,
        title: &str,
        step: impl Future<Output = Result<(T, Outcome), CliError>>,
    ) -> Result<T, CliError> {
        self.announce(title)?;
        self.run_unannounced(name, title, step).await
    }

    /// The same for a step that has something to say meanwhile: its title is shown in the end only.
    pub(crate) async fn run_unannounced<T>(
        &mut self,
        name: &'static str,
        title: &str,
        step: impl Future<Output = Result<(T, Outcome), CliError>>,
    ) -> Result<T, CliError> {
        let begin = Instant::now();
        let came = step.await;
        let elapsed_ms = milliseconds(begin.elapsed());
        let (given, ok, outcome) = match came {
            Ok((value, outcome)) => (Ok(value), true, outcome),
            Err(error) => {
                let outcome = Outcome::new(error.message.clone(), Value::Null);
                (Err(error), false, outcome)
            }
        };
        let step =
            Step { name, title: title.to_owned(), ok, detail: outcome.detail, elapsed_ms, result: outcome.result };
        self.show(&step)?;
        self.done.push(step);
        given
    }

    /// The steps that are done.
    pub(crate) fn done(&self) -> &[Step] {
        &self.done
    }

    /// Shows on a terminal what is being done right now.
    fn announce(&self, title: &str) -> Result<(), CliError> {
        if self.style.live {
            let dots = self.style.either("…", "...");
            self.write(&format!("{} {}", self.style.paint(Colour::Dim, self.style.either("·", "-")), one_line(title)))?;
            self.write(&self.style.paint(Colour::Dim, dots))?;
        }
        Ok(())
    }

    fn show(&self, step: &Step) -> Result<(), CliError> {
        if self.style.live {
            self.write("\r\u{1b}[K")?;
        }
        for line in step_lines(step, &self.style) {
            self.write(&format!("{line}\n"))?;
        }
        Ok(())
    }

    fn write(&self, text: &str) -> Result<(), CliError> {
        match self.place {
            Place::Nowhere => Ok(()),
            Place::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| CliError::output(&e))
            }
            // Nobody may read standard error any more: that is no reason to stop.
            Place::Stderr => {
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
                Ok(())
            }
        }
    }
}

/// A duration in milliseconds, to a tenth.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// The lines of a step: tick or cross, time, title, and what came out.
fn step_lines(step: &Step, style: &Style) -> Vec<String> {
    let (mark, colour) =
        if step.ok { (style.either("✓", "ok"), Colour::Good) } else { (style.either("✗", "!!"), Colour::Bad) };
    let time = pad_left(&format!("{:.1} ms", step.elapsed_ms), TIME);
    let indent = crate::text::width(mark) + 1 + TIME + 2 + TITLE + 2;
    let room = style.width.saturating_sub(indent).max(24);
    let mut details = wrap(&one_line(&step.detail), room).into_iter();
    let head = format!(
        "{} {}  {}  {}",
        style.paint(colour, mark),
        style.paint(Colour::Dim, &time),
        pad(&one_line(&step.title), TITLE),
        details.next().unwrap_or_default()
    );
    let mut lines = vec![head.trim_end().to_owned()];
    lines.extend(details.map(|detail| format!("{}{detail}", " ".repeat(indent))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_code::ExitCode;
    use crate::table::Characters;

    const PLAIN: Style = Style { characters: Characters::Ascii, width: 80, colour: false, live: false };

    fn step(ok: bool, detail: &str) -> Step {
        Step {
            name: "x",
            title: "Discover the server".into(),
            ok,
            detail: detail.into(),
            elapsed_ms: 12.34,
            result: Value::Null,
        }
    }

    /// A step has a mark, its time, its title and what came out.
    #[test]
    fn steps_show_mark_time_title_and_detail() {
        assert_eq!(
            step_lines(&step(true, "SMART 2.2"), &PLAIN),
            ["ok   12.3 ms  Discover the server        SMART 2.2"]
        );
        assert!(step_lines(&step(false, "no"), &PLAIN)[0].starts_with("!! "));
        let unicode = Style { characters: Characters::Unicode, ..PLAIN };
        assert!(step_lines(&step(true, ""), &unicode)[0].starts_with("✓ "));
    }

    /// A long detail goes on below itself, and none of its words is lost.
    #[test]
    fn long_details_are_wrapped() {
        let detail = "one two three four five six seven eight nine ten eleven twelve";
        let lines = step_lines(&step(true, detail), &PLAIN);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 80), "{lines:#?}");
        let words: String = lines.join(" ").split_whitespace().skip(6).collect::<Vec<_>>().join(" ");
        assert_eq!(words, detail);
    }

    /// The steps are kept with result and error, for `--json`.
    #[tokio::test]
    async fn steps_are_kept_with_their_results() {
        let mut steps = Steps::new(Place::Nowhere, PLAIN);
        let given =
            steps.run("one", "One", async { Ok((7, Outcome::new("seven", serde_json::json!({"n": 7})))) }).await;
        assert_eq!(given.unwrap(), 7);
        let failed: Result<(), _> =
            steps.run("two", "Two", async { Err(CliError::new(ExitCode::FhirError, "it broke")) }).await;
        assert_eq!(failed.unwrap_err().code, ExitCode::FhirError);
        let json = serde_json::to_value(steps.done()).unwrap();
        assert_eq!(json[0]["result"]["n"], 7);
        assert_eq!((json[1]["ok"].as_bool(), json[1]["detail"].as_str()), (Some(false), Some("it broke")));
        assert!(json[1].get("result").is_none() && json[1]["elapsed_ms"].is_number());
    }
}
