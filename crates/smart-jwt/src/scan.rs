//! Reading a few members of a JSON object without building the rest of it: most claims of an ID token are never looked
//! at, and to build them takes longer than all its checks.
//!
//! What is accepted is just what [`parse_object`] accepts: no member stands twice, at any depth, and the depth is
//! bounded.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use smart_core::json::{JsonError, parse_object};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Up to this many members of an object are kept at hand and compared one by one.
const FEW: usize = 12;

/// A value, as far as headers and claims need it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scanned<'j> {
    Text(Cow<'j, str>),
    Integer(i64),
    /// With a fraction, or beyond the integers.
    Float(f64),
    /// An array of texts alone.
    Texts(Vec<Cow<'j, str>>),
    Other,
}

impl Scanned<'_> {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The members that are asked for.
pub(crate) trait Members<'j>: Default {
    /// Where the member of this name goes; `None` when nobody asks for it.
    fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'j>>>;
}

/// Reads the members that are asked for.
pub(crate) fn members<'j, M: Members<'j>>(body: &'j [u8]) -> Result<M, JsonError> {
    // The slow way knows what is wrong.
    let wrong = || parse_object(body).err().unwrap_or(JsonError::NotAnObject);
    let json = std::str::from_utf8(body).map_err(|_| wrong())?;
    let mut deserializer = serde_json::Deserializer::from_str(json.strip_prefix('\u{feff}').unwrap_or(json));
    let mut found = M::default();
    let scanned = deserializer.deserialize_map(Object(&mut found)).and_then(|()| deserializer.end());
    scanned.map(|()| found).map_err(|_| wrong())
}

/// The object itself: its visitor fills what is asked for.
struct Object<'m, M>(&'m mut M);

impl<'j, M: Members<'j>> Visitor<'j> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object without repeated members")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        while let Some(name) = map.next_key_seed(Name)? {
            match self.0.slot(&name) {
                // Whoever has a slot is seen by it.
                Some(slot) if slot.is_none() => *slot = Some(map.next_value_seed(Value)?),
                Some(_) => return Err(repeated()),
                None => {
                    seen.add(name)?;
                    map.next_value_seed(Skipped)?;
                }
            }
        }
        Ok(())
    }
}

fn repeated<E: serde::de::Error>() -> E {
    E::custom("a member stands twice")
}

/// The names that came in an object.
#[derive(Default)]
struct Seen<'j> {
    few: [Option<Cow<'j, str>>; FEW],
    many: BTreeSet<Cow<'j, str>>,
}

impl<'j> Seen<'j> {
    fn add<E: serde::de::Error>(&mut self, name: Cow<'j, str>) -> Result<(), E> {
        for place in &mut self.few {
            match place {
                Some(other) if *other == name => return Err(repeated()),
                Some(_) => {}
                None => {
                    *place = Some(name);
                    return Ok(());
                }
            }
        }
        if self.many.insert(name) { Ok(()) } else { Err(repeated()) }
    }
}

/// A member's name.
struct Name;

impl<'j> DeserializeSeed<'j> for Name {
    type Value = Cow<'j, str>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'j> Visitor<'j> for Name {
    type Value = Cow<'j, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, name: &'j str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// A value that is kept.
struct Value;

impl<'j> DeserializeSeed<'j> for Value {
    type Value = Scanned<'j>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Value {
    type Value = Scanned<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'j str) -> Result<Self::Value, E> {
        Ok(Scanned::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scanned::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scanned::Integer(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "beyond any date either way")]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scanned::Float(number as f64), Scanned::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scanned::Float(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scanned::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scanned::Other)
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        let mut only_texts = true;
        while let Some(item) = seq.next_element_seed(Value)? {
            match item {
                Scanned::Text(text) => texts.push(text),
                _ => only_texts = false,
            }
        }
        Ok(if only_texts { Scanned::Texts(texts) } else { Scanned::Other })
    }

    fn visit_map<A: MapAccess<'j>>(self, map: A) -> Result<Self::Value, A::Error> {
        Skipped.visit_map(map).map(|()| Scanned::Other)
    }
}

/// A value that nobody asked for. It is looked through all the same.
struct Skipped;

