//! What can go wrong in a flow or a session.

use crate::audit::AuditError;
use crate::events::EndReason;
use crate::loopback_error::LoopbackError;
use crate::session_policy::Timeout;
use smart_core::authorize::CallbackError;
use smart_core::discovery::DiscoveryError;
use smart_core::sanitized::{Sanitize, Sanitized};
use smart_core::token::TokenError;
use smart_http::HttpError;
use smart_store::StoreError;

/// An error of a flow or session. Each says what happened, at which endpoint, and what to do.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// A value that the app gave is not one that may be used.
    #[error(transparent)]
    Core(#[from] smart_core::error::Error),
    /// Discovery found no server to use.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// An exchange failed below HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The callback was refused, or the server or the person said no.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The token, introspection or revocation endpoint refused, or answered nonsense.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ID token is not what it has to be. The login is refused: who the user is cannot be told.
    #[error("the ID token of {issuer} was refused: {source}; begin the login anew, or tell the server's operator")]
    IdToken {
        /// The issuer.
        issuer: String,
        /// Which check failed.
        source: smart_jwt::IdTokenError,
    },
    /// The keys or the OpenID configuration of the issuer are of no use, so that no ID token can be checked.
    #[error("the ID token of {issuer} cannot be checked: {reason}")]
    IssuerDocuments {
        /// The issuer, or the FHIR base where no issuer is known.
        issuer: String,
        /// Why.
        reason: String,
    },
    /// The browser could not be opened, or did not come back.
    #[error(transparent)]
    Loopback(#[from] LoopbackError),
    /// The person's browser could not be opened.
    #[error("no browser could be opened: {0}; open the URL by hand")]
    Browser(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored session cannot be used.
    #[error("the stored session {key} cannot be used: {reason}; log in again")]
    StoredSession {
        /// The record's key.
        key: String,
        /// Why.
        reason: String,
    },
    /// The session has no token any more: it was logged out, revoked, or the server ended it.
    #[error("the session at {fhir_base} is over: {reason}; log in again")]
    SessionOver {
        /// The FHIR base.
        fhir_base: String,
        /// Why.
        reason: EndReason,
    },
    /// A limit of the session is reached. It ends, or is locked, at the next use of its token.
    #[error("the session at {fhir_base} may not be used: {timeout}; log in again")]
    SessionTimeout {
        /// The FHIR base.
        fhir_base: String,
        /// Which limit.
        timeout: Timeout,
    },
    /// The session is locked.
    #[error("the session at {fhir_base} is locked; unlock it")]
    SessionLocked {
        /// The FHIR base.
        fhir_base: String,
    },
    /// A renewal failed a short while ago; none is tried just now.
    #[error("renewing the token at {endpoint} failed a moment ago; it is tried again in {seconds} seconds")]
    RenewalDelayed {
        /// The token endpoint.
        endpoint: String,
        /// How long to wait still.
        seconds: u64,
    },
    /// The app has no key, and a backend service has to have one.
    #[error("the client {client_id} has no key to sign with; a backend service needs one, and a secret will not do")]
    NoKey {
        /// The client.
        client_id: String,
    },
    /// The app has a secret, and any server may launch it: whoever makes the person follow a link would get the secret.
    #[error(
        "the client {client_id} has a secret, which goes to no server that anybody could have named; list the servers that may launch it"
    )]
    SecretForAnybody {
        /// The client.
        client_id: String,
    },
    /// The app is a backend service, and nobody logs in to such a one.
    #[error("the client {client_id} is a backend service; it has no login: use `backend`, or another client id")]
    BackendApp {
        /// The client.
        client_id: String,
    },
    /// No client assertion could be made.
    #[error(transparent)]
    Assertion(#[from] smart_jwt::ClientAssertionError),
    /// The signer did not answer in time.
    #[error("the signer of client assertions did not answer within {seconds} seconds; try again later")]
    SigningTimeout {
        /// The limit.
        seconds: u64,
    },
    /// A step up came back with another person or another patient; nothing was changed.
    #[error(
        "the new login at {fhir_base} is of another {what} than the session; it was given up, and the session is as it was"
    )]
    StepUpMismatch {
        /// The FHIR base.
        fhir_base: String,
        /// `server`, `person` or `patient`.
        what: &'static str,
    },
    /// No login with this state waits in this browser: it was completed, took too long, or began elsewhere.
    #[error("no login with this state waits in this browser; begin it anew")]
    NoPendingLogin,
    /// The login was given up.
    #[error("the login was given up; begin it anew")]
    LoginCancelled,
    /// The userinfo endpoint's answer is of no use.
    #[error(transparent)]
    UserInfo(#[from] smart_core::userinfo::UserInfoError),
    /// The browser has several sessions, and the request does not say which one it is for: none is guessed, since it could be
    /// another patient's.
    #[error(
        "several records are open in this browser, and the request does not name the session that it is for; pass `smart_session` on"
    )]
    SeveralSessions,
    /// The browser has no session.
    #[error("nobody is logged in in this browser; begin a login")]
    NotLoggedIn,
    /// A login that waits cannot be used.
    #[error("the login that waits cannot be used: {reason}; begin it anew")]
    PendingLogin {
        /// Why.
        reason: &'static str,
    },
    /// The access token has ended and there is no refresh token.
    #[error(
        "the access token for {fhir_base} has ended and the server gave no refresh token; log in again, and ask for `offline_access` to stay logged in"
    )]
    Expired {
        /// The FHIR base.
        fhir_base: String,
    },
    /// The launch context has no patient.
    #[error("the session at {fhir_base} has no patient in context; ask for the scope `launch/patient`")]
    NoPatient {
        /// The FHIR base.
        fhir_base: String,
    },
    /// The server offers no such endpoint, and none is guessed.
    #[error("{fhir_base} offers no {endpoint} endpoint")]
    NotSupported {
        /// The FHIR base.
        fhir_base: String,
        /// `introspection` or `revocation`.
        endpoint: &'static str,
    },
    /// A sink of a strict audit did not record what was to be done; so it was not done.
    #[error("it could not be recorded, and so was not done: {0}")]
    Audit(#[from] AuditError),
    /// A fault of this library.
    #[error("{0}; this is a fault of smart-on-fhir, please report it")]
    Internal(&'static str),
}

impl Error {
    /// Whether the same thing may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Core(error) => error.is_retryable(),
            Self::Http(error) => error.is_retryable(),
            Self::Callback(error) => error.is_retryable(),
            Self::Token(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Assertion(error) => error.is_retryable(),
            Self::Audit(error) => error.is_retryable(),
            Self::UserInfo(error) => error.is_retryable(),
            Self::Discovery(DiscoveryError::Status { status, .. }) => *status >= 500 || *status == 429,
            Self::RenewalDelayed { .. } | Self::SigningTimeout { .. } => true,
            _ => false,
        }
    }

    /// Whether the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        match self {
            Self::Core(error) => error.needs_reauthorization(),
            Self::Token(error) => error.needs_reauthorization(),
            Self::Store(error) => error.needs_reauthorization(),
            Self::Callback(error) => !error.is_denied_by_person(),
            Self::StoredSession { .. }
            | Self::SessionOver { .. }
            | Self::SessionTimeout { .. }
            | Self::Expired { .. }
            | Self::NoPendingLogin
            | Self::NotLoggedIn
            | Self::PendingLogin { .. }
            | Self::IdToken { .. } => true,
            _ => false,
        }
    }

    /// The endpoint at which it happened, without its query, where there is one.
    pub fn endpoint(&self) -> Option<String> {
        match self {
            Self::Http(error) => Some(error.endpoint().to_string()),
            Self::Token(
                TokenError::Refused { endpoint, .. }
                | TokenError::Status { endpoint, .. }
                | TokenError::Redirect { endpoint, .. }
                | TokenError::Json { endpoint, .. }
                | TokenError::Missing { endpoint, .. }
                | TokenError::Invalid { endpoint, .. }
                | TokenError::TokenType { endpoint, .. }
                | TokenError::PatientMissing { endpoint },
            )
            | Self::Callback(CallbackError::Refused { endpoint, .. } | CallbackError::IssuerMissing { endpoint })
            | Self::IdToken { issuer: endpoint, .. }
            | Self::IssuerDocuments { issuer: endpoint, .. }
            | Self::SessionOver { fhir_base: endpoint, .. }
            | Self::SessionTimeout { fhir_base: endpoint, .. }
            | Self::SessionLocked { fhir_base: endpoint }
            | Self::RenewalDelayed { endpoint, .. }
            | Self::StepUpMismatch { fhir_base: endpoint, .. }
            | Self::Expired { fhir_base: endpoint }
            | Self::NoPatient { fhir_base: endpoint }
            | Self::NotSupported { fhir_base: endpoint, .. } => Some(endpoint.clone()),
            Self::Discovery(
                DiscoveryError::NotJson { document, .. }
                | DiscoveryError::Json { document, .. }
                | DiscoveryError::Status { document, .. }
                | DiscoveryError::NotCapabilityStatement { document, .. },
            ) => Some(document.clone()),
            Self::Discovery(DiscoveryError::NotFound { base, .. }) => Some(base.clone()),
            _ => None,
        }
    }
}

