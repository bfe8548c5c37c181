//! Token introspection (SMART App Launch 2.2, token introspection; RFC 7662).

use crate::client_id::ClientId;
use crate::context::LaunchContext;
use crate::leniency::Leniency;
use crate::message::json_response;
use crate::scope::Scopes;
use crate::secret::AccessToken;
use crate::time::Timestamp;
use crate::token::{FormRequest, MessageError, RequestingClient, TokenError, endpoint_shown, success_object};
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
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
///
/// `Debug` shows neither user nor context.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ActiveToken {
    /// The token's scopes.
    pub scope: Option<Scopes>,
    /// The client that it was issued to.
    pub client_id: Option<ClientId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// From when on it may be used.
    pub not_before: Option<Timestamp>,
    /// How it is used: `Bearer`.
    pub token_type: Option<String>,
    /// Its identifier.
    pub token_id: Option<String>,
    /// What it is for: the `aud` of RFC 7662, one or several.
    pub audience: Vec<String>,
    /// The name by which the user is known to the server, for people to read.
    pub username: Option<String>,
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
    let mut members = Members { object, notes: Vec::new() };
    let mut active = ActiveToken {
        scope: members.text("scope").map(|text| Scopes::parse_granted(&text)),
        client_id: members.text("client_id").map(ClientId::new),
        expires_at: members.time("exp"),
        issued_at: members.time("iat"),
        not_before: members.time("nbf"),
        token_type: members.text("token_type"),
        token_id: members.text("jti"),
        audience: members.texts("aud"),
        username: members.text("username"),
        iss: members.text("iss"),
        sub: members.text("sub"),
        fhir_user: members.text("fhirUser"),
        context: LaunchContext::default(),
        leniencies: Vec::new(),
    };
    let Members { object, mut notes } = members;
    active.context = LaunchContext::take_from(object, None, policy, &mut notes);
    active.leniencies = notes;
    Ok(Introspection::Active(Box::new(active)))
}

/// The members of an answer, each taken once; what is of the wrong kind is left out and noted.
struct Members {
    object: Map<String, Value>,
    notes: Vec<Leniency>,
}

impl Members {
    fn take<T>(&mut self, member: &str, read: impl FnOnce(Value) -> Option<T>) -> Option<T> {
        let value = self.object.remove(member).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.notes.push(Leniency::IntrospectionMemberUnreadable);
        }
        read
    }

    fn text(&mut self, member: &str) -> Option<String> {
        self.take(member, |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// One string, or a list of strings.
    fn texts(&mut self, member: &str) -> Vec<String> {
        let texts = self.take(member, |value| match value {
            Value::String(text) => Some(vec![text]),
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            _ => None,
        });
        texts.unwrap_or_default()
    }

    /// Whole seconds since 1970 (RFC 7662, section 2.2).
    fn time(&mut self, member: &str) -> Option<Timestamp> {
        self.take(member, |value| value.as_i64().map(Timestamp::from_unix_seconds))
    }
}

impl std::fmt::Debug for ActiveToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActiveToken")
            .field("scope", &self.scope)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .field("context", &self.context)
            .field("leniencies", &self.leniencies)
            .finish_non_exhaustive()
    }
}

impl Introspection {
    /// The members on the wire, as a server writes them. Of a token that is not good nothing else is said.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("active", Some(self.is_active().into()));
        let Self::Active(token) = self else { return object };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let time = |time: Option<Timestamp>| time.map(|time| time.as_unix_seconds().into());
        put("scope", token.scope.as_ref().map(|scope| scope.to_string().into()));
        put("client_id", token.client_id.as_ref().map(|id| id.as_str().into()));
        put("token_type", text(&token.token_type));
        put("exp", time(token.expires_at));
        put("iat", time(token.issued_at));
        put("nbf", time(token.not_before));
        put("iss", text(&token.iss));
        put("sub", text(&token.sub));
        put("jti", text(&token.token_id));
        put("username", text(&token.username));
        put(
            "aud",
            match token.audience.as_slice() {
                [] => None,
                [one] => Some(one.as_str().into()),
                several => Some(several.into()),
            },
        );
        put("fhirUser", text(&token.fhir_user));
        token.context.write_to(&mut object);
        object
    }

    /// The answer of a server: 200 also for a token that is not good, and kept by no cache.
    pub fn to_response(&self) -> Response<Bytes> {
        json_response(StatusCode::OK, &self.to_object())
    }
}
