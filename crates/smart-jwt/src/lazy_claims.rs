//! The claims of a token that was validated, built when somebody asks for all of them.

use serde_json::{Map, Value};
use smart_core::json::parse_object;
use std::sync::OnceLock;

/// A payload that was scanned, so that it is known to be a JSON object.
#[derive(Clone)]
pub(crate) struct LazyClaims {
    payload: Vec<u8>,
    members: OnceLock<Map<String, Value>>,
}

impl LazyClaims {
    pub(crate) fn new(payload: Vec<u8>) -> Self {
        Self { payload, members: OnceLock::new() }
    }

    /// All of them. What was scanned can be parsed; a property test holds both readers together.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        self.members.get_or_init(|| parse_object(&self.payload).unwrap_or_default())
    }
}

impl PartialEq for LazyClaims {
    fn eq(&self, other: &Self) -> bool {
        self.payload == other.payload
    }
}

impl Eq for LazyClaims {}
