//! The claims of a token that was validated: as they came, and built when somebody asks for all of them.

use serde_json::{Map, Value};
use smart_core::json::parse_object;
use std::ops::Range;
use std::sync::OnceLock;

/// A payload that was scanned, so that it is known to be a JSON object.
#[derive(Clone)]
pub(crate) struct Payload {
    text: String,
    members: OnceLock<Map<String, Value>>,
}

/// A text of a payload: where it stands there, or itself, where it was written with escapes. Copying each would take
/// longer than checking it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    At(Range<usize>),
    Itself(Box<str>),
}

impl Payload {
    pub(crate) fn new(text: String) -> Self {
        Self { text, members: OnceLock::new() }
    }

    /// A text that was kept of this payload.
    pub(crate) fn text<'p>(&'p self, kept: &'p Kept) -> &'p str {
        match kept {
            Kept::At(place) => self.text.get(place.clone()).unwrap_or_default(),
            Kept::Itself(text) => text,
        }
    }

    /// All claims. What was scanned can be parsed; property tests hold both readers together.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        self.members.get_or_init(|| parse_object(self.text.as_bytes()).unwrap_or_default())
    }
}

impl Kept {
    /// Keeps a text that was scanned in `payload`.
    pub(crate) fn of(text: &str, payload: &[u8]) -> Self {
        let start = text.as_ptr().addr().wrapping_sub(payload.as_ptr().addr());
        let place = start..start.wrapping_add(text.len());
        // A copy with its escapes resolved lies elsewhere.
        if payload.get(place.clone()) == Some(text.as_bytes()) { Self::At(place) } else { Self::Itself(text.into()) }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Payload {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{self, Members, Scanned};
    use proptest::prelude::*;
    use std::borrow::Cow;

    #[derive(Default)]
    struct KeptOnly<'j>(Option<Scanned<'j>>);

    impl<'j> Members<'j> for KeptOnly<'j> {
        fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'j>>> {
            (name == "kept").then_some(&mut self.0)
        }
    }

    proptest! {
        /// ID-01: a text that was kept is the text that was there, with escapes and without.
        #[test]
        fn kept_texts_are_the_texts(text in "\\PC{0,12}|[\"\\\\\\n a-c]{0,6}", other in "\\PC{0,6}") {
            let json = serde_json::json!({"x": other, "kept": text}).to_string();
            let KeptOnly(Some(Scanned::Text(found))) = scan::members(json.as_bytes()).unwrap() else { panic!("no text") };
            let kept = Kept::of(&found, json.as_bytes());
            let payload = Payload::new(json.clone());
            prop_assert_eq!(payload.text(&kept), &text);
            prop_assert_eq!(&payload.members()["kept"], &text);
            prop_assert_eq!(matches!(kept, Kept::At(_)), matches!(found, Cow::Borrowed(_)));
        }
    }
}
