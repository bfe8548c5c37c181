//! Whom a state is about.

use super::error::StateContentError;
use crate::context::{FhirUser, is_fhir_id};
use crate::fhir_base::FhirBaseUrl;
use url::Url;

/// An absolute reference to a resource on the EHR's own FHIR server: `https://ehr.example/r4/Patient/123`. Servers take
/// Patient, Practitioner, PractitionerRole, RelatedPerson and Person at least.
///
/// Queries compare it letter by letter, so it is always sent as it was stored. `Debug` does not show whom it names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StateSubject(String);

impl StateSubject {
    /// A resource of the EHR's FHIR server.
    ///
    /// # Errors
    /// [`StateContentError::SubjectNotAbsolute`] when the type is no name of a resource type or the id is no FHIR id.
    pub fn new(primary: &FhirBaseUrl, resource_type: &str, id: &str) -> Result<Self, StateContentError> {
        let url = primary.join(&format!("{resource_type}/{id}")).map_err(|_| StateContentError::SubjectNotAbsolute)?;
        Self::parse(url.as_str(), primary)
    }

    /// The user who is logged in, where they are a resource of the EHR's FHIR server.
    ///
    /// # Errors
    /// [`StateContentError::SubjectElsewhere`].
    pub fn of_user(primary: &FhirBaseUrl, user: &FhirUser) -> Result<Self, StateContentError> {
        if user.is_on_this_server() {
            Self::new(primary, user.resource_type().as_str(), user.id())
        } else {
            Err(StateContentError::SubjectElsewhere { base: primary.as_str().to_owned() })
        }
    }

    /// Reads an absolute reference, and checks that it lies on the EHR's FHIR server.
    ///
    /// # Errors
    /// [`StateContentError::SubjectNotAbsolute`] or [`StateContentError::SubjectElsewhere`].
    pub fn parse(text: &str, primary: &FhirBaseUrl) -> Result<Self, StateContentError> {
        let subject = Self::read(text)?;
        let own = subject.relative().and_then(|relative| primary.join(&relative).ok());
        match (Url::parse(text), own) {
            (Ok(url), Some(own)) if url == own => Ok(subject),
            _ => Err(StateContentError::SubjectElsewhere { base: primary.as_str().to_owned() }),
        }
    }

    /// Reads what a server stored: an absolute reference of whatever server.
    pub(super) fn read(text: &str) -> Result<Self, StateContentError> {
        let subject = Self(text.to_owned());
        let is_web = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if is_web && subject.relative().is_some() { Ok(subject) } else { Err(StateContentError::SubjectNotAbsolute) }
    }

    /// The reference, letter by letter.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The resource type.
    pub fn resource_type(&self) -> &str {
        self.0.rsplit('/').nth(1).unwrap_or_default()
    }

    /// The id of the resource.
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    fn relative(&self) -> Option<String> {
        let (resource_type, id) = (self.resource_type(), self.id());
        let is_type = resource_type.starts_with(|c: char| c.is_ascii_uppercase())
            && resource_type.bytes().all(|c| c.is_ascii_alphabetic());
        (is_type && is_fhir_id(id)).then(|| format!("{resource_type}/{id}"))
    }
}

impl std::fmt::Debug for StateSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StateSubject({}/***)", self.resource_type())
    }
}
