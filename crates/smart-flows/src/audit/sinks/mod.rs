//! Sinks that need no more than memory.

mod memory_sink;
pub(crate) mod query;
mod queued_sink;
mod tracing_sink;

pub use memory_sink::MemorySink;
pub use query::AuditQuery;
pub use queued_sink::QueuedSink;
pub use tracing_sink::TracingSink;
