//! What is looked at while a file passes by: digest, size, lines, types.

use super::super::ndjson::type_of_line;
use super::super::{FileKind, LineError, NdjsonSplitter};
use super::report::bad_lines;
use crate::OperationOutcome;
use ring::digest::{Context, SHA256};
use smart_core::json::parse_object;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many different types or issues of one file are counted by name.
const MAX_NAMES: usize = 500;

pub(super) struct Pipeline {
    digest: Context,
    octets: u64,
    splitter: NdjsonSplitter,
    kind: FileKind,
    lines: u64,
    types: BTreeMap<String, u64>,
    issues: BTreeMap<String, u64>,
    bad: u64,
    first_bad: Option<LineError>,
}

/// What it came to.
pub(super) struct Summary {
    pub(super) octets: u64,
    pub(super) sha256: String,
    pub(super) lines: u64,
    pub(super) types: BTreeMap<String, u64>,
    pub(super) issues: BTreeMap<String, u64>,
    pub(super) bad_lines: Option<String>,
}

impl Pipeline {
    pub(super) fn new(kind: FileKind, max_line: usize) -> Self {
        Self {
            digest: Context::new(&SHA256),
            octets: 0,
            splitter: NdjsonSplitter::new(max_line),
            kind,
            lines: 0,
            types: BTreeMap::new(),
            issues: BTreeMap::new(),
            bad: 0,
            first_bad: None,
        }
    }

    /// Takes the next octets.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.digest.update(octets);
        self.octets = self.octets.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        let mut splitter = std::mem::replace(&mut self.splitter, NdjsonSplitter::new(0));
        splitter.push(octets, |line| self.line(line));
        self.splitter = splitter;
    }

    /// How many octets have passed.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// The digest of what has passed.
    pub(super) fn digest(&self) -> String {
        hex(self.digest.clone().finish().as_ref())
    }

    /// The first line that is no resource.
    pub(super) fn first_bad_line(&self) -> Option<LineError> {
        self.first_bad
    }

    /// Tells that nothing more comes.
    pub(super) fn finish(&mut self) -> Summary {
        let mut splitter = std::mem::replace(&mut self.splitter, NdjsonSplitter::new(0));
        splitter.finish(|line| self.line(line));
        Summary {
            octets: self.octets,
            sha256: self.digest(),
            lines: self.lines,
            types: std::mem::take(&mut self.types),
            issues: std::mem::take(&mut self.issues),
            bad_lines: bad_lines(self.first_bad.as_slice(), self.bad),
        }
    }

    fn line(&mut self, line: Result<(u64, &[u8]), LineError>) {
        let read = line.and_then(|(number, text)| match type_of_line(text) {
            Ok(name) => Ok((name, text)),
            Err(fault) => Err(LineError { line: number, fault }),
        });
        match read {
            Ok((name, text)) => {
                self.lines += 1;
                count(&mut self.types, &name);
                if self.kind == FileKind::Error && name == "OperationOutcome" {
                    self.issues_of(text);
                }
            }
            Err(error) => {
                self.bad += 1;
                self.first_bad.get_or_insert(error);
            }
        }
    }

    /// Issues are counted by their codes; the server's texts may hold health data and stay in the file.
    fn issues_of(&mut self, line: &[u8]) {
        let outcome = parse_object(line).ok().and_then(|resource| OperationOutcome::from_resource(&resource));
        for issue in outcome.iter().flat_map(OperationOutcome::issues) {
            count(&mut self.issues, &format!("{} {}", issue.severity(), issue.code()));
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(number) = counts.get_mut(name) {
        *number += 1;
        return;
    }
    // What is no name of a type is the server's own text.
    let shown = if counts.len() < MAX_NAMES { smart_core::untrusted::shown(name, 64) } else { "(others)".to_owned() };
    *counts.entry(shown).or_default() += 1;
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
