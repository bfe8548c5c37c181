//! How a service without a person gets its token.

use crate::fhir_base::FhirBaseUrl;
use crate::scope::Scopes;

/// How a backend service gets its token at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendAccess {
    /// SMART backend services: a signed assertion, and `scope` with what is asked for. The default.
    #[default]
    Smart,
    /// The same, and what is granted follows the registration, whatever `scope` says; it may be left out.
    SmartAsRegistered,
    /// OAuth client credentials of the platform's own, with one scope that is made of the FHIR base: `{base}/.default`.
    /// It is no SMART: this library takes such a token, but does not fetch it.
    PlatformDefaultScope,
    /// Credentials of the platform, with this scope. It is no SMART: this library takes such a token, but does not
    /// fetch it.
    Platform {
        /// The scope to ask the platform for; empty where it has none.
        scope: &'static str,
    },
    /// No token is needed.
    Open,
}

impl BackendAccess {
    /// Whether SMART backend services work there.
    pub fn is_smart(self) -> bool {
        matches!(self, Self::Smart | Self::SmartAsRegistered)
    }

    /// The `scope` to ask for, to be granted `asked` at the server `base`.
    pub fn scope(self, base: &FhirBaseUrl, asked: &Scopes) -> String {
        match self {
            Self::Smart | Self::SmartAsRegistered => asked.to_string(),
            Self::PlatformDefaultScope => format!("{}/.default", base.normalised()),
            Self::Platform { scope } => scope.to_owned(),
            Self::Open => String::new(),
        }
    }
}
