//! What can go wrong in a registration.

use crate::json::JsonError;
use crate::open_codes::open_codes;
use crate::token::MessageError;
use crate::untrusted::shown;
use serde_json::{Map, Value};

open_codes! {
    /// Why a server did not register a client (RFC 7591, section 3.2.2).
    RegistrationErrorCode {
        /// A redirect URI is not one that the server takes.
        InvalidRedirectUri = "invalid_redirect_uri",
        /// Another metadata member is not one that the server takes.
        InvalidClientMetadata = "invalid_client_metadata",
        /// The software statement is not valid.
        InvalidSoftwareStatement = "invalid_software_statement",
        /// The software statement's issuer is not one that the server trusts.
        UnapprovedSoftwareStatement = "unapproved_software_statement",
        /// The initial or registration access token is expired, revoked or wrong (RFC 6750, section 3.1).
        InvalidToken = "invalid_token",
        /// The server failed (not in RFC 7591, but seen).
        ServerError = "server_error",
        /// The server is overloaded (not in RFC 7591, but seen).
        TemporarilyUnavailable = "temporarily_unavailable",
    }
}

/// A metadata member that cannot be registered so, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` {problem}")]
pub struct MetadataError {
    /// The member.
    pub member: String,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: String,
}

impl MetadataError {
    pub(super) fn new(member: &str, problem: impl Into<String>) -> Self {
        Self { member: member.to_owned(), problem: problem.into() }
    }

    /// The error code by which a server says so.
    pub fn code(&self) -> RegistrationErrorCode {
        match self.member.as_str() {
            "redirect_uris" => RegistrationErrorCode::InvalidRedirectUri,
            "software_statement" => RegistrationErrorCode::InvalidSoftwareStatement,
            _ => RegistrationErrorCode::InvalidClientMetadata,
        }
    }
}

/// The body by which a server refuses a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationErrorResponse {
    /// Why, as a code.
    pub error: RegistrationErrorCode,
    /// Why, in the server's words. Untrusted where it was read: at most 400 characters, control characters replaced.
    pub description: Option<String>,
}

impl RegistrationErrorResponse {
    pub(super) fn from_object(object: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        Some(Self {
            error: RegistrationErrorCode::from(text("error")?),
            description: text("error_description").map(|t| shown(t, 400)),
        })
    }
}

impl std::fmt::Display for RegistrationErrorResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// Why a registration failed, and at which endpoint. No variant carries a body: it could hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum RegistrationError {
    /// The message could not be made.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The metadata cannot be registered so. Nothing was sent.
    #[error("the client cannot be registered so: {0}")]
    Metadata(#[from] MetadataError),
    /// The server refused.
    #[error("{endpoint} refused the registration with status {status}: {response}{}", next_step(&response.error))]
    Refused {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// The error.
        response: RegistrationErrorResponse,
    },
    /// The server answered with an error status, and nothing that RFC 7591 knows.
    #[error("{endpoint} answered status {status} without a registration error; {}", status_hint(*.status))]
    Status {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server answered with a redirect, which is not followed with a token.
    #[error("{endpoint} answered with a redirect (status {status}), which is not followed; correct the address")]
    Redirect {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is no JSON object.
    #[error("{endpoint} answered something else than the JSON of a registration: {reason}")]
    Json {
        /// The endpoint, without its query.
        endpoint: String,
        /// Why.
        reason: JsonError,
    },
    /// A member that must be there is not, or is of the wrong kind. Its value is not shown.
    #[error("in the answer of {endpoint}, `{member}` is not {expected}")]
    Invalid {
        /// The endpoint, without its query.
        endpoint: String,
        /// The member's name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl RegistrationError {
    /// Whether the server says that the same registration may work a little later. Where the answer got lost instead,
    /// the client may be registered already: registering anew leaves a second one.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { response, status, .. } => {
                response.error == RegistrationErrorCode::TemporarilyUnavailable || is_busy(*status)
            }
            Self::Status { status, .. } => is_busy(*status),
            _ => false,
        }
    }

    /// The error that the server gave, where it gave one.
    pub fn response(&self) -> Option<&RegistrationErrorResponse> {
        match self {
            Self::Refused { response, .. } => Some(response),
            _ => None,
        }
    }
}

fn is_busy(status: u16) -> bool {
    matches!(status, 429 | 503)
}

fn status_hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "it may want an initial access token: ask the server's operator",
        404 | 405 | 410 => "check the endpoint's address; after deletion a client is gone",
        429 | 503 => "try again later",
        500.. => "the server failed; look there whether the client was registered before trying again",
        _ => "check the endpoint's address and the metadata",
    }
}

fn next_step(code: &RegistrationErrorCode) -> &'static str {
    match code {
        RegistrationErrorCode::InvalidToken => "; ask the server's operator for a token",
        RegistrationErrorCode::UnapprovedSoftwareStatement => "; ask the server's operator which issuers it trusts",
        RegistrationErrorCode::TemporarilyUnavailable => "; try again later",
        _ => "",
    }
}
