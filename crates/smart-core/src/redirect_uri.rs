//! The redirect URI of a client: registered, sent, and sent again, always letter by letter the same.

use crate::url_policy::is_loopback;
use url::{Host, Url};

/// Where the authorization server sends the browser back to (RFC 6749, section 3.1.2; RFC 8252, section 7).
///
/// [`as_str`](Self::as_str) is byte for byte what was given: servers compare it letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri {
    given: String,
    kind: RedirectKind,
}

/// The kinds of redirect URI that native and web apps may have (RFC 8252, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedirectKind {
    /// An https URL: a web app's, or one that a native app has claimed.
    Https,
    /// Plain http on a loopback address, for a listener of the app's own.
    Loopback,
    /// Plain http on the name `localhost`: works, but RFC 8252, section 8.3 advises the address instead.
    LocalhostName,
    /// A private-use scheme in reverse-domain form: `com.example.app:/callback`.
    PrivateScheme,
}

/// Why a redirect URI was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum RedirectUriError {
    /// Not an absolute URI.
    #[error("the redirect URI `{given}` is not an absolute URI: {reason}")]
    NotAbsolute {
        /// What was given.
        given: String,
        /// The parser's reason.
        reason: String,
    },
    /// It has a fragment (RFC 6749, section 3.1.2).
    #[error("the redirect URI `{given}` must not have a fragment")]
    Fragment {
        /// What was given.
        given: String,
    },
    /// Plain http off loopback.
    #[error("the redirect URI `{given}` must be https; http is for loopback addresses only")]
    NotHttps {
        /// What was given.
        given: String,
    },
    /// A private-use scheme without a period: any other app could have taken it (RFC 8252, section 7.1).
    #[error("the scheme of the redirect URI `{given}` must be a reverse domain name such as `com.example.app`")]
    Scheme {
        /// What was given.
        given: String,
    },
    /// It has a user name or password.
    #[error("the redirect URI must not have a user name or password")]
    Credentials,
    /// It has a wildcard: redirect URIs are fully specified (SMART, registration).
    #[error("the redirect URI `{given}` must be fully specified, without a wildcard")]
    Wildcard {
        /// What was given.
        given: String,
    },
}

impl RedirectUri {
    /// Reads a redirect URI.
    ///
    /// # Errors
    /// [`RedirectUriError`].
    pub fn parse(given: &str) -> Result<Self, RedirectUriError> {
        let given_owned = || given.to_owned();
        let url = Url::parse(given)
            .map_err(|e| RedirectUriError::NotAbsolute { given: given_owned(), reason: e.to_string() })?;
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment { given: given_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Credentials);
        }
        if given.contains('*') {
            return Err(RedirectUriError::Wildcard { given: given_owned() });
        }
        let kind = match url.scheme() {
            "https" => RedirectKind::Https,
            "http" if is_loopback(&url) => match url.host() {
                Some(Host::Domain(_)) => RedirectKind::LocalhostName,
                _ => RedirectKind::Loopback,
            },
            "http" => return Err(RedirectUriError::NotHttps { given: given_owned() }),
            scheme if scheme.contains('.') => RedirectKind::PrivateScheme,
            _ => return Err(RedirectUriError::Scheme { given: given_owned() }),
        };
        Ok(Self { given: given_owned(), kind })
    }

    /// The redirect URI exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// Which kind it is.
    pub fn kind(&self) -> RedirectKind {
        self.kind
    }

    /// Whether the browser came back to this very URI: scheme, host, port and path are the same, and every query
    /// parameter of this URI is there (defect of many clients: the answer's URL is never looked at).
    pub fn is_target_of(&self, callback: &Url) -> bool {
        let Ok(own) = Url::parse(&self.given) else { return false };
        let pairs: Vec<_> = callback.query_pairs().collect();
        own.scheme() == callback.scheme()
            && own.host() == callback.host()
            && own.port_or_known_default() == callback.port_or_known_default()
            && own.path() == callback.path()
            && own.query_pairs().all(|pair| pairs.contains(&pair))
    }
}

impl std::fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.given)
    }
}

impl serde::Serialize for RedirectUri {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.given)
    }
}

impl<'de> serde::Deserialize<'de> for RedirectUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RG-06, AZ-08 (RFC 8252 7.1-7.3, 8.3; RFC 6749 3.1.2): which redirect URIs are allowed, with any port.
    #[test]
    fn redirect_uri_kinds() {
        for (given, kind) in [
            ("https://app.example/callback", RedirectKind::Https),
            ("http://127.0.0.1:53211/callback", RedirectKind::Loopback),
            ("http://127.0.0.1:8000/", RedirectKind::Loopback),
            ("http://[::1]:53211/callback", RedirectKind::Loopback),
            ("http://localhost:8000/callback", RedirectKind::LocalhostName),
            ("com.example.app:/callback", RedirectKind::PrivateScheme),
        ] {
            assert_eq!(RedirectUri::parse(given).unwrap().kind(), kind, "{given}");
            assert_eq!(RedirectUri::parse(given).unwrap().as_str(), given);
        }
        for given in [
            "http://app.example/callback",
            "https://app.example/callback#x",
            "https://app.example/*",
            "https://u:p@app.example/",
            "myapp://callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "/callback",
            "",
        ] {
            assert!(RedirectUri::parse(given).is_err(), "{given}");
        }
    }

    /// F-20, D-08: the answer must come to the redirect URI that was asked for.
    #[test]
    fn answer_at_another_url_is_told_apart() {
        let own = RedirectUri::parse("https://app.example/cb?tenant=1").unwrap();
        let at = |url: &str| own.is_target_of(&Url::parse(url).unwrap());
        assert!(at("https://app.example/cb?tenant=1&code=x&state=y"));
        assert!(!at("https://app.example/cb?code=x&state=y"));
        assert!(!at("https://app.example/other?tenant=1&code=x"));
        assert!(!at("https://evil.example/cb?tenant=1&code=x"));
        assert!(!at("http://app.example/cb?tenant=1&code=x"));
    }
}
