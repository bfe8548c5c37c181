//! What is wrong with settings.

use smart_core::json::JsonError;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}`: {reason}")]
#[non_exhaustive]
pub struct Problem {
    /// The member, such as `session.idle_seconds`.
    pub member: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl Problem {
    pub(super) fn new(member: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { member: member.into(), reason: reason.into() }
    }
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The document is no JSON object.
    #[error("the settings are {0}")]
    Json(#[from] JsonError),
    /// Everything that is wrong with the members.
    #[error("the settings cannot be used: {}", list(.0))]
    Problems(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl SettingsError {
    /// What is wrong, each thing by itself. Empty when the document is no JSON object.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Problems(problems) => problems,
            Self::Json(_) => &[],
        }
    }
}

impl From<Problem> for SettingsError {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}
