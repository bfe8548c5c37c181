//! The launch URL of a client: where an EHR sends the browser to start it.

use crate::url_policy::{UrlError, UrlPolicy};
use url::Url;

/// Parameters that the EHR adds.
const ADDED_BY_EHR: [&str; 2] = ["iss", "launch"];

/// A fixed, fully specified launch URL (SMART App Launch 2.2, register app with EHR).
///
/// [`as_str`](Self::as_str) is byte for byte what was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LaunchUrl(String);

/// Why a launch URL was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum LaunchUrlError {
    /// It is no URL that may be used.
    #[error("the launch URL may not be used: {0}")]
    Url(#[from] UrlError),
    /// It has a fragment, which never reaches the app's server and would swallow what the EHR adds.
    #[error("the launch URL `{given}` must not have a fragment")]
    Fragment {
        /// What was given.
        given: String,
    },
    /// It has a wildcard.
    #[error("the launch URL `{given}` must be fully specified, without a wildcard")]
    Wildcard {
        /// What was given.
        given: String,
    },
    /// It has a parameter that the EHR adds: the launch would have it twice and be refused.
    #[error("the launch URL `{given}` must not have the parameter `{parameter}`, which the EHR adds")]
    Parameter {
        /// What was given.
        given: String,
        /// `iss` or `launch`.
        parameter: &'static str,
    },
}

impl LaunchUrl {
    /// Reads an https launch URL.
    ///
    /// # Errors
    /// [`LaunchUrlError`].
    pub fn parse(given: &str) -> Result<Self, LaunchUrlError> {
        Self::parse_with(given, UrlPolicy::HttpsOnly)
    }

    /// Reads a launch URL under a policy that may allow http on loopback.
    ///
    /// # Errors
    /// [`LaunchUrlError`].
    pub fn parse_with(given: &str, policy: UrlPolicy) -> Result<Self, LaunchUrlError> {
        let url = policy.parse(given)?;
        if url.fragment().is_some() {
            return Err(LaunchUrlError::Fragment { given: given.to_owned() });
        }
        if given.contains('*') {
            return Err(LaunchUrlError::Wildcard { given: given.to_owned() });
        }
        match repeated_parameter(&url) {
            Some(parameter) => Err(LaunchUrlError::Parameter { given: given.to_owned(), parameter }),
            None => Ok(Self(given.to_owned())),
        }
    }

    /// The launch URL exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn repeated_parameter(url: &Url) -> Option<&'static str> {
    ADDED_BY_EHR.into_iter().find(|added| url.query_pairs().any(|(name, _)| name == *added))
}

impl std::fmt::Display for LaunchUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for LaunchUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for LaunchUrl {
    /// Reads what was stored or configured. Http on loopback passes.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        Self::parse_with(&given, UrlPolicy::AllowLoopbackHttp).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RG-01 (SMART, register app with EHR): launch URLs are fixed and fully specified.
    #[test]
    fn launch_urls_are_fixed() {
        for given in ["https://app.example/launch", "https://app.example/launch?tenant=1", "https://app.example"] {
            assert_eq!(LaunchUrl::parse(given).unwrap().as_str(), given);
        }
        for given in [
            "http://app.example/launch",
            "/launch",
            "https://app.example/launch#x",
            "https://*.app.example/launch",
            "https://app.example/launch?iss=https://ehr.example",
            "https://app.example/launch?a=1&launch=",
            "https://u:p@app.example/launch",
        ] {
            assert!(LaunchUrl::parse(given).is_err(), "{given}");
        }
        assert!(LaunchUrl::parse_with("http://127.0.0.1:8000/launch", UrlPolicy::AllowLoopbackHttp).is_ok());
    }
}
