//! What can go wrong at the token endpoint.

use crate::json::{JsonError, parse_object};
use crate::open_codes::open_codes;
use crate::untrusted::shown;
use serde_json::{Map, Value};
use url::Url;

open_codes! {
    /// Why a token request was refused (RFC 6749, section 5.2; RFC 7009, section 2.2.1).
    TokenErrorCode {
        /// The request is malformed.
        InvalidRequest = "invalid_request",
        /// Client authentication failed: a matter of configuration, not to be tried again as it is.
        InvalidClient = "invalid_client",
        /// The code or refresh token is wrong, expired, revoked, or was used before.
        InvalidGrant = "invalid_grant",
        /// This client may not use this grant.
        UnauthorizedClient = "unauthorized_client",
        /// The server does not know this grant.
        UnsupportedGrantType = "unsupported_grant_type",
        /// A scope is unknown, malformed, or more than was granted.
        InvalidScope = "invalid_scope",
        /// The server cannot revoke this kind of token.
        UnsupportedTokenType = "unsupported_token_type",
        /// The server failed (not in RFC 6749 for this endpoint, but seen).
        ServerError = "server_error",
        /// The server is overloaded (not in RFC 6749 for this endpoint, but seen).
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The bearer token of the request is expired, revoked or wrong (RFC 6750, section 3.1).
        InvalidToken = "invalid_token",
    }
}

/// An OAuth error body: `error`, `error_description`, `error_uri`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenErrorResponse {
    /// Why, as a code.
    pub error: TokenErrorCode,
    /// Why, in the server's words. Untrusted: at most 400 characters, control characters replaced.
    pub description: Option<String>,
    /// Where the server says more. Untrusted.
    pub uri: Option<String>,
}

impl TokenErrorResponse {
    /// Reads an error out of a JSON object, if it holds one.
    pub(crate) fn from_object(object: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        Some(Self {
            error: TokenErrorCode::from(text("error")?),
            description: text("error_description").map(|t| shown(t, 400)),
            uri: text("error_uri").map(|t| shown(t, 400)),
        })
    }
}

impl std::fmt::Display for TokenErrorResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// Why an answer of the token, introspection, revocation or userinfo endpoint was of no use.
///
/// No variant carries a body: it could hold tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum TokenError {
    /// The server refused the request with an OAuth error.
    #[error("{endpoint} refused the request with status {status}: {response}{}", next_step(&response.error))]
    Refused {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status; 200 on servers that err so.
        status: u16,
        /// The error.
        response: TokenErrorResponse,
    },
    /// The server failed without saying why in OAuth's words.
    #[error("{endpoint} answered status {status} without an OAuth error; {}", if *.status >= 500 || *.status == 429 { "try again later" } else { "check the endpoint's address and the client's registration" })]
    Status {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server answered with a redirect, which is never followed with credentials (requirement TK-12).
    #[error(
        "{endpoint} answered with a redirect (status {status}), which is not followed; correct the endpoint's address"
    )]
    Redirect {
        /// The endpoint, without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is no JSON object.
    #[error("{endpoint} answered something else than the JSON of a token endpoint: {reason}")]
    Json {
        /// The endpoint, without its query.
        endpoint: String,
        /// Why.
        reason: JsonError,
    },
    /// A member that must be there is not.
    #[error("the answer of {endpoint} has no `{member}`")]
    Missing {
        /// The endpoint, without its query.
        endpoint: String,
        /// The member's name.
        member: &'static str,
    },
    /// A member is not what it has to be. Its value is not shown.
    #[error("in the answer of {endpoint}, `{member}` is not {expected}")]
    Invalid {
        /// The endpoint, without its query.
        endpoint: String,
        /// The member's name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The token is of a type that this client cannot use safely.
    #[error("{endpoint} issued a token of type `{token_type}`; only Bearer can be used")]
    TokenType {
        /// The endpoint, without its query.
        endpoint: String,
        /// The type.
        token_type: String,
    },
    /// A `patient/` scope was granted without a patient (requirement TK-16).
    #[error(
        "{endpoint} granted `patient/` scopes but named no patient; whose record it is cannot be told, so the token is not used"
    )]
    PatientMissing {
        /// The endpoint, without its query.
        endpoint: String,
    },
}

impl TokenError {
    /// Whether the same thing may work a little later. The request itself must not be repeated when it carried an
    /// authorization code.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { response, status, .. } => {
                matches!(response.error, TokenErrorCode::ServerError | TokenErrorCode::TemporarilyUnavailable)
                    || retryable_status(*status)
            }
            Self::Status { status, .. } => retryable_status(*status),
            _ => false,
        }
    }

    /// Whether the grant is gone, so that the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        matches!(self, Self::Refused { response, .. } if response.error == TokenErrorCode::InvalidGrant)
    }

    /// The OAuth error, where the server gave one.
    pub fn oauth_error(&self) -> Option<&TokenErrorResponse> {
        match self {
            Self::Refused { response, .. } => Some(response),
            _ => None,
        }
    }
}

fn retryable_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

fn next_step(code: &TokenErrorCode) -> &'static str {
    match code {
        TokenErrorCode::InvalidGrant => "; log in again",
        TokenErrorCode::InvalidClient | TokenErrorCode::UnauthorizedClient => {
            "; check the client id, its secret or key, and how the client is registered"
        }
        TokenErrorCode::InvalidScope => "; ask for fewer scopes",
        TokenErrorCode::ServerError | TokenErrorCode::TemporarilyUnavailable => "; try again later",
        _ => "",
    }
}

/// The endpoint as an error shows it: without a query, which could hold anything.
pub(crate) fn endpoint_shown(endpoint: &Url) -> String {
    let mut shown = endpoint.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// Reads the body of a successful answer, or the error that it is: an OAuth error body counts whatever the status.
pub(crate) fn success_object(endpoint: &Url, status: u16, body: &[u8]) -> Result<Map<String, Value>, TokenError> {
    let endpoint = || endpoint_shown(endpoint);
    if (300..400).contains(&status) {
        return Err(TokenError::Redirect { endpoint: endpoint(), status });
    }
    let object = parse_object(body);
    if let Some(response) = object.as_ref().ok().and_then(TokenErrorResponse::from_object) {
        return Err(TokenError::Refused { endpoint: endpoint(), status, response });
    }
    if !(200..300).contains(&status) {
        return Err(TokenError::Status { endpoint: endpoint(), status });
    }
    object.map_err(|reason| TokenError::Json { endpoint: endpoint(), reason })
}
