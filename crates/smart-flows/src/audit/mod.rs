//! The audit trail: every security event, to every sink, with no secret in it.
//!
//! An [`Auditor`] gives each event its id, time and number and hands it to its sinks:
//!
//! | sink | what it is for |
//! | --- | --- |
//! | [`TracingSink`] | the app's log |
//! | [`MemorySink`] | the last events, to be [searched](AuditQuery) |
//! | [`JsonLinesSink`] | a file whose lines form a chain, so that [changes show](Verifier) |
//! | [`FhirSink`] | `AuditEvent` resources of FHIR R4, by the Basic Audit Log Patterns of IHE |
//! | [`QueuedSink`] | a queue before a sink that may have to wait |
//!
//! Events have no place for text from outside. Tokens are named by [a hash](TokenId), users by one unless the app asks for
//! more, requests by [their line](RequestLine) with ids and values masked, errors by [a code](Reason). Ids of patients and
//! resources reach the export to FHIR alone, and only where the app has [opted in](FhirAudit::with_patient_references).
//!
//! ```
//! use smart_flows::audit::{AuditContext, AuditKind, AuditQuery, Auditor, MemorySink, Severity, TokenId, TracingSink};
//! use smart_flows::{SystemClock, SystemRandom};
//! use std::sync::Arc;
//!
//! let kept = MemorySink::new();
//! let auditor = Auditor::builder(Arc::new(SystemClock), Arc::new(SystemRandom::new()))
//!     .sink(TracingSink)
//!     .sink(kept.clone())
//!     .build();
//!
//! # let base = smart_core::fhir_base::FhirBaseUrl::parse("https://ehr.example/r4")?;
//! # let token = smart_core::secret::AccessToken::new("secret");
//! let context = AuditContext::new().fhir_base(&base).client(&"my-app".into()).user("https://ehr.example", "dr-lee");
//! auditor.record(context.entry(AuditKind::TokenIssued).token(TokenId::access(&token)))?;
//!
//! let of_lee = AuditQuery::new().user(auditor.user("https://ehr.example", "dr-lee")).at_least(Severity::Info);
//! assert_eq!(kept.query(&of_lee).len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auditor;
mod chain;
mod error;
mod event;
mod fhir;
pub(crate) mod hex;
mod jsonl;
pub(crate) mod key;
mod sink;
mod sinks;

pub use auditor::{AuditPolicy, Auditor, AuditorBuilder};
pub use chain::{Anchor, AnchorError, BreakKind, ChainBreak, ChainReport, Verifier, VerifyError, closed_files, verify};
pub use error::AuditError;
pub use event::{
    AuditContext, AuditEndpoint, AuditEntry, AuditEvent, AuditKind, AuditUser, EndpointRole, EventId, Finding,
    LaunchKind, Outcome, Reason, RecordedScopes, RequestLine, RestInteraction, SessionHandle, Severity, StoreKind,
    TokenId, TokenKind, Verb,
};
pub use fhir::{AuditSource, FhirAudit, FhirAuditEvent, FhirAuditReceiver, FhirSink, SourceKind};
pub use jsonl::{JsonLinesOptions, JsonLinesSink, StoredEvent, SyncPolicy, query_files};
pub use key::AuditKey;
pub use sink::AuditSink;
pub use sinks::{AuditQuery, MemorySink, QueuedSink, TracingSink};
