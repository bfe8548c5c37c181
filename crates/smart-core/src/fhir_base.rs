//! The FHIR base URL: what is sent is what the user gave, what is compared is normalised.

use crate::untrusted::shown;
use crate::url_policy::{UrlError, UrlPolicy};
use percent_encoding::percent_decode;
use url::Url;

/// The base URL of a FHIR server: the `iss` of an EHR launch and the `aud` of an authorization request.
///
/// **What is sent** is what was given: many servers compare `aud` letter by letter, so [`as_str`](Self::as_str) is
/// byte for byte the text that the user or the EHR gave (requirement AZ-02), and so is what is serialised.
///
/// **What is compared** is [`normalised`](Self::normalised). Two bases are equal (`==`, `Hash`) when they name the same
/// server as RFC 3986, section 6.2.2 and 6.2.3 sees it:
///
/// | makes no difference | makes a difference |
/// |---|---|
/// | case of scheme and host | case of the path |
/// | the default port written or not | any other port, https or http |
/// | trailing slashes | any other slash |
/// | `.` and `..` segments, which are resolved | percent-encoding: `%41` is not `A`, `%2f` is no slash |
/// | an international host name or its `xn--` form | a host name with a final dot |
///
/// A base has no user name, query or fragment, and no blanks, control characters or backslashes: these are refused, not
/// mended, since a server that compares letters would see another text than the one that was checked.
///
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
    /// [`UrlError::NotAbsolute`] when the result is no URL, [`UrlError::UnexpectedPart`] when it would not be
    /// [below the base](Self::contains): `../other-tenant/Patient/1`.
    pub fn join(&self, relative: &str) -> Result<Url, UrlError> {
        let joined = format!("{}/{}", self.normalised, relative.trim_start_matches('/'));
        let url = Url::parse(&joined)
            .map_err(|e| UrlError::NotAbsolute { given: shown(&joined, 200), reason: e.to_string() })?;
        if self.contains(&url) {
            Ok(url)
        } else {
            Err(UrlError::UnexpectedPart { given: shown(&joined, 200), part: "way out of the FHIR base" })
        }
    }

    /// Resolves a reference of a FHIR resource against this base taken as a folder (FHIR R4, references): `Patient/1`
    /// lies below the base. What comes out may lie anywhere; ask [`contains`](Self::contains).
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`] when the reference cannot be resolved.
    pub fn resolve(&self, reference: &str) -> Result<Url, UrlError> {
        Url::parse(&format!("{}/", self.normalised))
            .and_then(|folder| folder.join(reference))
            .map_err(|e| unresolved(reference, e))
    }

    /// Resolves a relative endpoint of a discovery document against this base taken as a URL, as it was given (SMART
    /// App Launch 2.2, conformance: `new URL(relativeUrl, fhirBaseUrl)`; RFC 3986, section 5).
    ///
    /// The last segment of a base without a trailing slash gives way: `auth/token` at `https://ehr.example/r4` is
    /// `https://ehr.example/auth/token`, and at `https://ehr.example/r4/` it is `https://ehr.example/r4/auth/token`.
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`] when the reference cannot be resolved.
    pub fn resolve_endpoint(&self, reference: &str) -> Result<Url, UrlError> {
        self.url.join(reference).map_err(|e| unresolved(reference, e))
    }

    /// Whether `url` lies at or below this base: same origin, no user name in it, and the path continues the base's
    /// path at a slash.
    ///
    /// A bearer token may be sent there (requirement TK-14); other tenants of the same host are outside. A URL that a
    /// server or proxy could take for one outside is outside as well: whose path has, below the base, an encoded slash
    /// or backslash, or a segment that is `.` or `..` once it is decoded or its `;` parameters are cut off. No URL of
    /// FHIR's has such.
    pub fn contains(&self, url: &Url) -> bool {
        let base_path = self.url.path().trim_end_matches('/');
        crate::url_policy::same_origin(&self.url, url)
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().strip_prefix(base_path).is_some_and(stays_below)
    }
}

fn unresolved(reference: &str, error: url::ParseError) -> UrlError {
    UrlError::NotAbsolute { given: shown(reference, 200), reason: error.to_string() }
}

/// Whether what follows the base's path begins at a slash and cannot be read as leading out again.
fn stays_below(rest: &str) -> bool {
    (rest.is_empty() || rest.starts_with('/'))
        // The parser has resolved plain dot segments; only what it leaves alone has to be looked into.
        && (!rest.contains(['%', ';']) || rest.split('/').all(is_plain_segment))
}

/// How often a segment may be percent-encoded before it is taken for an attack.
const MAX_DECODING: usize = 4;

fn is_plain_segment(segment: &str) -> bool {
    let mut octets = segment.as_bytes().to_vec();
    for _ in 0..MAX_DECODING {
        let name = octets.split(|octet| *octet == b';').next().unwrap_or_default();
        if matches!(name, b"." | b"..")
            || octets.iter().any(|octet| matches!(octet, b'/' | b'\\') || octet.is_ascii_control())
        {
            return false;
        }
        let decoded: Vec<u8> = percent_decode(&octets).collect();
        if decoded == octets {
            return true;
        }
        octets = decoded;
    }
    false
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

    /// A relative reference of FHIR (R4, references and paging) takes the base for a folder.
    #[test]
    fn references_resolve_against_the_base_as_a_folder() {
        for given in ["https://ehr.example/r4", "https://ehr.example/r4/"] {
            let at = |reference| base(given).resolve(reference).unwrap().to_string();
            assert_eq!(at("Patient/1"), "https://ehr.example/r4/Patient/1");
            assert_eq!(at("?_getpages=x"), "https://ehr.example/r4/?_getpages=x");
            assert_eq!(at("/r4/Patient/1"), "https://ehr.example/r4/Patient/1");
            assert_eq!(at("https://x.example/t"), "https://x.example/t");
            assert!(base(given).resolve("https://[").is_err());
        }
    }

    /// DI-08 (SMART 2.1, conformance, FHIR-38645): relative endpoints resolve as `new URL(relative, base)` does.
    #[test]
    fn relative_endpoints_resolve_against_the_base_as_it_was_given() {
        for (given, reference, resolved) in [
            ("https://ehr.example/r4", "auth/token", "https://ehr.example/auth/token"),
            ("https://ehr.example/r4/", "auth/token", "https://ehr.example/r4/auth/token"),
            ("https://ehr.example", "auth/token", "https://ehr.example/auth/token"),
            ("https://ehr.example/r4", "./token", "https://ehr.example/token"),
            ("https://ehr.example/t1/r4/", "../token", "https://ehr.example/t1/token"),
            ("https://ehr.example/r4", "/auth/token", "https://ehr.example/auth/token"),
            ("https://ehr.example/r4/", "/auth/token?x=1", "https://ehr.example/auth/token?x=1"),
            ("https://ehr.example:8443/r4", "//login.example/token", "https://login.example/token"),
            ("https://ehr.example/r4", "https://x.example/t", "https://x.example/t"),
        ] {
            assert_eq!(base(given).resolve_endpoint(reference).unwrap().as_str(), resolved, "{given} {reference}");
        }
        assert!(base("https://ehr.example/r4").resolve_endpoint("//[").is_err());
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
