//! What an error of the layers below is as an event.

use super::{AuditKind, Reason};
use crate::error::Error;
use crate::loopback_error::LoopbackError;
use smart_core::authorize::{AuthorizationErrorCode, CallbackError};
use smart_core::discovery::DiscoveryError;
use smart_core::launch::LaunchError;
use smart_core::token::{TokenError, TokenErrorCode};
use smart_core::userinfo::UserInfoError;
use smart_http::{ConnectFailure, HttpError};
use smart_jwt::IdTokenError;
use smart_store::StoreError;

/// What an error is as an event: a kind and a reason. Nothing else of the error is kept, as its text may repeat what a
/// server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What happened.
    pub kind: AuditKind,
    /// Why.
    pub reason: Reason,
}

impl Finding {
    const fn new(kind: AuditKind, reason: &'static str) -> Self {
        Self { kind, reason: Reason::new(reason) }
    }
}

impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        use AuditKind as K;
        match error {
            Error::Core(error) => core(error),
            Error::Discovery(error) => error.into(),
            Error::Http(error) => error.into(),
            Error::Callback(error) | Error::Loopback(LoopbackError::Callback(error)) => error.into(),
            Error::Token(error) | Error::UserInfo(UserInfoError::Answer(error)) => error.into(),
            Error::IdToken { source, .. } => source.into(),
            Error::Store(error) => error.into(),
            Error::IssuerDocuments { .. } => Self::new(K::ValidationFailed, "issuer-documents"),
            Error::Loopback(LoopbackError::Timeout(_) | LoopbackError::NoLaunch(_)) => {
                Self { kind: K::LoginTimeout, reason: Reason::TIMEOUT }
            }
            Error::Loopback(_) => Self::new(K::UnexpectedError, "loopback"),
            Error::Browser(_) => Self::new(K::AuthenticationCancelled, "browser"),
            Error::LoginCancelled => Self { kind: K::AuthenticationCancelled, reason: Reason::CANCELLED },
            Error::StoredSession { .. } => Self::new(K::TamperedToken, "stored-session"),
            Error::SessionOver { .. } => Self::new(K::AuthenticationFailure, "session-over"),
            Error::SessionTimeout { .. } => Self { kind: K::AuthenticationFailure, reason: Reason::TIMEOUT },
            Error::SessionLocked { .. } => Self::new(K::AuthorizationDenied, "locked"),
            Error::RenewalDelayed { .. } => Self::new(K::NetworkError, "delayed"),
            Error::NoKey { .. } | Error::BackendApp { .. } | Error::SecretForAnybody { .. } => {
                Self::new(K::ConfigurationError, "kind-of-app")
            }
            Error::Assertion(_) => Self::new(K::ConfigurationError, "assertion"),
            Error::SigningTimeout { .. } => Self::new(K::NetworkError, "signer"),
            Error::StepUpMismatch { .. } => Self::new(K::SecurityViolation, "step-up"),
            Error::NoPendingLogin => Self::new(K::CsrfDetected, "no-pending-login"),
            Error::PendingLogin { .. } => Self::new(K::TamperedToken, "pending-login"),
            Error::SeveralSessions => Self::new(K::AuthorizationDenied, "several-sessions"),
            Error::NotLoggedIn => Self::new(K::AuthorizationDenied, "not-logged-in"),
            Error::Expired { .. } => Self::new(K::ExpiredToken, "expired"),
            Error::NoPatient { .. } => Self::new(K::ValidationFailed, "patient-missing"),
            Error::NotSupported { .. } => Self::new(K::ConfigurationError, "endpoint-missing"),
            Error::UserInfo(UserInfoError::OtherUser { .. }) => Self::new(K::TamperedToken, "other-user"),
            Error::UserInfo(_) => Self::new(K::ValidationFailed, "userinfo"),
            Error::Audit(_) => Self::new(K::UnexpectedError, "audit"),
            Error::Internal(_) => Self::new(K::UnexpectedError, "internal"),
        }
    }
}

