//! Whether a resource has what a parameter asks for.

use super::dates::Range;
use super::parameter::{Kind, Parameter, parameter};
use super::value::{Prefix, split, unescaped};
use crate::fhir::answer::Fault;
use serde_json::Value;

/// How the values of a parameter are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Modifier {
    None,
    Missing,
    Exact,
    Contains,
    Not,
    Text,
    /// References to this type.
    Type(String),
}

/// A parameter with a modifier and values, any of which may match.
#[derive(Debug, Clone)]
pub(crate) struct Criterion {
    parameter: &'static Parameter,
    modifier: Modifier,
    wanted: Vec<Wanted>,
}

/// One value that is looked for.
#[derive(Debug, Clone)]
enum Wanted {
    Missing(bool),
    /// `code`, `system|code`, `|code` or `system|`. No system: any; an empty one: none.
    Token {
        system: Option<String>,
        code: String,
    },
    /// In small letters, but for `:exact`.
    Text(String),
    Date(Prefix, Range),
    /// The type, if one is named, and the id; or the whole of a reference elsewhere.
    Reference {
        resource_type: Option<String>,
        id: String,
    },
    Elsewhere(String),
    Uri(String),
    Quantity {
        prefix: Prefix,
        number: f64,
        half: f64,
        system: Option<String>,
        unit: Option<String>,
    },
}

impl Criterion {
    /// Reads the values of a parameter. `root` is the base of this server, without a slash at its end.
    ///
    /// # Errors
    /// 400 for a modifier that the parameter does not have, and for a value that is none.
    pub(crate) fn parse(
        parameter: &'static Parameter,
        modifier: Option<&str>,
        text: &str,
        root: &str,
    ) -> Result<Self, Fault> {
        let modifier = match (modifier, parameter.kind) {
            (None, _) => Modifier::None,
            (Some("missing"), _) => Modifier::Missing,
            (Some("exact"), Kind::String) => Modifier::Exact,
            (Some("contains"), Kind::String) => Modifier::Contains,
            (Some("not"), Kind::Token) => Modifier::Not,
            (Some("text"), Kind::Token) => Modifier::Text,
            (Some(name), Kind::Reference(targets)) if targets.is_empty() || targets.contains(&name) => {
                Modifier::Type(name.to_owned())
            }
            (Some(other), _) => {
                let (other, name) = (smart_core::untrusted::shown(other, 40), parameter.name);
                return Err(Fault::not_supported(format!("the modifier :{other} is not supported for {name}")));
            }
        };
        let wanted = split(text, ',').into_iter().map(|value| Wanted::parse(parameter, &modifier, value, root));
        let wanted = wanted.collect::<Option<Vec<_>>>();
        let wanted = wanted.ok_or_else(|| {
            Fault::bad(format!("{} has a value that is no {}", parameter.name, parameter.kind.as_str()))
        })?;
        Ok(Self { parameter, modifier, wanted })
    }

    pub(crate) fn matches(&self, resource: &Value) -> bool {
        let found = values(resource, self.parameter);
        if self.modifier == Modifier::Missing {
            return self
                .wanted
                .iter()
                .any(|wanted| matches!(wanted, Wanted::Missing(missing) if *missing == found.is_empty()));
        }
        let any = self.wanted.iter().any(|wanted| found.iter().any(|value| wanted.is(value, &self.modifier)));
        any != (self.modifier == Modifier::Not)
    }
}

/// Whether a resource has what a pair of a scope's query asks for. What is not known is not fulfilled.
pub(crate) fn fits(resource: &Value, (name, value): (&str, &str)) -> bool {
    let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    // The values of a scope are percent-encoded as in a URL.
    let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    let (name, modifier) = name.split_once(':').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
    let criterion = parameter(resource_type, name).map(|found| Criterion::parse(found, modifier, &value, ""));
    criterion.is_some_and(|criterion| criterion.is_ok_and(|criterion| criterion.matches(resource)))
}

/// The values that a parameter looks at.
pub(crate) fn values<'v>(resource: &'v Value, parameter: &Parameter) -> Vec<&'v Value> {
    let mut found = Vec::new();
    for path in parameter.paths {
        collect(resource, path, &mut found);
    }
    found
}

fn collect<'v>(value: &'v Value, path: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        _ if path.is_empty() => found.push(value),
        Value::Object(object) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(inner) = object.get(name) {
                collect(inner, rest, found);
            }
        }
        _ => {}
    }
}

/// A reference to a resource of this server, as `Patient/7`: without base and version.
pub(crate) fn local_reference(reference: &str, root: &str) -> Option<(String, String)> {
    let relative = reference.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).filter(|_| !root.is_empty());
    let (relative, _) =
        relative.unwrap_or(reference).split_once("/_history/").unwrap_or((relative.unwrap_or(reference), ""));
    let (resource_type, id) = relative.split_once('/')?;
    let is_local = crate::fhir::resource_types::is_served(resource_type) && crate::fhir::resource_types::is_id(id);
    is_local.then(|| (resource_type.to_owned(), id.to_owned()))
}

