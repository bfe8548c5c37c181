//! The document at `.well-known/smart-configuration`.

use super::auth_method::AuthMethod;
use super::capability::Capability;
use super::endpoint::Endpoint;
use super::members::{Members, Object};
use super::report::{Finding, FindingCode};
use crate::issuer::Issuer;
use crate::scope::Syntax;
use crate::url_policy::{UrlError, UrlPolicy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// What a SMART server says about itself (SMART App Launch 2.2, conformance, Metadata).
///
/// Clients get it from [`Discovery`](super::Discovery) or [`parse`](Self::parse). Servers begin with
/// [`new`](Self::new), set the fields, and serialise it: absent members are not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartConfiguration {
    /// The OpenID issuer, needed for `sso-openid-connect`. It is neither the FHIR base nor the `iss` of a launch.
    pub issuer: Option<Issuer>,
    /// Where the issuer's keys are, needed for `sso-openid-connect`.
    pub jwks_uri: Option<Url>,
    /// Where the browser goes, needed for the launches.
    pub authorization_endpoint: Option<Url>,
    /// Where tokens are got.
    pub token_endpoint: Url,
    /// The grants of the token endpoint. Absent in SMART 1.
    pub grant_types_supported: Option<Vec<String>>,
    /// How clients may authenticate at the token endpoint.
    pub token_endpoint_auth_methods_supported: Option<Vec<AuthMethod>>,
    /// The algorithms of client assertions.
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// Where clients register (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Scopes that may be asked for. Others may be as well.
    pub scopes_supported: Option<Vec<String>>,
    /// The response types of the authorization endpoint.
    pub response_types_supported: Option<Vec<String>>,
    /// Where a person sees and takes back what apps may do.
    pub management_endpoint: Option<Url>,
    /// Where tokens are introspected.
    pub introspection_endpoint: Option<Url>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<Url>,
    /// The PKCE methods. Absent in SMART 1.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// What the server can do, in the spelling that it uses: ask with [`supports`](Self::supports).
    pub capabilities: Vec<Capability>,
    /// Other FHIR endpoints that share this authorization (2.2, experimental).
    pub associated_endpoints: Vec<AssociatedEndpoint>,
    /// Where app state is, in SMART 2.1. Replaced by `associated_endpoints`.
    pub smart_app_state_endpoint: Option<Url>,
    /// The bundle of user-access brands.
    pub user_access_brand_bundle: Option<Url>,
    /// Which organization of that bundle is this server's.
    pub user_access_brand_identifier: Option<BrandIdentifier>,
    /// Whether authorization answers name their issuer (RFC 9207, section 3).
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// Members that SMART does not define, and those that could not be read, as they came.
    pub other: Map<String, Value>,
}

/// Another FHIR endpoint under the same authorization (SMART App Launch 2.2, conformance, `associated_endpoints`,
/// experimental): the access token may be used there too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociatedEndpoint {
    /// Its FHIR base.
    pub url: Url,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Members that SMART does not define.
    pub other: Map<String, Value>,
}

/// A FHIR identifier, as far as brands need it (SMART App Launch 2.2, brands).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BrandIdentifier {
    /// The system that the value belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The value.
    pub value: String,
}

/// Whether a server says that it takes PKCE with S256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S256Support {
    /// It says so.
    Listed,
    /// It lists other methods, or an empty list.
    NotListed,
    /// It lists no methods at all, as servers of SMART 1 do.
    Unknown,
}

impl SmartConfiguration {
    /// A document with a token endpoint and nothing else.
    pub fn new(token_endpoint: Url) -> Self {
        Self {
            issuer: None,
            jwks_uri: None,
            authorization_endpoint: None,
            token_endpoint,
            grant_types_supported: None,
            token_endpoint_auth_methods_supported: None,
            token_endpoint_auth_signing_alg_values_supported: None,
            registration_endpoint: None,
            scopes_supported: None,
            response_types_supported: None,
            management_endpoint: None,
            introspection_endpoint: None,
            revocation_endpoint: None,
            code_challenge_methods_supported: None,
            capabilities: Vec::new(),
            associated_endpoints: Vec::new(),
            smart_app_state_endpoint: None,
            user_access_brand_bundle: None,
            user_access_brand_identifier: None,
            authorization_response_iss_parameter_supported: None,
            other: Map::new(),
        }
    }

    /// Whether the server lists a capability, in its present or an older spelling.
    pub fn supports(&self, capability: &Capability) -> bool {
        let wanted = capability.current();
        self.capabilities.iter().any(|c| c.current() == wanted)
    }

