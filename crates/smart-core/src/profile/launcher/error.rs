//! What can be wrong with a settings code.

use crate::json::JsonError;
use crate::url_policy::UrlError;

/// Why a settings code cannot be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LauncherCodeError {
    /// It is no base64url.
    #[error("the launcher code is no base64url")]
    Base64,
    /// It is too long to be one.
    #[error("the launcher code has {length} characters; at most {limit} are read")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// It holds no JSON array, nor the object of the first launcher.
    #[error("the launcher code holds no settings: {0}")]
    Json(#[from] JsonError),
    /// It is JSON of another form.
    #[error("the launcher code holds neither a list of settings nor those of the first launcher")]
    Form,
    /// A setting is of the wrong kind, or has no such value.
    #[error("the launcher code has no usable `{0}`")]
    Setting(&'static str),
    /// A value has a comma where the launcher puts commas between values.
    #[error("`{0}` holds a comma, which parts the values there")]
    Comma(&'static str),
    /// The FHIR base cannot be made.
    #[error(transparent)]
    Url(#[from] UrlError),
}
