//! Running suites, one check after the other.

use crate::check::{Check, Outcome, Stop, Suite};
use crate::target::Target;
use std::time::{Duration, Instant};

/// How long a check may take.
const LONGEST: Duration = Duration::from_secs(60);

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not, and why.
    Failed(String),
    /// It says nothing about this server, and why.
    Skipped(String),
}

impl Verdict {
    /// `passed`, `failed` or `skipped`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Why it did not pass.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(reason) | Self::Skipped(reason) => Some(reason),
        }
    }
}

/// One check that was run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The name of its suite.
    pub suite: &'static str,
    /// Its own.
    pub name: &'static str,
    /// The requirements that it is about.
    pub ids: &'static [&'static str],
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// All that was run against one server.
#[derive(Debug, Clone)]
pub struct Results {
    /// What the server is called.
    pub server: String,
    /// Its FHIR base.
    pub fhir_base: String,
    /// When it began, as RFC 3339 has it.
    pub began: String,
    /// The suites that were run, with what they are about.
    pub suites: Vec<(&'static str, &'static str)>,
    /// The checks, in order.
    pub checks: Vec<Ran>,
}

impl Results {
    /// How many ended so.
    pub fn count(&self, word: &str) -> usize {
        self.checks.iter().filter(|ran| ran.verdict.word() == word).count()
    }

    /// Whether none failed and at least one passed.
    pub fn is_good(&self) -> bool {
        self.count("failed") == 0 && self.count("passed") > 0
    }
}

/// Runs the suites; `told` hears of each check when it has ended.
pub async fn run(target: &dyn Target, suites: &[Suite], mut told: impl FnMut(&Ran)) -> Results {
    let began = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut checks = Vec::new();
    for suite in suites {
        for check in &suite.checks {
            let ran = run_one(target, suite, check).await;
            told(&ran);
            checks.push(ran);
        }
    }
    Results {
        server: target.name(),
        fhir_base: target.fhir_base(),
        began,
        suites: suites.iter().map(|suite| (suite.name, suite.about)).collect(),
        checks,
    }
}

async fn run_one(target: &dyn Target, suite: &Suite, check: &Check) -> Ran {
    let begin = Instant::now();
    let outcome: Outcome = tokio::time::timeout(LONGEST, (check.run)(target))
        .await
        .unwrap_or_else(|_| Err(Stop::failed(format!("it took longer than {} s", LONGEST.as_secs()))));
    let verdict = match outcome {
        Ok(()) => Verdict::Passed,
        Err(Stop::Skipped(reason)) => Verdict::Skipped(reason),
        Err(Stop::Failed(reason)) => Verdict::Failed(reason),
    };
    Ran { suite: suite.name, name: check.name, ids: check.ids, verdict, took: begin.elapsed() }
}