fn core(error: &smart_core::error::Error) -> Finding {
    use AuditKind as K;
    use smart_core::error::Error as E;
    match error {
        E::Callback(error) => error.into(),
        E::Token(error) => error.into(),
        E::Launch(LaunchError::Refused(_)) => Finding::new(K::AuthorizationDenied, "issuer-not-allowed"),
        E::Launch(_) => Finding::new(K::ValidationFailed, "launch"),
        E::Url(_) => Finding { kind: K::ConfigurationError, reason: Reason::INSECURE },
        E::FhirUser(_) => Finding::new(K::ValidationFailed, "fhir-user"),
        E::Random(_) => Finding::new(K::UnexpectedError, "random"),
        _ => Finding::new(K::ConfigurationError, "settings"),
    }
}

impl From<&CallbackError> for Finding {
    fn from(error: &CallbackError) -> Self {
        use AuditKind as K;
        match error {
            CallbackError::StateMissing => Self::new(K::CsrfDetected, "state-missing"),
            CallbackError::StateMismatch => Self::new(K::CsrfDetected, "state-mismatch"),
            CallbackError::IssuerMismatch { .. } => Self::new(K::SecurityViolation, "issuer-mismatch"),
            CallbackError::IssuerMissing { .. } => Self::new(K::SecurityViolation, "issuer-missing"),
            CallbackError::OtherUrl { .. } => Self::new(K::SecurityViolation, "redirect-mismatch"),
            CallbackError::Repeated { .. } => Self::new(K::SecurityViolation, "parameter-repeated"),
            CallbackError::Expired { .. } => Self::new(K::LoginTimeout, "timeout"),
            CallbackError::Refused { error, .. } => authorization(error),
            CallbackError::Empty => Self::new(K::ValidationFailed, "callback-empty"),
            CallbackError::TooLong { .. } => Self::new(K::ValidationFailed, "callback-too-long"),
            CallbackError::NotText => Self::new(K::ValidationFailed, "callback-not-text"),
        }
    }
}

fn authorization(error: &AuthorizationErrorCode) -> Finding {
    use AuditKind as K;
    use AuthorizationErrorCode as E;
    match error {
        E::AccessDenied => Finding { kind: K::AuthorizationDenied, reason: Reason::ACCESS_DENIED },
        E::InvalidScope => Finding::new(K::AuthorizationDenied, "invalid-scope"),
        E::InvalidRequest => Finding::new(K::ConfigurationError, "invalid-request"),
        E::UnauthorizedClient => Finding::new(K::ConfigurationError, "unauthorized-client"),
        E::UnsupportedResponseType => Finding::new(K::ConfigurationError, "unsupported-response-type"),
        E::ServerError => Finding::new(K::AuthenticationFailure, "server-error"),
        E::TemporarilyUnavailable => Finding::new(K::AuthenticationFailure, "temporarily-unavailable"),
        E::InteractionRequired => Finding::new(K::AuthenticationFailure, "interaction-required"),
        E::LoginRequired => Finding::new(K::AuthenticationFailure, "login-required"),
        E::ConsentRequired => Finding::new(K::AuthenticationFailure, "consent-required"),
        E::AccountSelectionRequired => Finding::new(K::AuthenticationFailure, "account-selection-required"),
        _ => Finding { kind: K::AuthenticationFailure, reason: Reason::OTHER },
    }
}

impl From<&TokenError> for Finding {
    fn from(error: &TokenError) -> Self {
        use AuditKind as K;
        match error {
            TokenError::Refused { response, .. } => match response.error {
                TokenErrorCode::InvalidGrant => Self { kind: K::AuthorizationDenied, reason: Reason::INVALID_GRANT },
                TokenErrorCode::InvalidScope => Self::new(K::AuthorizationDenied, "invalid-scope"),
                TokenErrorCode::InvalidClient => Self::new(K::ConfigurationError, "invalid-client"),
                TokenErrorCode::UnauthorizedClient => Self::new(K::ConfigurationError, "unauthorized-client"),
                TokenErrorCode::UnsupportedGrantType => Self::new(K::ConfigurationError, "unsupported-grant-type"),
                TokenErrorCode::InvalidRequest => Self::new(K::ConfigurationError, "invalid-request"),
                TokenErrorCode::InvalidToken => Self::new(K::AuthenticationFailure, "invalid-token"),
                TokenErrorCode::ServerError => Self::new(K::AuthenticationFailure, "server-error"),
                TokenErrorCode::TemporarilyUnavailable => {
                    Self::new(K::AuthenticationFailure, "temporarily-unavailable")
                }
                _ => Self { kind: K::AuthenticationFailure, reason: Reason::OTHER },
            },
            TokenError::Status { .. } => Self { kind: K::AuthenticationFailure, reason: Reason::STATUS },
            TokenError::Redirect { .. } => Self::new(K::SecurityViolation, "redirect"),
            TokenError::Json { .. } => Self::new(K::ValidationFailed, "json"),
            TokenError::Missing { .. } => Self::new(K::ValidationFailed, "member-missing"),
            TokenError::Invalid { .. } => Self::new(K::ValidationFailed, "member-invalid"),
            TokenError::TokenType { .. } => Self::new(K::ValidationFailed, "token-type"),
            TokenError::PatientMissing { .. } => Self::new(K::ValidationFailed, "patient-missing"),
        }
    }
}