impl Sanitize for Error {
    fn code(&self) -> String {
        let core = |error: smart_core::error::Error| error.code();
        let what: &'static str = self.into();
        let part: &'static str = match self {
            Self::Core(error) => return error.code(),
            Self::Discovery(error) => return core(error.clone().into()),
            Self::Callback(error) => return core(error.clone().into()),
            Self::Token(error) => return core(error.clone().into()),
            Self::UserInfo(error) => return core(error.clone().into()),
            Self::Http(error) => return error.code(),
            Self::Store(error) => return error.code(),
            Self::Assertion(error) => return smart_jwt::Error::from(error.clone()).code(),
            Self::IdToken { source, .. } => source.code(),
            Self::Loopback(error) => error.into(),
            Self::SessionOver { reason, .. } => reason.into(),
            Self::SessionTimeout { timeout, .. } => timeout.into(),
            Self::StepUpMismatch { what, .. } => what,
            Self::Audit(error) => error.into(),
            _ => return what.to_owned(),
        };
        format!("{what}/{part}")
    }

    fn sanitized(&self) -> Sanitized {
        let endpoint = self.endpoint();
        Sanitized::new(self.code(), endpoint.as_deref(), self.is_retryable(), self.needs_reauthorization())
    }
}

macro_rules! through_core {
    ($($from:ty,)+) => {$(
        impl From<$from> for Error {
            fn from(error: $from) -> Self {
                Self::Core(error.into())
            }
        }
    )+};
}

through_core! {
    smart_core::url_policy::UrlError,
    smart_core::redirect_uri::RedirectUriError,
    smart_core::scope::ScopeError,
    smart_core::launch::LaunchError,
    smart_core::authorize::AuthorizationError,
    smart_core::token::MessageError,
    smart_core::token::RefreshError,
    smart_core::token::BackendScopeError,
    smart_core::random::RandomError,
}