impl Wanted {
    fn parse(parameter: &Parameter, modifier: &Modifier, text: &str, root: &str) -> Option<Self> {
        if *modifier == Modifier::Missing {
            return text.parse().ok().map(Self::Missing);
        }
        if text.is_empty() {
            return None;
        }
        Some(match parameter.kind {
            Kind::Token if *modifier == Modifier::Text => Self::Text(unescaped(text).to_lowercase()),
            Kind::Token => match split(text, '|').as_slice() {
                [code] => Self::Token { system: None, code: unescaped(code).into_owned() },
                [system, code] => {
                    Self::Token { system: Some(unescaped(system).into_owned()), code: unescaped(code).into_owned() }
                }
                _ => return None,
            },
            Kind::String if *modifier == Modifier::Exact => Self::Text(unescaped(text).into_owned()),
            Kind::String => Self::Text(unescaped(text).to_lowercase()),
            Kind::Date => {
                let (prefix, date) = Prefix::split(text);
                Self::Date(prefix, Range::parse(date)?)
            }
            Kind::Reference(targets) => Self::reference(&unescaped(text), modifier, targets, root)?,
            Kind::Uri => Self::Uri(unescaped(text).into_owned()),
            Kind::Quantity => Self::quantity(text)?,
        })
    }

    fn reference(text: &str, modifier: &Modifier, targets: &[&str], root: &str) -> Option<Self> {
        if let Some((resource_type, id)) = local_reference(text, root) {
            let fits = !matches!(modifier, Modifier::Type(wanted) if *wanted != resource_type);
            return fits.then_some(Self::Reference { resource_type: Some(resource_type), id });
        }
        if text.contains(':') {
            return Some(Self::Elsewhere(text.to_owned()));
        }
        let resource_type = match (modifier, targets) {
            (Modifier::Type(name), _) => Some(name.clone()),
            (_, [one]) => Some((*one).to_owned()),
            _ => None,
        };
        crate::fhir::resource_types::is_id(text).then(|| Self::Reference { resource_type, id: text.to_owned() })
    }

    fn quantity(text: &str) -> Option<Self> {
        let (prefix, rest) = Prefix::split(text);
        let parts = split(rest, '|');
        let (number, system, unit) = match parts.as_slice() {
            [number] => (*number, None, None),
            [number, system, unit] => (*number, Some(*system).filter(|s| !s.is_empty()), Some(*unit)),
            _ => return None,
        };
        let parsed = number.parse::<f64>().ok().filter(|number| number.is_finite())?;
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let half = 0.5 / 10_f64.powi(i32::try_from(decimals).ok()?);
        let own = |text: &str| unescaped(text).into_owned();
        Some(Self::Quantity { prefix, number: parsed, half, system: system.map(own), unit: unit.map(own) })
    }

    fn is(&self, value: &Value, modifier: &Modifier) -> bool {
        match self {
            Self::Missing(_) => false,
            Self::Token { system, code } => token_is(value, system.as_deref(), code),
            Self::Text(wanted) => texts(value).any(|text| match modifier {
                Modifier::Exact => text == wanted,
                Modifier::Contains => text.to_lowercase().contains(wanted),
                _ => text.to_lowercase().starts_with(wanted),
            }),
            Self::Date(prefix, wanted) => Range::of(value).is_some_and(|range| range.matches(*prefix, *wanted)),
            Self::Reference { resource_type, id } => {
                let found = value.get("reference").and_then(Value::as_str).and_then(|text| local_reference(text, ""));
                found.is_some_and(|(found_type, found_id)| {
                    found_id == *id && resource_type.as_ref().is_none_or(|wanted| *wanted == found_type)
                })
            }
            Self::Elsewhere(wanted) => value.get("reference").and_then(Value::as_str) == Some(wanted),
            Self::Uri(wanted) => value.as_str() == Some(wanted),
            Self::Quantity { prefix, number, half, system, unit } => {
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                let fits = system.as_deref().is_none_or(|wanted| text("system") == Some(wanted))
                    && unit.as_deref().is_none_or(|wanted| [text("code"), text("unit")].contains(&Some(wanted)));
                let found = value.get("value").and_then(Value::as_f64);
                fits && found.is_some_and(|found| number_is(found, *prefix, *number, *half))
            }
        }
    }
}

/// `half` is half of the last digit that was given: 5.4 is whatever rounds to it.
fn number_is(found: f64, prefix: Prefix, wanted: f64, half: f64) -> bool {
    let is_equal = found >= wanted - half && found < wanted + half;
    match prefix {
        Prefix::Eq => is_equal,
        Prefix::Ne => !is_equal,
        Prefix::Gt | Prefix::Sa => found > wanted,
        Prefix::Lt | Prefix::Eb => found < wanted,
        Prefix::Ge => found >= wanted,
        Prefix::Le => found <= wanted,
        Prefix::Ap => (found - wanted).abs() <= (wanted.abs() * 0.1).max(half),
    }
}

