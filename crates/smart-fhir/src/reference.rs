//! Where a reference leads.

use crate::{FhirId, ResourceTypeName};
use smart_core::fhir_base::FhirBaseUrl;
use std::fmt;
use url::Url;

/// Where the text of a `Reference.reference` leads, seen from one FHIR server (FHIR R4, references.html).
#[derive(Clone, PartialEq, Eq)]
pub enum ReferenceTarget {
    /// A resource of this server, or a version of it. Only this is read with this server's token.
    Here {
        /// The resource type.
        resource_type: ResourceTypeName,
        /// The id.
        id: FhirId,
        /// The version, when the reference names one.
        version: Option<FhirId>,
    },
    /// A resource contained in the one that has the reference, by its id there; empty for that resource itself. It has
    /// no URL (requirement FR-22).
    Contained {
        /// The id within the resource.
        id: String,
    },
    /// A `urn:uuid:` or `urn:oid:`: it names an entry of the same bundle and has no URL (requirement FR-22).
    Urn,
    /// A resource of another server. It needs an authorization of its own (requirement FR-03).
    Elsewhere {
        /// Its URL.
        url: Url,
    },
}

/// Why a reference cannot be read from this server. The reference itself is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ReferenceError {
    /// It is neither relative, `Type/id` with a version or without, nor a URL, nor any other legal form.
    #[error("it is no legal reference: `Type/id`, `Type/id/_history/version` or an absolute http or https URL")]
    Malformed,
    /// It leads into the resource that has it.
    #[error("it leads to a contained resource, which has no URL; look it up in the resource that has the reference")]
    Contained,
    /// It names what it is about by an identifier only.
    #[error("it has an identifier and no reference; search for the identifier")]
    Logical,
    /// It is a `urn:`.
    #[error("it is a URN, which has no URL; look it up among the entries of the bundle")]
    Urn,
    /// It leads to another server. No token goes there.
    #[error("it leads to another server, {origin}; authorize there and read it with a client of its own")]
    Elsewhere {
        /// That server: scheme, host and port only.
        origin: String,
    },
}

impl ReferenceTarget {
    /// Tells where `reference` leads, as it stands in a resource of the server at `base`.
    ///
    /// # Errors
    /// [`ReferenceError::Malformed`]. A reference that is a search (`Patient?identifier=..`) is malformed too: it is
    /// legal in bundles that are sent only.
    pub fn resolve(base: &FhirBaseUrl, reference: &str) -> Result<Self, ReferenceError> {
        if let Some(id) = reference.strip_prefix('#') {
            return Ok(Self::Contained { id: id.to_owned() });
        }
        let (scheme, has_scheme) = match reference.split_once(':') {
            Some((scheme, _)) => (scheme.to_ascii_lowercase(), !scheme.contains(['/', '?', '#'])),
            None => (String::new(), false),
        };
        if !has_scheme {
            return Self::here(reference);
        }
        match scheme.as_str() {
            "urn" => Ok(Self::Urn),
            "http" | "https" => {
                let url = Url::parse(reference).map_err(|_| ReferenceError::Malformed)?;
                if !base.contains(&url) {
                    return Ok(Self::Elsewhere { url });
                }
                let below = url.path().strip_prefix(base.url().path().trim_end_matches('/')).unwrap_or_default();
                if url.query().is_some() || url.fragment().is_some() {
                    return Err(ReferenceError::Malformed);
                }
                Self::here(below.strip_prefix('/').unwrap_or_default())
            }
            _ => Err(ReferenceError::Malformed),
        }
    }

    /// Why it cannot be read by its URL; what is here is malformed.
    pub(crate) fn unreadable(self) -> ReferenceError {
        match self {
            Self::Here { .. } => ReferenceError::Malformed,
            Self::Contained { .. } => ReferenceError::Contained,
            Self::Urn => ReferenceError::Urn,
            Self::Elsewhere { url } => ReferenceError::Elsewhere { origin: url.origin().ascii_serialization() },
        }
    }

    fn here(path: &str) -> Result<Self, ReferenceError> {
        let mut parts = path.split('/');
        let (resource_type, id, history, version) = (parts.next(), parts.next(), parts.next(), parts.next());
        let id_of = |text: &str| FhirId::parse_lenient(text).map_err(|_| ReferenceError::Malformed);
        let version = match (history, version, parts.next()) {
            (None, ..) => None,
            (Some("_history"), Some(version), None) => Some(id_of(version)?),
            _ => return Err(ReferenceError::Malformed),
        };
        let resource_type =
            ResourceTypeName::parse(resource_type.unwrap_or_default()).map_err(|_| ReferenceError::Malformed)?;
        Ok(Self::Here { resource_type, id: id_of(id.unwrap_or_default())?, version })
    }
}