    /// Whether the server says that it takes PKCE with S256.
    pub fn s256(&self) -> S256Support {
        match &self.code_challenge_methods_supported {
            None => S256Support::Unknown,
            Some(methods) if methods.iter().any(|m| m == "S256") => S256Support::Listed,
            Some(_) => S256Support::NotListed,
        }
    }

    /// The scope syntax to use: that of SMART 2 where the server has it, else that of SMART 1. The caller may know
    /// better and use the other.
    pub fn scope_syntax(&self) -> Syntax {
        Syntax::choose(self.supports(&Capability::PermissionV1), self.supports(&Capability::PermissionV2))
    }

    /// An endpoint by its name, where the server has it.
    pub fn endpoint(&self, endpoint: Endpoint) -> Option<&Url> {
        match endpoint {
            Endpoint::Authorization => self.authorization_endpoint.as_ref(),
            Endpoint::Token => Some(&self.token_endpoint),
            Endpoint::Registration => self.registration_endpoint.as_ref(),
            Endpoint::Management => self.management_endpoint.as_ref(),
            Endpoint::Introspection => self.introspection_endpoint.as_ref(),
            Endpoint::Revocation => self.revocation_endpoint.as_ref(),
            Endpoint::Jwks => self.jwks_uri.as_ref(),
        }
    }

    /// Sets an endpoint by its name.
    pub fn set_endpoint(&mut self, endpoint: Endpoint, url: Url) {
        match endpoint {
            Endpoint::Authorization => self.authorization_endpoint = Some(url),
            Endpoint::Token => self.token_endpoint = url,
            Endpoint::Registration => self.registration_endpoint = Some(url),
            Endpoint::Management => self.management_endpoint = Some(url),
            Endpoint::Introspection => self.introspection_endpoint = Some(url),
            Endpoint::Revocation => self.revocation_endpoint = Some(url),
            Endpoint::Jwks => self.jwks_uri = Some(url),
        }
    }

    /// Reads everything but the token endpoint, which the caller has settled.
    pub(super) fn from_members(token_endpoint: Url, mut members: Members<'_>) -> (Self, Vec<Finding>) {
        let mut read = Self::new(token_endpoint);
        read.issuer = issuer(&mut members);
        for endpoint in Endpoint::ALL.iter().copied().filter(|e| *e != Endpoint::Token) {
            if let Some(url) = members.url(endpoint.member()) {
                read.set_endpoint(endpoint, url);
            }
        }
        read.grant_types_supported = members.strings("grant_types_supported");
        read.token_endpoint_auth_methods_supported = auth_methods(&mut members);
        read.token_endpoint_auth_signing_alg_values_supported =
            members.strings("token_endpoint_auth_signing_alg_values_supported");
        read.scopes_supported = members.strings("scopes_supported");
        read.response_types_supported = members.strings("response_types_supported");
        read.code_challenge_methods_supported = members.strings("code_challenge_methods_supported");
        let has_capabilities = members.has("capabilities");
        let words = members.strings("capabilities").unwrap_or_default();
        read.capabilities = words.iter().map(|word| Capability::from(word.as_str())).collect();
        if !has_capabilities {
            members.note(FindingCode::CapabilitiesMissing, "`capabilities` is missing; none are known");
        }
        read.associated_endpoints = associated_endpoints(&mut members);
        read.smart_app_state_endpoint = members.url("smart_app_state_endpoint");
        read.user_access_brand_bundle = members.url("user_access_brand_bundle");
        read.user_access_brand_identifier = brand_identifier(&mut members);
        read.authorization_response_iss_parameter_supported =
            members.boolean("authorization_response_iss_parameter_supported");
        let (other, findings) = members.finish();
        read.other = other;
        (read, findings)
    }

    fn to_object(&self) -> Map<String, Value> {
        let mut object = Object::default();
        object.put("issuer", self.issuer.as_ref());
        for endpoint in Endpoint::ALL {
            object.put(endpoint.member(), self.endpoint(*endpoint));
        }
        object.put("grant_types_supported", self.grant_types_supported.as_ref());
        object.put("token_endpoint_auth_methods_supported", self.token_endpoint_auth_methods_supported.as_ref());
        object.put(
            "token_endpoint_auth_signing_alg_values_supported",
            self.token_endpoint_auth_signing_alg_values_supported.as_ref(),
        );
        object.put("scopes_supported", self.scopes_supported.as_ref());
        object.put("response_types_supported", self.response_types_supported.as_ref());
        object.put("code_challenge_methods_supported", self.code_challenge_methods_supported.as_ref());
        object.put("capabilities", Some(&self.capabilities));
        let associated = Some(&self.associated_endpoints).filter(|list| !list.is_empty());
        object.put("associated_endpoints", associated);
        object.put("smart_app_state_endpoint", self.smart_app_state_endpoint.as_ref());
        object.put("user_access_brand_bundle", self.user_access_brand_bundle.as_ref());
        object.put("user_access_brand_identifier", self.user_access_brand_identifier.as_ref());
        object
            .put("authorization_response_iss_parameter_supported", self.authorization_response_iss_parameter_supported);
        object.with_other(&self.other)
    }
}

