//! What an authorization needs to know of the server.

use crate::fhir_base::FhirBaseUrl;
use crate::issuer::Issuer;
use serde::{Deserialize, Serialize};
use url::Url;

/// The authorization server of one FHIR server, as discovery found it: three identities kept apart (requirement
/// DI-17), and the endpoints that a code flow needs.
///
/// It is stored with the pending authorization, so that the code goes to the token endpoint of the server that was
/// asked and to no other (RFC 9700, section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServer {
    /// The FHIR base URL: the `aud` of the request.
    pub fhir_base: FhirBaseUrl,
    /// The OpenID issuer, where the server has one.
    pub issuer: Option<Issuer>,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where the code is redeemed.
    pub token_endpoint: Url,
    /// Whether the server takes the authorization request by POST (capability `authorize-post`).
    pub authorize_post: bool,
    /// Whether the server says that its answer names the issuer (RFC 9207, section 3).
    pub iss_parameter_supported: bool,
}