/// Whether a code, Coding, CodeableConcept, Identifier, ContactPoint or boolean is what is wanted.
fn token_is(value: &Value, system: Option<&str>, code: &str) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match value {
        // The system of a plain code is not written: any will do.
        Value::String(found) => code == found,
        Value::Bool(found) => code == if *found { "true" } else { "false" },
        Value::Object(object) => {
            if let Some(codings) = object.get("coding").and_then(Value::as_array) {
                codings.iter().any(|coding| token_is(coding, system, code))
            } else {
                let system_fits = system.is_none_or(|wanted| text("system").unwrap_or_default() == wanted);
                let found = text("code").or(text("value"));
                system_fits && (found == Some(code) || (code.is_empty() && system.is_some_and(|it| !it.is_empty())))
            }
        }
        _ => false,
    }
}

/// The texts of a string, a HumanName, an Address, or of what has a code.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    const PARTS: [&str; 14] = [
        "text",
        "display",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
        "coding",
        "value",
    ];
    let mut found = Vec::new();
    match value {
        Value::String(text) => found.push(text.as_str()),
        Value::Object(object) => {
            for inner in PARTS.iter().filter_map(|part| object.get(*part)) {
                match inner {
                    Value::String(text) => found.push(text),
                    Value::Array(items) => {
                        let text = |item: &'_ Value| item.as_str().is_some();
                        found.extend(items.iter().filter(|item| text(item)).filter_map(Value::as_str));
                        found.extend(items.iter().filter_map(|item| item.get("display")?.as_str()));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(resource: &Value, name: &str, text: &str) -> Result<bool, Fault> {
        let resource_type = resource["resourceType"].as_str().unwrap();
        let (name, modifier) = name.split_once(':').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
        let found = parameter(resource_type, name).unwrap();
        Ok(Criterion::parse(found, modifier, text, "http://h/fhir")?.matches(resource))
    }

    /// FHIR R4, search: tokens, strings, references and quantities, with their modifiers.
    #[test]
    fn each_kind_matches_by_its_rules() {
        let observation = json!({
            "resourceType": "Observation", "id": "1", "status": "final", "subject": {"reference": "Patient/7"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}], "text": "Hb"},
            "valueQuantity": {"value": 13.94, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
        });
        let patient = json!({
            "resourceType": "Patient", "id": "7", "active": true,
            "name": [{"family": "O'Brien", "given": ["Ann", "Mary"]}],
            "identifier": [{"value": "bare"}, {"system": "https://h.example/mrn", "value": "1"}],
        });
        for (resource, name, text, is_match) in [
            (&observation, "code", "718-7", true),
            (&observation, "code", "http://loinc.org|718-7", true),
            (&observation, "code", "http://loinc.org|", true),
            (&observation, "code", "|718-7", false),
            (&observation, "code", "http://snomed.info/sct|718-7", false),
            (&observation, "code", "x,718-7", true),
            (&observation, "code:not", "718-7", false),
            (&observation, "code:not", "x", true),
            (&observation, "category:not", "laboratory", true),
            (&observation, "code:text", "hemo", true),
            (&observation, "category:missing", "true", true),
            (&observation, "code:missing", "true", false),
            (&observation, "status", "final", true),
            (&observation, "patient", "7", true),
            (&observation, "patient", "Patient/7", true),
            (&observation, "patient", "http://h/fhir/Patient/7", true),
            (&observation, "patient", "http://other/fhir/Patient/7", false),
            (&observation, "subject:Patient", "7", true),
            (&observation, "subject:Group", "7", false),
            (&observation, "patient", "8", false),
            (&observation, "value-quantity", "13.9", true),
            (&observation, "value-quantity", "13.90", false),
            (&observation, "value-quantity", "gt13|http://unitsofmeasure.org|g/dL", true),
            (&observation, "value-quantity", "gt13||mg", false),
            (&patient, "active", "true", true),
            (&patient, "identifier", "|bare", true),
            (&patient, "identifier", "|1", false),
            (&patient, "identifier", "https://h.example/mrn|1", true),
            (&patient, "name", "mar", true),
            (&patient, "family", "o'b", true),
            (&patient, "family:exact", "o'brien", false),
            (&patient, "family:contains", "BRI", true),
            (&patient, "given", "ry", false),
        ] {
            assert_eq!(matches(resource, name, text).unwrap(), is_match, "{name}={text}");
        }
        for (name, text) in
            [("code:exact", "x"), ("code", "a|b|c"), ("date", "soon"), ("code", ""), ("code:missing", "maybe")]
        {
            assert_eq!(matches(&observation, name, text).unwrap_err().status, 400, "{name}={text}");
        }
    }

    /// SMART, scopes, finer-grained: a scope's query is fulfilled or not; what is not known is not.
    #[test]
    fn queries_of_scopes_are_fulfilled_or_not() {
        let vital = json!({"resourceType": "Observation", "category": [{"coding": [{"system": "http://c", "code": "vital-signs"}]}]});
        assert!(fits(&vital, ("category", "vital-signs")) && fits(&vital, ("category", "http://c%7Cvital-signs")));
        assert!(!fits(&vital, ("category", "laboratory")) && !fits(&vital, ("made-up", "x")));
        assert!(fits(&vital, ("category:not", "laboratory")) && !fits(&vital, ("category:made-up", "vital-signs")));
    }
}
