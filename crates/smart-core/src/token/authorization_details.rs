//! `authorization_details` of a token response: other FHIR servers that the token is good for (SMART 2.2, experimental).

use crate::context::{FhirContextItem, LaunchContext};
use crate::leniency::Leniency;
use crate::scope::Scopes;
use crate::url_policy::UrlPolicy;
use serde_json::{Map, Value};
use url::Url;

/// The type of entry that SMART defines.
const SMART_TYPE: &str = "smart_on_fhir";

/// Where else the token may be used, and with what scope and context.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationDetails {
    /// The FHIR base URLs.
    pub locations: Vec<Url>,
    /// FHIR versions spoken there, such as `4.0.1`.
    pub fhir_versions: Vec<String>,
    /// The scopes there, where they differ from the token's.
    pub scope: Option<Scopes>,
    /// The patient there, where it differs from the token's.
    pub patient: Option<String>,
    /// The encounter there, where it differs from the token's.
    pub encounter: Option<String>,
    /// Further context there.
    pub fhir_context: Vec<FhirContextItem>,
}

impl AuthorizationDetails {
    /// The context at these locations: its own members, falling back to the token's.
    pub fn context(&self, of_token: &LaunchContext) -> LaunchContext {
        of_token.updated_by(&LaunchContext {
            patient: self.patient.clone(),
            encounter: self.encounter.clone(),
            fhir_context: self.fhir_context.clone(),
            ..LaunchContext::default()
        })
    }

    /// The entry on the wire.
    pub(super) fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("type", SMART_TYPE.into());
        put("locations", self.locations.iter().map(Url::as_str).collect());
        put("fhirVersions", self.fhir_versions.iter().map(String::as_str).collect());
        if let Some(scope) = &self.scope {
            put("scope", scope.to_string().into());
        }
        let context = LaunchContext {
            patient: self.patient.clone(),
            encounter: self.encounter.clone(),
            fhir_context: self.fhir_context.clone(),
            ..LaunchContext::default()
        };
        context.write_to(&mut object);
        object
    }

    pub(crate) fn read_all(value: &Value, policy: UrlPolicy, notes: &mut Vec<Leniency>) -> Vec<Self> {
        let Value::Array(items) = value else {
            notes.push(Leniency::AuthorizationDetailUnreadable);
            return Vec::new();
        };
        let mut details = Vec::new();
        for item in items {
            match item.as_object().and_then(|object| Self::read(object, policy, notes)) {
                Some(detail) => details.push(detail),
                None => notes.push(Leniency::AuthorizationDetailUnreadable),
            }
        }
        details
    }

    fn read(object: &Map<String, Value>, policy: UrlPolicy, notes: &mut Vec<Leniency>) -> Option<Self> {
        if object.get("type")?.as_str()? != SMART_TYPE {
            return None;
        }
        let texts =
            |member: &str| -> Option<Vec<&str>> { object.get(member)?.as_array()?.iter().map(Value::as_str).collect() };
        let locations: Vec<Url> =
            texts("locations")?.into_iter().map(|text| policy.parse(text).ok()).collect::<Option<_>>()?;
        if locations.is_empty() {
            return None;
        }
        let context = LaunchContext::take_from(object.clone(), policy, notes);
        Some(Self {
            locations,
            fhir_versions: texts("fhirVersions")?.into_iter().map(str::to_owned).collect(),
            scope: object.get("scope").and_then(Value::as_str).map(Scopes::parse_granted),
            patient: context.patient,
            encounter: context.encounter,
            fhir_context: context.fhir_context,
        })
    }
}

impl std::fmt::Debug for AuthorizationDetails {
    /// Shows the places, not whose record it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationDetails")
            .field("locations", &self.locations.iter().map(Url::as_str).collect::<Vec<_>>())
            .field("fhir_versions", &self.fhir_versions)
            .finish_non_exhaustive()
    }
}
