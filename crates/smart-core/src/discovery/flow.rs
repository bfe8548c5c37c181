//! What each way to use a server needs of its capabilities.

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

/// What to do about capabilities that a flow needs and the server does not list.
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
