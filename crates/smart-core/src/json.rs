//! Reading JSON from outside: bounded depth, and no member twice.
//!
//! Two parsers may pick different ones of two members with the same name; with `patient` twice that could show the
//! wrong patient. So such documents are refused.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON. The message names the place, never the content.
    #[error("not JSON (line {line}, column {column})")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// A member stands twice in one object.
    #[error("a member stands twice in one object (line {line}, column {column})")]
    DuplicateMember {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// It is JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Reads one JSON object (a byte order mark is passed over), refusing repeated members at any depth. The nesting is
/// limited to 128 levels.
///
/// # Errors
/// [`JsonError`].
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_slice::<Unique>(body) {
        Ok(Unique(Value::Object(object))) => Ok(object),
        Ok(_) => Err(JsonError::NotAnObject),
        Err(e) if e.is_data() => Err(JsonError::DuplicateMember { line: e.line(), column: e.column() }),
        Err(e) => Err(JsonError::Syntax { line: e.line(), column: e.column() }),
    }
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Unique(value))) = map.next_entry::<String, Unique>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TK-06: a document that names a member twice is refused, at any depth.
    #[test]
    fn repeated_members_are_refused() {
        for body in [r#"{"patient":"a","patient":"b"}"#, r#"{"x":[{"a":1,"a":1}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(matches!(parse_object(body.as_bytes()), Err(JsonError::DuplicateMember { .. })), "{body}");
        }
    }

    /// TK-11: what is no object is told apart from what is no JSON; depth is bounded.
    #[test]
    fn other_bodies_are_refused() {
        assert_eq!(parse_object(b"[1]"), Err(JsonError::NotAnObject));
        for body in ["", "<html>", "{\"a\":", "{} trailing", "{\"a\":01}"] {
            assert!(matches!(parse_object(body.as_bytes()), Err(JsonError::Syntax { .. })), "{body}");
        }
        assert!(parse_object("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse_object("{\"a\":".repeat(100_000).as_bytes()).is_err());
    }

    /// TK-08: everything else is read as serde_json reads it.
    #[test]
    fn values_are_kept() {
        let text = r#"{"s":"x","i":-3,"u":18446744073709551615,"f":1.5,"b":true,"n":null,"a":[1,{"z":2}]}"#;
        let strict = parse_object(text.as_bytes()).unwrap();
        assert_eq!(Value::Object(strict), serde_json::from_str::<Value>(text).unwrap());
        assert!(parse_object(b"\xef\xbb\xbf{}").unwrap().is_empty());
    }
}
