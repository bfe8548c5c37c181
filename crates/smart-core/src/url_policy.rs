//! Which URLs may carry codes, tokens and health data.

use crate::untrusted::shown;
use url::{Host, Url};

/// How much of a refused URL an error repeats, in characters.
const SHOWN: usize = 200;

/// Whether plain http is ever acceptable (requirements DI-13, SE-01, SE-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UrlPolicy {
    /// https only. The default.
    #[default]
    HttpsOnly,
    /// https, and http on a loopback host (`localhost`, `127.0.0.0/8`, `[::1]`): for tests and local development.
    AllowLoopbackHttp,
}

/// Why a URL was refused. What an error repeats of it is cut and cleaned: it may come from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum UrlError {
    /// Not an absolute URL.
    #[error("`{given}` is not an absolute URL: {reason}")]
    NotAbsolute {
        /// What was given.
        given: String,
        /// The parser's reason.
        reason: String,
    },
    /// The scheme is not https (nor http on loopback where the policy allows it).
    #[error("`{given}` must be an https URL; plain http is accepted only on a loopback host and only when allowed")]
    NotHttps {
        /// What was given.
        given: String,
    },
    /// The URL has a part that does not belong: user name, password, query or fragment.
    #[error("`{given}` must not have a {part}")]
    UnexpectedPart {
        /// What was given, without the credentials that it may have held.
        given: String,
        /// The part that does not belong.
        part: &'static str,
    },
}

impl UrlPolicy {
    /// Checks that `url` may be used: https with a host, no credentials in it.
    ///
    /// # Errors
    /// [`UrlError::NotHttps`] or [`UrlError::UnexpectedPart`].
    pub fn check(self, url: &Url) -> Result<(), UrlError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UnexpectedPart { given: without_credentials(url), part: "user name or password" });
        }
        let allowed = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => self == Self::AllowLoopbackHttp && is_loopback(url),
            _ => false,
        };
        if allowed { Ok(()) } else { Err(UrlError::NotHttps { given: shown(url.as_str(), SHOWN) }) }
    }

    /// Parses an absolute URL and checks it.
    ///
    /// What the parser would mend is refused: blanks, control characters, backslashes, other than two slashes before
    /// the host, an `@` without a user name. A text that is later sent or compared as it is must not mean another URL
    /// than the one that was checked.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(self, given: &str) -> Result<Url, UrlError> {
        let not_absolute = |reason: String| UrlError::NotAbsolute { given: shown(given, SHOWN), reason };
        if has_stray_characters(given) {
            return Err(not_absolute("it has a blank, a control character or a backslash".to_owned()));
        }
        let url = Url::parse(given).map_err(|e| not_absolute(e.to_string()))?;
        self.check(&url)?;
        let after_scheme = given.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        match after_scheme.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default()) {
            None | Some("") => Err(not_absolute("there is no host after `://`".to_owned())),
            Some(authority) if authority.contains('@') => {
                Err(UrlError::UnexpectedPart { given: without_credentials(&url), part: "user name or password" })
            }
            Some(_) => Ok(url),
        }
    }

    /// The same for a URL that names a server: it has no query and no fragment.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse_identifier(self, given: &str) -> Result<Url, UrlError> {
        let url = self.parse(given)?;
        for (part, present) in [("query", url.query().is_some()), ("fragment", url.fragment().is_some())] {
            if present {
                return Err(UrlError::UnexpectedPart { given: shown(given, SHOWN), part });
            }
        }
        Ok(url)
    }
}

/// Whether a URL's text has characters that no URL has and that the parser would drop or replace.
pub(crate) fn has_stray_characters(text: &str) -> bool {
    text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\')
}

fn without_credentials(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only on URLs that cannot have credentials, which then have none to show.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    crate::untrusted::shown(shown.as_str(), SHOWN)
}

/// Whether the URL's host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether two URLs have the same scheme, host and port.
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DI-13, F-99 (SMART, App protection): plain http is refused, even on loopback unless allowed.
    #[test]
    fn plain_http_is_refused() {
        for given in ["http://ehr.example/fhir", "http://127.0.0.1/fhir", "ftp://ehr.example/", "data:text/plain,x"] {
            assert!(matches!(UrlPolicy::HttpsOnly.parse(given), Err(UrlError::NotHttps { .. })), "{given}");
        }
        assert!(UrlPolicy::AllowLoopbackHttp.parse("http://ehr.example/fhir").is_err());
        for given in ["http://127.0.0.1:8/x", "http://[::1]:8/x", "http://localhost/x"] {
            assert!(UrlPolicy::AllowLoopbackHttp.parse(given).is_ok(), "{given}");
        }
    }

    /// SE-05: credentials in a URL are refused and not repeated in the error.
    #[test]
    fn credentials_are_refused_and_not_shown() {
        let error = UrlPolicy::HttpsOnly.parse("https://bob:hunter2@ehr.example/").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    /// CB-08, AZ-02: a URL whose text is not the one that it stands for is refused, and errors cannot steer a terminal.
    #[test]
    fn stray_characters_are_refused_and_cleaned() {
        for given in [
            " https://ehr.example/r4",
            "https://ehr.example/r4\n",
            "https://ehr.ex\tample/r4",
            "https:\\\\ehr.example\\r4",
            "https://ehr.example/a b",
            "https://ehr.example/\u{a0}",
            "https://ehr.example/\u{1b}[2J",
        ] {
            let error = UrlPolicy::HttpsOnly.parse(given).unwrap_err();
            assert!(matches!(error, UrlError::NotAbsolute { .. }), "{given:?}");
            assert!(!error.to_string().contains(['\u{1b}', '\n', '\t']), "{given:?}");
        }
        let long = format!("https://ehr.example/{}?x", "a".repeat(100_000));
        assert!(UrlPolicy::HttpsOnly.parse_identifier(&long).unwrap_err().to_string().len() < 500);
    }

    /// FR-04 (RFC 9110, 15.4): an origin is scheme, host and port, the default port included.
    #[test]
    fn origin_is_scheme_host_and_port() {
        let url = |s: &str| Url::parse(s).unwrap();
        assert!(same_origin(&url("https://a.example/x"), &url("https://A.example:443/y")));
        assert!(!same_origin(&url("https://a.example"), &url("https://a.example:444")));
        assert!(!same_origin(&url("https://a.example"), &url("http://a.example:443")));
        assert!(!same_origin(&url("https://a.example"), &url("https://b.example")));
    }
}
