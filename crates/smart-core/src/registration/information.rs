//! What a server says of a client that it has registered.

use super::client_configuration::{ClientConfiguration, ConfigurationError};
use super::client_kind::{ClientKind, SecretMethod};
use super::difference::{Difference, differences};
use super::error::{RegistrationError, RegistrationErrorResponse};
use super::management::ClientManagement;
use super::metadata::ClientMetadata;
use super::metadata_reader;
use crate::client_id::ClientId;
use crate::discovery::AuthMethod;
use crate::json::parse_object;
use crate::leniency::Leniency;
use crate::secret::{ClientSecret, RegistrationToken};
use crate::time::Timestamp;
use crate::token::endpoint_shown;
use crate::url_policy::UrlPolicy;
use serde_json::{Map, Value};
use url::Url;

/// A registered client, as the server describes it (RFC 7591, section 3.2.1). Clients read it, servers fill and write
/// it. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInformation {
    /// The id that the server assigned.
    pub client_id: ClientId,
    /// The shared secret, where the server gave one.
    pub secret: Option<IssuedSecret>,
    /// When the id was assigned.
    pub issued_at: Option<Timestamp>,
    /// Where the registration can be read, changed and deleted (RFC 7592), where the server lets it be.
    pub management: Option<ClientManagement>,
    /// What is registered: as the server repeats it, and as it was asked where the server does not say.
    pub metadata: ClientMetadata,
    /// Where what is registered is not what was asked for.
    pub differences: Vec<Difference>,
    /// Where the answer departed from the specification and was read all the same.
    pub leniencies: Vec<Leniency>,
}

/// A shared secret and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedSecret {
    /// The secret.
    pub secret: ClientSecret,
    /// When it ends.
    pub expires: SecretExpiry,
}

/// When a shared secret ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretExpiry {
    /// Never (`client_secret_expires_at` is 0).
    Never,
    /// At this time.
    At(Timestamp),
    /// The server does not say, though it has to.
    Unstated,
}

impl IssuedSecret {
    /// Whether it has ended. One whose end is not stated has not.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        matches!(self.expires, SecretExpiry::At(end) if now >= end)
    }
}

impl ClientInformation {
    /// A client as a server registers it: without a secret, without a way to manage it.
    pub fn new(client_id: ClientId, metadata: ClientMetadata) -> Self {
        Self {
            client_id,
            secret: None,
            issued_at: None,
            management: None,
            metadata,
            differences: Vec::new(),
            leniencies: Vec::new(),
        }
    }

    /// The client's configuration, of the kind that the server registered. Launch URLs, which RFC 7591 does not know,
    /// are added by [`with_launch_urls`](ClientConfiguration::with_launch_urls).
    ///
    /// A secret that came for a public client or one with a key is left out: the registered method counts.
    ///
    /// # Errors
    /// [`ConfigurationError`] when the answer lacks what the method needs, or the method is none of SMART's.
    pub fn configuration(&self) -> Result<ClientConfiguration, ConfigurationError> {
        let id = self.client_id.clone();
        let secret = |method| match &self.secret {
            Some(issued) => Ok(ClientKind::ConfidentialSymmetric { secret: issued.secret.clone(), method }),
            None => Err(ConfigurationError::SecretMissing),
        };
        let kind = match self.metadata.auth_method() {
            AuthMethod::None => ClientKind::Public,
            AuthMethod::ClientSecretBasic => secret(SecretMethod::Basic)?,
            AuthMethod::ClientSecretPost => secret(SecretMethod::Post)?,
            AuthMethod::PrivateKeyJwt => {
                let keys = self.metadata.keys.clone().ok_or(ConfigurationError::KeysMissing)?;
                if self.metadata.redirect_uris.is_empty() {
                    return ClientConfiguration::backend_service(id, keys);
                }
                ClientKind::ConfidentialAsymmetric { keys }
            }
            other @ AuthMethod::Other(_) => return Err(ConfigurationError::Method { method: other.to_string() }),
        };
        ClientConfiguration::app(id, kind, self.metadata.redirect_uris.iter().cloned())
    }

    /// The members on the wire. The secret and the registration token stand in them in the clear.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("client_id", self.client_id.as_str().into());
        if let Some(issued) = &self.secret {
            put("client_secret", issued.secret.expose_secret().into());
            match issued.expires {
                SecretExpiry::Never => put("client_secret_expires_at", 0.into()),
                SecretExpiry::At(time) => put("client_secret_expires_at", time.as_unix_seconds().into()),
                SecretExpiry::Unstated => None,
            };
        }
        if let Some(time) = self.issued_at {
            put("client_id_issued_at", time.as_unix_seconds().into());
        }
        if let Some(management) = &self.management {
            put("registration_client_uri", management.uri().as_str().into());
            put("registration_access_token", management.token().expose_secret().into());
        }
        for (name, value) in self.metadata.to_object() {
            object.entry(name).or_insert(value);
        }
        object
    }
}

/// What an answer is read against.
pub(super) struct Expected<'a> {
    pub(super) endpoint: &'a Url,
    pub(super) asked: &'a ClientMetadata,
    /// The status that the RFC has; other successes are reported.
    pub(super) status: u16,
    pub(super) policy: UrlPolicy,
}

