//! The answer of the authorization server, as the browser brings it to the redirect URI.

use super::error_code::AuthorizationErrorCode;
use crate::secret::AuthorizationCode;
use crate::state::State;
use crate::untrusted::shown;
use url::Url;

/// How many octets a callback's query or form may have.
const MAX_LENGTH: usize = 64 * 1024;

/// A callback, read but not yet believed: [`PendingAuthorization::complete`](super::PendingAuthorization::complete)
/// checks it. `Debug` shows neither code nor state.
#[derive(Debug)]
pub struct Callback {
    state: Option<State>,
    iss: Option<String>,
    outcome: CallbackOutcome,
}

/// What a callback brings: a code or an error.
#[derive(Debug)]
pub enum CallbackOutcome {
    /// The code, to be redeemed once.
    Code(AuthorizationCode),
    /// The server said no.
    Error {
        /// Why, as a code.
        error: AuthorizationErrorCode,
        /// Why, in the server's words. Untrusted text: at most 400 characters, control characters replaced; escape it
        /// before it goes into markup.
        description: Option<String>,
        /// Where the server says more. Untrusted: do not send the browser there unasked.
        uri: Option<String>,
    },
}

/// Why a callback was refused, or what error it brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum CallbackError {
    /// No state. The request did not come from the login that this app began.
    #[error("the callback has no `state`; it is refused, begin the login anew")]
    StateMissing,
    /// Another state than the pending one: a forged, repeated or mixed-up callback.
    #[error("the callback's `state` is not the one of this login; it is refused, begin the login anew")]
    StateMismatch,
    /// The login took too long.
    #[error("the login at {server} took too long; begin it anew")]
    Expired {
        /// The FHIR server.
        server: String,
    },
    /// Another issuer answered than the one that was asked (RFC 9207).
    #[error("the callback comes from the issuer `{got}`{}", other_than(expected.as_deref()))]
    IssuerMismatch {
        /// The issuer of the callback.
        got: String,
        /// The issuer of the login, where discovery named one.
        expected: Option<String>,
    },
    /// The server says that its answers name the issuer, and this one does not (RFC 9207, section 2.4).
    #[error("the callback names no issuer although {endpoint} promises one; it is refused")]
    IssuerMissing {
        /// The authorization endpoint.
        endpoint: String,
    },
    /// The callback has neither code nor error.
    #[error("the callback has neither `code` nor `error`")]
    Empty,
    /// A parameter comes more than once (RFC 6749, section 3.1).
    #[error("the callback repeats `{parameter}`; it is refused")]
    Repeated {
        /// Its name.
        parameter: &'static str,
    },
    /// The callback is longer than any real one.
    #[error("the callback has {length} octets; at most {MAX_LENGTH} are read")]
    TooLong {
        /// Its length in octets.
        length: usize,
    },
    /// The callback is no UTF-8 text.
    #[error("the callback is not UTF-8 text")]
    NotText,
    /// The browser came back to another URL than the redirect URI.
    #[error("the callback came to another URL than the redirect URI {redirect_uri}")]
    OtherUrl {
        /// The redirect URI of the login.
        redirect_uri: String,
    },
    /// The server did not give a code.
    #[error("{endpoint} refused the authorization: {error}{}", description.as_ref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Refused {
        /// The authorization endpoint.
        endpoint: String,
        /// Why, as a code.
        error: AuthorizationErrorCode,
        /// Why, in the server's words. Untrusted text.
        description: Option<String>,
        /// Where the server says more. Untrusted.
        uri: Option<String>,
    },
}

fn other_than(expected: Option<&str>) -> String {
    match expected {
        Some(expected) => format!(", not from `{expected}`; it is refused, begin the login anew"),
        None => {
            ", and discovery named none to compare it with; it is refused. If the server is to be trusted, give its \
                 issuer by hand (EndpointOverrides::issuer)"
                .to_owned()
        }
    }
}

