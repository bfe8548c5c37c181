//! `authorization_details` of a token response: other FHIR servers that the token is good for (SMART 2.2, experimental).

use crate::context::{FhirContextItem, LaunchContext};
use crate::fhir_base::FhirBaseUrl;
use crate::leniency::Leniency;
use crate::scope::Scopes;
use crate::url_policy::UrlPolicy;
use serde_json::{Map, Value};

/// The type of entry that SMART defines.
const SMART_TYPE: &str = "smart_on_fhir";

/// Where else the token may be used, and with what scope and context.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationDetails {
    /// The FHIR base URLs: the token may be used there as well (requirement TK-14).
    pub locations: Vec<FhirBaseUrl>,
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
    /// Whether this is about a FHIR server.
    pub fn is_for(&self, base: &FhirBaseUrl) -> bool {
        self.locations.contains(base)
    }

    /// The scopes at these locations: its own, or the token's.
    pub fn scopes<'a>(&'a self, of_token: &'a Scopes) -> &'a Scopes {
        self.scope.as_ref().unwrap_or(of_token)
    }

    /// The context at these locations: its own members, each falling back to the token's (SMART 2.2, authorization
    /// details).
    pub fn context(&self, of_token: &LaunchContext) -> LaunchContext {
        let mut context = of_token.clone();
        context.patient = self.patient.clone().or(context.patient);
        context.encounter = self.encounter.clone().or(context.encounter);
        if !self.fhir_context.is_empty() {
            context.fhir_context.clone_from(&self.fhir_context);
        }
        context
    }

    /// The entry on the wire.
    pub(super) fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("type", SMART_TYPE.into());
        put("locations", self.locations.iter().map(FhirBaseUrl::as_str).collect());
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
        let locations: Vec<FhirBaseUrl> = texts("locations")?
            .into_iter()
            .map(|text| FhirBaseUrl::parse_with(text, policy).ok())
            .collect::<Option<_>>()?;
        if locations.is_empty() {
            return None;
        }
        // An absolute reference says whose id it is only where there is one server that it can be of.
        let base = locations.first().filter(|_| locations.len() == 1);
        let context = LaunchContext::take_from(object.clone(), base, policy, notes);
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
            .field("locations", &self.locations.iter().map(FhirBaseUrl::as_str).collect::<Vec<_>>())
            .field("fhir_versions", &self.fhir_versions)
            .finish_non_exhaustive()
    }
}
