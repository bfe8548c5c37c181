//! The `fhirUser` claim: who is logged in, as a FHIR resource.

use super::launch_context::is_served_id;
use crate::fhir_base::FhirBaseUrl;
use url::Url;

/// Which resource types a user may be (SMART, scopes for requesting identity data; PractitionerRole since 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum FhirUserType {
    /// A patient.
    Patient,
    /// A practitioner.
    Practitioner,
    /// A practitioner in a role at an organisation.
    PractitionerRole,
    /// A person related to a patient, such as a parent.
    RelatedPerson,
    /// A person, apart from any role.
    Person,
}

impl FhirUserType {
    /// The resource type's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Practitioner => "Practitioner",
            Self::PractitionerRole => "PractitionerRole",
            Self::RelatedPerson => "RelatedPerson",
            Self::Person => "Person",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Patient, Self::Practitioner, Self::PractitionerRole, Self::RelatedPerson, Self::Person]
            .into_iter()
            .find(|t| t.as_str() == name)
    }
}

/// The logged-in user, resolved against the FHIR base.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FhirUser {
    resource_type: FhirUserType,
    id: String,
    url: Url,
    on_this_server: bool,
}

/// Why a `fhirUser` claim is of no use. The claim itself is not shown: it names a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FhirUserError {
    /// It is no URL and no relative reference.
    #[error("the fhirUser claim is neither a URL nor a relative reference")]
    NotAReference,
    /// It is an absolute URL, but not https.
    #[error("the fhirUser claim is a URL that is not https")]
    NotHttps,
    /// It names no Patient, Practitioner, PractitionerRole, RelatedPerson or Person with a proper id.
    #[error("the fhirUser claim names no Patient, Practitioner, PractitionerRole, RelatedPerson or Person")]
    NoUser,
}

impl FhirUser {
    /// Resolves the claim of a validated ID token: absolute, or relative to the FHIR base, with or without a version.
    /// Ids longer than FHIR allows pass up to 128 characters, as Epic has given some.
    ///
    /// # Errors
    /// [`FhirUserError`].
    pub fn resolve(base: &FhirBaseUrl, claim: &str) -> Result<Self, FhirUserError> {
        let absolute = claim.contains("://");
        if !absolute
            && !claim.trim_start_matches('/').split('/').all(|segment| is_served_id(segment.trim_start_matches('_')))
        {
            return Err(FhirUserError::NotAReference);
        }
        if claim.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(FhirUserError::NotAReference);
        }
        let mut url = if absolute {
            Url::parse(claim).map_err(|_| FhirUserError::NotAReference)?
        } else {
            base.join(claim).map_err(|_| FhirUserError::NotAReference)?
        };
        if absolute && url.scheme() != "https" && !crate::url_policy::same_origin(&url, base.url()) {
            return Err(FhirUserError::NotHttps);
        }
        url.set_query(None);
        url.set_fragment(None);
        let segments: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
        let (resource_type, id) = match segments.as_slice() {
            [.., resource_type, id, "_history", version] if is_served_id(version) => (*resource_type, *id),
            [.., resource_type, id] => (*resource_type, *id),
            _ => return Err(FhirUserError::NoUser),
        };
        let resource_type = FhirUserType::from_name(resource_type).ok_or(FhirUserError::NoUser)?;
        if !is_served_id(id) {
            return Err(FhirUserError::NoUser);
        }
        let on_this_server = base.contains(&url)
            && base
                .join(&format!("{}/{id}", resource_type.as_str()))
                .is_ok_and(|own| url.path().starts_with(own.path()));
        if !absolute && !on_this_server {
            return Err(FhirUserError::NotAReference);
        }
        Ok(Self { resource_type, id: id.to_owned(), url: url.clone(), on_this_server })
    }

    /// The resource type.
    pub fn resource_type(&self) -> FhirUserType {
        self.resource_type
    }

    /// The resource's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The reference relative to the FHIR base it lies on: `Practitioner/123`.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.resource_type.as_str(), self.id)
    }

    /// The absolute URL of the resource.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it lies on the FHIR server of this session. Elsewhere the session's token must not be sent
    /// (requirement ID-22).
    pub fn is_on_this_server(&self) -> bool {
        self.on_this_server
    }
}

impl std::fmt::Debug for FhirUser {
    /// Shows the type, not the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FhirUser")
            .field("resource_type", &self.resource_type)
            .field("on_this_server", &self.on_this_server)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(claim: &str) -> Result<FhirUser, FhirUserError> {
        FhirUser::resolve(&FhirBaseUrl::parse("https://ehr.example/t1/r4").unwrap(), claim)
    }

    /// ID-21, F-47, D-05 (SMART, identity data; FHIR-37862): absolute or relative, five types, versions allowed.
    #[test]
    fn absolute_and_relative_users_resolve() {
        for (claim, reference, here) in [
            ("Practitioner/123", "Practitioner/123", true),
            ("/Patient/1", "Patient/1", true),
            ("PractitionerRole/a.b-c", "PractitionerRole/a.b-c", true),
            ("https://ehr.example/t1/r4/RelatedPerson/9", "RelatedPerson/9", true),
            ("https://ehr.example/t1/r4/Person/9/_history/2", "Person/9", true),
            ("https://ehr.example/t2/r4/Patient/9", "Patient/9", false),
            ("https://other.example/fhir/Practitioner/9", "Practitioner/9", false),
        ] {
            let user = resolve(claim).unwrap();
            assert_eq!((user.reference().as_str(), user.is_on_this_server()), (reference, here), "{claim}");
        }
    }

    /// ID-21: what names no user is refused.
    #[test]
    fn other_references_are_refused() {
        for claim in [
            "",
            "Organization/1",
            "Patient",
            "Patient/",
            "Patient/a b",
            "../../t2/r4/Patient/1",
            "urn:uuid:1",
            "Patient/1/extra",
            "javascript://x/Patient/1",
            "http://other.example/Patient/1",
            "//other.example/Patient/1/..",
            "Patient/../Practitioner/1",
        ] {
            assert!(resolve(claim).is_err(), "{claim}");
        }
    }

    /// ID-22 (SMART, app launch step 6): a user on another server is told apart, so no token goes there.
    #[test]
    fn foreign_user_is_told_apart() {
        assert!(!resolve("https://ehr.example.evil.example/t1/r4/Patient/1").unwrap().is_on_this_server());
        assert!(!resolve("https://ehr.example/t1/r4/x/Patient/1").unwrap().is_on_this_server());
    }
}
