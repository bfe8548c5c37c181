//! What is recorded.

mod context;
mod entry;
mod event_id;
mod finding;
mod hidden;
mod kind;
mod named_patient;
mod names;
mod place;
mod reason;
mod record;
mod request_line;
mod request_path;
mod request_query;
pub(crate) mod rfc3339;
mod scopes;
mod severity;
mod shape;

pub use context::AuditContext;
pub use entry::AuditEntry;
pub use event_id::EventId;
pub use finding::Finding;
pub use kind::AuditKind;
pub(crate) use names::UserNaming;
pub use names::{AuditUser, SessionHandle, TokenId, TokenKind};
pub use place::{AuditEndpoint, EndpointRole, LaunchKind, StoreKind};
pub use reason::Reason;
pub use record::AuditEvent;
pub use request_line::{RequestLine, RestInteraction, Verb};
pub use scopes::RecordedScopes;
pub use severity::{Outcome, Severity};
