//! How a client shows who it is at the token, introspection and revocation endpoints.

use crate::client_id::ClientId;
use crate::secret::{ClientAssertion, ClientSecret};
use base64::Engine as _;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use url::Url;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// The type of a JWT client assertion (RFC 7523, section 2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One way of client authentication. A request carries exactly one (RFC 6749, section 2.3).
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// A public client: `client_id` in the body, no secret.
    Public,
    /// HTTP Basic (SMART, client-confidential-symmetric).
    SecretBasic {
        /// The shared secret.
        secret: ClientSecret,
        /// How id and secret are encoded first.
        encoding: BasicEncoding,
    },
    /// Id and secret in the body; only where a server offers nothing better (RFC 6749, section 2.3.1).
    SecretPost {
        /// The shared secret.
        secret: ClientSecret,
    },
    /// A signed assertion (SMART, client-confidential-asymmetric). It is good for one request: make a new one for each.
    Assertion {
        /// The signed assertion.
        assertion: ClientAssertion,
    },
}

/// How id and secret are encoded before they are joined for HTTP Basic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum BasicEncoding {
    /// Each form-encoded first, as RFC 6749, section 2.3.1 says. The default.
    #[default]
    FormEncoded,
    /// Joined as they are, as SMART's text shows; for servers that do not decode. Ambiguous when the id has a colon.
    Raw,
}

/// Whether a confidential client also sends its `client_id` in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum ClientIdInBody {
    /// Only where SMART says so: public clients do, confidential ones do not. The default.
    #[default]
    AsSpecified,
    /// Always: some servers demand it, and RFC 6749, section 3.2.1 allows it.
    Always,
}

/// The client that makes a request, and how it shows who it is.
#[derive(Debug, Clone, Copy)]
pub struct RequestingClient<'a> {
    /// The client's identifier.
    pub id: &'a ClientId,
    /// The one way of authentication of this request.
    pub authentication: &'a ClientAuthentication,
    /// Whether a confidential client also names itself in the body.
    pub id_in_body: ClientIdInBody,
}

impl<'a> RequestingClient<'a> {
    /// A client that names itself in the body only where SMART says so.
    pub fn new(id: &'a ClientId, authentication: &'a ClientAuthentication) -> Self {
        Self { id, authentication, id_in_body: ClientIdInBody::AsSpecified }
    }
}

/// Why a message could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum MessageError {
    /// The endpoint is no http request target.
    #[error("{endpoint} cannot be the target of a request")]
    Endpoint {
        /// The endpoint's URL.
        endpoint: String,
    },
    /// A token has characters that no HTTP header may carry. It cannot have come from a conforming server.
    #[error("the access token has characters that an Authorization header cannot carry")]
    TokenCharacters,
}

/// A form POST to an endpoint of the authorization server, in the making.
pub(crate) struct FormRequest<'a> {
    endpoint: &'a Url,
    body: Zeroizing<String>,
    authorization: Option<Result<HeaderValue, MessageError>>,
}

impl<'a> FormRequest<'a> {
    pub(crate) fn new(endpoint: &'a Url) -> Self {
        Self { endpoint, body: Zeroizing::new(String::new()), authorization: None }
    }

    /// Adds a field; an empty value is left out (RFC 6749, section 3.1).
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            if !self.body.is_empty() {
                self.body.push('&');
            }
            self.body.extend(byte_serialize(name.as_bytes()));
            self.body.push('=');
            self.body.extend(byte_serialize(value.as_bytes()));
        }
        self
    }

    pub(crate) fn client(self, client: RequestingClient<'_>) -> Self {
        let id = client.id;
        let also_id = |request: Self| match client.id_in_body {
            ClientIdInBody::Always => request.field("client_id", id.as_str()),
            ClientIdInBody::AsSpecified => request,
        };
        match client.authentication {
            ClientAuthentication::Public => self.field("client_id", id.as_str()),
            ClientAuthentication::SecretBasic { secret, encoding } => {
                let mut request = also_id(self);
                request.authorization = Some(basic(id, secret, *encoding));
                request
            }
            ClientAuthentication::SecretPost { secret } => {
                self.field("client_id", id.as_str()).field("client_secret", secret.expose_secret())
            }
            ClientAuthentication::Assertion { assertion } => also_id(self)
                .field("client_assertion_type", ASSERTION_TYPE)
                .field("client_assertion", assertion.expose_secret()),
        }
    }

    pub(crate) fn bearer(mut self, token: &crate::secret::AccessToken) -> Self {
        self.authorization = Some(sensitive(&format!("Bearer {}", token.expose_secret())));
        self
    }

    pub(crate) fn build(self) -> Result<Request<Bytes>, MessageError> {
        let mut request = Request::new(Bytes::copy_from_slice(self.body.as_bytes()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .endpoint
            .as_str()
            .parse()
            .map_err(|_| MessageError::Endpoint { endpoint: self.endpoint.to_string() })?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(value) = self.authorization {
            headers.insert(AUTHORIZATION, value?);
        }
        Ok(request)
    }
}

fn basic(id: &ClientId, secret: &ClientSecret, encoding: BasicEncoding) -> Result<HeaderValue, MessageError> {
    let encode = |text: &str| match encoding {
        BasicEncoding::FormEncoded => byte_serialize(text.as_bytes()).collect::<String>(),
        BasicEncoding::Raw => text.to_owned(),
    };
    let joined = Zeroizing::new(format!("{}:{}", encode(id.as_str()), encode(secret.expose_secret())));
    sensitive(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined.as_bytes())))
}

/// A header value that logs do not show.
pub(crate) fn sensitive(text: &str) -> Result<HeaderValue, MessageError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| MessageError::TokenCharacters)?;
    value.set_sensitive(true);
    Ok(value)
}
