//! What a client knows of itself once it is registered.

use super::client_keys::{ClientKeys, JwksUrl};
use super::client_kind::{ClientKind, SecretMethod};
use super::key_set::PublicKeySet;
use super::launch_url::LaunchUrl;
use crate::client_id::ClientId;
use crate::discovery::AuthMethod;
use crate::redirect_uri::RedirectUri;
use crate::secret::{ClientSecret, exposed};
use serde::{Deserialize, Serialize};

/// A registered client: an id from the server, its exact redirect URIs, its fixed launch URLs, and one [`ClientKind`]
/// (SMART App Launch 2.2, register app with EHR).
///
/// It serialises for a configuration that is itself kept safe: the secret stands in it in the clear. Reading one checks
/// it as the constructors do, and refuses members that it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ClientConfiguration {
    id: ClientId,
    kind: ClientKind,
    redirect_uris: Vec<RedirectUri>,
    launch_urls: Vec<LaunchUrl>,
}

/// Why a client cannot be configured so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The client id is empty or has other characters than printable ASCII (RFC 6749, appendix A.1).
    #[error("the client id must be printable ASCII and not empty: take the one that the server gave at registration")]
    ClientId,
    /// An app has no redirect URI.
    #[error("an app needs at least one redirect URI; only a backend service has none")]
    NoRedirectUri,
    /// A backend service has redirect or launch URLs, which it never uses.
    #[error("a client without redirect URIs is a backend service: it has no launch URLs, and it has a key")]
    BackendService,
    /// A redirect URI or launch URL is given twice.
    #[error("`{given}` is given twice")]
    Repeated {
        /// What is given twice.
        given: String,
    },
    /// A client with a shared secret has none.
    #[error("the client authenticates by a shared secret, but none is given")]
    SecretMissing,
    /// A client with a key has neither a URL nor a document of its public keys.
    #[error("the client authenticates by a key, but neither `jwks_uri` nor `jwks` is given")]
    KeysMissing,
    /// More than one kind is given.
    #[error("`{member}` does not belong to a client of the method `{method}`: a client is of exactly one kind")]
    OfAnotherKind {
        /// The member that does not belong.
        member: &'static str,
        /// The method.
        method: String,
    },
    /// Keys are given both as a URL and as a document.
    #[error("`jwks_uri` and `jwks` are given both; one of them is right (RFC 7591, section 2)")]
    KeysTwice,
    /// The method of client authentication is none that SMART has.
    #[error(
        "the method `{method}` is none that SMART has: none, client_secret_basic, client_secret_post, private_key_jwt"
    )]
    Method {
        /// The method, cut and cleaned.
        method: String,
    },
}

impl ClientConfiguration {
    /// An app that a person uses: it has at least one redirect URI.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn app(
        id: ClientId,
        kind: ClientKind,
        redirect_uris: impl IntoIterator<Item = RedirectUri>,
    ) -> Result<Self, ConfigurationError> {
        let redirect_uris: Vec<_> = redirect_uris.into_iter().collect();
        if redirect_uris.is_empty() {
            return Err(ConfigurationError::NoRedirectUri);
        }
        Self { id, kind, redirect_uris, launch_urls: Vec::new() }.checked()
    }

    /// A backend service: it has a key, and no browser ever comes to it.
    ///
    /// # Errors
    /// [`ConfigurationError::ClientId`].
    pub fn backend_service(id: ClientId, keys: ClientKeys) -> Result<Self, ConfigurationError> {
        let kind = ClientKind::ConfidentialAsymmetric { keys };
        Self { id, kind, redirect_uris: Vec::new(), launch_urls: Vec::new() }.checked()
    }

    /// The same client with these launch URLs. An app that is never launched from an EHR has none.
    ///
    /// # Errors
    /// [`ConfigurationError::BackendService`] or [`ConfigurationError::Repeated`].
    pub fn with_launch_urls(
        mut self,
        launch_urls: impl IntoIterator<Item = LaunchUrl>,
    ) -> Result<Self, ConfigurationError> {
        self.launch_urls = launch_urls.into_iter().collect();
        self.checked()
    }

    fn checked(self) -> Result<Self, ConfigurationError> {
        let id = self.id.as_str();
        if id.is_empty() || !id.bytes().all(|c| (0x20..=0x7e).contains(&c)) {
            return Err(ConfigurationError::ClientId);
        }
        let has_key = matches!(self.kind, ClientKind::ConfidentialAsymmetric { .. });
        if self.redirect_uris.is_empty() && !(has_key && self.launch_urls.is_empty()) {
            return Err(ConfigurationError::BackendService);
        }
        let redirects = self.redirect_uris.iter().map(RedirectUri::as_str);
        let launches = self.launch_urls.iter().map(LaunchUrl::as_str);
        match repeated(redirects).or_else(|| repeated(launches)) {
            Some(given) => Err(ConfigurationError::Repeated { given: given.to_owned() }),
            None => Ok(self),
        }
    }

    /// The id that the server assigned.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The one kind that it is of.
    pub fn kind(&self) -> &ClientKind {
        &self.kind
    }

    /// The redirect URIs; none for a backend service.
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// The launch URLs.
    pub fn launch_urls(&self) -> &[LaunchUrl] {
        &self.launch_urls
    }

    /// The registered redirect URI that is letter by letter `given`. Servers compare so (RFC 9700, section 2.1).
    pub fn redirect_uri(&self, given: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.as_str() == given)
    }
}

