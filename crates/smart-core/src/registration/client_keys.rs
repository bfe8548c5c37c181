//! Where a server gets a client's public keys from.

use super::key_set::PublicKeySet;
use crate::url_policy::{UrlError, UrlPolicy};
use url::Url;

/// The public keys of a client: at a URL, or as a document; never both (RFC 7591, section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeys {
    /// At a URL that anybody may read. Strongly preferred by SMART, since keys can then be changed without asking.
    Url(JwksUrl),
    /// As a document, given once. Keys can be changed by registering anew only.
    Document(PublicKeySet),
}

/// The URL of a client's JWK set: https, without credentials or a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwksUrl(Url);

impl JwksUrl {
    /// Reads an https URL.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(given: &str) -> Result<Self, UrlError> {
        Self::parse_with(given, UrlPolicy::HttpsOnly)
    }

    /// Reads a URL under a policy that may allow http on loopback.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse_with(given: &str, policy: UrlPolicy) -> Result<Self, UrlError> {
        let url = policy.parse(given)?;
        match url.fragment() {
            Some(_) => Err(UrlError::UnexpectedPart { given: given.to_owned(), part: "fragment" }),
            None => Ok(Self(url)),
        }
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl serde::Serialize for JwksUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for JwksUrl {
    /// Reads what was stored or configured. Http on loopback passes.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        Self::parse_with(&given, UrlPolicy::AllowLoopbackHttp).map_err(serde::de::Error::custom)
    }
}
