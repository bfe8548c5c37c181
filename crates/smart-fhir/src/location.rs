//! Where a server says that a resource is.

use crate::{FhirId, ResourceTypeName};
use smart_core::fhir_base::FhirBaseUrl;
use std::fmt;
use url::Url;

/// Where a resource is, of a `Location` header or of the answer to an entry of a bundle: `[base]/Type/id/_history/vid`
/// (FHIR R4, http.html#create), absolute or relative.
///
/// Type, id and version are what counts: servers behind a gateway name themselves otherwise than they are reached, so
/// [`is_here`](Self::is_here) may be false for what was just created here. Debug hides the id.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    url: Url,
    resource_type: ResourceTypeName,
    id: FhirId,
    version: Option<FhirId>,
    is_here: bool,
}

impl Location {
    /// Reads a location that came in the response to a request for `url`. A path like `Patient/1` is meant from the
    /// base, whatever RFC 9110 says; one with a slash before it, or of a `./` kind, from the request's URL.
    pub(crate) fn read(base: &FhirBaseUrl, url: &Url, text: &str) -> Option<Self> {
        let text = text.trim();
        let starts_with_type = text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.contains(':');
        let url = if starts_with_type { base.resolve(text).ok()? } else { url.join(text).ok()? };
        let mut parts: Vec<&str> = url.path_segments()?.collect();
        if parts.last() == Some(&"") {
            parts.pop();
        }
        let (at, version) = match parts.as_slice() {
            [before @ .., "_history", version] => (before, Some(FhirId::parse_lenient(version).ok()?)),
            all => (all, None),
        };
        let [.., resource_type, id] = at else { return None };
        Some(Self {
            resource_type: ResourceTypeName::parse(resource_type).ok()?,
            id: FhirId::parse_lenient(id).ok()?,
            version,
            is_here: base.contains(&url),
            url,
        })
    }

    /// The URL. No token goes there by itself.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The resource type.
    pub fn resource_type(&self) -> &ResourceTypeName {
        &self.resource_type
    }

    /// The id.
    pub fn id(&self) -> &FhirId {
        &self.id
    }

    /// The version, where it is named.
    pub fn version(&self) -> Option<&FhirId> {
        self.version.as_ref()
    }

    /// Whether the URL lies below the base by which the server is reached.
    pub fn is_here(&self) -> bool {
        self.is_here
    }

    /// The reference to the resource from others of the same server: `Type/id`.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({}/***)", self.resource_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Location> {
        let base = FhirBaseUrl::parse("https://ehr.example/t1/r4").unwrap();
        Location::read(&base, &Url::parse("https://ehr.example/t1/r4/Patient").unwrap(), text)
    }

    /// FR-21 (FHIR R4, http.html#create): a location is read absolute or relative, with a version or without.
    #[test]
    fn locations_are_read_absolute_and_relative() {
        for (text, version, is_here) in [
            ("https://ehr.example/t1/r4/Patient/1/_history/2", Some("2"), true),
            ("https://ehr.example/t1/r4/Patient/1", None, true),
            ("https://ehr.example/t1/r4/Patient/1/", None, true),
            ("Patient/1/_history/2", Some("2"), true),
            ("Patient/1", None, true),
            ("/t1/r4/Patient/1", None, true),
            ("./Patient/1", None, true),
            ("http://internal:8080/fhir/Patient/1/_history/2", Some("2"), false),
            ("//internal/fhir/Patient/1", None, false),
        ] {
            let location = read(text).unwrap();
            assert_eq!((location.reference().as_str(), location.is_here()), ("Patient/1", is_here), "{text}");
            assert_eq!(location.version().map(FhirId::as_str), version, "{text}");
            assert_eq!(location.url().scheme(), if text.starts_with("http:") { "http" } else { "https" });
            assert_eq!(format!("{location:?}"), "Location(Patient/***)");
        }
    }

    /// FR-21, FR-12: what names no resource is none.
    #[test]
    fn other_texts_are_no_location() {
        for text in [
            "",
            "/",
            "Patient",
            "1",
            "Patient/1/2",
            "Patient/%2e%2e",
            "Patient/1/_history/",
            "urn:uuid:x",
            "mailto:a@b",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        /// FR-21: no text makes the parser panic.
        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,60}", path in "[A-Za-z0-9/._%#?:-]{0,40}") {
            read(&text);
            read(&path);
        }
    }
}
