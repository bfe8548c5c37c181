//! Token introspection (SMART App Launch 2.2, token introspection; RFC 7662).

use crate::client_id::ClientId;
use crate::context::LaunchContext;
use crate::leniency::Leniency;
use crate::scope::Scopes;
use crate::secret::AccessToken;
use crate::time::Timestamp;
use crate::token::{FormRequest, MessageError, RequestingClient, TokenError, endpoint_shown, success_object};
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};
use url::Url;

/// Which kind of token is shown to the server: a hint that speeds its look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

impl TokenTypeHint {
    /// The value on the wire (RFC 7009, section 2.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// Who asks. SMART 2.2 obliges servers to accept a bearer token, 2.0 and 2.1 speak of client credentials.
#[derive(Debug, Clone, Copy)]
pub enum IntrospectionCaller<'a> {
    /// The bearer token of an app or backend service.
    Bearer(&'a AccessToken),
    /// A client, as at the token endpoint.
    Client(RequestingClient<'a>),
}

/// What the server says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    /// The token is expired, revoked, or unknown. Nothing else may be relied on, and this is no error.
    Inactive,
    /// The token is good.
    Active(Box<ActiveToken>),
}

impl Introspection {
    /// Whether the token is good.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }
}

/// What the server says of a good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveToken {
    /// The token's scopes.
    pub scope: Option<Scopes>,
    /// The client that it was issued to.
    pub client_id: Option<ClientId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// Who issued it; with `sub`, who the user is.
    pub iss: Option<String>,
    /// The user at that issuer.
    pub sub: Option<String>,
    /// The user as a FHIR resource, as it came: resolve it with [`FhirUser`](crate::context::FhirUser).
    pub fhir_user: Option<String>,
    /// The launch context; members that neither RFC 7662 nor SMART defines are in its `other`.
    pub context: LaunchContext,
    /// Where the answer departed from the specification.
    pub leniencies: Vec<Leniency>,
}

/// The request: a form POST, never a GET.
///
/// # Errors
/// [`MessageError`].
pub fn introspection_request(
    endpoint: &Url,
    token: &str,
    hint: Option<TokenTypeHint>,
    caller: IntrospectionCaller<'_>,
) -> Result<Request<Bytes>, MessageError> {
    let request = FormRequest::new(endpoint)
        .field("token", token)
        .field("token_type_hint", hint.map_or("", TokenTypeHint::as_str));
    match caller {
        IntrospectionCaller::Bearer(bearer) => request.bearer(bearer),
        IntrospectionCaller::Client(client) => request.client(client),
    }
    .build()
}

/// Reads the answer.
///
/// # Errors
/// [`TokenError`]: an OAuth error, no JSON, or no boolean `active`.
pub fn parse_introspection(
    endpoint: &Url,
    status: u16,
    body: &[u8],
    policy: UrlPolicy,
) -> Result<Introspection, TokenError> {
    let mut object = success_object(endpoint, status, body)?;
    match object.remove("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(Introspection::Inactive),
        Some(_) => {
            return Err(TokenError::Invalid {
                endpoint: endpoint_shown(endpoint),
                member: "active",
                expected: "a boolean",
            });
        }
        None => return Err(TokenError::Missing { endpoint: endpoint_shown(endpoint), member: "active" }),
    }
    let mut leniencies = Vec::new();
    let text = |object: &mut Map<String, Value>, member: &str| match object.remove(member) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let time = |object: &mut Map<String, Value>, member: &str| {
        object.remove(member).and_then(|v| v.as_i64()).map(Timestamp::from_unix_seconds)
    };
    Ok(Introspection::Active(Box::new(ActiveToken {
        scope: text(&mut object, "scope").map(|s| Scopes::parse_granted(&s)),
        client_id: text(&mut object, "client_id").map(ClientId::new),
        expires_at: time(&mut object, "exp"),
        issued_at: time(&mut object, "iat"),
        iss: text(&mut object, "iss"),
        sub: text(&mut object, "sub"),
        fhir_user: text(&mut object, "fhirUser"),
        context: LaunchContext::take_from(object, policy, &mut leniencies),
        leniencies,
    })))
}
