//! Appending to an audit file, with the lock held.

use super::files::{length_if_same, open_append, sync_folder_of};
use super::options::JsonLinesOptions;
use super::tail::{Tail, read_tail};
use crate::audit::chain::line::{Content, LONGEST_LINE, Pruned, Torn, write};
use crate::audit::chain::{Anchor, closed_files, closed_name};
use crate::audit::error::AuditError;
use crate::audit::hex;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// The open file and where its chain stands.
pub(super) struct Writer {
    file: File,
    /// How long the file was when this writer last had the lock.
    length: u64,
    /// The last line that was seen; the next follows it.
    last: Anchor,
    needs_end: bool,
    torn: Option<Torn>,
    /// Whether the last write may have left something behind.
    in_doubt: bool,
}

impl Writer {
    pub(super) fn open(options: &JsonLinesOptions) -> Result<Self, AuditError> {
        let (file, tail, last) = look(options)?;
        let Tail { length, needs_end, torn, .. } = tail;
        Ok(Self { file, length, last, needs_end, torn, in_doubt: false })
    }

    /// The last line that was seen.
    pub(super) fn last(&self) -> Anchor {
        self.last
    }

    /// Takes over what other processes have written since.
    fn catch_up(&mut self, options: &JsonLinesOptions) -> Result<(), AuditError> {
        let io = |error: std::io::Error| AuditError::io(&options.path, "it cannot be looked at", &error);
        if !self.in_doubt && length_if_same(&self.file, &options.path).map_err(io)? == Some(self.length) {
            return Ok(());
        }
        let (file, tail, last) = look(options)?;
        // Fewer lines than were seen before: somebody has cut or replaced the file. The chain goes on from what was seen,
        // so that the cut shows as a break.
        if last.sequence > self.last.sequence {
            self.last = last;
        }
        self.file = file;
        self.length = tail.length;
        self.needs_end = tail.needs_end;
        self.torn = tail.torn;
        self.in_doubt = false;
        Ok(())
    }

    /// Appends an event. Gives the point of the chain that it is.
    pub(super) fn append(&mut self, options: &JsonLinesOptions, payload: &[u8]) -> Result<Anchor, AuditError> {
        self.catch_up(options)?;
        let mut batch = Batch { octets: Vec::new(), last: self.last };
        if self.needs_end {
            batch.octets.push(b'\n');
        }
        if let Some(torn) = &self.torn {
            batch.add(options, Content::Torn, &json(torn)?)?;
        }
        let mended = batch.octets.len();
        batch.add(options, Content::Event, payload)?;
        if mended == 0 && self.is_full(options, batch.octets.len()) {
            self.close(options)?;
            let removable = removable(options);
            batch = Batch { octets: Vec::new(), last: self.last };
            for (pruned, _) in &removable {
                batch.add(options, Content::Pruned, &json(pruned)?)?;
            }
            batch.add(options, Content::Event, payload)?;
            self.write(options, &batch)?;
            for (_, path) in removable {
                // One that stays is removed the next time.
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::warn!(path = %path.display(), %error, "an old audit file could not be removed");
                }
            }
        } else {
            self.write(options, &batch)?;
        }
        Ok(self.last)
    }

    fn is_full(&self, options: &JsonLinesOptions, more: usize) -> bool {
        self.length > 0 && self.length.saturating_add(u64::try_from(more).unwrap_or(u64::MAX)) > options.largest
    }

    fn write(&mut self, options: &JsonLinesOptions, batch: &Batch) -> Result<(), AuditError> {
        if let Err(error) = self.file.write_all(&batch.octets) {
            // What was written of it is taken back; where that fails too, the next call finds it and puts it on record.
            self.in_doubt = self.file.set_len(self.length).is_err();
            return Err(AuditError::io(&options.path, "it cannot be written", &error));
        }
        self.length = self.length.saturating_add(u64::try_from(batch.octets.len()).unwrap_or(u64::MAX));
        self.last = batch.last;
        self.needs_end = false;
        self.torn = None;
        Ok(())
    }

    pub(super) fn sync(&self, options: &JsonLinesOptions) -> Result<(), AuditError> {
        self.file.sync_data().map_err(|error| AuditError::io(&options.path, "it cannot be forced to the disk", &error))
    }

    /// Closes the file under a name of its own, and begins the next.
    fn close(&mut self, options: &JsonLinesOptions) -> Result<(), AuditError> {
        let io = |error: std::io::Error| AuditError::io(&options.path, "it cannot be closed", &error);
        let closed = closed_name(&options.path, self.last.sequence);
        if closed.exists() {
            let taken = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "a closed file of its name exists");
            return Err(io(taken));
        }
        self.file.sync_all().map_err(io)?;
        std::fs::rename(&options.path, &closed).map_err(io)?;
        // From here on the old name may be missing: the next call finds the closed file and goes on after it.
        self.in_doubt = true;
        self.file = open_append(&options.path).map_err(io)?;
        sync_folder_of(&options.path).map_err(io)?;
        self.length = 0;
        self.in_doubt = false;
        Ok(())
    }
}

