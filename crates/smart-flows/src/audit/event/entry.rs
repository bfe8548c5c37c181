//! An event that is about to be recorded.

use super::context::AuditContext;
use super::finding::Finding;
use super::kind::AuditKind;
use super::names::TokenId;
use super::place::{AuditEndpoint, EndpointRole, LaunchKind, StoreKind};
use super::reason::Reason;
use super::request_line::RequestLine;
use super::scopes::RecordedScopes;
use super::severity::{Outcome, Severity};
use smart_core::scope::Scopes;
use url::Url;

/// An event that is about to be recorded: what happened, without time and number. There is no place in it for text from
/// outside.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    pub(super) kind: AuditKind,
    pub(super) context: AuditContext,
    pub(super) details: Details,
}

/// What only this event has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) failed: bool,
    pub(super) reason: Option<Reason>,
    pub(super) launch: Option<LaunchKind>,
    pub(super) token: Option<TokenId>,
    pub(super) scopes: Option<RecordedScopes>,
    pub(super) endpoint: Option<AuditEndpoint>,
    pub(super) request: Option<RequestLine>,
    pub(super) status: Option<u16>,
    pub(super) store: Option<StoreKind>,
}

impl AuditEntry {
    /// An event of which neither client nor server are known, such as a wrong configuration. Usually
    /// [`AuditContext::entry`] is what is wanted.
    pub fn new(kind: AuditKind) -> Self {
        Self::in_context(AuditContext::new(), kind)
    }

    pub(super) fn in_context(context: AuditContext, kind: AuditKind) -> Self {
        Self { kind, context, details: Details::default() }
    }

    /// It did not succeed, and why. An event that would be information becomes a warning.
    pub fn failed(mut self, reason: Reason) -> Self {
        self.details.failed = true;
        self.reason(reason)
    }

    /// Why it happened, for kinds that are failures already, and for ends of sessions.
    pub fn reason(mut self, reason: Reason) -> Self {
        self.details.reason = Some(reason);
        self
    }

    /// What an error is: its kind takes the place of this entry's.
    pub fn found(mut self, finding: impl Into<Finding>) -> Self {
        let finding = finding.into();
        self.kind = finding.kind;
        self.failed(finding.reason)
    }

    /// The kind of launch.
    pub fn launch(mut self, launch: LaunchKind) -> Self {
        self.details.launch = Some(launch);
        self
    }

    /// The token that it is about, or that was used.
    pub fn token(mut self, token: TokenId) -> Self {
        self.details.token = Some(token);
        self
    }

    /// The scopes that were granted.
    pub fn scopes(mut self, scopes: &Scopes) -> Self {
        self.details.scopes = Some(RecordedScopes::of(scopes));
        self
    }

    /// The endpoint that was asked.
    pub fn endpoint(mut self, role: EndpointRole, url: &Url) -> Self {
        self.details.endpoint = Some(AuditEndpoint::new(role, url));
        self
    }

    /// For which request a token was used. [`RequestLine::kind`] gives the kind of such an event.
    pub fn request(mut self, request: RequestLine) -> Self {
        self.details.request = Some(request);
        self
    }

    /// The HTTP status of the answer. One from 400 on is a failure.
    pub fn status(mut self, status: u16) -> Self {
        self.details.status = Some(status);
        if status >= 400 {
            self.details.failed = true;
            self.details.reason.get_or_insert(Reason::STATUS);
        }
        self
    }

    /// The kind of store.
    pub fn store(mut self, store: StoreKind) -> Self {
        self.details.store = Some(store);
        self
    }

    /// What happened.
    pub fn kind(&self) -> AuditKind {
        self.kind
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        if self.details.failed { Outcome::Failure } else { self.kind.outcome() }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        let least = if self.details.failed { Severity::Warning } else { Severity::Info };
        self.kind.severity().max(least)
    }
}
