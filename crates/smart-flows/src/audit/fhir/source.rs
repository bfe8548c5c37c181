//! Who records.

use super::codes::{SOURCE_TYPE, coding};
use serde_json::{Value, json};

/// What kind of system records (FHIR R4, code system `security-source-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SourceKind {
    /// A person's own device.
    #[default]
    UserDevice,
    /// A web server.
    WebServer,
    /// An application server.
    ApplicationServer,
}

/// Who records: the app, and the machine that it runs on. `AuditEvent.source` and the client's network address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSource {
    pub(super) app: String,
    pub(super) host: String,
    kind: SourceKind,
}

impl AuditSource {
    /// The app's name and its machine's, such as `Intake` and `ws-12.clinic.example`.
    pub fn new(app: impl Into<String>, host: impl Into<String>) -> Self {
        Self { app: app.into(), host: host.into(), kind: SourceKind::default() }
    }

    /// What kind of system it is. Default: a person's own device.
    pub fn kind(mut self, kind: SourceKind) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let (code, display) = match self.kind {
            SourceKind::UserDevice => ("1", "User Device"),
            SourceKind::WebServer => ("3", "Web Server"),
            SourceKind::ApplicationServer => ("4", "Application Server"),
        };
        json!({
            "site": self.host,
            "observer": {"display": self.app},
            "type": [coding(SOURCE_TYPE, code, display)],
        })
    }

    /// The machine as an address: 1 is a machine's name.
    pub(super) fn network(&self) -> Value {
        json!({"address": self.host, "type": "1"})
    }
}
