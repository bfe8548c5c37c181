//! The FHIR base URL: what is sent is what the user gave, what is compared is normalised.

use crate::url_policy::{UrlError, UrlPolicy};
use url::Url;

/// The base URL of a FHIR server: the `iss` of an EHR launch and the `aud` of an authorization request.
///
/// Many servers compare `aud` letter by letter, so [`as_str`](Self::as_str) is byte for byte what was given
/// (requirement AZ-02). Two bases are equal (`==`, `Hash`) when they name the same server: scheme and host in any
/// case, the default port written or not, and trailing slashes make no difference; the path is compared as it is.
/// This type is not an [`Issuer`](crate::issuer::Issuer), which is compared letter by letter.
#[derive(Debug, Clone)]
pub struct FhirBaseUrl {
    given: String,
    url: Url,
    normalised: String,
}

impl FhirBaseUrl {
    /// Reads an https base URL.
    ///
    /// # Errors
    /// [`UrlError`] when it is not absolute, not https, or has credentials, a query or a fragment.
    pub fn parse(given: &str) -> Result<Self, UrlError> {
        Self::parse_with(given, UrlPolicy::HttpsOnly)
    }

    /// Reads a base URL under a policy that may allow http on loopback.
    ///
    /// # Errors
    /// [`UrlError`] as for [`parse`](Self::parse).
    pub fn parse_with(given: &str, policy: UrlPolicy) -> Result<Self, UrlError> {
        let url = policy.parse_identifier(given)?;
        let normalised = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { given: given.to_owned(), url, normalised })
    }

    /// The base exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The base as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The form that is compared: lower-case scheme and host, no default port, no trailing slash.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// The URL of something below the base, with exactly one slash between: `Patient/1`,
    /// `.well-known/smart-configuration`, `Patient?name=x`. The caller has encoded `relative`.
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`] when the result is no URL.
    pub fn join(&self, relative: &str) -> Result<Url, UrlError> {
        let joined = format!("{}/{}", self.normalised, relative.trim_start_matches('/'));
        Url::parse(&joined).map_err(|e| UrlError::NotAbsolute { given: joined, reason: e.to_string() })
    }

    /// Resolves a reference of a document against this base taken as a folder (RFC 3986, section 5): `auth/token`,
    /// `/auth/token`, `//host/token` or an absolute URL.
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`] when the reference cannot be resolved.
    pub fn resolve(&self, reference: &str) -> Result<Url, UrlError> {
        let unresolved =
            |e: url::ParseError| UrlError::NotAbsolute { given: reference.to_owned(), reason: e.to_string() };
        Url::parse(&format!("{}/", self.normalised)).map_err(unresolved)?.join(reference).map_err(unresolved)
    }

    /// Whether `url` lies at or below this base: same origin, and the path continues the base's path at a slash.
    ///
    /// A bearer token may be sent there (requirement TK-14); other tenants of the same host are outside.
    pub fn contains(&self, url: &Url) -> bool {
        let base_path = self.url.path().trim_end_matches('/');
        crate::url_policy::same_origin(&self.url, url)
            && url.path().strip_prefix(base_path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl PartialEq for FhirBaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.normalised == other.normalised
    }
}

impl Eq for FhirBaseUrl {}

impl std::hash::Hash for FhirBaseUrl {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.normalised.hash(state);
    }
}

impl std::fmt::Display for FhirBaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.given)
    }
}

impl serde::Serialize for FhirBaseUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.given)
    }
}

impl<'de> serde::Deserialize<'de> for FhirBaseUrl {
    /// Reads what was stored. Http on loopback passes: whether it may be used was decided when it was first given.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        Self::parse_with(&given, UrlPolicy::AllowLoopbackHttp).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(given: &str) -> FhirBaseUrl {
        FhirBaseUrl::parse(given).unwrap()
    }

    /// AZ-02 (SMART, app launch step 4): what was given is what is sent.
    #[test]
    fn the_given_text_is_kept_byte_for_byte() {
        for given in ["https://EHR.example:443/r4/", "https://ehr.example/r4", "https://ehr.example"] {
            assert_eq!(base(given).as_str(), given);
            assert_eq!(serde_json::to_value(base(given)).unwrap(), given);
        }
    }

    /// LA-03: bases that name the same server are equal, others are not.
    #[test]
    fn comparison_is_normalised() {
        assert_eq!(base("https://EHR.example:443/r4/"), base("https://ehr.example/r4"));
        assert_ne!(base("https://ehr.example/r4"), base("https://ehr.example/R4"));
        assert_ne!(base("https://ehr.example/r4"), base("https://ehr.example:8443/r4"));
    }

    /// DI-01 (SMART, conformance): well-known is appended after the base's path, with one slash.
    #[test]
    fn join_puts_exactly_one_slash() {
        for given in ["https://ehr.example/r4", "https://ehr.example/r4/", "https://ehr.example/r4//"] {
            let url = base(given).join(".well-known/smart-configuration").unwrap();
            assert_eq!(url.as_str(), "https://ehr.example/r4/.well-known/smart-configuration");
        }
        assert_eq!(base("https://ehr.example").join("/metadata").unwrap().as_str(), "https://ehr.example/metadata");
    }

    /// DI-08 (SMART 2.1, FHIR-38645): relative endpoints resolve against the FHIR base.
    #[test]
    fn references_resolve_against_the_base_as_a_folder() {
        let at = |reference| base("https://ehr.example/r4").resolve(reference).unwrap().to_string();
        assert_eq!(at("auth/token"), "https://ehr.example/r4/auth/token");
        assert_eq!(at("/auth/token"), "https://ehr.example/auth/token");
        assert_eq!(at("//login.example/token"), "https://login.example/token");
        assert_eq!(at("https://x.example/t"), "https://x.example/t");
    }

    /// TK-14: a token may be used below the base only, not at another tenant of the same host.
    #[test]
    fn containment_is_by_path_segment() {
        let inside = |url: &str| base("https://ehr.example/tenant-a/r4/").contains(&Url::parse(url).unwrap());
        assert!(inside("https://ehr.example/tenant-a/r4/Patient/1"));
        assert!(inside("https://ehr.example/tenant-a/r4?_getpages=x"));
        assert!(!inside("https://ehr.example/tenant-b/r4/Patient/1"));
        assert!(!inside("https://ehr.example/tenant-a/r4evil/Patient/1"));
        assert!(!inside("https://ehr.example/tenant-a/r4/../../tenant-b/r4/Patient/1"));
        assert!(!inside("https://evil.example/tenant-a/r4/Patient/1"));
    }

    /// DI-01: a base with a query, a fragment or another scheme is refused.
    #[test]
    fn impossible_bases_are_refused() {
        for given in
            ["https://ehr.example/r4?x=1", "https://ehr.example/r4#x", "ehr.example/r4", "", "http://ehr.example"]
        {
            assert!(FhirBaseUrl::parse(given).is_err(), "{given}");
        }
    }
}
