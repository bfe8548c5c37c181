//! How much of a resource is given: `_summary` and `_elements`.

use crate::data::StoredResource;
use serde_json::{Map, Value, json};

/// The part of each resource that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    #[default]
    Whole,
    /// `_summary=data`: all but the narrative.
    Data,
    /// `_summary=text`: the narrative.
    Text,
    /// `_elements`.
    Elements(Vec<String>),
}

impl Shape {
    /// Reads a parameter. `None`: it is none of those that shape, or has a value that is not supported.
    pub(crate) fn parse(name: &str, value: &str) -> Option<Self> {
        match (name, value) {
            ("_summary", "false") => Some(Self::Whole),
            ("_summary", "data") => Some(Self::Data),
            ("_summary", "text") => Some(Self::Text),
            ("_elements", names) => Some(Self::Elements(names.split(',').map(|name| name.trim().to_owned()).collect())),
            _ => None,
        }
    }

    /// The resource in this shape, marked where something is left out (FHIR R4, search, summary).
    pub(crate) fn of(&self, resource: &StoredResource) -> Value {
        let content = resource.content();
        let keeps = |name: &str| match self {
            Self::Whole => true,
            Self::Data => name != "text",
            Self::Text => name == "text",
            Self::Elements(names) => {
                names.iter().any(|wanted| wanted.trim_start_matches('_') == name.trim_start_matches('_'))
            }
        };
        let Some(members) = content.as_object().filter(|_| *self != Self::Whole) else { return content.clone() };
        let kept =
            members.iter().filter(|(name, _)| ["resourceType", "id", "meta"].contains(&name.as_str()) || keeps(name));
        let mut shaped: Map<String, Value> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        if shaped.len() < members.len() {
            mark(&mut shaped);
        }
        Value::Object(shaped)
    }
}

fn mark(resource: &mut Map<String, Value>) {
    let tag = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"});
    let meta = resource.entry("meta").or_insert_with(|| json!({}));
    if let Some(meta) = meta.as_object_mut() {
        match meta.get_mut("tag").and_then(Value::as_array_mut) {
            Some(tags) => tags.push(tag),
            None => {
                meta.insert("tag".to_owned(), json!([tag]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left out is told by a tag; what is whole has none.
    #[test]
    fn shapes_are_marked() {
        let resource = StoredResource::new(json!({
            "resourceType": "Patient", "id": "7", "meta": {"tag": [{"code": "x"}]}, "text": {"div": "…"}, "gender": "male",
        }));
        let of = |name: &str, value: &str| Shape::parse(name, value).unwrap().of(&resource);
        assert_eq!(of("_summary", "false"), *resource.content());
        let shaped = of("_elements", "gender");
        assert_eq!((&shaped["gender"], &shaped["text"]), (&"male".into(), &Value::Null));
        assert_eq!(shaped["meta"]["tag"][1]["code"], "SUBSETTED");
        assert!(of("_summary", "text")["gender"].is_null() && of("_summary", "data")["text"].is_null());
        assert_eq!(Shape::parse("_summary", "true"), None);
    }
}
