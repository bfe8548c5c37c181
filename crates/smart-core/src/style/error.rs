//! What can go wrong with a style document.

use crate::json::JsonError;

/// Why a style document is of no use. An app looks as it does without one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum StyleError {
    /// The answer is no success.
    #[error("{url} answered status {status}; the app keeps its own style")]
    Status {
        /// The document's URL, without its query.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is no JSON object.
    #[error("{url} is no style document: {reason}")]
    Json {
        /// The document's URL, without its query.
        url: String,
        /// Why.
        reason: JsonError,
    },
}

impl StyleError {
    /// Whether the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Status { status: 408 | 429 | 500 | 502 | 503 | 504, .. })
    }
}

/// A text is not the CSS value that it has to be. The text is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {expected} of CSS that can be put into a style sheet safely")]
pub struct CssValueError {
    /// What it has to be: `a colour`, `a length` or `a list of font names`.
    pub expected: &'static str,
}
