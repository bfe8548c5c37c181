//! The result of a run of several steps, as a table and as JSON.

use crate::error::TaskError;
use crate::test_counts::TestCounts;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// It was not done; the remark says why.
    Skipped,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// A step's verdict, with a remark and the tests that it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// One line about it; may be empty.
    pub remark: String,
    /// The tests that it ran.
    pub tests: TestCounts,
}

impl Outcome {
    fn new(verdict: Verdict, remark: &str) -> Self {
        Self { verdict, remark: remark.to_owned(), tests: TestCounts::default() }
    }

    /// It ended well.
    pub fn passed(remark: &str) -> Self {
        Self::new(Verdict::Passed, remark)
    }

    /// It did not.
    pub fn failed(remark: &str) -> Self {
        Self::new(Verdict::Failed, remark)
    }

    /// It was not done.
    pub fn skipped(remark: &str) -> Self {
        Self::new(Verdict::Skipped, remark)
    }

    /// What a program's end means.
    pub fn of(result: Result<(), TaskError>) -> Self {
        match result {
            Ok(()) => Self::passed(""),
            Err(error) => Self::failed(&error.to_string()),
        }
    }

    /// What a check's problems mean: none is well.
    pub fn of_problems(problems: &[String], remark_if_none: &str) -> Self {
        match problems.len() {
            0 => Self::passed(remark_if_none),
            1 => Self::failed("1 problem, see above"),
            n => Self::failed(&format!("{n} problems, see above")),
        }
    }
}

/// A step that is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// All steps of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The steps, in the order they were done.
    pub steps: Vec<Step>,
}

impl Summary {
    /// Whether no step failed. A skipped step is no failure.
    pub fn is_ok(&self) -> bool {
        self.steps.iter().all(|step| step.outcome.verdict != Verdict::Failed) && self.tests().failed == 0
    }

    /// The tests of all steps.
    pub fn tests(&self) -> TestCounts {
        self.steps.iter().fold(TestCounts::default(), |sum, step| sum.plus(step.outcome.tests))
    }

    fn names(&self, verdict: Verdict) -> Vec<&str> {
        self.steps.iter().filter(|step| step.outcome.verdict == verdict).map(|step| step.name.as_str()).collect()
    }

    /// A table of the steps; its last line has the counts of tests.
    pub fn table(&self) -> String {
        let width = self.steps.iter().map(|step| step.name.len()).max().unwrap_or_default();
        let mut table = format!("\n{:width$}  {:7}  {:>8}\n", "step", "result", "seconds");
        for step in &self.steps {
            let Step { name, outcome, took } = step;
            let mut remark = outcome.remark.clone();
            if outcome.tests != TestCounts::default() {
                remark = format!("{} {remark}", outcome.tests);
            }
            let (word, seconds) = (outcome.verdict.word(), took.as_secs_f64());
            let line = format!("{name:width$}  {word:7}  {seconds:8.1}  {remark}");
            let _ = writeln!(table, "{}", line.trim_end());
        }
        for (word, verdict) in [("failed", Verdict::Failed), ("skipped", Verdict::Skipped)] {
            let names = self.names(verdict);
            if !names.is_empty() {
                let _ = writeln!(table, "\nsteps {word}: {}", names.join(", "));
            }
        }
        let _ = write!(table, "\n{}", self.tests());
        table
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let counts =
            |tests: TestCounts| json!({"passed": tests.passed, "failed": tests.failed, "skipped": tests.skipped});
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let verdict = match step.outcome.verdict {
                    Verdict::Passed => "passed",
                    Verdict::Failed => "failed",
                    Verdict::Skipped => "skipped",
                };
                json!({
                    "name": step.name,
                    "result": verdict,
                    "seconds": step.took.as_secs_f64(),
                    "remark": step.outcome.remark,
                    "tests": counts(step.outcome.tests),
                })
            })
            .collect();
        json!({"ok": self.is_ok(), "tests": counts(self.tests()), "steps": steps})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(outcomes: Vec<Outcome>) -> Summary {
        let step = |outcome| Step { name: "a step".to_owned(), outcome, took: Duration::from_millis(1500) };
        Summary { steps: outcomes.into_iter().map(step).collect() }
    }

    #[test]
    fn the_last_line_has_the_counts() {
        let mut tested = Outcome::passed("");
        tested.tests = TestCounts { passed: 5, failed: 0, skipped: 0 };
        let summary = summary(vec![tested, Outcome::skipped("no tool")]);
        assert!(summary.is_ok());
        let table = summary.table();
        assert_eq!(table.lines().last(), Some("5 passed, 0 failed"));
        assert!(table.contains("a step  SKIPPED       1.5  no tool"), "{table}");
        assert!(table.contains("steps skipped: a step"), "{table}");
        assert_eq!(summary.json()["ok"], true);
        assert_eq!(summary.json()["steps"][1]["remark"], "no tool");
    }

    #[test]
    fn one_failed_step_fails_all() {
        let failed = summary(vec![Outcome::passed(""), Outcome::of_problems(&["x".to_owned()], "fine")]);
        assert!(!failed.is_ok());
        assert!(failed.table().contains("steps failed: a step"));
        assert_eq!(failed.json()["ok"], false);
        let mut counted = Outcome::passed("");
        counted.tests.failed = 1;
        assert!(!summary(vec![counted]).is_ok(), "a failed test counts even if its step says ok");
    }
}
