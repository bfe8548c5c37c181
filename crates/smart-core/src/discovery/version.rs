//! Which version of SMART a server follows. No document says it: it is told by what the document has.

use super::auth_method::AuthMethod;
use super::capability::Capability;
use super::smart_configuration::SmartConfiguration;
use serde::Serialize;

/// The oldest version of SMART App Launch that has all that a server shows. It may follow a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum SmartVersion {
    /// 1.0: no PKCE methods, scopes as `.read` and `.write`.
    #[serde(rename = "1.0")]
    V1,
    /// 2.0
    #[serde(rename = "2.0")]
    V2_0,
    /// 2.1
    #[serde(rename = "2.1")]
    V2_1,
    /// 2.2
    #[serde(rename = "2.2")]
    V2_2,
}

impl SmartVersion {
    /// Guesses from a document. A server of SMART 1 has neither `grant_types_supported` nor
    /// `code_challenge_methods_supported`, nor anything else that came later.
    pub fn guess(configuration: &SmartConfiguration) -> Self {
        let launches =
            configuration.supports(&Capability::LaunchEhr) || configuration.supports(&Capability::LaunchStandalone);
        if !configuration.associated_endpoints.is_empty()
            || configuration.user_access_brand_bundle.is_some()
            || configuration.user_access_brand_identifier.is_some()
        {
            return Self::V2_2;
        }
        if configuration.smart_app_state_endpoint.is_some() || configuration.supports(&Capability::SmartAppState) {
            return Self::V2_1;
        }
        let of_two = configuration.grant_types_supported.is_some()
            || configuration.code_challenge_methods_supported.is_some()
            || configuration.token_endpoint_auth_signing_alg_values_supported.is_some()
            || configuration
                .token_endpoint_auth_methods_supported
                .iter()
                .flatten()
                .any(|method| *method == AuthMethod::PrivateKeyJwt)
            || [
                Capability::AuthorizePost,
                Capability::ClientConfidentialAsymmetric,
                Capability::PermissionOnline,
                Capability::PermissionV1,
                Capability::PermissionV2,
            ]
            .iter()
            .any(|capability| configuration.supports(capability));
        match (of_two, launches, &configuration.authorization_endpoint) {
            (false, _, _) => Self::V1,
            // Up to 2.1 the authorization endpoint was required even of servers without launches.
            (true, false, None) if configuration.grant_types_supported.is_some() => Self::V2_2,
            (true, _, _) => Self::V2_0,
        }
    }

    /// The version as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
            Self::V2_2 => "2.2",
        }
    }
}

impl std::fmt::Display for SmartVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