impl Serialize for SmartConfiguration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SmartConfiguration {
    /// Reads what was stored: absolute URLs only. Http on loopback passes, since that was decided at discovery.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        let mut members = Members::new(object, None, UrlPolicy::AllowLoopbackHttp);
        let token_endpoint = members
            .checked_url(Endpoint::Token.member())
            .map_err(serde::de::Error::custom)?
            .ok_or_else(|| serde::de::Error::missing_field("token_endpoint"))?;
        Ok(Self::from_members(token_endpoint, members).0)
    }
}

impl Serialize for AssociatedEndpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::default();
        object.put("url", Some(&self.url));
        object.put("capabilities", Some(&self.capabilities));
        object.with_other(&self.other).serialize(serializer)
    }
}

fn issuer(members: &mut Members<'_>) -> Option<Issuer> {
    let text = members.text("issuer")?;
    match Issuer::parse_with(&text, members.policy()) {
        Ok(issuer) => Some(issuer),
        Err(reason) => {
            members.refuse("issuer", text.into(), &reason);
            None
        }
    }
}

fn auth_methods(members: &mut Members<'_>) -> Option<Vec<AuthMethod>> {
    let (name, alias) = ("token_endpoint_auth_methods_supported", "token_endpoint_auth_methods");
    let has_alias_only = members.has(alias) && !members.has(name);
    let mut words = members.strings(name);
    if has_alias_only {
        members.note(FindingCode::AuthMethodsAlias, format!("`{alias}` was read as `{name}`"));
        words = members.strings(alias);
    }
    words.map(|words| words.iter().map(|word| AuthMethod::from(word.as_str())).collect())
}

fn associated_endpoints(members: &mut Members<'_>) -> Vec<AssociatedEndpoint> {
    const NAME: &str = "associated_endpoints";
    let items = match members.value(NAME) {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            members.unreadable(NAME, other, "a list");
            return Vec::new();
        }
    };
    items.into_iter().filter_map(|item| associated_endpoint(members, item)).collect()
}

fn associated_endpoint(members: &mut Members<'_>, item: Value) -> Option<AssociatedEndpoint> {
    let Value::Object(mut entry) = item else {
        members.note(FindingCode::MemberMalformed, "an entry of `associated_endpoints` is no object; it is left out");
        return None;
    };
    let url = match entry.shift_remove("url") {
        Some(Value::String(text)) => members.endpoint("associated_endpoints.url", &text),
        _ => Err(UrlError::NotAbsolute { given: String::new(), reason: "`url` is missing".into() }),
    };
    let url = match url {
        Ok(url) => url,
        Err(reason) => {
            let message = format!("an entry of `associated_endpoints` is left out: {reason}");
            members.note(FindingCode::EndpointRefused, message);
            return None;
        }
    };
    let words = entry.shift_remove("capabilities");
    let words = words.as_ref().and_then(Value::as_array);
    let capabilities: Vec<_> = words.into_iter().flatten().filter_map(Value::as_str).map(Capability::from).collect();
    if words.is_none_or(|words| words.len() != capabilities.len()) {
        let message = "an entry of `associated_endpoints` has no `capabilities` that are a list of strings; what is no \
                       string was passed over";
        members.note(FindingCode::MemberMalformed, message);
    }
    Some(AssociatedEndpoint { url, capabilities, other: entry })
}

fn brand_identifier(members: &mut Members<'_>) -> Option<BrandIdentifier> {
    const NAME: &str = "user_access_brand_identifier";
    let value = members.value(NAME)?;
    let identifier = match &value {
        Value::String(text) => Some(BrandIdentifier { system: None, value: text.clone() }),
        object => BrandIdentifier::deserialize(object).ok(),
    };
    if identifier.is_none() {
        members.unreadable(NAME, value, "an identifier with a value");
    }
    identifier
}
