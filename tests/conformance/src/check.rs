//! One check: what it is about, and how it ends.

use crate::target::Target;
use smart_http::BoxFuture;
use std::fmt;

/// How a check ended that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It says nothing about this server, and why.
    Skipped(String),
    /// Something is not as it should be.
    Failed(String),
}

impl Stop {
    /// A failure with this reason.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// Not for this server, for this reason.
    pub fn skipped(reason: impl fmt::Display) -> Self {
        Self::Skipped(reason.to_string())
    }
}

/// An error in the middle of a check is its failure.
impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a check gives.
pub type Outcome = Result<(), Stop>;

/// One check of a suite.
pub struct Check {
    /// A few words that say what is right when it passes.
    pub name: &'static str,
    /// The ids of the requirements that it is about, as in `docs/requirements.md`.
    pub ids: &'static [&'static str],
    /// Runs it.
    pub run: for<'a> fn(&'a dyn Target) -> BoxFuture<'a, Outcome>,
}

/// The checks of one capability.
pub struct Suite {
    /// Its name, as `--suite` takes it.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its checks, in the order in which they run.
    pub checks: Vec<Check>,
}

/// Fails the check unless the condition holds.
///
/// # Errors
/// [`Stop::Failed`] with this reason.
pub fn ensure(condition: bool, otherwise: impl fmt::Display) -> Outcome {
    if condition { Ok(()) } else { Err(Stop::failed(otherwise)) }
}