impl From<&IdTokenError> for Finding {
    fn from(error: &IdTokenError) -> Self {
        use AuditKind as K;
        let kind = match error {
            IdTokenError::Jws(error) if error.code() == "signature" => K::InvalidSignature,
            IdTokenError::Jws(error) if matches!(error.code(), "algorithm" | "critical-extension" | "header") => {
                K::TamperedToken
            }
            IdTokenError::Nonce | IdTokenError::NonceMissing => K::ReplayDetected,
            IdTokenError::Expired | IdTokenError::TooOld => K::ExpiredToken,
            IdTokenError::Issuer { .. }
            | IdTokenError::Audience
            | IdTokenError::UntrustedAudience
            | IdTokenError::AuthorizedParty
            | IdTokenError::AuthorizedPartyMissing
            | IdTokenError::AccessTokenHash
            | IdTokenError::Renewal(_) => K::TamperedToken,
            _ => K::ValidationFailed,
        };
        Self::new(kind, error.code())
    }
}

impl From<&HttpError> for Finding {
    fn from(error: &HttpError) -> Self {
        use AuditKind as K;
        match error {
            HttpError::Timeout { .. } => Self { kind: K::NetworkError, reason: Reason::TIMEOUT },
            HttpError::Connect { kind, .. } => Self::new(
                K::NetworkError,
                match kind {
                    ConnectFailure::Dns => "name-not-found",
                    ConnectFailure::Refused => "connection-refused",
                    ConnectFailure::Tls => "tls",
                    ConnectFailure::NoTrustedRoots => "no-trusted-roots",
                    ConnectFailure::PrivateAddress => "private-address",
                    _ => "unreachable",
                },
            ),
            HttpError::Interrupted { .. } => Self::new(K::NetworkError, "connection-broken"),
            HttpError::RateLimited { .. } => Self::new(K::NetworkError, "own-rate-limit"),
            HttpError::InvalidUrl { .. } => Self::new(K::ConfigurationError, "url"),
            HttpError::BodyTooLarge { .. } => Self::new(K::ValidationFailed, "body-too-large"),
            HttpError::CrossOriginRedirect { .. } => Self::new(K::SecurityViolation, "redirect"),
            HttpError::InvalidRedirect { .. } | HttpError::TooManyRedirects { .. } => {
                Self::new(K::ValidationFailed, "redirect")
            }
            _ => Self::new(K::NetworkError, "other"),
        }
    }
}

impl From<&DiscoveryError> for Finding {
    fn from(error: &DiscoveryError) -> Self {
        use AuditKind as K;
        match error {
            DiscoveryError::Url(_) => Self::new(K::ConfigurationError, "url"),
            DiscoveryError::NotFound { .. } => Self::new(K::ConfigurationError, "not-a-fhir-base"),
            DiscoveryError::NotJson { .. } => Self::new(K::ValidationFailed, "not-json"),
            DiscoveryError::Json { .. } => Self::new(K::ValidationFailed, "json"),
            DiscoveryError::Status { .. } => Self { kind: K::NetworkError, reason: Reason::STATUS },
            DiscoveryError::NotCapabilityStatement { .. } => Self::new(K::ValidationFailed, "no-capability-statement"),
            DiscoveryError::NoSmart { .. } => Self::new(K::ConfigurationError, "no-smart"),
            DiscoveryError::Missing { .. } => Self::new(K::ValidationFailed, "member-missing"),
            DiscoveryError::Endpoint { .. } => Self::new(K::SecurityViolation, "endpoint"),
            DiscoveryError::S256NotSupported { .. } => Self::new(K::ConfigurationError, "no-s256"),
            DiscoveryError::Refused { .. } => Self::new(K::ConfigurationError, "policy"),
            DiscoveryError::NotOffered { .. } => Self::new(K::ConfigurationError, "endpoint-missing"),
            DiscoveryError::CapabilityMissing { .. } => Self::new(K::ConfigurationError, "capability-missing"),
            _ => Self::new(K::ValidationFailed, "discovery"),
        }
    }
}

