//! What can go wrong, in one shape for all languages.

use smart_on_fhir::core::sanitized::Sanitize;
use smart_on_fhir::fhir::FhirError;
use smart_on_fhir::settings::SettingsError;

/// Why something was not done.
///
/// Neither its fields nor its text hold a secret, a token, or what a resource says; `reason` may hold a server's words, or a URL that names a
/// patient: it is for whoever runs the app. `code` may be shown and counted anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum SmartError {
    /// It was not done.
    #[error("{code}: {reason}")]
    Failed {
        /// What happened: names parted by `/`, such as `token/refused/invalid_grant`. They stay the same from version to version.
        code: String,
        /// The same for a person who runs the app: what happened, where, and what to do.
        reason: String,
        /// Whether the same thing may work a little later.
        is_retryable: bool,
        /// Whether the person has to log in again.
        needs_reauthorization: bool,
        /// Whether a write may have been done all the same: read what is there before sending it again.
        may_have_had_effect: bool,
        /// The scope that was missing, as far as that is known.
        needed_scope: Option<String>,
        /// Where it happened, without a query, where that is known.
        endpoint: Option<String>,
    },
}

/// Something that went wrong beside what was asked for, as a [`LogoutReport`](crate::LogoutReport) tells it. The fields are those of
/// [`SmartError`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// What happened.
    pub code: String,
    /// The same for a person.
    pub reason: String,
    /// Whether the same thing may work a little later.
    pub is_retryable: bool,
    /// Where it happened.
    pub endpoint: Option<String>,
}

impl SmartError {
    /// A value that the app gave cannot be used. `what` is the last part of the code.
    pub(crate) fn invalid(what: &str, reason: impl Into<String>) -> Self {
        Self::with_code(format!("binding/{what}"), reason.into())
    }

    fn with_code(code: String, reason: String) -> Self {
        Self::Failed {
            code,
            reason,
            is_retryable: false,
            needs_reauthorization: false,
            may_have_had_effect: false,
            needed_scope: None,
            endpoint: None,
        }
    }
}

impl From<smart_on_fhir::Error> for SmartError {
    fn from(error: smart_on_fhir::Error) -> Self {
        Self::Failed {
            code: error.code(),
            reason: error.to_string(),
            is_retryable: error.is_retryable(),
            needs_reauthorization: error.needs_reauthorization(),
            may_have_had_effect: false,
            needed_scope: None,
            endpoint: error.endpoint(),
        }
    }
}

impl From<FhirError> for SmartError {
    fn from(error: FhirError) -> Self {
        Self::Failed {
            code: error.code(),
            reason: error.to_string(),
            is_retryable: error.is_retryable(),
            needs_reauthorization: error.needs_reauthorization(),
            may_have_had_effect: error.may_have_had_effect(),
            needed_scope: error.needed_scope().map(str::to_owned),
            endpoint: error.endpoint().map(ToString::to_string),
        }
    }
}

impl From<SettingsError> for SmartError {
    fn from(error: SettingsError) -> Self {
        Self::with_code("settings".to_owned(), error.to_string())
    }
}

impl From<SmartError> for Problem {
    fn from(SmartError::Failed { code, reason, is_retryable, endpoint, .. }: SmartError) -> Self {
        Self { code, reason, is_retryable, endpoint }
    }
}