impl CallbackError {
    /// Whether the person said no, so that asking again unasked would be rude.
    pub fn is_denied_by_person(&self) -> bool {
        matches!(self, Self::Refused { error: AuthorizationErrorCode::AccessDenied, .. })
    }

    /// Whether the same login may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                error: AuthorizationErrorCode::ServerError | AuthorizationErrorCode::TemporarilyUnavailable,
                ..
            }
        )
    }
}

impl Callback {
    /// Reads the query of the request to the redirect URI, with or without the leading `?`.
    ///
    /// # Errors
    /// [`CallbackError::Repeated`], [`CallbackError::Empty`] or [`CallbackError::TooLong`].
    pub fn from_query(query: &str) -> Result<Self, CallbackError> {
        Self::from_pairs(query.strip_prefix('?').unwrap_or(query))
    }

    /// Reads the whole URL that the browser or the platform came back with. A fragment is not read: code flows answer
    /// in the query.
    ///
    /// # Errors
    /// As for [`from_query`](Self::from_query).
    pub fn from_url(url: &Url) -> Result<Self, CallbackError> {
        Self::from_pairs(url.query().unwrap_or(""))
    }

    /// Reads either: what a platform hands over is a whole URL, what a web framework has at hand is its query.
    ///
    /// A text that begins with a scheme and a colon is a URL. No query does: its first name ends at `=` or `&`.
    ///
    /// # Errors
    /// As for [`from_query`](Self::from_query).
    pub fn from_url_or_query(text: &str) -> Result<Self, CallbackError> {
        let is_query = text.split([':', '?']).next().is_none_or(|first| first.is_empty() || first.contains(['=', '&']));
        match Url::parse(text) {
            Ok(url) if !is_query => Self::from_url(&url),
            _ => Self::from_query(text),
        }
    }

    /// Reads a form body (`response_mode=form_post`).
    ///
    /// # Errors
    /// As for [`from_query`](Self::from_query), and [`CallbackError::NotText`].
    pub fn from_form(body: &[u8]) -> Result<Self, CallbackError> {
        Self::from_pairs(std::str::from_utf8(body).map_err(|_| CallbackError::NotText)?)
    }

    fn from_pairs(text: &str) -> Result<Self, CallbackError> {
        if text.len() > MAX_LENGTH {
            return Err(CallbackError::TooLong { length: text.len() });
        }
        let mut slots: [(&'static str, Option<String>); 6] =
            ["code", "state", "iss", "error", "error_description", "error_uri"].map(|name| (name, None));
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if let Some((parameter, slot)) = slots.iter_mut().find(|(n, _)| *n == name)
                && slot.replace(value.into_owned()).is_some()
            {
                return Err(CallbackError::Repeated { parameter });
            }
        }
        let [code, state, iss, error, description, uri] = slots.map(|(_, value)| value.filter(|v| !v.is_empty()));
        let outcome = match (error, code) {
            (Some(error), _) => CallbackOutcome::Error {
                error: AuthorizationErrorCode::from(error.as_str()),
                description: description.map(|d| shown(&d, 400)),
                uri: uri.map(|u| shown(&u, 400)),
            },
            (None, Some(code)) => CallbackOutcome::Code(AuthorizationCode::new(code)),
            (None, None) => return Err(CallbackError::Empty),
        };
        Ok(Self { state: state.map(State::new), iss, outcome })
    }

    /// The state that it brings.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// The key under which its pending login was stored, see
    /// [`PendingAuthorization::lookup_key`](super::PendingAuthorization::lookup_key).
    pub fn lookup_key(&self) -> Option<String> {
        self.state.as_ref().map(State::lookup_key)
    }

    /// Whether it brings an error instead of a code.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome, CallbackOutcome::Error { .. })
    }

    /// The issuer that it names (RFC 9207).
    pub fn iss(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    pub(super) fn into_outcome(self) -> CallbackOutcome {
        self.outcome
    }
}
