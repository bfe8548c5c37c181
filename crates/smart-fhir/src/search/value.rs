//! Values of search parameters, escaped so that they mean what they say.

use crate::FhirId;
use std::fmt;

/// How a number, date or quantity is compared (FHIR R4, search.html#prefix).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater, later.
    Gt,
    /// Less, earlier.
    Lt,
    /// Greater or equal, later or at the same time.
    Ge,
    /// Less or equal, earlier or at the same time.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// Approximately.
    Ap,
}

impl Prefix {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::Ge => "ge",
            Self::Le => "le",
            Self::Sa => "sa",
            Self::Eb => "eb",
            Self::Ap => "ap",
        }
    }
}

/// How the name of a parameter is modified (FHIR R4, search.html#modifiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Modifier<'a> {
    /// A string as a whole, case and accents included.
    Exact,
    /// A string anywhere in the value.
    Contains,
    /// The text of a code rather than the code.
    Text,
    /// A code that is none of these.
    Not,
    /// A code that subsumes this one, or a URI above it.
    Above,
    /// A code that this one subsumes, or a URI below it.
    Below,
    /// A code in a value set.
    In,
    /// A code in no value set of that name.
    NotIn,
    /// An identifier of a type: see [`SearchValue::of_type`].
    OfType,
    /// A reference by the identifier in it.
    Identifier,
    /// A reference to a resource of this type.
    Type(&'a str),
}

impl<'a> Modifier<'a> {
    pub(super) const fn as_str(self) -> &'a str {
        match self {
            Self::Exact => "exact",
            Self::Contains => "contains",
            Self::Text => "text",
            Self::Not => "not",
            Self::Above => "above",
            Self::Below => "below",
            Self::In => "in",
            Self::NotIn => "not-in",
            Self::OfType => "of-type",
            Self::Identifier => "identifier",
            Self::Type(resource_type) => resource_type,
        }
    }
}

/// How exactly all matches are counted (`_total`; FHIR R4, search.html#total).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Total {
    /// Not at all.
    None,
    /// About.
    Estimate,
    /// Exactly.
    Accurate,
}

impl Total {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Estimate => "estimate",
            Self::Accurate => "accurate",
        }
    }
}

/// The value of a search parameter, in the server's syntax but not yet percent-encoded.
///
/// A text becomes a value through `From`, taken literally: `$`, `,`, `|` and `\`, which would otherwise separate, are
/// escaped (FHIR R4, search.html#escaping), so that what a person typed cannot widen a search. The constructors build
/// values that have separators. Debug does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchValue(String);

impl SearchValue {
    /// A text taken literally.
    pub fn literal(text: &str) -> Self {
        Self(escaped(text))
    }

    /// A code of a code system, or an identifier of a namespace: `system|code`.
    pub fn token(system: &str, code: &str) -> Self {
        Self(format!("{}|{}", escaped(system), escaped(code)))
    }

    /// Any code of a system: `system|`.
    pub fn any_code_of(system: &str) -> Self {
        Self::token(system, "")
    }

    /// Several values, any of which will do: `a,b,c`.
    pub fn any_of<V: Into<Self>>(values: impl IntoIterator<Item = V>) -> Self {
        Self(values.into_iter().map(|value| value.into().0).collect::<Vec<_>>().join(","))
    }

    /// A number, date or quantity with a comparison: `ge2026-01-01`.
    pub fn compared(prefix: Prefix, value: &str) -> Self {
        Self(format!("{}{}", prefix.as_str(), escaped(value)))
    }

    /// A quantity: `5.4|http://unitsofmeasure.org|mg`.
    pub fn quantity(number: &str, system: &str, code: &str) -> Self {
        Self(format!("{}|{}|{}", escaped(number), escaped(system), escaped(code)))
    }

    /// An identifier with the code of its type: `system|code|value`, for the modifier `of-type`.
    pub fn of_type(system: &str, code: &str, value: &str) -> Self {
        Self::quantity(system, code, value)
    }

    /// A reference to a resource of this server: `Patient/123`.
    pub fn reference(resource_type: &str, id: &str) -> Self {
        Self(format!("{}/{}", escaped(resource_type), escaped(id)))
    }

    /// The parts of a composite parameter: `a$b`.
    pub fn composite<V: Into<Self>>(parts: impl IntoIterator<Item = V>) -> Self {
        Self(parts.into_iter().map(|part| part.into().0).collect::<Vec<_>>().join("$"))
    }

    /// A value that is in the server's syntax already, separators and escapes included. Never pass what a person
    /// typed.
    pub fn raw(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value in the server's syntax, not percent-encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '$' | ',' | '|' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

impl From<&str> for SearchValue {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

impl From<&String> for SearchValue {
    fn from(text: &String) -> Self {
        Self::literal(text)
    }
}

impl From<String> for SearchValue {
    fn from(text: String) -> Self {
        Self::literal(&text)
    }
}

impl From<&FhirId> for SearchValue {
    fn from(id: &FhirId) -> Self {
        Self::literal(id.as_str())
    }
}

impl fmt::Debug for SearchValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchValue(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-11 (FHIR R4, search.html#escaping): the four special characters are escaped in literal text.
    #[test]
    fn special_characters_are_escaped() {
        for (text, expected) in [
            ("a,b", "a\\,b"),
            ("a$b|c\\d", "a\\$b\\|c\\\\d"),
            ("plain text", "plain text"),
            ("", ""),
            ("\\,", "\\\\\\,"),
        ] {
            assert_eq!(SearchValue::from(text).as_str(), expected);
        }
    }

    /// FR-11: separators that are meant are not escaped, the parts around them are.
    #[test]
    fn separators_that_are_meant_stay() {
        assert_eq!(SearchValue::token("http://loinc.org", "8480-6").as_str(), "http://loinc.org|8480-6");
        assert_eq!(SearchValue::token("urn:x|y", "a,b").as_str(), "urn:x\\|y|a\\,b");
        assert_eq!(SearchValue::any_code_of("urn:x").as_str(), "urn:x|");
        assert_eq!(SearchValue::any_of(["a,b", "c"]).as_str(), "a\\,b,c");
        assert_eq!(SearchValue::compared(Prefix::Ge, "2026-01-01").as_str(), "ge2026-01-01");
        assert_eq!(
            SearchValue::quantity("5.4", "http://unitsofmeasure.org", "mg").as_str(),
            "5.4|http://unitsofmeasure.org|mg"
        );
        let composite = [SearchValue::token("s", "c"), SearchValue::compared(Prefix::Lt, "5")];
        assert_eq!(SearchValue::composite(composite).as_str(), "s|c$lt5");
        assert_eq!(SearchValue::raw("a|b,c\\,d").as_str(), "a|b,c\\,d");
    }

    /// FR-23: Debug does not show what is searched for.
    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", SearchValue::from("Smith")), "SearchValue(***)");
    }
}