fn repeated<'a>(texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    texts.into_iter().find(|text| !seen.insert(*text))
}

/// The form in a configuration, with the names of RFC 7591.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    client_id: ClientId,
    token_endpoint_auth_method: AuthMethod,
    #[serde(default, with = "exposed::option", skip_serializing_if = "Option::is_none")]
    client_secret: Option<ClientSecret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<JwksUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks: Option<PublicKeySet>,
    #[serde(default)]
    redirect_uris: Vec<RedirectUri>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    launch_urls: Vec<LaunchUrl>,
}

impl From<ClientConfiguration> for Stored {
    fn from(client: ClientConfiguration) -> Self {
        let token_endpoint_auth_method = client.kind.auth_method();
        let (client_secret, jwks_uri, jwks) = match client.kind {
            ClientKind::Public => (None, None, None),
            ClientKind::ConfidentialSymmetric { secret, .. } => (Some(secret), None, None),
            ClientKind::ConfidentialAsymmetric { keys: ClientKeys::Url(url) } => (None, Some(url), None),
            ClientKind::ConfidentialAsymmetric { keys: ClientKeys::Document(set) } => (None, None, Some(set)),
        };
        Self {
            client_id: client.id,
            token_endpoint_auth_method,
            client_secret,
            jwks_uri,
            jwks,
            redirect_uris: client.redirect_uris,
            launch_urls: client.launch_urls,
        }
    }
}

impl TryFrom<Stored> for ClientConfiguration {
    type Error = ConfigurationError;

    fn try_from(stored: Stored) -> Result<Self, ConfigurationError> {
        let keys = match (stored.jwks_uri, stored.jwks) {
            (Some(_), Some(_)) => return Err(ConfigurationError::KeysTwice),
            (Some(url), None) => Some(ClientKeys::Url(url)),
            (None, Some(set)) => Some(ClientKeys::Document(set)),
            (None, None) => None,
        };
        let kind = kind_of(&stored.token_endpoint_auth_method, stored.client_secret, keys)?;
        Self { id: stored.client_id, kind, redirect_uris: stored.redirect_uris, launch_urls: stored.launch_urls }
            .checked()
    }
}

/// The kind that a method of authentication and what belongs to it make. What belongs to another kind is refused.
fn kind_of(
    method: &AuthMethod,
    secret: Option<ClientSecret>,
    keys: Option<ClientKeys>,
) -> Result<ClientKind, ConfigurationError> {
    let of_another_kind = |member| ConfigurationError::OfAnotherKind { member, method: method.to_string() };
    let secret_method = match method {
        AuthMethod::None => None,
        AuthMethod::ClientSecretBasic => Some(SecretMethod::Basic),
        AuthMethod::ClientSecretPost => Some(SecretMethod::Post),
        AuthMethod::PrivateKeyJwt if secret.is_some() => return Err(of_another_kind("client_secret")),
        AuthMethod::PrivateKeyJwt => {
            let keys = keys.ok_or(ConfigurationError::KeysMissing)?;
            return Ok(ClientKind::ConfidentialAsymmetric { keys });
        }
        AuthMethod::Other(_) => return Err(ConfigurationError::Method { method: method.to_string() }),
    };
    if keys.is_some() {
        return Err(of_another_kind("jwks"));
    }
    match (secret_method, secret) {
        (None, None) => Ok(ClientKind::Public),
        (None, Some(_)) => Err(of_another_kind("client_secret")),
        (Some(method), Some(secret)) => Ok(ClientKind::ConfidentialSymmetric { secret, method }),
        (Some(_), None) => Err(ConfigurationError::SecretMissing),
    }
}
