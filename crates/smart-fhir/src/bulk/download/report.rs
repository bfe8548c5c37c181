//! What came of a download.

use super::super::{FhirInstant, FileKind, LineError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileReport {
    /// Its name in the folder, or below the URL.
    pub name: String,
    /// What it holds.
    pub kind: FileKind,
    /// The resource type that the manifest gives it.
    pub resource_type: Option<String>,
    /// Its size in octets, not compressed.
    pub octets: u64,
    /// How many lines with resources it has.
    pub lines: u64,
    /// The SHA-256 digest of its octets, in hexadecimal digits.
    pub sha256: String,
    /// How many resources of which type it has.
    pub types: BTreeMap<String, u64>,
    /// For files of [`FileKind::Error`]: how often each severity and code of an issue comes, such as `error not-found`.
    #[serde(default)]
    pub issues: BTreeMap<String, u64>,
    /// What does not agree with the manifest, for people to read.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The file that goes on where this one ends within a block.
    #[serde(default)]
    pub continues_in: Option<String>,
}

/// What came of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DownloadReport {
    /// The FHIR base.
    pub server: String,
    /// The server's time of the export: the `_since` of the next one.
    pub transaction_time: FhirInstant,
    /// The resource type that the output is organised by.
    pub organized_by: Option<String>,
    /// All files, in the order of the manifest.
    pub files: Vec<FileReport>,
    /// Whether filters were asked for. A server may have passed them over without a word: look at what came
    /// (requirement BK-10).
    pub filters_asked_for: bool,
}

impl DownloadReport {
    /// The files of one kind.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &FileReport> {
        self.files.iter().filter(move |file| file.kind == kind)
    }

    /// How many resources came.
    pub fn resources(&self) -> u64 {
        self.of_kind(FileKind::Output).map(|file| file.lines).sum()
    }

    /// How large all files are together, in octets.
    pub fn octets(&self) -> u64 {
        self.files.iter().map(|file| file.octets).sum()
    }

    /// Whether the server told of errors: then the export is a part of what was asked for (requirement BK-28).
    pub fn is_partial(&self) -> bool {
        let is_grave = |issue: &String| issue.starts_with("error ") || issue.starts_with("fatal ");
        self.of_kind(FileKind::Error).any(|file| file.issues.keys().any(is_grave))
    }
}

/// What is wrong with the lines of a file that was kept nevertheless.
pub(super) fn bad_lines(errors: &[LineError], count: u64) -> Option<String> {
    let first = errors.first()?;
    Some(format!("{count} lines are no resources; the first is {first}"))
}
