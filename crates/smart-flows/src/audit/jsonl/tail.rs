//! The end of an audit file: where its chain stands.

use crate::audit::chain::Anchor;
use crate::audit::chain::line::{HEAD, LONGEST_LINE, Line, Torn};
use crate::audit::chain::seal::Seal;
use crate::audit::error::AuditError;
use crate::audit::hex;
use crate::audit::key::digest;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the end is read first: some lines of usual length.
const USUAL_WINDOW: u64 = 8 << 10;
/// How much is read at most: the longest line, and what killed writers may have left behind it.
const WINDOW: u64 = 4 * (LONGEST_LINE as u64 + 1);

/// Where a file's chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last line; `None` in a file that has none.
    pub(super) last: Option<Anchor>,
    /// The length of the file in octets.
    pub(super) length: u64,
    /// Whether a line end has to be written before anything else.
    pub(super) needs_end: bool,
    /// What lies behind the last line and is none, with the line end that it gets.
    pub(super) torn: Option<Torn>,
}

/// Reads the end of a file: a little of it where that will do.
pub(super) fn read_tail(file: &mut File, path: &Path, seal: &Seal) -> Result<Tail, AuditError> {
    match read_window(file, path, seal, USUAL_WINDOW)? {
        Some(tail) => Ok(tail),
        None => read_window(file, path, seal, WINDOW)?.ok_or_else(|| broken(path, NO_LINE)),
    }
}

const NO_LINE: &str = "its end is no audit line";

fn broken(path: &Path, reason: &'static str) -> AuditError {
    AuditError::Broken { place: path.display().to_string(), reason }
}

/// The same by its last octets; `None`: there is no line in them.
fn read_window(file: &mut File, path: &Path, seal: &Seal, size: u64) -> Result<Option<Tail>, AuditError> {
    let io = |error: std::io::Error| AuditError::io(path, "its end cannot be read", &error);
    let length = file.metadata().map_err(io)?.len();
    let start = length.saturating_sub(size);
    file.seek(SeekFrom::Start(start)).map_err(io)?;
    let mut window = Vec::new();
    // No more than was there: under the lock nobody writes, but for who does not heed it.
    file.by_ref().take(length - start).read_to_end(&mut window).map_err(io)?;
    let mut all: &[u8] = &window;
    if start > 0 {
        // The window may begin within a line.
        let Some(first) = all.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        all = all.get(first + 1..).unwrap_or_default();
    }
    let mut junk_from = all.len();
    let mut last = None;
    for line in all.split_inclusive(|byte| *byte == b'\n').rev() {
        let octets = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(read) = Line::read(octets) {
            if !read.fits(seal) {
                return Err(broken(path, "its last line does not fit the chain or the key"));
            }
            last = Some(read.anchor());
            break;
        }
        if !may_be_torn(octets) {
            return Err(broken(path, NO_LINE));
        }
        junk_from = junk_from.saturating_sub(line.len());
    }
    if last.is_none() && start > 0 {
        return Ok(None);
    }
    let needs_end = !all.is_empty() && !all.ends_with(b"\n");
    let junk = all.get(junk_from..).unwrap_or_default();
    let torn = (!junk.is_empty()).then(|| {
        let end: &[u8] = if needs_end { b"\n" } else { b"" };
        let octets = u64::try_from(junk.len() + end.len()).unwrap_or(u64::MAX);
        Torn { octets, sha256: hex::encode(&digest(&[junk, end])) }
    });
    Ok(Some(Tail { last, length, needs_end, torn }))
}

/// Whether a killed writer or a power cut may have left this: it begins as every line does, or the disk never got it.
/// Anything else is another file's, or was put there.
fn may_be_torn(octets: &[u8]) -> bool {
    octets.starts_with(HEAD) || HEAD.starts_with(octets) || octets.iter().all(|byte| *byte == 0)
}
