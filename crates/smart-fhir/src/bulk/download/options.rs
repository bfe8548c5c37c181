//! How files are downloaded, and what is told meanwhile.

use super::super::ExportStatus;
use super::report::FileReport;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How the files of an export are downloaded.
#[derive(Clone)]
#[must_use]
pub struct DownloadOptions {
    pub(super) parallel: usize,
    pub(super) max_line: usize,
    pub(super) max_file: u64,
    pub(super) gzip: bool,
    pub(super) checkpoint: u64,
    pub(super) bad_lines: bool,
    pub(super) delete_when_done: bool,
    pub(super) journal: Option<PathBuf>,
    pub(super) tell: Arc<dyn Fn(&DownloadEvent<'_>) + Send + Sync>,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            parallel: 4,
            max_line: 64 * 1024 * 1024,
            max_file: 1 << 40,
            gzip: true,
            checkpoint: 32 * 1024 * 1024,
            bad_lines: false,
            delete_when_done: false,
            journal: None,
            tell: Arc::new(|_| {}),
        }
    }
}

impl DownloadOptions {
    /// How many files are downloaded at once; 4 by default, 64 at most.
    pub fn parallel(self, files: usize) -> Self {
        Self { parallel: files.clamp(1, 64), ..self }
    }

    /// How long a line may be, in octets; 64 MiB by default. Each file that is under way may need so much memory.
    pub fn max_line(self, octets: usize) -> Self {
        Self { max_line: octets, ..self }
    }

    /// How large a file may be, in octets and not compressed; 1 TiB by default.
    pub fn max_file(self, octets: u64) -> Self {
        Self { max_file: octets, ..self }
    }

    /// Whether files may come compressed, which they do by default where the server does that. A compressed file cannot be
    /// gone on with from its middle: after a break it comes from its start.
    pub fn gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// How many octets of a file may have to be downloaded again after a crash; 32 MiB by default. So often what is there is
    /// flushed to the disk and noted down.
    pub fn checkpoint_every(self, octets: u64) -> Self {
        Self { checkpoint: octets, ..self }
    }

    /// Whether lines that are no resources are kept and reported. By default the first of them is an error.
    pub fn keep_bad_lines(self, keep: bool) -> Self {
        Self { bad_lines: keep, ..self }
    }

    /// Whether the server is told that the files are not needed any more once all are there (Bulk Data, delete request). That
    /// it does not take it is no error.
    pub fn delete_when_done(self, delete: bool) -> Self {
        Self { delete_when_done: delete, ..self }
    }

    /// Where the journal is. By default in the folder `.smart-export` of the destination; it has to be named where that is an
    /// object store.
    pub fn journal(self, path: impl Into<PathBuf>) -> Self {
        Self { journal: Some(path.into()), ..self }
    }

    /// Is told what happens, from whichever thread it happens on. It must not block.
    pub fn on_event(self, tell: impl Fn(&DownloadEvent<'_>) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), ..self }
    }
}

impl fmt::Debug for DownloadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadOptions")
            .field("parallel", &self.parallel)
            .field("max_line", &self.max_line)
            .field("max_file", &self.max_file)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

/// What happens while an export is waited for and downloaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum DownloadEvent<'a> {
    /// The server was asked how the export stands.
    Polled {
        /// How it stands. None when there was no answer.
        status: Option<&'a ExportStatus>,
        /// How long it is until the next time.
        wait: Duration,
    },
    /// The server is done: these are the files.
    Listed {
        /// The names that the files get here, with the number of resources that they should have.
        files: &'a [(String, Option<u64>)],
    },
    /// A file is under way.
    Began {
        /// Its place in the list.
        file: usize,
        /// How many octets of it are there already.
        from: u64,
        /// How many octets come, where the server says it and sends them as they are.
        announced: Option<u64>,
    },
    /// A file has come further.
    Advanced {
        /// Its place in the list.
        file: usize,
        /// How many octets of it are there.
        octets: u64,
    },
    /// A file is asked for again after a wait.
    Retrying {
        /// Its place in the list.
        file: usize,
        /// How long the wait is.
        wait: Duration,
    },
    /// The links of the files had expired; there are new ones.
    LinksRenewed,
    /// A file is whole.
    Finished {
        /// Its place in the list.
        file: usize,
        /// What it is.
        report: &'a FileReport,
    },
}
