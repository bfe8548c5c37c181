//! The UserInfo endpoint (OpenID Connect Core, section 5.3): claims about the user, by the access token.
//!
//! SMART needs no more than the ID token. What UserInfo says counts only where it is about the same user, so the `sub` of
//! the validated ID token is an argument of [`parse_userinfo`] (requirement ID-26).

use crate::message::{JSON, request, with_bearer};
use crate::secret::AccessToken;
use crate::token::{MessageError, TokenError, endpoint_shown, success_object};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value};
use url::Url;

/// What a server says of the user. `Debug` shows which claims are there, not what they say.
#[derive(Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The user at the issuer: the same as the ID token's.
    pub sub: String,
    /// The user as a FHIR resource, as it came: resolve it with [`FhirUser`](crate::context::FhirUser).
    pub fhir_user: Option<String>,
    /// All other claims, as they came.
    pub other: Map<String, Value>,
}

/// Why an answer of the UserInfo endpoint was of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum UserInfoError {
    /// The server refused, or answered nonsense.
    #[error(transparent)]
    Answer(#[from] TokenError),
    /// The answer is about another user than the ID token. It is thrown away: it may be mixed up, or put in its place.
    #[error("{endpoint} answered about another user than the one who logged in; the answer is not used")]
    OtherUser {
        /// The endpoint, without its query.
        endpoint: String,
    },
    /// The answer is signed or encrypted (a JWT), which this crate does not read.
    #[error("{endpoint} answered with a JWT; register the client for plain JSON, or use the ID token's claims")]
    Signed {
        /// The endpoint, without its query.
        endpoint: String,
    },
}

impl UserInfoError {
    /// Whether the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Answer(error) if error.is_retryable())
    }
}

/// The request: a GET with the access token, which must have been granted `openid`.
///
/// # Errors
/// [`MessageError`].
pub fn userinfo_request(endpoint: &Url, token: &AccessToken) -> Result<Request<Bytes>, MessageError> {
    with_bearer(request(Method::GET, endpoint, JSON)?, token.expose_secret())
}

/// Reads the answer. `id_token_sub` is the `sub` of the validated ID token of this session; the answer's must be letter
/// by letter the same (OpenID Connect Core, section 5.3.2).
///
/// # Errors
/// [`UserInfoError`].
pub fn parse_userinfo(
    endpoint: &Url,
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
    id_token_sub: &str,
) -> Result<UserInfo, UserInfoError> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if (200..300).contains(&status) && (essence.eq_ignore_ascii_case("application/jwt") || is_jwt(body)) {
        return Err(UserInfoError::Signed { endpoint: endpoint_shown(endpoint) });
    }
    let mut object = success_object(endpoint, status, body)?;
    let sub = match object.remove("sub") {
        Some(Value::String(sub)) => sub,
        Some(_) => {
            return Err(TokenError::Invalid {
                endpoint: endpoint_shown(endpoint),
                member: "sub",
                expected: "a string",
            }
            .into());
        }
        None => return Err(TokenError::Missing { endpoint: endpoint_shown(endpoint), member: "sub" }.into()),
    };
    if sub.is_empty() || sub != id_token_sub {
        return Err(UserInfoError::OtherUser { endpoint: endpoint_shown(endpoint) });
    }
    let fhir_user = match object.get("fhirUser") {
        Some(Value::String(_)) => object.remove("fhirUser").and_then(|v| v.as_str().map(str::to_owned)),
        _ => None,
    };
    Ok(UserInfo { sub, fhir_user, other: object })
}

impl UserInfo {
    /// The claims on the wire, as a server writes them.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("sub".to_owned(), self.sub.as_str().into());
        if let Some(user) = &self.fhir_user {
            object.insert("fhirUser".to_owned(), user.as_str().into());
        }
        for (name, value) in &self.other {
            object.entry(name.as_str()).or_insert_with(|| value.clone());
        }
        object
    }
}

