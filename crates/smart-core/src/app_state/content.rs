//! What a state says, without id and version: those are the server's.

use super::error::StateContentError;
use super::state_code::StateCode;
use super::subject::StateSubject;
use super::value::StateValue;
use crate::fhir_base::FhirBaseUrl;
use crate::fhir_json::{items, text};
use crate::json::parse_object;
use crate::untrusted::shown;
use serde_json::{Map, Value, json};

/// The content of a state: one code, at most one subject, and values (SMART App Launch 2.2, app state, create).
///
/// It has no place for an id or a version. `Debug` shows neither whom it is about nor what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppState {
    code: StateCode,
    subject: Option<StateSubject>,
    values: Vec<StateValue>,
}

impl AppState {
    /// A state about nobody, a setting for all, without values.
    pub fn new(code: StateCode) -> Self {
        Self { code, subject: None, values: Vec::new() }
    }

    /// The same state about one subject.
    pub fn about(mut self, subject: StateSubject) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The same state with one more value.
    ///
    /// # Errors
    /// Those of [`StateValue::new`].
    pub fn with(mut self, url: impl Into<String>, text: impl Into<String>) -> Result<Self, StateContentError> {
        self.values.push(StateValue::new(url, text)?);
        Ok(self)
    }

    /// Its code.
    pub fn code(&self) -> &StateCode {
        &self.code
    }

    /// Whom it is about; `None` for a setting for all.
    pub fn subject(&self) -> Option<&StateSubject> {
        self.subject.as_ref()
    }

    /// Its values.
    pub fn values(&self) -> &[StateValue] {
        &self.values
    }

    /// The text of the first value with this URI. Untrusted where the state was stored.
    pub fn value(&self, url: &str) -> Option<&str> {
        self.values.iter().find(|value| value.url() == url).map(StateValue::text)
    }

    /// The Basic resource.
    pub fn to_basic(&self) -> Map<String, Value> {
        let mut basic = Map::new();
        let mut put = |name: &str, value: Value| basic.insert(name.to_owned(), value);
        put("resourceType", "Basic".into());
        if !self.values.is_empty() {
            put("extension", self.values.iter().map(StateValue::to_extension).collect());
        }
        put("code", json!({"coding": [{"system": self.code.system(), "code": self.code.code()}]}));
        if let Some(subject) = &self.subject {
            put("subject", json!({"reference": subject.as_str()}));
        }
        basic
    }

    /// For those who write a server: reads the body of a create and checks all that SMART asks of it. `primary` is the
    /// EHR's own FHIR base.
    ///
    /// # Errors
    /// [`StateContentError`]: refuse the request with 400, and with 413 what is too large.
    pub fn parse_create(body: &[u8], primary: &FhirBaseUrl, limit: usize) -> Result<Self, StateContentError> {
        check_size(body.len(), limit)?;
        let basic = Value::Object(parse_object(body)?);
        if basic.get("id").is_some() {
            return Err(StateContentError::Assigned { member: "id" });
        }
        if basic.get("meta").is_some_and(|meta| meta.get("versionId").is_some()) {
            return Err(StateContentError::Assigned { member: "meta.versionId" });
        }
        let known = ["resourceType", "meta", "extension", "code", "subject"];
        let other = basic.as_object().and_then(|basic| basic.keys().find(|name| !known.contains(&name.as_str())));
        if let Some(other) = other {
            return Err(StateContentError::OtherMember { member: shown(other, 40) });
        }
        let (state, others) = Self::read(&basic)?;
        if let Some((at, _)) = others.first() {
            return Err(StateContentError::Extension { at: *at });
        }
        if let Some(subject) = &state.subject {
            StateSubject::parse(subject.as_str(), primary)?;
        }
        Ok(state)
    }

    /// Reads a Basic resource; gives the extensions that are of another kind than SMART's, with their places.
    pub(super) fn read(basic: &Value) -> Result<(Self, Vec<(usize, Value)>), StateContentError> {
        if text(basic, "resourceType") != Some("Basic") {
            return Err(StateContentError::NotBasic);
        }
        let codings = basic.get("code").map_or(&[][..], |code| items(code, "coding"));
        let [coding] = codings else { return Err(StateContentError::CodingCount { count: codings.len() }) };
        let code =
            StateCode::new(text(coding, "system").unwrap_or_default(), text(coding, "code").unwrap_or_default())?;
        let subject = match basic.get("subject") {
            None => None,
            Some(subject) => Some(StateSubject::read(text(subject, "reference").unwrap_or_default())?),
        };
        let (mut values, mut others) = (Vec::new(), Vec::new());
        for (at, extension) in items(basic, "extension").iter().enumerate() {
            match StateValue::from_extension(extension) {
                Some(value) => values.push(value),
                None => others.push((at, extension.clone())),
            }
        }
        Ok((Self { code, subject, values }, others))
    }

    /// Which part of this state another one does not have the same.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.code != other.code {
            Some("code")
        } else if self.subject != other.subject {
            Some("subject")
        } else {
            let sorted = |state: &Self| {
                let mut values: Vec<_> =
                    state.values.iter().map(|value| (value.url().to_owned(), value.text().to_owned())).collect();
                values.sort_unstable();
                values
            };
            (sorted(self) != sorted(other)).then_some("extension")
        }
    }

    pub(super) fn with_values(&self, values: Vec<StateValue>) -> Self {
        Self { code: self.code.clone(), subject: self.subject.clone(), values }
    }
}

pub(super) fn check_size(octets: usize, limit: usize) -> Result<(), StateContentError> {
    if octets > limit { Err(StateContentError::TooLarge { octets, limit }) } else { Ok(()) }
}