impl<'j> DeserializeSeed<'j> for Skipped {
    type Value = ();

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Skipped {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Skipped)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        while let Some(name) = map.next_key_seed(Name)? {
            seen.add(name)?;
            map.next_value_seed(Skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct AB<'j>(Option<Scanned<'j>>, Option<Scanned<'j>>);

    impl<'j> Members<'j> for AB<'j> {
        fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'j>>> {
            match name {
                "a" => Some(&mut self.0),
                "b" => Some(&mut self.1),
                _ => None,
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a-d]{0,2}".prop_map(|text| format!("\"{text}\"")),
            any::<i64>().prop_map(|number| number.to_string()),
            Just("1e400".to_owned()),
            Just("18446744073709551615".to_owned()),
            Just("1.5".to_owned()),
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("\"\\u0061\\n\"".to_owned()),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec(("(a|b|c|d|\\\\u0061|[e-z]{2,3})", inner), 0..5)
                    .prop_map(|members| object(&members)),
            ]
        })
    }

    fn object(members: &[(String, String)]) -> String {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// What the slow way makes of a value.
    fn slow(value: &serde_json::Value) -> Scanned<'_> {
        match value {
            serde_json::Value::String(text) => Scanned::Text(text.as_str().into()),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Scanned::Integer(integer),
                None => Scanned::Float(number.as_f64().unwrap()),
            },
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_string) => {
                Scanned::Texts(items.iter().filter_map(serde_json::Value::as_str).map(Cow::from).collect())
            }
            _ => Scanned::Other,
        }
    }

    fn compare(body: &[u8]) -> Result<(), TestCaseError> {
        match (members::<AB<'_>>(body), parse_object(body)) {
            (Ok(fast), Ok(object)) => {
                prop_assert_eq!(fast.0, object.get("a").map(slow));
                prop_assert_eq!(fast.1, object.get("b").map(slow));
            }
            (fast, object) => prop_assert_eq!(fast.err(), object.err()),
        }
        Ok(())
    }

    proptest! {
        /// ID-02: scanning and parsing accept the same documents, find the same values and give the same errors.
        #[test]
        fn scanning_is_parsing(text in json()) {
            compare(text.as_bytes())?;
            compare(&text.as_bytes()[..text.len() - 1])?;
            compare(format!("\u{feff}{text}").as_bytes())?;
            compare(format!("{text} x").as_bytes())?;
        }

        /// ID-02 (RFC 8725 3.7): the same for octets that are no text.
        #[test]
        fn scanning_is_parsing_of_any_octets(octet: u8, at in 0..12_usize) {
            let mut body = b"{\"a\":\"bcd\"}".to_vec();
            body.insert(at, octet);
            compare(&body)?;
        }

        /// ID-02: the same for any text whatever.
        #[test]
        fn scanning_is_parsing_of_any_text(text in "[\\[\\]{}\",:a-b0-9 .\\\\]{0,24}") {
            compare(text.as_bytes())?;
        }
    }

    /// ID-02 (RFC 7519 4): a member that stands twice is found among few and among many, at any depth.
    #[test]
    fn repeated_members_are_found() {
        for count in [2, FEW, FEW + 1, 400] {
            let names: Vec<String> = (0..count).map(|n| format!("\"m{n}\":[]")).collect();
            let names = format!("\"a\":1,{}", names.join(","));
            assert!(members::<AB<'_>>(format!("{{{names}}}").as_bytes()).unwrap().0.is_some());
            for twice in ["a", "m0", "m1", &format!("m{}", count - 1)] {
                let text = format!("{{{names},\"{twice}\":1}}");
                for document in [text.clone(), format!("{{\"x\":{text}}}"), format!("{{\"b\":[{text}]}}")] {
                    let refused = members::<AB<'_>>(document.as_bytes()).map(|_| ());
                    assert!(matches!(refused, Err(JsonError::DuplicateMember { .. })), "{twice} of {count}");
                }
            }
        }
    }

    /// ID-02: nesting is bounded where values are kept and where they are not.
    #[test]
    fn depth_is_bounded() {
        for name in ["a", "other"] {
            for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
                let nested = |depth| format!("{{\"{name}\":{}1{}}}", open.repeat(depth), close.repeat(depth));
                assert!(members::<AB<'_>>(nested(100).as_bytes()).is_ok());
                assert!(matches!(members::<AB<'_>>(nested(5000).as_bytes()), Err(JsonError::Syntax { .. })));
            }
        }
    }
}
