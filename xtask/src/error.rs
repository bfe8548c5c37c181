//! What can go wrong in a task.

use std::path::{Path, PathBuf};

/// Why a task could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A file or directory could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// Which one.
        program: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A program said no.
    #[error("{command} failed")]
    Failed {
        /// The whole command.
        command: String,
    },
    /// Something is not as it should be; the text says what, and what to do.
    #[error("{0}")]
    Invalid(String),
}

impl TaskError {
    /// For `map_err` on file operations.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
