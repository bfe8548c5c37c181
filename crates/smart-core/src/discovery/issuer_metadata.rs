//! What an issuer says about itself.

use super::auth_method::AuthMethod;
use super::members::{Members, Object};
use super::report::Finding;
use crate::issuer::Issuer;
use crate::url_policy::UrlPolicy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// The OpenID configuration or the OAuth metadata of an issuer (OpenID Connect Discovery, section 3; RFC 8414,
/// section 2).
///
/// Clients get it from [`IssuerDocument::parse`](super::IssuerDocument::parse). Servers begin with [`new`](Self::new),
/// set the fields, and serialise it: absent members are not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// The issuer: the `iss` of its ID tokens and authorization answers.
    pub issuer: Issuer,
    /// Where its keys are.
    pub jwks_uri: Option<Url>,
    /// Where the browser goes.
    pub authorization_endpoint: Option<Url>,
    /// Where tokens are got.
    pub token_endpoint: Option<Url>,
    /// Where claims about the user are got, with the access token (OpenID Connect Core, section 5.3).
    pub userinfo_endpoint: Option<Url>,
    /// Where clients register (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Where tokens are introspected (RFC 7662).
    pub introspection_endpoint: Option<Url>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Where the browser goes to end the user's session at the issuer (OpenID Connect RP-Initiated Logout).
    pub end_session_endpoint: Option<Url>,
    /// Scopes that may be asked for. Others may be as well.
    pub scopes_supported: Option<Vec<String>>,
    /// The response types of the authorization endpoint.
    pub response_types_supported: Option<Vec<String>>,
    /// The grants of the token endpoint.
    pub grant_types_supported: Option<Vec<String>>,
    /// Whether `sub` is the same for all clients (`public`) or not (`pairwise`).
    pub subject_types_supported: Option<Vec<String>>,
    /// The algorithms of ID tokens. `RS256` belongs to them, listed or not.
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    /// How clients may authenticate at the token endpoint.
    pub token_endpoint_auth_methods_supported: Option<Vec<AuthMethod>>,
    /// The algorithms of client assertions.
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The PKCE methods.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Claims that the issuer may give.
    pub claims_supported: Option<Vec<String>>,
    /// Whether authorization answers name their issuer (RFC 9207, section 3).
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// All other members, and those that could not be read, as they came.
    pub other: Map<String, Value>,
}

impl IssuerMetadata {
    /// A document with an issuer and nothing else.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            jwks_uri: None,
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            registration_endpoint: None,
            introspection_endpoint: None,
            revocation_endpoint: None,
            end_session_endpoint: None,
            scopes_supported: None,
            response_types_supported: None,
            grant_types_supported: None,
            subject_types_supported: None,
            id_token_signing_alg_values_supported: None,
            token_endpoint_auth_methods_supported: None,
            token_endpoint_auth_signing_alg_values_supported: None,
            code_challenge_methods_supported: None,
            claims_supported: None,
            authorization_response_iss_parameter_supported: None,
            other: Map::new(),
        }
    }

    /// Reads everything but the issuer and its keys, which the caller has settled.
    pub(super) fn from_members(
        issuer: Issuer,
        jwks_uri: Option<Url>,
        mut members: Members<'_>,
    ) -> (Self, Vec<Finding>) {
        let mut read = Self { jwks_uri, ..Self::new(issuer) };
        members.value("issuer");
        for (name, url) in read.urls() {
            *url = members.url(name);
        }
        for (name, list) in read.lists() {
            *list = members.strings(name);
        }
        let methods = members.strings(AUTH_METHODS);
        read.token_endpoint_auth_methods_supported =
            methods.map(|words| words.iter().map(|word| AuthMethod::from(word.as_str())).collect());
        read.authorization_response_iss_parameter_supported = members.boolean(ISS_PARAMETER);
        let (other, findings) = members.finish();
        read.other = other;
        (read, findings)
    }

    /// The members that are URLs, but for the keys.
    fn urls(&mut self) -> [(&'static str, &mut Option<Url>); 7] {
        [
            ("authorization_endpoint", &mut self.authorization_endpoint),
            ("token_endpoint", &mut self.token_endpoint),
            ("userinfo_endpoint", &mut self.userinfo_endpoint),
            ("registration_endpoint", &mut self.registration_endpoint),
            ("introspection_endpoint", &mut self.introspection_endpoint),
            ("revocation_endpoint", &mut self.revocation_endpoint),
            ("end_session_endpoint", &mut self.end_session_endpoint),
        ]
    }

    /// The members that are lists of words.
    fn lists(&mut self) -> [(&'static str, &mut Option<Vec<String>>); 8] {
        [
            ("scopes_supported", &mut self.scopes_supported),
            ("response_types_supported", &mut self.response_types_supported),
            ("grant_types_supported", &mut self.grant_types_supported),
            ("subject_types_supported", &mut self.subject_types_supported),
            ("id_token_signing_alg_values_supported", &mut self.id_token_signing_alg_values_supported),
            (
                "token_endpoint_auth_signing_alg_values_supported",
                &mut self.token_endpoint_auth_signing_alg_values_supported,
            ),
            ("code_challenge_methods_supported", &mut self.code_challenge_methods_supported),
            ("claims_supported", &mut self.claims_supported),
        ]
    }

    fn to_object(&self) -> Map<String, Value> {
        let mut object = Object::default();
        let mut own = self.clone();
        object.put("issuer", Some(&self.issuer));
        object.put("jwks_uri", self.jwks_uri.as_ref());
        for (name, url) in own.urls() {
            object.put(name, url.as_ref());
        }
        for (name, list) in own.lists() {
            object.put(name, list.as_ref());
        }
        object.put(AUTH_METHODS, self.token_endpoint_auth_methods_supported.as_ref());
        object.put(ISS_PARAMETER, self.authorization_response_iss_parameter_supported);
        object.with_other(&self.other)
    }
}

const AUTH_METHODS: &str = "token_endpoint_auth_methods_supported";
const ISS_PARAMETER: &str = "authorization_response_iss_parameter_supported";

impl Serialize for IssuerMetadata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IssuerMetadata {
    /// Reads what was stored. Whose document it is was decided when it was first read; http on loopback passes.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let mut members = Members::new(Map::deserialize(deserializer)?, None, UrlPolicy::AllowLoopbackHttp);
        let issuer = members.text("issuer").ok_or_else(|| D::Error::missing_field("issuer"))?;
        let issuer = Issuer::parse_with(&issuer, UrlPolicy::AllowLoopbackHttp).map_err(D::Error::custom)?;
        let jwks_uri = members.checked_url("jwks_uri").map_err(D::Error::custom)?;
        Ok(Self::from_members(issuer, jwks_uri, members).0)
    }
}
