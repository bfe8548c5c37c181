//! Changes of parts of a resource.

use crate::{FhirError, FhirMediaType};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::fmt;

/// A patch: JSON Patch (RFC 6902), or FHIRPath Patch (FHIR R4, fhirpatch.html). Which one a server takes is in its
/// CapabilityStatement (`rest.resource.patchFormat` since R5; many take both).
///
/// ```
/// use smart_fhir::{JsonPatch, Patch};
///
/// let patch: Patch = JsonPatch::new()
///     .test("/active", &true)
///     .replace("/active", &false)
///     .into();
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Patch {
    /// JSON Patch, sent as `application/json-patch+json`.
    Json(JsonPatch),
    /// FHIRPath Patch, sent as a Parameters resource.
    FhirPath(FhirPathPatch),
}

impl From<JsonPatch> for Patch {
    fn from(patch: JsonPatch) -> Self {
        Self::Json(patch)
    }
}

impl From<FhirPathPatch> for Patch {
    fn from(patch: FhirPathPatch) -> Self {
        Self::FhirPath(patch)
    }
}

impl Patch {
    /// Reads a patch that is there as JSON already: a list is a JSON Patch, a Parameters resource a FHIRPath Patch. Its
    /// operations are left to the server.
    ///
    /// # Errors
    /// [`FhirError::InvalidRequest`] when it is neither.
    pub fn from_value(value: Value) -> Result<Self, FhirError> {
        if value.is_array() {
            return Ok(Self::Json(JsonPatch::from_value(value)?));
        }
        let is_parameters = value.get("resourceType").and_then(Value::as_str) == Some("Parameters");
        let is_operation = |part: &Value| part.get("name").and_then(Value::as_str) == Some("operation");
        match value.get("parameter").and_then(Value::as_array) {
            Some(operations) if is_parameters && operations.iter().all(is_operation) => {
                Ok(Self::FhirPath(FhirPathPatch { operations: operations.clone() }))
            }
            _ => Err(FhirError::InvalidRequest { reason: "a patch is a JSON Patch, or a Parameters with operations" }),
        }
    }

    /// The content type and the body; nothing to do and what cannot be written are refused.
    pub(crate) fn to_body(&self, media_type: FhirMediaType) -> Result<(&'static str, Bytes), FhirError> {
        let (content_type, is_empty, body) = match self {
            Self::Json(patch) => ("application/json-patch+json", patch.operations.is_empty(), patch.to_value()),
            Self::FhirPath(patch) => (media_type.as_str(), patch.operations.is_empty(), patch.to_parameters()),
        };
        if is_empty {
            return Err(FhirError::InvalidRequest { reason: "the patch has no operation" });
        }
        if let Self::Json(JsonPatch { problem: Some(reason), .. }) = self {
            return Err(FhirError::InvalidRequest { reason });
        }
        Ok((content_type, Bytes::from(body.to_string())))
    }
}

/// A JSON Patch (RFC 6902). Places are JSON Pointers such as `/name/0/family`; [`pointer`](Self::pointer) writes one with
/// names that have slashes. Put a [`test`](Self::test) before a change by index: the list may be another by now. Debug shows
/// the number of operations.
#[derive(Clone, PartialEq, Default)]
#[must_use]
pub struct JsonPatch {
    operations: Vec<Value>,
    problem: Option<&'static str>,
}

impl JsonPatch {
    /// A patch without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value at a place; at a list, before the item there, or after the last with `-`.
    pub fn add(self, path: &str, value: &impl serde::Serialize) -> Self {
        self.with("add", path, ("value", serde_json::to_value(value).ok()))
    }

    /// Replaces the value at a place.
    pub fn replace(self, path: &str, value: &impl serde::Serialize) -> Self {
        self.with("replace", path, ("value", serde_json::to_value(value).ok()))
    }

    /// Changes nothing unless this value is there.
    pub fn test(self, path: &str, value: &impl serde::Serialize) -> Self {
        self.with("test", path, ("value", serde_json::to_value(value).ok()))
    }

    /// Removes what is at a place.
    pub fn remove(mut self, path: &str) -> Self {
        self.check(path);
        self.operations.push(json!({"op": "remove", "path": path}));
        self
    }

    /// Moves what is at one place to another.
    pub fn move_to(mut self, from: &str, path: &str) -> Self {
        self.check(from);
        self.with("move", path, ("from", Some(from.into())))
    }

