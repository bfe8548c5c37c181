//! The metadata of a client, as it is asked for and as it is registered.

use super::client_keys::ClientKeys;
use super::grant_type::GrantType;
use crate::discovery::{AuthMethod, Object};
use crate::redirect_uri::RedirectUri;
use crate::scope::Scopes;
use serde_json::{Map, Value};
use url::Url;

/// The metadata of a client (RFC 7591, section 2; `initiate_login_uri` and `application_type` of OpenID Connect Dynamic
/// Client Registration, section 2). Every member is optional; what an absent one means stands with it.
///
/// Names in several languages (`client_name#de`) are in `other`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    /// The exact redirect URIs; needed for the grant `authorization_code`.
    pub redirect_uris: Vec<RedirectUri>,
    /// How the client authenticates. Absent means `client_secret_basic`.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// The grants that it uses. Absent means `authorization_code`.
    pub grant_types: Option<Vec<GrantType>>,
    /// The response types that it uses. Absent means `code`.
    pub response_types: Option<Vec<String>>,
    /// The name that people see.
    pub client_name: Option<String>,
    /// A page about the client.
    pub client_uri: Option<Url>,
    /// Its logo.
    pub logo_uri: Option<Url>,
    /// The scopes that it may ask for. Absent means what the server thinks fit.
    pub scope: Option<Scopes>,
    /// People responsible for it, mostly e-mail addresses.
    pub contacts: Vec<String>,
    /// Its terms of service.
    pub tos_uri: Option<Url>,
    /// Its privacy policy.
    pub policy_uri: Option<Url>,
    /// Its public keys: `jwks_uri` or `jwks`, never both.
    pub keys: Option<ClientKeys>,
    /// Which software it is, the same for all of its installations.
    pub software_id: Option<String>,
    /// Which version of the software.
    pub software_version: Option<String>,
    /// Metadata that somebody signed, as a JWT. It is passed on and not looked into.
    pub software_statement: Option<String>,
    /// Where others may send the browser to begin a login.
    pub initiate_login_uri: Option<Url>,
    /// `web` or `native`; absent means `web` to servers of OpenID Connect, which then take no loopback redirect URI.
    pub application_type: Option<String>,
    /// Other members, and those that could not be read, as they came.
    pub other: Map<String, Value>,
}

/// The members that this type has a field for.
pub(super) const MEMBERS: [&str; 18] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "jwks",
    "software_id",
    "software_version",
    "software_statement",
    "initiate_login_uri",
    "application_type",
];

impl ClientMetadata {
    /// How the client authenticates, by default where it does not say.
    pub fn auth_method(&self) -> AuthMethod {
        self.token_endpoint_auth_method.clone().unwrap_or(AuthMethod::ClientSecretBasic)
    }

    /// Whether the client uses a grant, by default where it does not say.
    pub fn uses(&self, grant: &GrantType) -> bool {
        match &self.grant_types {
            Some(grants) => grants.contains(grant),
            None => *grant == GrantType::AuthorizationCode,
        }
    }

    /// The metadata as JSON: absent members and empty lists are not written, but an empty list of response types is,
    /// since no list means `code`. What was unreadable is not passed on.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Object::default();
        object.put("redirect_uris", filled(&self.redirect_uris));
        object.put("token_endpoint_auth_method", self.token_endpoint_auth_method.as_ref());
        object.put("grant_types", self.grant_types.as_ref());
        object.put("response_types", self.response_types.as_ref());
        object.put("client_name", self.client_name.as_ref());
        object.put("client_uri", self.client_uri.as_ref());
        object.put("logo_uri", self.logo_uri.as_ref());
        object.put("scope", self.scope.as_ref());
        object.put("contacts", filled(&self.contacts));
        object.put("tos_uri", self.tos_uri.as_ref());
        object.put("policy_uri", self.policy_uri.as_ref());
        match &self.keys {
            Some(ClientKeys::Url(url)) => object.put("jwks_uri", Some(url)),
            Some(ClientKeys::Document(set)) => object.put("jwks", Some(set)),
            None => {}
        }
        object.put("software_id", self.software_id.as_ref());
        object.put("software_version", self.software_version.as_ref());
        object.put("software_statement", self.software_statement.as_ref());
        object.put("initiate_login_uri", self.initiate_login_uri.as_ref());
        object.put("application_type", self.application_type.as_ref());
        let read = self.other.iter().filter(|(name, _)| !MEMBERS.contains(&name.as_str()));
        object.with_other(&read.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

fn filled<T>(list: &Vec<T>) -> Option<&Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}
