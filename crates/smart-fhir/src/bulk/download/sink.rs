//! Where the octets of one file go while it is under way.

use super::super::BulkError;
use super::destination::Place;
use super::folder::{Folder, read_beginning};
use super::journal::Checkpoint;
use super::pipeline::Pipeline;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};

/// A file that is under way.
pub(super) enum Sink {
    Disk {
        folder: Folder,
        file: File,
    },
    #[cfg(feature = "object-store")]
    Object(super::objects::Upload),
}

impl Sink {
    /// Begins a file, or goes on from a checkpoint: what is on the disk has passed through `pipeline` then. It blocks.
    pub(super) fn open(
        place: &Place,
        name: &str,
        checkpoint: Option<&Checkpoint>,
        pipeline: impl Fn() -> Pipeline,
    ) -> Result<(Self, Pipeline), BulkError> {
        match place {
            Place::Folder(folder) => {
                let mut file = folder.open_part(name)?;
                let failed = |error: std::io::Error| folder.failed(&error);
                if let Some(checkpoint) = checkpoint {
                    let mut read = pipeline();
                    let is_there =
                        read_beginning(&mut file, checkpoint.octets, |octets| read.push(octets)).map_err(failed)?;
                    // What the disk has is believed by its digest, not by its length.
                    if is_there && read.digest() == checkpoint.sha256 {
                        file.set_len(checkpoint.octets).map_err(failed)?;
                        file.seek(SeekFrom::End(0)).map_err(failed)?;
                        return Ok((Self::Disk { folder: folder.clone(), file }, read));
                    }
                }
                file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
                Ok((Self::Disk { folder: folder.clone(), file }, pipeline()))
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => Ok((Self::Object(objects.begin(name)), pipeline())),
        }
    }

    /// Takes the next octets. It blocks.
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), BulkError> {
        match self {
            Self::Disk { folder, file } => file.write_all(octets).map_err(|error| folder.failed(&error)),
            #[cfg(feature = "object-store")]
            Self::Object(upload) => {
                upload.buffer.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    /// Whether what is flushed to the disk can be gone on with after a crash.
    pub(super) fn can_checkpoint(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }

    /// Flushes to the disk. It blocks.
    pub(super) fn sync(&mut self) -> Result<(), BulkError> {
        match self {
            Self::Disk { folder, file } => file.sync_data().map_err(|error| folder.failed(&error)),
            #[cfg(feature = "object-store")]
            Self::Object(_) => Ok(()),
        }
    }

    /// Sends on what is held in memory.
    #[cfg_attr(not(feature = "object-store"), expect(clippy::unused_async, reason = "object stores wait here"))]
    pub(super) async fn flush(&mut self) -> Result<(), BulkError> {
        match self {
            Self::Disk { .. } => Ok(()),
            #[cfg(feature = "object-store")]
            Self::Object(upload) => upload.flush().await,
        }
    }

    /// Takes back what was begun.
    #[cfg_attr(not(feature = "object-store"), expect(clippy::unused_async, reason = "object stores wait here"))]
    pub(super) async fn discard(self) {
        match self {
            Self::Disk { .. } => {}
            #[cfg(feature = "object-store")]
            Self::Object(upload) => upload.abort().await,
        }
    }
}
