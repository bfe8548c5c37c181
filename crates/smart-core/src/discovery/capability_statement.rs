//! The way of SMART 1: endpoints in the CapabilityStatement.

use super::capability::Capability;
use crate::json::{JsonError, parse_object};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The extension that names the endpoints (SMART 1.0, conformance).
pub const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
/// The extension that names the capabilities (SMART 1.0, conformance).
pub const CAPABILITIES: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/capabilities";

/// What SMART 1 needs of a server's CapabilityStatement (R4, STU3) or Conformance (DSTU2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapabilityStatement {
    /// The FHIR version that it names: `4.0.1`, `3.0.2`, `1.0.2`.
    pub fhir_version: Option<String>,
    /// The endpoints by their names in the extension (`authorize`, `token`, `register`, `manage`, `introspect`,
    /// `revoke`, or others), as they came: unchecked and perhaps relative.
    pub oauth_uris: BTreeMap<String, String>,
    /// The capabilities of the extension for them.
    pub capabilities: Vec<Capability>,
}

impl CapabilityStatement {
    /// Reads the body of `{base}/metadata`.
    ///
    /// # Errors
    /// [`JsonError`] when it is no JSON object, or no resource of one of the two types
    /// ([`JsonError::NotAnObject`]).
    pub fn parse(body: &[u8]) -> Result<Self, JsonError> {
        Self::from_object(parse_object(body)?).map_err(|_| JsonError::NotAnObject)
    }

    /// Reads a resource; the error is its `resourceType`.
    pub(super) fn from_object(object: Map<String, Value>) -> Result<Self, String> {
        let resource_type = object.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        if !matches!(resource_type, "CapabilityStatement" | "Conformance") {
            return Err(resource_type.to_owned());
        }
        let mut read = Self {
            fhir_version: object.get("fhirVersion").and_then(Value::as_str).map(str::to_owned),
            ..Self::default()
        };
        let object = Value::Object(object);
        // Statements of clients describe what somebody asks, not what is.
        let servers = list(&object, "rest")
            .iter()
            .filter(|rest| rest.get("mode").and_then(Value::as_str).is_none_or(|mode| mode == "server"));
        // Endpoints of two authorization servers must not be mixed: one extension counts as a whole, the first that
        // names a token endpoint.
        for security in servers.filter_map(|rest| rest.get("security")) {
            for extension in extensions(security, OAUTH_URIS) {
                let uris = uris(extension);
                if !read.oauth_uris.contains_key(TOKEN) && (read.oauth_uris.is_empty() || uris.contains_key(TOKEN)) {
                    read.oauth_uris = uris;
                    read.capabilities = capabilities(security);
                }
            }
        }
        Ok(read)
    }
}

/// The name of the token endpoint in the extension.
const TOKEN: &str = "token";

fn uris(extension: &Value) -> BTreeMap<String, String> {
    let mut uris = BTreeMap::new();
    for child in list(extension, "extension") {
        let name = child.get("url").and_then(Value::as_str);
        let uri = ["valueUri", "valueUrl"].iter().find_map(|n| child.get(*n)?.as_str());
        if let (Some(name), Some(uri)) = (name, uri) {
            uris.entry(name.to_owned()).or_insert_with(|| uri.to_owned());
        }
    }
    uris
}

fn capabilities(security: &Value) -> Vec<Capability> {
    extensions(security, CAPABILITIES)
        .filter_map(|extension| ["valueCode", "valueString"].iter().find_map(|n| extension.get(*n)?.as_str()))
        .map(Capability::from)
        .collect()
}

fn extensions<'v>(value: &'v Value, url: &'static str) -> impl Iterator<Item = &'v Value> {
    list(value, "extension").iter().filter(move |e| e.get("url").and_then(Value::as_str) == Some(url))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