    /// Copies what is at one place to another.
    pub fn copy_to(mut self, from: &str, path: &str) -> Self {
        self.check(from);
        self.with("copy", path, ("from", Some(from.into())))
    }

    /// A place by names and indices (RFC 6901): `~` and `/` in them are escaped.
    pub fn pointer<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
        let mut pointer = String::new();
        for part in parts {
            pointer.extend(["/", &part.replace('~', "~0").replace('/', "~1")]);
        }
        pointer
    }

    /// The patch as JSON.
    pub fn to_value(&self) -> Value {
        Value::Array(self.operations.clone())
    }

    /// Reads a patch that is there as JSON already. Its operations are left to the server.
    ///
    /// # Errors
    /// [`FhirError::InvalidRequest`] when it is no list of objects with `op` and `path`.
    pub fn from_value(value: Value) -> Result<Self, FhirError> {
        let is_operation = |value: &Value| {
            value.get("op").is_some_and(Value::is_string) && value.get("path").is_some_and(Value::is_string)
        };
        match value {
            Value::Array(operations) if operations.iter().all(is_operation) => Ok(Self { operations, problem: None }),
            _ => Err(FhirError::InvalidRequest { reason: "a JSON Patch is a list of operations with `op` and `path`" }),
        }
    }

    fn with(mut self, op: &str, path: &str, (name, value): (&str, Option<Value>)) -> Self {
        self.check(path);
        match value {
            Some(value) => {
                let mut operation = Map::new();
                operation.insert("op".to_owned(), op.into());
                operation.insert("path".to_owned(), path.into());
                operation.insert(name.to_owned(), value);
                self.operations.push(Value::Object(operation));
            }
            None => self.problem = Some("a value of the patch cannot be written as JSON"),
        }
        self
    }

    fn check(&mut self, path: &str) {
        if !(path.is_empty() || path.starts_with('/')) {
            self.problem = Some("a place in a JSON Patch begins with `/`");
        }
    }
}

impl fmt::Debug for JsonPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonPatch({} operations)", self.operations.len())
    }
}

/// A FHIRPath Patch (FHIR R4, fhirpatch.html). Places are FHIRPath such as `Patient.birthDate`; values come with the name of
/// their choice element: `("valueDate", "1970-01-01")`. Debug shows the number of operations.
#[derive(Clone, PartialEq, Default)]
#[must_use]
pub struct FhirPathPatch {
    operations: Vec<Value>,
}

impl FhirPathPatch {
    /// A patch without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an element of this name to what is at a place.
    pub fn add(self, path: &str, name: &str, value: (&str, impl Into<Value>)) -> Self {
        self.with("add", path, [json!({"name": "name", "valueString": name}), of_choice(value)])
    }

    /// Puts an item into a list, before the one with this index.
    pub fn insert(self, path: &str, index: u32, value: (&str, impl Into<Value>)) -> Self {
        self.with("insert", path, [json!({"name": "index", "valueInteger": index}), of_choice(value)])
    }

    /// Replaces what is at a place.
    pub fn replace(self, path: &str, value: (&str, impl Into<Value>)) -> Self {
        self.with("replace", path, [of_choice(value)])
    }

    /// Deletes what is at a place.
    pub fn delete(self, path: &str) -> Self {
        self.with("delete", path, [])
    }

    /// Moves an item within a list.
    pub fn move_item(self, path: &str, source: u32, destination: u32) -> Self {
        let source = json!({"name": "source", "valueInteger": source});
        self.with("move", path, [source, json!({"name": "destination", "valueInteger": destination})])
    }

    /// The patch as a Parameters resource.
    pub fn to_parameters(&self) -> Value {
        json!({"resourceType": "Parameters", "parameter": self.operations})
    }

    fn with<const N: usize>(mut self, kind: &str, path: &str, rest: [Value; N]) -> Self {
        let mut parts = vec![json!({"name": "type", "valueCode": kind}), json!({"name": "path", "valueString": path})];
        parts.extend(rest);
        self.operations.push(json!({"name": "operation", "part": parts}));
        self
    }
}

fn of_choice((choice, value): (&str, impl Into<Value>)) -> Value {
    let mut part = Map::new();
    part.insert("name".to_owned(), "value".into());
    part.insert(choice.to_owned(), value.into());
    Value::Object(part)
}

