//! Where what a server registered is not what was asked for.

use super::metadata::MEMBERS;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Members whose order says nothing.
const SETS: [&str; 4] = ["redirect_uris", "grant_types", "response_types", "contacts"];

/// Members that a login depends on.
const GRAVE: [&str; 7] =
    ["redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types", "scope", "jwks_uri", "jwks"];

/// One member that the server registered otherwise than it was asked to. RFC 7591, section 3.2.1 lets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The member.
    pub member: String,
    /// What was asked for.
    pub asked: Option<Value>,
    /// What the server says is registered. Untrusted.
    pub registered: Option<Value>,
}

/// How a member differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It was asked for, and the server does not say what it registered. It is taken as asked.
    NotRepeated,
    /// The server registered another value.
    Replaced,
    /// It was not asked for.
    Added,
}

impl Difference {
    /// How it differs.
    pub fn kind(&self) -> DifferenceKind {
        match (&self.asked, &self.registered) {
            (Some(_), None) => DifferenceKind::NotRepeated,
            (Some(_), Some(_)) => DifferenceKind::Replaced,
            (None, _) => DifferenceKind::Added,
        }
    }

    /// Whether a login depends on it: another value of a redirect URI, grant, scope, key or way of authentication. Look
    /// at these before the client is used.
    pub fn is_grave(&self) -> bool {
        self.kind() == DifferenceKind::Replaced && GRAVE.contains(&self.member.as_str())
    }
}

/// Compares two documents of metadata. Members that neither this crate nor the one who asked knows are left out: a
/// server may add what it likes.
pub(super) fn differences(asked: &Map<String, Value>, registered: &Map<String, Value>) -> Vec<Difference> {
    let names = MEMBERS.into_iter().map(str::to_owned);
    let others = asked.keys().filter(|name| !MEMBERS.contains(&name.as_str())).cloned();
    names
        .chain(others)
        .filter_map(|member| {
            let (asked, registered) = (present(asked, &member), present(registered, &member));
            let same = match (asked, registered) {
                (Some(asked), Some(registered)) => is_same(&member, asked, registered),
                (None, None) => true,
                _ => false,
            };
            (!same).then(|| Difference { asked: asked.cloned(), registered: registered.cloned(), member })
        })
        .collect()
}

/// A member that is `null` or empty is an absent one; but no response types are another thing than silence about them.
fn present<'a>(object: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    object.get(member).filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty() || member == "response_types",
        _ => true,
    })
}

fn is_same(member: &str, asked: &Value, registered: &Value) -> bool {
    match (asked, registered) {
        (Value::Array(asked), Value::Array(registered)) if SETS.contains(&member) => {
            let texts = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            texts(asked) == texts(registered)
        }
        (Value::String(asked), Value::String(registered)) if member == "scope" => {
            let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
            words(asked) == words(registered)
        }
        _ => asked == registered,
    }
}
