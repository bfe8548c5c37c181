//! A state as the server has it.

use super::content::AppState;
use super::error::StateContentError;
use super::value::StateValue;
use crate::context::is_fhir_id;
use crate::entity_tag::EntityTag;
use crate::fhir_json::text;
use crate::leniency::Leniency;
use serde_json::{Map, Value};

/// A state that is stored: its content, its id and its version. An update or delete is made of it, so that both say
/// which version they mean.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAppState {
    id: String,
    version: EntityTag,
    content: AppState,
    /// The resource as it came: an update must not lose what this crate does not know.
    resource: Map<String, Value>,
    leniencies: Vec<Leniency>,
}

/// Where the version of a state is looked for.
#[derive(Clone, Copy)]
pub(super) enum VersionFrom<'a> {
    /// In the `ETag` of the answer, which is to be there.
    Header(Option<&'a str>),
    /// In the resource: an entry of a bundle has no headers.
    Resource,
}

impl StoredAppState {
    pub(super) fn read(resource: Map<String, Value>, version: VersionFrom<'_>) -> Result<Self, StateContentError> {
        let resource = Value::Object(resource);
        let (content, _) = AppState::read(&resource)?;
        let id = text(&resource, "id").filter(|id| is_fhir_id(id)).ok_or(StateContentError::IdMissing)?.to_owned();
        let mut leniencies = Vec::new();
        let of_resource = || {
            let version = resource.get("meta").and_then(|meta| text(meta, "versionId"));
            version.and_then(|version| EntityTag::of_version(version).ok()).ok_or(StateContentError::VersionMissing)
        };
        let version = match version {
            VersionFrom::Resource => of_resource()?,
            VersionFrom::Header(tag) => {
                if let Some(tag) = tag.and_then(|tag| EntityTag::parse(tag).ok()) {
                    tag
                } else {
                    leniencies.push(Leniency::AppStateTagMissing);
                    of_resource()?
                }
            }
        };
        let Value::Object(resource) = resource else { return Err(StateContentError::NotBasic) };
        Ok(Self { id, version, content, resource, leniencies })
    }

    /// The id that the server assigned.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which version this is.
    pub fn version(&self) -> &EntityTag {
        &self.version
    }

    /// Code, subject and values. The values are untrusted.
    pub fn content(&self) -> &AppState {
        &self.content
    }

    /// The text of the first value with this URI. Untrusted.
    pub fn value(&self, url: &str) -> Option<&str> {
        self.content.value(url)
    }

    /// Where the answer departed from the specification and was read all the same.
    pub fn leniencies(&self) -> &[Leniency] {
        &self.leniencies
    }

    /// The resource with other values: id, code, subject, and all that this crate does not know, stay.
    pub(super) fn to_updated(&self, values: &[StateValue]) -> Map<String, Value> {
        let mut resource = self.resource.clone();
        if let Some(Value::Object(meta)) = resource.get_mut("meta") {
            // Both are the server's to set; it would ignore or refuse them.
            meta.shift_remove("versionId");
            meta.shift_remove("lastUpdated");
            if meta.is_empty() {
                resource.shift_remove("meta");
            }
        }
        let kept = match resource.shift_remove("extension") {
            Some(Value::Array(extensions)) => extensions,
            _ => Vec::new(),
        };
        let kept = kept.into_iter().filter(|extension| StateValue::from_extension(extension).is_none());
        let extensions: Vec<Value> = kept.chain(values.iter().map(StateValue::to_extension)).collect();
        if !extensions.is_empty() {
            resource.insert("extension".to_owned(), extensions.into());
        }
        resource
    }
}

impl std::fmt::Debug for StoredAppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAppState")
            .field("id", &self.id)
            .field("version", &self.version.as_str())
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}