impl fmt::Debug for FhirPathPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FhirPathPatch({} operations)", self.operations.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(patch: impl Into<Patch>) -> Result<(&'static str, Value), FhirError> {
        let (content_type, body) = patch.into().to_body(FhirMediaType::FhirJson)?;
        Ok((content_type, serde_json::from_slice(&body).unwrap()))
    }

    /// FR-16 (FHIR R4, http.html#patch; RFC 6902): all operations of a JSON Patch, under its own content type.
    #[test]
    fn json_patches_are_written() {
        let place = JsonPatch::pointer(["extension", "a/b~c"]);
        let patch = JsonPatch::new()
            .test("/active", &true)
            .add("/name/-", &json!({"family": "Smith"}))
            .replace("/active", &false)
            .remove("/photo")
            .move_to("/a", "/b")
            .copy_to("/b", &place);
        assert_eq!(format!("{patch:?}"), "JsonPatch(6 operations)");
        let expected = json!([
            {"op": "test", "path": "/active", "value": true},
            {"op": "add", "path": "/name/-", "value": {"family": "Smith"}},
            {"op": "replace", "path": "/active", "value": false},
            {"op": "remove", "path": "/photo"},
            {"op": "move", "path": "/b", "from": "/a"},
            {"op": "copy", "path": "/extension/a~1b~0c", "from": "/b"},
        ]);
        assert_eq!(JsonPatch::from_value(expected.clone()).unwrap(), patch);
        assert_eq!(body(patch).unwrap(), ("application/json-patch+json", expected));
    }

    /// FR-16 (FHIR R4, fhirpatch.html): all operations of a FHIRPath Patch, as a Parameters resource.
    #[test]
    fn fhirpath_patches_are_written() {
        let patch = FhirPathPatch::new()
            .add("Patient", "birthDate", ("valueDate", "1930-01-01"))
            .insert("Patient.given", 1, ("valueString", "x"))
            .replace("Patient.active", ("valueBoolean", false))
            .delete("Patient.photo")
            .move_item("Patient.identifier", 3, 1);
        let (_, octets) = Patch::from(patch.clone()).to_body(FhirMediaType::FhirJson).unwrap();
        let (content_type, body) = body(patch).unwrap();
        assert_eq!((content_type, &body["resourceType"]), ("application/fhir+json", &json!("Parameters")));
        let parts: Vec<_> = body["parameter"].as_array().unwrap().iter().map(|p| p["part"].clone()).collect();
        let kind = |kind: &str, path: &str| {
            vec![json!({"name": "type", "valueCode": kind}), json!({"name": "path", "valueString": path})]
        };
        let with = |kind: Vec<Value>, rest: Value| Value::Array([kind, rest.as_array().unwrap().clone()].concat());
        let expected = [
            with(
                kind("add", "Patient"),
                json!([{"name": "name", "valueString": "birthDate"}, {"name": "value", "valueDate": "1930-01-01"}]),
            ),
            with(
                kind("insert", "Patient.given"),
                json!([{"name": "index", "valueInteger": 1}, {"name": "value", "valueString": "x"}]),
            ),
            with(kind("replace", "Patient.active"), json!([{"name": "value", "valueBoolean": false}])),
            with(kind("delete", "Patient.photo"), json!([])),
            with(
                kind("move", "Patient.identifier"),
                json!([{"name": "source", "valueInteger": 3}, {"name": "destination", "valueInteger": 1}]),
            ),
        ];
        assert_eq!(parts, expected);
        let again = Patch::from_value(serde_json::from_slice(&octets).unwrap()).unwrap();
        assert_eq!(again.to_body(FhirMediaType::FhirJson).unwrap().1, octets);
    }

    /// FR-16: what could not be meant is refused before anything is sent.
    #[test]
    fn impossible_patches_are_refused() {
        for patch in [
            Patch::from(JsonPatch::new()),
            JsonPatch::new().remove("active").into(),
            JsonPatch::new().copy_to("x", "/y").into(),
            JsonPatch::new().add("/x", &std::collections::HashMap::from([(vec![1], 1)])).into(),
            FhirPathPatch::new().into(),
        ] {
            assert!(matches!(body(patch), Err(FhirError::InvalidRequest { .. })));
        }
        for value in [json!({}), json!([{"op": "x"}]), json!([1])] {
            assert!(Patch::from_value(value.clone()).is_err() && JsonPatch::from_value(value).is_err());
        }
    }
}
