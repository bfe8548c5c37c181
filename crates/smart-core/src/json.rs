//! Reading JSON from outside: bounded depth, and no member twice.
//!
//! Two parsers may pick different ones of two members with the same name; with `patient` twice that could show the
//! wrong patient. So such documents are refused.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
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

/// Checks one JSON object as [`parse_object`] does, keeping nothing of it but those of its own members that have one of
/// these names and are texts, in the order of the names.
///
/// For documents that are handed on as they came: reading numbers into a [`Value`] loses the zeros at a decimal's end.
///
/// # Errors
/// [`JsonError`].
pub fn texts_of_object<const N: usize>(body: &[u8], names: [&str; N]) -> Result<[Option<String>; N], JsonError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut texts = [const { None }; N];
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Outer { names: &names, texts: &mut texts }.deserialize(&mut reader).and_then(|is_object| {
        reader.end()?;
        Ok(is_object)
    });
    match read {
        Ok(true) => Ok(texts),
        Ok(false) => Err(JsonError::NotAnObject),
        Err(e) if e.is_data() => Err(JsonError::DuplicateMember { line: e.line(), column: e.column() }),
        Err(e) => Err(JsonError::Syntax { line: e.line(), column: e.column() }),
    }
}

/// Reads a document whose own members are of interest; tells whether it is an object.
struct Outer<'o> {
    names: &'o [&'o str],
    texts: &'o mut [Option<String>],
}

/// Reads any value, and keeps it where it is a text.
struct Checked<'o>(Option<&'o mut Option<String>>);

/// The name of a member, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

/// The names of one object so far. Most objects have a few, which are compared one by one.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

const FEW: usize = 24;

impl<'de> Names<'de> {
    /// Whether the name is new.
    fn add(&mut self, name: Cow<'de, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

/// Values of the kinds that hold nothing.
macro_rules! plain_values {
    ($value:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element_seed(Checked(None))?.is_some() {}
            Ok($value)
        }
    };
}

impl<'de> DeserializeSeed<'de> for Outer<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without repeated members")
    }

    plain_values!(false);

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut seen = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            let at = self.names.iter().position(|wanted| *wanted == name);
            let into = at.and_then(|at| self.texts.get_mut(at));
            map.next_value_seed(Checked(into))?;
            if !seen.add(name) {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for Checked<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without repeated members")
    }

    plain_values!(());

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(into) = self.0 {
            *into = Some(text.to_owned());
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            map.next_value_seed(Checked(None))?;
            if !seen.add(name) {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
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

    /// TK-06, FR-12: a document is checked without being kept just as it is when it is kept, and its texts are found.
    #[test]
    fn checking_is_as_strict_as_reading() {
        let many = (0..100).map(|i| format!("\"m{i}\":{i},")).collect::<Vec<_>>().concat();
        let bodies = [
            r#"{"patient":"a","patient":"b"}"#.to_owned(),
            r#"{"x":[{"a":1,"a":1}]}"#.to_owned(),
            r#"{"a":1,"\u0061":2}"#.to_owned(),
            format!("{{{many}\"m99\":1}}"),
            format!("{{{many}\"m1\":1}}"),
            format!("{{{many}\"x\":1}}"),
            "[1]".to_owned(),
            "\"x\"".to_owned(),
            String::new(),
            "<html>".to_owned(),
            "{} trailing".to_owned(),
            r#"{"a":01}"#.to_owned(),
            r#"{"a":1e999}"#.to_owned(),
            "{\"a\":".repeat(100_000),
            r#"{"s":"x","i":-3,"f":1.50,"b":true,"n":null,"a":[1,{"z":2}]}"#.to_owned(),
        ];
        for body in bodies {
            let kept = parse_object(body.as_bytes()).map(drop);
            assert_eq!(texts_of_object(body.as_bytes(), []).map(|[]| ()), kept, "{body:.80}");
        }
        let body = "\u{feff}{\"id\":\"a\\n\",\"x\":{\"id\":\"b\"},\"resourceType\":1}";
        assert_eq!(texts_of_object(body.as_bytes(), ["resourceType", "id"]), Ok([None, Some("a\n".to_owned())]));
    }
}