impl From<&StoreError> for Finding {
    fn from(error: &StoreError) -> Self {
        use AuditKind as K;
        match error {
            StoreError::Conflict { .. } => Self::new(K::UnexpectedError, "store-conflict"),
            StoreError::Unreadable { .. } => Self::new(K::TamperedToken, "store-unreadable"),
            StoreError::TooLarge { .. } => Self::new(K::ConfigurationError, "store-too-large"),
            StoreError::Sealed { .. } => Self::new(K::ConfigurationError, "store-sealed"),
            StoreError::Unavailable { .. } => Self::new(K::UnexpectedError, "store-unavailable"),
            _ => Self::new(K::UnexpectedError, "store"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart_core::token::TokenErrorResponse;

    /// SE-05 (SMART, App protection): of an error only codes are kept, whatever the server wrote.
    #[test]
    fn nothing_that_a_server_wrote_is_kept() {
        let error = TokenError::Refused {
            endpoint: "https://login.ehr.example/token".into(),
            status: 400,
            response: TokenErrorResponse {
                error: TokenErrorCode::Other("Ada Lovelace".into()),
                description: Some("code SplxlOBeZQQYbYS6WxSbIA of Ada Lovelace".into()),
                uri: None,
            },
        };
        let finding = Finding::from(&error);
        assert_eq!(finding, Finding { kind: AuditKind::AuthenticationFailure, reason: Reason::OTHER });
        let callback = CallbackError::Refused {
            endpoint: "https://login.ehr.example/authorize".into(),
            error: AuthorizationErrorCode::Other("Ada".into()),
            description: Some("Ada".into()),
            uri: None,
        };
        assert_eq!(Finding::from(&callback).reason, Reason::OTHER);
    }

    /// What points at an attack is told as one.
    #[test]
    fn attacks_are_told_as_such() {
        use AuditKind as K;
        let kind = |finding: Finding| finding.kind;
        assert_eq!(kind((&CallbackError::StateMismatch).into()), K::CsrfDetected);
        assert_eq!(kind((&CallbackError::StateMissing).into()), K::CsrfDetected);
        assert_eq!(kind((&IdTokenError::Nonce).into()), K::ReplayDetected);
        assert_eq!(kind((&IdTokenError::Jws(smart_jwt::JwsError::Signature)).into()), K::InvalidSignature);
        assert_eq!(kind((&IdTokenError::Expired).into()), K::ExpiredToken);
        assert_eq!(kind((&IdTokenError::AccessTokenHash).into()), K::TamperedToken);
        assert_eq!(
            Finding::from(&IdTokenError::Audience),
            Finding { kind: K::TamperedToken, reason: Reason::new("audience") }
        );
        let unreadable = StoreError::Unreadable { key: String::new(), place: String::new(), reason: String::new() };
        assert_eq!(kind((&unreadable).into()), K::TamperedToken);
    }

    /// A person who says no and a login that took too long are no attacks.
    #[test]
    fn refusals_are_no_attacks() {
        let denied = CallbackError::Refused {
            endpoint: String::new(),
            error: AuthorizationErrorCode::AccessDenied,
            description: None,
            uri: None,
        };
        assert_eq!(
            Finding::from(&denied),
            Finding { kind: AuditKind::AuthorizationDenied, reason: Reason::ACCESS_DENIED }
        );
        let expired = CallbackError::Expired { server: String::new() };
        assert_eq!(Finding::from(&expired), Finding { kind: AuditKind::LoginTimeout, reason: Reason::TIMEOUT });
    }
}
