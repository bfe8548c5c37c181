//! What each way to use a server needs of its capabilities.

use super::auth_method::AuthMethod;
use super::capability::Capability;
use super::endpoint::Endpoint;

/// A way to use a SMART server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// The app starts on its own.
    StandaloneLaunch,
    /// The EHR starts the app.
    EhrLaunch,
    /// A backend service, without a person.
    BackendServices,
}

/// Something that a flow needs and a server does not announce.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotAnnounced {
    /// A capability.
    Capability(Capability),
    /// A grant of the token endpoint.
    Grant(&'static str),
    /// A way in which clients authenticate at the token endpoint.
    AuthMethod(AuthMethod),
}

impl std::fmt::Display for NotAnnounced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Capability(capability) => write!(f, "the capability `{capability}`"),
            Self::Grant(grant) => write!(f, "the grant `{grant}`"),
            Self::AuthMethod(method) => write!(f, "the authentication method `{method}`"),
        }
    }
}

/// What to do about what a flow needs and the server does not announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatePolicy {
    /// Report it and go on: many servers can more than they list. The default.
    #[default]
    Warn,
    /// Refuse.
    Refuse,
}

impl Flow {
    /// The capabilities that the flow cannot do without.
    pub fn needed(self) -> &'static [Capability] {
        match self {
            Self::StandaloneLaunch => &[Capability::LaunchStandalone],
            Self::EhrLaunch => &[Capability::LaunchEhr],
            Self::BackendServices => &[Capability::ClientConfidentialAsymmetric],
        }
    }

    /// The grant that the flow uses, as `grant_types_supported` names it.
    pub fn grant(self) -> &'static str {
        match self {
            Self::StandaloneLaunch | Self::EhrLaunch => "authorization_code",
            Self::BackendServices => "client_credentials",
        }
    }

    /// The only way in which a client of the flow authenticates, where there is only one: a backend service has a key.
    pub fn auth_method(self) -> Option<AuthMethod> {
        match self {
            Self::StandaloneLaunch | Self::EhrLaunch => None,
            Self::BackendServices => Some(AuthMethod::PrivateKeyJwt),
        }
    }

    /// The endpoints that the flow cannot do without.
    pub fn endpoints(self) -> &'static [Endpoint] {
        match self {
            Self::StandaloneLaunch | Self::EhrLaunch => &[Endpoint::Authorization, Endpoint::Token],
            Self::BackendServices => &[Endpoint::Token],
        }
    }
}

impl std::fmt::Display for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::StandaloneLaunch => "a standalone launch",
            Self::EhrLaunch => "an EHR launch",
            Self::BackendServices => "a backend service",
        })
    }
}