impl Expected<'_> {
    /// Reads the answer to a registration, or to reading or changing one.
    pub(super) fn read(&self, status: u16, body: &[u8]) -> Result<ClientInformation, RegistrationError> {
        let mut object = success_object(self.endpoint, status, body)?;
        let mut leniencies = Vec::new();
        if status != self.status {
            leniencies.push(Leniency::RegistrationStatus);
        }
        let client_id = match object.remove("client_id") {
            Some(Value::String(id)) if !id.is_empty() => ClientId::new(id),
            _ => return Err(self.invalid("client_id", "a string")),
        };
        let secret = self.secret(&mut object, &mut leniencies)?;
        let issued_at = match object.remove("client_id_issued_at") {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.time("client_id_issued_at", &value)?),
        };
        let management = self.management(&mut object, &mut leniencies);
        let differences = differences(&self.asked.to_object(), &object);
        let (registered, problems) = metadata_reader::read(object, self.policy);
        if !problems.is_empty() {
            leniencies.push(Leniency::RegistrationMetadataUnreadable);
        }
        Ok(ClientInformation {
            client_id,
            secret,
            issued_at,
            management,
            metadata: registered.or_as_asked(self.asked),
            differences,
            leniencies,
        })
    }

    fn secret(
        &self,
        object: &mut Map<String, Value>,
        leniencies: &mut Vec<Leniency>,
    ) -> Result<Option<IssuedSecret>, RegistrationError> {
        let expires = object.remove("client_secret_expires_at").filter(|v| !v.is_null());
        let secret = match object.remove("client_secret") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => ClientSecret::new(text),
            Some(_) => return Err(self.invalid("client_secret", "a string")),
        };
        let expires = match expires.map(|value| self.time("client_secret_expires_at", &value)).transpose()? {
            Some(time) if time.as_unix_seconds() == 0 => SecretExpiry::Never,
            Some(time) => SecretExpiry::At(time),
            None => {
                leniencies.push(Leniency::SecretExpiryMissing);
                SecretExpiry::Unstated
            }
        };
        Ok(Some(IssuedSecret { secret, expires }))
    }

    fn management(&self, object: &mut Map<String, Value>, leniencies: &mut Vec<Leniency>) -> Option<ClientManagement> {
        let mut text = |name: &str| match object.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (uri, token) = (text("registration_client_uri"), text("registration_access_token"));
        if uri.is_none() && token.is_none() {
            return None;
        }
        let uri = uri.and_then(|uri| self.policy.parse(&uri).ok());
        let management = uri.zip(token).map(|(uri, token)| ClientManagement::new(uri, RegistrationToken::new(token)));
        if management.is_none() {
            leniencies.push(Leniency::RegistrationManagementUnusable);
        }
        management
    }

    fn time(&self, member: &'static str, value: &Value) -> Result<Timestamp, RegistrationError> {
        let seconds = value.as_i64().filter(|seconds| *seconds >= 0);
        seconds
            .map(Timestamp::from_unix_seconds)
            .ok_or_else(|| self.invalid(member, "a whole number of seconds since 1970"))
    }

    fn invalid(&self, member: &'static str, expected: &'static str) -> RegistrationError {
        RegistrationError::Invalid { endpoint: endpoint_shown(self.endpoint), member, expected }
    }
}

/// The object of a success, or the error that the answer is.
fn success_object(endpoint: &Url, status: u16, body: &[u8]) -> Result<Map<String, Value>, RegistrationError> {
    if (200..300).contains(&status) {
        let object = parse_object(body)
            .map_err(|reason| RegistrationError::Json { endpoint: endpoint_shown(endpoint), reason })?;
        return match RegistrationErrorResponse::from_object(&object) {
            Some(response) => Err(RegistrationError::Refused { endpoint: endpoint_shown(endpoint), status, response }),
            None => Ok(object),
        };
    }
    Err(failure(endpoint, status, body))
}

/// The error that an answer without success is.
pub(super) fn failure(endpoint: &Url, status: u16, body: &[u8]) -> RegistrationError {
    let endpoint = endpoint_shown(endpoint);
    if (300..400).contains(&status) {
        return RegistrationError::Redirect { endpoint, status };
    }
    match parse_object(body).ok().as_ref().and_then(RegistrationErrorResponse::from_object) {
        Some(response) => RegistrationError::Refused { endpoint, status, response },
        None => RegistrationError::Status { endpoint, status },
    }
}

impl ClientMetadata {
    /// Fills what the server did not repeat with what was asked.
    fn or_as_asked(self, asked: &Self) -> Self {
        let list = |own: Vec<_>, asked: &Vec<_>| if own.is_empty() { asked.clone() } else { own };
        Self {
            redirect_uris: if self.redirect_uris.is_empty() { asked.redirect_uris.clone() } else { self.redirect_uris },
            token_endpoint_auth_method: self
                .token_endpoint_auth_method
                .or_else(|| asked.token_endpoint_auth_method.clone()),
            grant_types: self.grant_types.or_else(|| asked.grant_types.clone()),
            response_types: self.response_types.or_else(|| asked.response_types.clone()),
            client_name: self.client_name.or_else(|| asked.client_name.clone()),
            client_uri: self.client_uri.or_else(|| asked.client_uri.clone()),
            logo_uri: self.logo_uri.or_else(|| asked.logo_uri.clone()),
            scope: self.scope.or_else(|| asked.scope.clone()),
            contacts: list(self.contacts, &asked.contacts),
            tos_uri: self.tos_uri.or_else(|| asked.tos_uri.clone()),
            policy_uri: self.policy_uri.or_else(|| asked.policy_uri.clone()),
            keys: self.keys.or_else(|| asked.keys.clone()),
            software_id: self.software_id.or_else(|| asked.software_id.clone()),
            software_version: self.software_version.or_else(|| asked.software_version.clone()),
            software_statement: self.software_statement.or_else(|| asked.software_statement.clone()),
            initiate_login_uri: self.initiate_login_uri.or_else(|| asked.initiate_login_uri.clone()),
            application_type: self.application_type.or_else(|| asked.application_type.clone()),
            other: self.other,
        }
    }
}
