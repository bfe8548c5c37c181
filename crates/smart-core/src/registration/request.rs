//! Asking a server to register a client.

use super::client_keys::ClientKeys;
use super::error::{MetadataError, RegistrationError};
use super::grant_type::GrantType;
use super::information::{ClientInformation, Expected};
use super::management::is_reserved;
use super::metadata::{ClientMetadata, MEMBERS};
use crate::discovery::AuthMethod;
use crate::message::{JSON, json_request, with_bearer};
use crate::redirect_uri::{RedirectKind, RedirectUri};
use crate::scope::{Scope, Scopes};
use crate::secret::RegistrationToken;
use crate::token::MessageError;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use url::Url;

/// A registration to ask for (RFC 7591, section 3.1). The kind of client is chosen once, by the constructor; the secret
/// of a symmetric one is given by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRequest {
    metadata: ClientMetadata,
    initial_access_token: Option<RegistrationToken>,
}

impl RegistrationRequest {
    /// A public app.
    ///
    /// # Errors
    /// [`MetadataError`] without a redirect URI.
    pub fn public_app(redirect_uris: impl IntoIterator<Item = RedirectUri>) -> Result<Self, MetadataError> {
        Self::app(AuthMethod::None, redirect_uris, None)
    }

    /// An app that can keep a secret, which the server gives it (client-confidential-symmetric).
    ///
    /// # Errors
    /// [`MetadataError`] without a redirect URI.
    pub fn symmetric_app(redirect_uris: impl IntoIterator<Item = RedirectUri>) -> Result<Self, MetadataError> {
        Self::app(AuthMethod::ClientSecretBasic, redirect_uris, None)
    }

    /// An app with a key (client-confidential-asymmetric).
    ///
    /// # Errors
    /// [`MetadataError`] without a redirect URI.
    pub fn asymmetric_app(
        redirect_uris: impl IntoIterator<Item = RedirectUri>,
        keys: ClientKeys,
    ) -> Result<Self, MetadataError> {
        Self::app(AuthMethod::PrivateKeyJwt, redirect_uris, Some(keys))
    }

    /// A backend service: a key, the grant `client_credentials`, and no browser.
    pub fn backend_service(keys: ClientKeys) -> Self {
        Self {
            metadata: ClientMetadata {
                token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt),
                grant_types: Some(vec![GrantType::ClientCredentials]),
                response_types: Some(Vec::new()),
                keys: Some(keys),
                ..ClientMetadata::default()
            },
            initial_access_token: None,
        }
    }

    /// Metadata that was put together otherwise.
    ///
    /// # Errors
    /// [`MetadataError`] when it does not fit together, or `other` has a member that the server sets.
    pub fn from_metadata(metadata: ClientMetadata) -> Result<Self, MetadataError> {
        metadata.check()?;
        match metadata.other.iter().find(|(name, _)| is_reserved(name)) {
            Some((name, _)) => Err(MetadataError::new(name, "is set by the server")),
            None => Ok(Self { metadata, initial_access_token: None }),
        }
    }

    fn app(
        method: AuthMethod,
        redirect_uris: impl IntoIterator<Item = RedirectUri>,
        keys: Option<ClientKeys>,
    ) -> Result<Self, MetadataError> {
        let redirect_uris: Vec<_> = redirect_uris.into_iter().collect();
        // Servers of OpenID Connect take an app for one of the web otherwise, and refuse loopback and private schemes.
        let is_native = redirect_uris.iter().all(|uri| uri.kind() != RedirectKind::Https);
        Self::from_metadata(ClientMetadata {
            application_type: is_native.then(|| "native".to_owned()),
            redirect_uris,
            token_endpoint_auth_method: Some(method),
            grant_types: Some(vec![GrantType::AuthorizationCode]),
            response_types: Some(vec!["code".to_owned()]),
            keys,
            ..ClientMetadata::default()
        })
    }

    /// The name that people see when they are asked for their consent.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.metadata.client_name = Some(name.into());
        self
    }

    /// A page about the client.
    pub fn client_uri(mut self, url: Url) -> Self {
        self.metadata.client_uri = Some(url);
        self
    }

    /// Its logo.
    pub fn logo_uri(mut self, url: Url) -> Self {
        self.metadata.logo_uri = Some(url);
        self
    }

    /// The scopes that it will ask for. With `offline_access` or `online_access` the grant `refresh_token` is asked for
    /// too.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        let refreshes = scopes.contains(&Scope::OfflineAccess) || scopes.contains(&Scope::OnlineAccess);
        let grants = self.metadata.grant_types.get_or_insert_default();
        if refreshes && !grants.contains(&GrantType::RefreshToken) {
            grants.push(GrantType::RefreshToken);
        }
        self.metadata.scope = Some(scopes);
        self
    }

    /// Adds somebody who is responsible for the client.
    pub fn contact(mut self, contact: impl Into<String>) -> Self {
        self.metadata.contacts.push(contact.into());
        self
    }

    /// Its terms of service.
    pub fn tos_uri(mut self, url: Url) -> Self {
        self.metadata.tos_uri = Some(url);
        self
    }

    /// Its privacy policy.
    pub fn policy_uri(mut self, url: Url) -> Self {
        self.metadata.policy_uri = Some(url);
        self
    }

    /// Which software it is, and in which version.
    pub fn software(mut self, id: impl Into<String>, version: impl Into<String>) -> Self {
        self.metadata.software_id = Some(id.into());
        self.metadata.software_version = Some(version.into());
        self
    }

    /// Metadata that somebody signed, as a JWT. It is passed on as it is.
    pub fn software_statement(mut self, statement: impl Into<String>) -> Self {
        self.metadata.software_statement = Some(statement.into());
        self
    }

    /// Where others may send the browser to begin a login.
    pub fn initiate_login_uri(mut self, url: Url) -> Self {
        self.metadata.initiate_login_uri = Some(url);
        self
    }

    /// Adds a member that RFC 7591 does not have, or a name in another language (`client_name#de`).
    ///
    /// # Errors
    /// [`MetadataError`] for a member that has a method of its own, or that the server sets.
    pub fn other(mut self, member: &str, value: Value) -> Result<Self, MetadataError> {
        if MEMBERS.contains(&member) || is_reserved(member) {
            return Err(MetadataError::new(member, "cannot be set as another member"));
        }
        self.metadata.other.insert(member.to_owned(), value);
        Ok(self)
    }

    /// The token that the server's operator gave for this registration, where it takes none without.
    pub fn initial_access_token(mut self, token: RegistrationToken) -> Self {
        self.initial_access_token = Some(token);
        self
    }

    /// What is asked for.
    pub fn metadata(&self) -> &ClientMetadata {
        &self.metadata
    }

    /// The request. Send it once: each time it succeeds, another client is registered.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn request(&self, endpoint: &Url) -> Result<Request<Bytes>, MessageError> {
        let request = json_request(Method::POST, endpoint, JSON, &self.metadata.to_object())?;
        match &self.initial_access_token {
            Some(token) => with_bearer(request, token.expose_secret()),
            None => Ok(request),
        }
    }

    /// Reads the answer. Look at its [`differences`](ClientInformation::differences) before the client is used.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn parse(
        &self,
        endpoint: &Url,
        status: u16,
        body: &[u8],
        policy: UrlPolicy,
    ) -> Result<ClientInformation, RegistrationError> {
        Expected { endpoint, asked: &self.metadata, status: 201, policy }.read(status, body)
    }
}
