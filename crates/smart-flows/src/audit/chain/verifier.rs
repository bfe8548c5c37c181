//! Finding the first break of a chain.

use super::anchor::Anchor;
use super::files::{closed_files, order};
use super::lines::Lines;
use super::report::{ChainBreak, ChainReport, VerifyError};
use super::seal::Seal;
use super::walk::{Expected, Stop, Walk};
use crate::audit::key::AuditKey;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How much of a file is read at a time.
const BUFFER: usize = 128 << 10;

/// Finds the first break of a chain of audit lines, in memory that does not grow with it.
///
/// Without a key the hashes show changes by accident and by who does not know how they are made; with a key, those by
/// everybody who does not have it. A cut-off end shows only against an [anchor](Self::with_anchor) that was kept elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Verifier(Expected);

impl Verifier {
    /// For lines that are hashed without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// For lines that are hashed with this key. Lines without one are then a break.
    pub fn with_key(mut self, key: AuditKey) -> Self {
        self.0.seal = Seal::Keyed(key);
        self
    }

    /// The chain has to have this point in it. There may be several. One for the line before the first shows that nothing is
    /// missing at the beginning.
    pub fn with_anchor(mut self, anchor: Anchor) -> Self {
        self.0.anchors.push(anchor);
        self
    }

    /// The chain may begin with any line. Without this it has to begin with the first, or to say itself that earlier files
    /// were removed because there were too many.
    pub fn from_any_line(mut self) -> Self {
        self.0.any_start = true;
        self
    }

    /// Verifies what is read.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, reader: impl BufRead) -> Result<ChainReport, VerifyError> {
        let stopped = |stop| stopped(stop, &[]);
        let mut walk = Walk::new(&self.0);
        go_along(&mut walk, reader, None)?.map_err(stopped)?;
        walk.finish().map_err(stopped)
    }

    /// Verifies an audit file together with those that were closed before it.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify_file(&self, path: impl AsRef<Path>) -> Result<ChainReport, VerifyError> {
        let path = path.as_ref();
        let mut files = closed_files(path).map_err(|reason| unreadable(path, reason))?;
        // It may be missing just now: closed, and the next one not yet begun.
        if files.is_empty() || path.exists() {
            files.push(path.to_owned());
        }
        self.verify_in_order(&files)
    }

    /// Verifies files of one chain, given in any order.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify_files(&self, files: &[PathBuf]) -> Result<ChainReport, VerifyError> {
        let mut numbered = Vec::with_capacity(files.len());
        for file in files {
            let number = order(file).map_err(|reason| unreadable(file, reason))?;
            numbered.push((number.unwrap_or(u64::MAX), file.clone()));
        }
        numbered.sort_by_key(|(number, _)| *number);
        let files: Vec<_> = numbered.into_iter().map(|(_, file)| file).collect();
        self.verify_in_order(&files)
    }

    fn verify_in_order(&self, files: &[PathBuf]) -> Result<ChainReport, VerifyError> {
        let mut walk = Walk::new(&self.0);
        for (at, path) in files.iter().enumerate() {
            walk.next_file(at).map_err(|stop| stopped(stop, files))?;
            let file = File::open(path).map_err(|reason| unreadable(path, reason))?;
            let reader = BufReader::with_capacity(BUFFER, file);
            go_along(&mut walk, reader, Some(path))?.map_err(|stop| stopped(stop, files))?;
        }
        walk.finish().map_err(|stop| stopped(stop, files))
    }
}

/// Verifies a chain: with `key` where its lines are hashed with one. [`Verifier`] has more to choose.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(reader: impl BufRead, key: Option<&AuditKey>) -> Result<ChainReport, VerifyError> {
    let verifier = Verifier::new();
    match key {
        Some(key) => verifier.with_key(key.clone()).verify(reader),
        None => verifier.verify(reader),
    }
}

fn go_along(walk: &mut Walk<'_>, reader: impl BufRead, file: Option<&Path>) -> Result<Result<(), Stop>, VerifyError> {
    let mut lines = Lines::new(reader);
    loop {
        match lines.next() {
            Ok(Some(piece)) => {
                if let Err(stop) = walk.step(piece) {
                    return Ok(Err(stop));
                }
            }
            Ok(None) => return Ok(Ok(())),
            Err(reason) => return Err(VerifyError::Io { file: file.map(Path::to_owned), reason }),
        }
    }
}

fn stopped(stop: Stop, files: &[PathBuf]) -> VerifyError {
    match stop {
        Stop::KeyNeeded => VerifyError::KeyNeeded,
        Stop::Broken(place, kind) => {
            VerifyError::Broken(ChainBreak { file: files.get(place.file).cloned(), line: place.line, kind })
        }
    }
}

fn unreadable(file: &Path, reason: std::io::Error) -> VerifyError {
    VerifyError::Io { file: Some(file.to_owned()), reason }
}
