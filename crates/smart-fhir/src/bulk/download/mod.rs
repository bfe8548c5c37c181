//! Downloads of an export's files, to a folder or an object store, that survive the end of the program at any point.
//!
//! A journal beside the files notes down what is done: lines with checksums, each on the disk before it counts. After a crash
//! [`resume`] goes on where it ended: files that are whole stay, a file that was under way goes on from its last checkpoint
//! where the server allows that, else from its start. Nothing is lost and nothing is there twice.

mod destination;
mod engine;
mod folder;
mod journal;
mod listing;
#[cfg(feature = "object-store")]
mod objects;
mod options;
mod pipeline;
mod report;
mod sink;
mod transfer;

pub use destination::Destination;
pub use engine::resume;
pub use options::{DownloadEvent, DownloadOptions};
pub use report::{DownloadReport, FileReport};
