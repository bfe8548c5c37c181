//! Reading events back from files.

use crate::audit::chain::line::{Content, Line};
use crate::audit::chain::{Lines, Piece, closed_files};
use crate::audit::error::AuditError;
use crate::audit::event::{AuditKind, Outcome, Severity, rfc3339};
use crate::audit::sinks::AuditQuery;
use crate::audit::sinks::query::Parts;
use serde_json::{Map, Value};
use smart_core::time::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// An event as it stands in a file. It is as good as the file: [verify](crate::audit::Verifier) that first.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    time: Timestamp,
    members: Map<String, Value>,
}

impl StoredEvent {
    fn read(json: &[u8]) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(json).ok()?;
        let time = members.get("time").and_then(Value::as_str).and_then(rfc3339::parse)?;
        Some(Self { time, members })
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What happened; `None` for a kind of a later version.
    pub fn kind(&self) -> Option<AuditKind> {
        self.text("kind").and_then(AuditKind::from_name)
    }

    /// How much it matters.
    pub fn severity(&self) -> Option<Severity> {
        self.text("severity").and_then(Severity::from_name)
    }

    /// How it ended.
    pub fn outcome(&self) -> Option<Outcome> {
        self.text("outcome").and_then(Outcome::from_name)
    }

    /// The issuer and the name of the user.
    pub fn user(&self) -> Option<(&str, &str)> {
        let user = self.members.get("user")?;
        Some((user.get("issuer")?.as_str()?, user.get("name")?.as_str()?))
    }

    /// All members, as they are described for [`AuditEvent`](crate::audit::AuditEvent).
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            time: self.time,
            kind: self.kind(),
            severity: self.severity(),
            session: self.text("session"),
            user: self.user(),
        }
    }
}

/// The events that are looked for in an audit file and those that were closed before it, the oldest first. What is no
/// event is passed over.
///
/// Without a [limit](AuditQuery::limit) all that match are held in memory.
///
/// # Errors
/// [`AuditError::Io`].
pub fn query_files(path: impl AsRef<Path>, query: &AuditQuery) -> Result<Vec<StoredEvent>, AuditError> {
    let path = path.as_ref();
    let io = |error: std::io::Error| AuditError::io(path, "it cannot be read", &error);
    let mut files = closed_files(path).map_err(io)?;
    if files.is_empty() || path.exists() {
        files.push(path.to_owned());
    }
    let mut found = VecDeque::new();
    for file in files {
        let mut lines = Lines::new(BufReader::new(File::open(&file).map_err(io)?));
        while let Some(piece) = lines.next().map_err(io)? {
            let Piece::Ended(octets) = piece else { continue };
            let line = octets.strip_suffix(b"\n").and_then(Line::read).filter(|line| line.content == Content::Event);
            let event = line.and_then(|line| StoredEvent::read(line.payload));
            if let Some(event) = event.filter(|event| query.matches_parts(&event.parts())) {
                found.push_back(event);
                if found.len() > query.most() {
                    found.pop_front();
                }
            }
        }
    }
    Ok(found.into())
}
