//! What a verification came to.

use super::anchor::Anchor;
use std::path::PathBuf;

/// A chain without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainReport {
    /// Lines that fit.
    pub lines: u64,
    /// Events among them.
    pub events: u64,
    /// How many times a killed process left a torn line behind, which the next one put on record. The event of such a line
    /// is lost. More than a few are worth a look: so looks, too, what somebody wrote behind the last line by hand.
    pub torn: u64,
    /// How many lines were removed before the first one that is there, with the oldest files.
    pub removed_before: u64,
    /// The last line: keep it elsewhere as the next anchor. `None`: there is no line.
    pub last: Option<Anchor>,
}

/// The first break of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBreak {
    /// The file; `None` where a reader was verified.
    pub file: Option<PathBuf>,
    /// The line in that file, from 1 on. For [`BreakKind::Truncated`] the last one.
    pub line: u64,
    /// What is wrong there.
    pub kind: BreakKind,
}

/// How a chain is broken. Where the file was written by somebody who knows what they do, one break can look like another:
/// that there is a break is sure, its kind the likeliest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BreakKind {
    /// The line is not the one that was written.
    #[error("the line is not the one that was written")]
    Altered,
    /// Lines are missing before this one.
    #[error("the lines numbered {first} to {last} are missing before it")]
    Removed {
        /// The number of the first that is missing.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// The line stands in another place than where it was written.
    #[error("the line stands before others that were written earlier")]
    Reordered,
    /// The line was put in: here, or just before.
    #[error("a line was put in here or just before")]
    Inserted,
    /// The last line has no end: the writer was killed, or the file was cut. The next opening puts a killed writer's on
    /// record.
    #[error("the last line is cut off: the writer was killed or is writing just now, or the file was cut")]
    Torn,
    /// The chain ends before the anchor.
    #[error("the chain ends at line number {last}, before the anchor {anchor}: its end was cut off")]
    Truncated {
        /// The number of the last line; 0 where there is none.
        last: u64,
        /// The number of the anchor.
        anchor: u64,
    },
    /// The chain begins in its middle, and nothing in it says why.
    #[error("the chain begins with line number {first}; what came before is missing")]
    MissingHead {
        /// The number of the first line.
        first: u64,
    },
    /// The line of the anchor's number is another one: the chain was written anew.
    #[error("the line number {anchor} is not that of the anchor: the chain was written anew")]
    AnchorMismatch {
        /// The number of the anchor.
        anchor: u64,
    },
    /// The line of the anchor was removed with the oldest files, so that the anchor shows nothing.
    #[error("the chain begins with line number {first}, after the anchor {anchor}, which shows nothing any more")]
    AnchorGone {
        /// The number of the anchor.
        anchor: u64,
        /// The number of the first line.
        first: u64,
    },
    /// A key was given, and the lines are hashed without one: anybody may have written them.
    #[error("the lines are hashed without a key although one is given: anybody may have written them")]
    NotKeyed,
    /// No line fits the key.
    #[error("no line fits the key: it is another one, or every line was altered")]
    NoLineFits,
}

impl BreakKind {
    /// A short name that does not change from version to version.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Removed { .. } => "removed",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::Torn => "torn",
            Self::Truncated { .. } => "truncated",
            Self::MissingHead { .. } => "missing-head",
            Self::AnchorMismatch { .. } => "anchor-mismatch",
            Self::AnchorGone { .. } => "anchor-gone",
            Self::NotKeyed => "not-keyed",
            Self::NoLineFits => "no-line-fits",
        }
    }
}

impl std::fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}, line {}: {}", file.display(), self.line, self.kind),
            None => write!(f, "line {}: {}", self.line, self.kind),
        }
    }
}

/// Why a chain was not found whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The chain is broken.
    #[error("the chain is broken: {0}")]
    Broken(ChainBreak),
    /// The lines are hashed with a key, and none was given: nothing can be said of them.
    #[error("the lines are hashed with a key; give the key to verify them")]
    KeyNeeded,
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", file.as_ref().map_or_else(|| "the audit".to_owned(), |file| file.display().to_string()))]
    Io {
        /// The file; `None` where a reader was verified.
        file: Option<PathBuf>,
        /// Why.
        reason: std::io::Error,
    },
}