impl fmt::Debug for ReferenceTarget {
    /// Shows the kind and the type, not the resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here { resource_type, .. } => write!(f, "Here({resource_type}/***)"),
            Self::Contained { .. } => f.write_str("Contained(***)"),
            Self::Urn => f.write_str("Urn"),
            Self::Elsewhere { url } => write!(f, "Elsewhere({})", url.origin().ascii_serialization()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolve(reference: &str) -> Result<ReferenceTarget, ReferenceError> {
        ReferenceTarget::resolve(&FhirBaseUrl::parse("https://ehr.example/t1/r4/").unwrap(), reference)
    }

    fn here(reference: &str) -> Option<(String, String, Option<String>)> {
        match resolve(reference) {
            Ok(ReferenceTarget::Here { resource_type, id, version }) => {
                Some((resource_type.to_string(), id.to_string(), version.map(|v| v.to_string())))
            }
            _ => None,
        }
    }

    /// FR-22 (FHIR R4, references.html): relative and absolute references to this server, with versions.
    #[test]
    fn references_to_this_server_resolve() {
        for (reference, version) in [
            ("Patient/1", None),
            ("Patient/1/_history/2", Some("2")),
            ("https://ehr.example/t1/r4/Patient/1", None),
            ("HTTPS://EHR.example:443/t1/r4/Patient/1/_history/2", Some("2")),
        ] {
            let expected = Some(("Patient".to_owned(), "1".to_owned(), version.map(str::to_owned)));
            assert_eq!(here(reference), expected, "{reference}");
        }
    }

    /// FR-22 (FHIR R4, references.html): contained resources and URNs are no URLs.
    #[test]
    fn contained_and_urn_references_are_no_urls() {
        assert_eq!(resolve("#p1"), Ok(ReferenceTarget::Contained { id: "p1".to_owned() }));
        assert_eq!(resolve("#"), Ok(ReferenceTarget::Contained { id: String::new() }));
        for urn in ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:oid:1.2.3", "URN:x:y"] {
            assert_eq!(resolve(urn), Ok(ReferenceTarget::Urn));
        }
    }

    /// FR-03 (SMART, app launch step 6): other servers, tenants and schemes are elsewhere.
    #[test]
    fn other_servers_are_elsewhere() {
        for reference in [
            "https://other.example/fhir/Patient/1",
            "https://ehr.example/t2/r4/Patient/1",
            "https://ehr.example/t1/r4evil/Patient/1",
            "https://ehr.example/t1/r4/../../t2/Patient/1",
            "http://ehr.example/t1/r4/Patient/1",
            "https://ehr.example@evil.example/t1/r4/Patient/1",
        ] {
            let target = resolve(reference).unwrap();
            assert!(matches!(target, ReferenceTarget::Elsewhere { .. }), "{reference}");
            assert!(!format!("{target:?}").contains("Patient"));
        }
    }

    /// FR-12, FR-22: what is no reference is refused.
    #[test]
    fn malformed_references_are_refused() {
        for reference in [
            "",
            "/",
            "Patient",
            "Patient/",
            "Patient/..",
            "/Patient/1",
            "//evil.example/Patient/1",
            "../Patient/1",
            "Patient/1/",
            "Patient/1/_history",
            "Patient/1/_history/",
            "Patient/1/_history/2/3",
            "Patient/1/Observation",
            "Patient?identifier=x:1",
            "patient/1",
            "javascript:alert(1)",
            "data:text/plain,x",
            "ftp://ehr.example/t1/r4/Patient/1",
            "https://",
            "https://ehr.example/t1/r4",
            "https://ehr.example/t1/r4/",
            "https://ehr.example/t1/r4//Patient/1",
            "https://ehr.example/t1/r4/Patient/1?x=y",
            "https://ehr.example/t1/r4/Patient/1#x",
            "https://ehr.example/t1/r4/Patient/%31",
        ] {
            assert_eq!(resolve(reference), Err(ReferenceError::Malformed), "{reference}");
        }
    }

    proptest! {
        /// FR-12, FR-22: no text makes the resolver panic.
        #[test]
        fn any_text_resolves_or_is_refused(text in "\\PC*", url in "(https://ehr.example/t1/r4/?)?[A-Za-z0-9/._%#?:-]{0,40}") {
            let _ = resolve(&text);
            let _ = resolve(&url);
        }
    }
}
