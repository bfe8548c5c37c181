//! What can happen.

use super::{Outcome, Severity};
use serde::{Serialize, Serializer};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $severity:ident, $outcome:ident;)+) => {
        /// What happened. Each kind has a name, a [`Severity`] and an [`Outcome`] of its own; an event raises the first
        /// and turns the second when what it tells of failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum AuditKind {
            $($(#[$doc])* $kind,)+
        }

        impl AuditKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name in audit lines. It does not change from version to version.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// How much an event of this kind matters at least.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$kind => Severity::$severity,)+
                }
            }

            /// How an event of this kind ends, unless it says otherwise.
            pub const fn outcome(self) -> Outcome {
                match self {
                    $(Self::$kind => Outcome::$outcome,)+
                }
            }
        }
    };
}

kinds! {
    /// A launch was begun: a person began one, or an EHR launched the app.
    LaunchBegun = "launch-begun", Info, Success;
    /// A person was sent to the authorization server, or a service began to authenticate itself.
    AuthenticationAttempt = "authentication-attempt", Info, Success;
    /// The callback was believed, the code redeemed and the ID token validated; or the service got its token.
    AuthenticationSuccess = "authentication-success", Info, Success;
    /// The login came to nothing.
    AuthenticationFailure = "authentication-failure", Warning, Failure;
    /// The person or the app gave the login up.
    AuthenticationCancelled = "authentication-cancelled", Info, Failure;
    /// Nobody came back from the authorization server in time.
    LoginTimeout = "login-timeout", Warning, Failure;
    /// Access was authorized, with these scopes.
    AuthorizationGranted = "authorization-granted", Info, Success;
    /// Access was refused: by the person, by the server, or by the app's own rules.
    AuthorizationDenied = "authorization-denied", Warning, Failure;
    /// A token was issued.
    TokenIssued = "token-issued", Info, Success;
    /// A token was renewed.
    TokenRefreshed = "token-refreshed", Info, Success;
    /// A token was revoked.
    TokenRevoked = "token-revoked", Info, Success;
    /// A token of the session's own reached its end, and was not renewed.
    TokenExpired = "token-expired", Info, Success;
    /// A token was validated and is good.
    TokenValidated = "token-validated", Info, Success;
    /// The authorization server was asked about a token.
    TokenIntrospected = "token-introspected", Info, Success;
    /// A session began, or was taken up again.
    SessionStarted = "session-started", Info, Success;
    /// A session was ended: logged out, revoked, or ended by the server.
    SessionEnded = "session-ended", Info, Success;
    /// A session was ended by its idle or absolute limit.
    SessionTimeout = "session-timeout", Info, Success;
    /// A rule of this library's was broken from outside, and none of the following kinds says it better.
    SecurityViolation = "security-violation", Critical, Failure;
    /// A callback came that does not belong to the login: a forged one, or one of another window.
    CsrfDetected = "csrf-detected", Critical, Failure;
    /// Something that is good for one use was used again: a code, a state, a nonce, an assertion.
    ReplayDetected = "replay-detected", Critical, Failure;
    /// A signature is not that of the key that it names.
    InvalidSignature = "invalid-signature", Critical, Failure;
    /// A token that had ended was presented.
    ExpiredToken = "expired-token", Warning, Failure;
    /// A token or document was changed after it was made, or belongs to something else.
    TamperedToken = "tampered-token", Critical, Failure;
    /// What came from a server failed its validation in another way than the kinds above.
    ValidationFailed = "validation-failed", Error, Failure;
    /// A token was used to read or search.
    ResourceAccessed = "resource-accessed", Info, Success;
    /// A token was used to change something.
    ResourceModified = "resource-modified", Info, Success;
    /// A token was used to make something.
    ResourceCreated = "resource-created", Info, Success;
    /// A token was used to delete something.
    ResourceDeleted = "resource-deleted", Info, Success;
    /// Discovery found the endpoints of a server.
    EndpointDiscovered = "endpoint-discovered", Info, Success;
    /// The capabilities of a server were read.
    CapabilitiesLoaded = "capabilities-loaded", Info, Success;
    /// The store of sessions was opened.
    StoreOpened = "store-opened", Info, Success;
    /// There was no answer.
    NetworkError = "network-error", Error, Failure;
    /// The app, or a server, is set up in a way that cannot work.
    ConfigurationError = "configuration-error", Error, Failure;
    /// Something else went wrong.
    UnexpectedError = "unexpected-error", Error, Failure;
}

impl AuditKind {
    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for AuditKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for AuditKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Names are unique, readable back, and made of what needs no escaping anywhere.
    #[test]
    fn names_are_unique_and_read_back() {
        let names: HashSet<_> = AuditKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), AuditKind::ALL.len());
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::from_name(kind.as_str()), Some(*kind));
            assert!(kind.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{kind}");
        }
        assert_eq!(AuditKind::from_name("token-isued"), None);
    }

    /// Whatever may be an attack is critical, and nothing that succeeds is more than information.
    #[test]
    fn severities_tell_attacks_from_the_usual() {
        let critical: Vec<_> = AuditKind::ALL.iter().filter(|kind| kind.severity() == Severity::Critical).collect();
        assert_eq!(
            critical,
            [
                &AuditKind::SecurityViolation,
                &AuditKind::CsrfDetected,
                &AuditKind::ReplayDetected,
                &AuditKind::InvalidSignature,
                &AuditKind::TamperedToken
            ]
        );
        for kind in AuditKind::ALL {
            assert!(kind.outcome() == Outcome::Failure || kind.severity() == Severity::Info, "{kind}");
        }
    }
}
