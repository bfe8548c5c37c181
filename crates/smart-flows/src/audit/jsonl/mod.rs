//! Events in files of JSON lines.

mod files;
mod lock;
mod options;
mod sink;
mod stored;
mod tail;
mod writer;

pub(super) use files::private;
pub use options::{JsonLinesOptions, SyncPolicy};
pub use sink::JsonLinesSink;
pub use stored::{StoredEvent, query_files};
