//! Reading, changing and deleting a registration (RFC 7592).

use super::error::RegistrationError;
use super::information::{ClientInformation, Expected, failure};
use super::metadata::ClientMetadata;
use crate::message::{JSON, json_request, request, with_bearer};
use crate::secret::RegistrationToken;
use crate::token::MessageError;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::{Method, Request};
use url::Url;

/// Where a registration lies, and the token that opens it. The token goes to this URL and to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientManagement {
    uri: Url,
    token: RegistrationToken,
}

impl ClientManagement {
    /// `registration_client_uri` and `registration_access_token`, which come together (RFC 7592, section 3). The URL
    /// has been checked: it is https.
    pub fn new(uri: Url, token: RegistrationToken) -> Self {
        Self { uri, token }
    }

    /// The URL of the registration.
    pub fn uri(&self) -> &Url {
        &self.uri
    }

    /// The token.
    pub fn token(&self) -> &RegistrationToken {
        &self.token
    }

    /// A request for what is registered now (RFC 7592, section 2.1).
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn read_request(&self) -> Result<Request<Bytes>, MessageError> {
        with_bearer(request(Method::GET, &self.uri, JSON)?, self.token.expose_secret())
    }

    /// A request to register `metadata` in place of what is registered (RFC 7592, section 2.2): what it leaves out, the
    /// server may drop. Id and secret are those of `client` and stay as they are.
    ///
    /// # Errors
    /// [`RegistrationError::Metadata`] or [`RegistrationError::Message`].
    pub fn update_request(
        &self,
        client: &ClientInformation,
        metadata: &ClientMetadata,
    ) -> Result<Request<Bytes>, RegistrationError> {
        metadata.check()?;
        let mut object = metadata.to_object();
        // What the server alone may set must not be sent (section 2.2).
        for name in [
            "registration_access_token",
            "registration_client_uri",
            "client_secret_expires_at",
            "client_id_issued_at",
            "client_secret",
        ] {
            object.remove(name);
        }
        object.insert("client_id".to_owned(), client.client_id.as_str().into());
        if let Some(issued) = &client.secret {
            object.insert("client_secret".to_owned(), issued.secret.expose_secret().into());
        }
        Ok(with_bearer(json_request(Method::PUT, &self.uri, JSON, &object)?, self.token.expose_secret())?)
    }

    /// Reads the answer to reading or changing. `metadata` is what was registered or asked for, `before` what the
    /// client knew. The server may have given a new secret and a new registration token: the old ones are over then. Store
    /// the result.
    ///
    /// # Errors
    /// [`RegistrationError`]; [`RegistrationError::Invalid`] also when another client is described.
    pub fn parse(
        &self,
        before: &ClientInformation,
        metadata: &ClientMetadata,
        status: u16,
        body: &[u8],
        policy: UrlPolicy,
    ) -> Result<ClientInformation, RegistrationError> {
        let expected = Expected { endpoint: &self.uri, asked: metadata, status: 200, policy };
        let mut client = expected.read(status, body)?;
        if client.client_id != before.client_id {
            return Err(RegistrationError::Invalid {
                endpoint: crate::token::endpoint_shown(&self.uri),
                member: "client_id",
                expected: "the id of this client",
            });
        }
        client.secret = client.secret.or_else(|| before.secret.clone());
        client.issued_at = client.issued_at.or(before.issued_at);
        client.management = client.management.or_else(|| Some(self.clone()));
        Ok(client)
    }

    /// A request to delete the registration with all that was granted on it (RFC 7592, section 2.3).
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn delete_request(&self) -> Result<Request<Bytes>, MessageError> {
        with_bearer(request(Method::DELETE, &self.uri, JSON)?, self.token.expose_secret())
    }

    /// Reads the answer to deleting: any success will do.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn parse_deleted(&self, status: u16, body: &[u8]) -> Result<(), RegistrationError> {
        if (200..300).contains(&status) { Ok(()) } else { Err(failure(&self.uri, status, body)) }
    }
}

/// Members of a registration's answer that are no metadata.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "client_id"
            | "client_secret"
            | "client_id_issued_at"
            | "client_secret_expires_at"
            | "registration_access_token"
            | "registration_client_uri"
    )
}
