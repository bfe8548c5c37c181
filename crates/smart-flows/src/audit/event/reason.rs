//! Why something failed, as a code.

use serde::{Serialize, Serializer};

/// The longest code.
const LONGEST: usize = 40;

/// Why something failed: a word of this library's or of the app's source, never text that came from outside.
///
/// That it is made of a `&'static str` keeps messages of servers, and with them whatever they repeat, out of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(&'static str);

impl Reason {
    /// A limit of time was passed.
    pub const TIMEOUT: Self = Self("timeout");
    /// A session was not used for too long.
    pub const IDLE: Self = Self("idle");
    /// A session reached its greatest age.
    pub const TOO_OLD: Self = Self("too-old");
    /// The person logged out.
    pub const LOGGED_OUT: Self = Self("logged-out");
    /// The person gave up.
    pub const CANCELLED: Self = Self("cancelled");
    /// The person, or the server, said no.
    pub const ACCESS_DENIED: Self = Self("access-denied");
    /// The granted scopes do not cover what was wanted.
    pub const SCOPE_MISSING: Self = Self("scope-missing");
    /// The grant is gone: the refresh token or code is wrong, expired, revoked or was used.
    pub const INVALID_GRANT: Self = Self("invalid-grant");
    /// Plain http where https is needed.
    pub const INSECURE: Self = Self("insecure-connection");
    /// The server answered with a status that says no.
    pub const STATUS: Self = Self("status");
    /// A code that the server made up.
    pub const OTHER: Self = Self("other");

    /// A code of the app's own: lower-case letters, digits and hyphens, 40 at most. Anything else becomes
    /// [`Reason::OTHER`].
    pub const fn new(code: &'static str) -> Self {
        let bytes = code.as_bytes();
        if bytes.is_empty() || bytes.len() > LONGEST {
            return Self::OTHER;
        }
        let mut rest = bytes;
        while let [first, others @ ..] = rest {
            if !(first.is_ascii_lowercase() || first.is_ascii_digit() || *first == b'-') {
                return Self::OTHER;
            }
            rest = others;
        }
        Self(code)
    }

    /// The code.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05 (SMART, App protection): a code has the form of a code, so that no sentence gets in by way of it.
    #[test]
    fn only_codes_are_reasons() {
        assert_eq!(Reason::new("tls-1-2").as_str(), "tls-1-2");
        for wrong in ["", "Ada Lovelace", "x=y", "UPPER", "a_b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(Reason::new(wrong), Reason::OTHER, "{wrong}");
        }
    }
}
