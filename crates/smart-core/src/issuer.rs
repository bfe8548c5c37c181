//! The issuer identifier of an authorization server: not the FHIR base, not the client.

use crate::url_policy::{UrlError, UrlPolicy};
use url::Url;

/// An OpenID Connect or OAuth issuer identifier (OpenID Connect Core, section 2; RFC 8414, section 2).
///
/// Issuers are compared letter by letter (requirement ID-05): `https://a.example` and `https://a.example/` differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// Reads an issuer identifier: an https URL without query and fragment.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(given: &str) -> Result<Self, UrlError> {
        Self::parse_with(given, UrlPolicy::HttpsOnly)
    }

    /// Reads an issuer under a policy that may allow http on loopback.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse_with(given: &str, policy: UrlPolicy) -> Result<Self, UrlError> {
        policy.parse_identifier(given)?;
        Ok(Self(given.to_owned()))
    }

    /// The identifier as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the OpenID configuration lies: appended to the issuer, one terminating slash removed (OpenID Connect
    /// Discovery, section 4).
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`], which no issuer that was read can cause.
    pub fn openid_configuration_url(&self) -> Result<Url, UrlError> {
        let stem = self.0.strip_suffix('/').unwrap_or(&self.0);
        parse(&format!("{stem}/.well-known/openid-configuration"))
    }

    /// Where the OAuth metadata lies: inserted between host and path (RFC 8414, section 3).
    ///
    /// # Errors
    /// [`UrlError::NotAbsolute`], which no issuer that was read can cause.
    pub fn oauth_metadata_url(&self) -> Result<Url, UrlError> {
        let mut url = parse(&self.0)?;
        let path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
        url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        Ok(url)
    }
}

fn parse(text: &str) -> Result<Url, UrlError> {
    Url::parse(text).map_err(|e| UrlError::NotAbsolute { given: text.to_owned(), reason: e.to_string() })
}

impl<'de> serde::Deserialize<'de> for Issuer {
    /// Reads what was stored. Http on loopback passes: whether it may be used was decided when it was first given.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        Self::parse_with(&given, UrlPolicy::AllowLoopbackHttp).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DI-21 (OpenID Connect Discovery 4; RFC 8414 3): where the two documents lie.
    #[test]
    fn metadata_urls_follow_both_rules() {
        for (issuer, openid, oauth) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/t/1",
                "https://a.example/t/1/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
            ),
            (
                "https://a.example/t/1/",
                "https://a.example/t/1/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
            ),
        ] {
            let issuer = Issuer::parse(issuer).unwrap();
            assert_eq!(issuer.openid_configuration_url().unwrap().as_str(), openid);
            assert_eq!(issuer.oauth_metadata_url().unwrap().as_str(), oauth);
        }
    }

    /// DI-17, DI-13 (OpenID Connect Core 2; RFC 8414 2): an issuer is an https URL without query and fragment, stored too.
    #[test]
    fn what_is_no_issuer_is_refused() {
        for given in [
            "http://a.example",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://u@a.example",
            " https://a.example",
            "a.example",
            "my-app",
            "",
        ] {
            assert!(Issuer::parse(given).is_err(), "{given}");
            assert!(serde_json::from_value::<Issuer>(given.into()).is_err(), "{given}");
        }
        let stored = serde_json::to_value(Issuer::parse("https://A.example/t/").unwrap()).unwrap();
        assert_eq!(serde_json::from_value::<Issuer>(stored).unwrap().as_str(), "https://A.example/t/");
    }

    /// ID-05 (OpenID Connect Core 3.1.3.7): issuers compare letter by letter.
    #[test]
    fn a_trailing_slash_makes_another_issuer() {
        assert_ne!(Issuer::parse("https://a.example").unwrap(), Issuer::parse("https://a.example/").unwrap());
    }
}