/// Whether a body looks like a JWT in compact form, whatever it calls itself: a JSON object begins otherwise.
fn is_jwt(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    body.starts_with(b"eyJ")
        && body.split(|c| *c == b'.').count() >= 3
        && body.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

impl std::fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserInfo")
            .field("fhir_user", &self.fhir_user.as_ref().map(|_| "***"))
            .field("other", &self.other.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Url {
        "https://login.ehr.example/userinfo".parse().unwrap()
    }

    fn read(status: u16, content_type: &str, body: &str) -> Result<UserInfo, UserInfoError> {
        parse_userinfo(&endpoint(), status, Some(content_type), body.as_bytes(), "u-1")
    }

    /// ID-26 (OpenID Connect Core 5.3.1): the request is a GET that carries the token in its header alone.
    #[test]
    fn request_carries_the_token_in_its_header() {
        let request = userinfo_request(&endpoint(), &AccessToken::new("tok")).unwrap();
        assert_eq!((request.method(), request.uri().query()), (&Method::GET, None));
        assert_eq!(request.headers()["authorization"], "Bearer tok");
        assert!(request.headers()["authorization"].is_sensitive() && request.body().is_empty());
        assert!(userinfo_request(&endpoint(), &AccessToken::new("a\nb")).is_err());
    }

    /// ID-26 (OpenID Connect Core 5.3.2): the answer must be about the user of the ID token, letter by letter.
    #[test]
    fn answer_about_another_user_is_refused() {
        let user = read(200, "application/json", r#"{"sub":"u-1","fhirUser":"Practitioner/7","email":"a@b.example"}"#);
        let user = user.unwrap();
        assert_eq!((user.sub.as_str(), user.fhir_user.as_deref()), ("u-1", Some("Practitioner/7")));
        assert_eq!(user.other["email"], "a@b.example");
        let shown = format!("{user:?}");
        assert!(!shown.contains("b.example") && !shown.contains('7') && !shown.contains("u-1"), "{shown}");
        let written = serde_json::to_vec(&user.to_object()).unwrap();
        assert_eq!(parse_userinfo(&endpoint(), 200, None, &written, "u-1").unwrap(), user);
        for sub in ["u-2", "U-1", "u-1 ", ""] {
            let error = read(200, "application/json", &format!(r#"{{"sub":"{sub}"}}"#)).unwrap_err();
            assert!(matches!(error, UserInfoError::OtherUser { .. }), "{sub}");
            assert!(!error.to_string().contains("u-"));
        }
        let empty = parse_userinfo(&endpoint(), 200, None, br#"{"sub":""}"#, "");
        assert!(matches!(empty, Err(UserInfoError::OtherUser { .. })), "no user is not the same user");
        for body in [r#"{"email":"x"}"#, r#"{"sub":1}"#] {
            assert!(matches!(read(200, "application/json", body), Err(UserInfoError::Answer(_))), "{body}");
        }
    }

    /// ID-26 (OpenID Connect Core 5.3.2): a signed or encrypted answer is told apart, by its type or by its look.
    #[test]
    fn signed_answer_is_not_read() {
        for (content_type, body) in [
            ("application/jwt; charset=utf-8", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEifQ."),
            ("application/json", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEifQ."),
            ("application/JWT", r#"{"sub":"u-1"}"#),
        ] {
            assert!(
                matches!(read(200, content_type, body), Err(UserInfoError::Signed { .. })),
                "{content_type} {body}"
            );
        }
    }

    /// ID-26 (OpenID Connect Core 5.3.3; RFC 6750 3): refusals are typed.
    #[test]
    fn refusals_are_typed() {
        let refused = read(401, "application/json", r#"{"error":"invalid_token"}"#).unwrap_err();
        assert!(matches!(refused, UserInfoError::Answer(TokenError::Refused { status: 401, .. })));
        assert!(read(503, "text/html", "").unwrap_err().is_retryable());
        assert!(matches!(read(302, "", ""), Err(UserInfoError::Answer(TokenError::Redirect { .. }))));
        assert!(matches!(read(200, "application/json", "[]"), Err(UserInfoError::Answer(TokenError::Json { .. }))));
    }
}