/// The closed files that are too many, with what the chain is to say of them. One whose end does not fit is kept: it is
/// evidence.
fn removable(options: &JsonLinesOptions) -> Vec<(Pruned, PathBuf)> {
    let Some(keep) = options.keep else { return Vec::new() };
    let closed = closed_files(&options.path).unwrap_or_default();
    let too_many = closed.len().saturating_sub(keep);
    let mut removable = Vec::new();
    for path in closed.into_iter().take(too_many) {
        let tail = File::open(&path)
            .map_err(|error| AuditError::io(&path, "it cannot be read", &error))
            .and_then(|mut file| read_tail(&mut file, &path, &options.seal));
        let Ok(Tail { last: Some(last), torn: None, needs_end: false, .. }) = tail else {
            tracing::warn!(path = %path.display(), "an old audit file does not fit its chain and is kept");
            // Without those after it there would be a hole.
            break;
        };
        removable.push((Pruned { through: last.sequence, hash: hex::encode(&last.hash) }, path));
    }
    removable
}

/// Lines that are written at once.
struct Batch {
    octets: Vec<u8>,
    last: Anchor,
}

impl Batch {
    fn add(&mut self, options: &JsonLinesOptions, content: Content, payload: &[u8]) -> Result<(), AuditError> {
        let (line, anchor) = write(&options.seal, self.last, content, payload)
            .ok_or(AuditError::TooLarge { octets: payload.len(), limit: LONGEST_LINE })?;
        self.octets.extend_from_slice(&line);
        self.last = anchor;
        Ok(())
    }
}

/// Opens the file and finds out where the chain stands: at its end, or at that of the last closed one.
fn look(options: &JsonLinesOptions) -> Result<(File, Tail, Anchor), AuditError> {
    let path = &options.path;
    let is_new = !path.exists();
    let mut file = open_append(path).map_err(|error| AuditError::io(path, "it cannot be opened", &error))?;
    if is_new {
        sync_folder_of(path).map_err(|error| AuditError::io(path, "its folder cannot be synced", &error))?;
    }
    let tail = read_tail(&mut file, path, &options.seal)?;
    if let Some(last) = tail.last {
        return Ok((file, tail, last));
    }
    let closed = closed_files(path).map_err(|error| AuditError::io(path, "its folder cannot be read", &error))?;
    let Some(newest) = closed.last() else { return Ok((file, tail, Anchor::START)) };
    let mut before = File::open(newest).map_err(|error| AuditError::io(newest, "it cannot be opened", &error))?;
    let end = read_tail(&mut before, newest, &options.seal)?;
    let broken = || AuditError::Broken { place: newest.display().to_string(), reason: "it does not end with a line" };
    let last = end.last.filter(|_| end.torn.is_none() && !end.needs_end).ok_or_else(broken)?;
    Ok((file, tail, last))
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, AuditError> {
    serde_json::to_vec(value).map_err(|error| AuditError::sink("json-lines", error))
}
