//! Events as `AuditEvent` resources of FHIR R4.

mod agents;
mod codes;
mod entities;
mod export;
mod sink;
mod source;

pub use export::{FhirAudit, FhirAuditEvent};
pub use sink::{FhirAuditReceiver, FhirSink};
pub use source::{AuditSource, SourceKind};
