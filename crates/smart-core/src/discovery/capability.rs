//! What a server says it can do: an open set of words.

use crate::open_codes::open_codes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

open_codes! {
    /// A SMART capability (SMART App Launch 2.2, conformance, Capabilities). The set is open: unknown ones are kept.
    Capability {
        /// EHR launch.
        LaunchEhr = "launch-ehr",
        /// Standalone launch.
        LaunchStandalone = "launch-standalone",
        /// The authorization request may be a form POST (since 2.0).
        AuthorizePost = "authorize-post",
        /// Public clients.
        ClientPublic = "client-public",
        /// Confidential clients with a shared secret.
        ClientConfidentialSymmetric = "client-confidential-symmetric",
        /// Confidential clients with a key pair (since 2.0).
        ClientConfidentialAsymmetric = "client-confidential-asymmetric",
        /// Single sign-on with OpenID Connect.
        SsoOpenidConnect = "sso-openid-connect",
        /// `need_patient_banner` in the launch context.
        ContextBanner = "context-banner",
        /// `smart_style_url` in the launch context.
        ContextStyle = "context-style",
        /// A patient in the context of an EHR launch.
        ContextEhrPatient = "context-ehr-patient",
        /// An encounter in the context of an EHR launch.
        ContextEhrEncounter = "context-ehr-encounter",
        /// A patient in the context of a standalone launch.
        ContextStandalonePatient = "context-standalone-patient",
        /// An encounter in the context of a standalone launch.
        ContextStandaloneEncounter = "context-standalone-encounter",
        /// Refresh tokens through `offline_access`.
        PermissionOffline = "permission-offline",
        /// Refresh tokens through `online_access` (since 2.0).
        PermissionOnline = "permission-online",
        /// Scopes of the level `patient/`.
        PermissionPatient = "permission-patient",
        /// Scopes of the level `user/`.
        PermissionUser = "permission-user",
        /// Scopes in the syntax of SMART 1 (since 2.0).
        PermissionV1 = "permission-v1",
        /// Scopes in the syntax of SMART 2 (since 2.0).
        PermissionV2 = "permission-v2",
        /// App state (since 2.1).
        SmartAppState = "smart-app-state",
        /// An older spelling of [`ContextBanner`](Self::ContextBanner).
        LegacyContextBanner = "context-passthrough-banner",
        /// An older spelling of [`ContextStyle`](Self::ContextStyle).
        LegacyContextStyle = "context-passthrough-style",
        /// A word for [`SsoOpenidConnect`](Self::SsoOpenidConnect) that the text of SMART 1 mentions.
        LegacySingleSignOn = "single-sign-on",
    }
}

impl Capability {
    /// All capabilities that SMART 2.2 defines, without the older spellings.
    pub const DEFINED: &'static [Self] = &[
        Self::LaunchEhr,
        Self::LaunchStandalone,
        Self::AuthorizePost,
        Self::ClientPublic,
        Self::ClientConfidentialSymmetric,
        Self::ClientConfidentialAsymmetric,
        Self::SsoOpenidConnect,
        Self::ContextBanner,
        Self::ContextStyle,
        Self::ContextEhrPatient,
        Self::ContextEhrEncounter,
        Self::ContextStandalonePatient,
        Self::ContextStandaloneEncounter,
        Self::PermissionOffline,
        Self::PermissionOnline,
        Self::PermissionPatient,
        Self::PermissionUser,
        Self::PermissionV1,
        Self::PermissionV2,
        Self::SmartAppState,
    ];

    /// Whether this is a spelling that SMART 2.2 does not define, but that means a defined capability.
    pub fn is_legacy(&self) -> bool {
        *self != self.current()
    }

    /// The capability under its name in SMART 2.2; all but the older spellings are their own.
    pub fn current(&self) -> Self {
        match self {
            Self::LegacyContextBanner => Self::ContextBanner,
            Self::LegacyContextStyle => Self::ContextStyle,
            Self::LegacySingleSignOn => Self::SsoOpenidConnect,
            other => other.clone(),
        }
    }

    /// Whether SMART defines the word, in any spelling. Others are extensions: URIs, or words of other guides.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl Serialize for Capability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}

/// A use case that a server serves when it has all of a list of capabilities (SMART App Launch 2.2, conformance,
/// Capability Sets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapabilitySet {
    /// A patient's app, started on its own.
    PatientStandalone,
    /// A patient's app, started from a portal.
    PatientEhr,
    /// A clinician's app, started on its own.
    ClinicianStandalone,
    /// A clinician's app, started from the EHR.
    ClinicianEhr,
}

impl CapabilitySet {
    /// The four sets.
    pub const ALL: [Self; 4] =
        [Self::PatientStandalone, Self::PatientEhr, Self::ClinicianStandalone, Self::ClinicianEhr];

    /// The capabilities that the set needs, besides one of `client-public` and `client-confidential-symmetric`.
    pub fn needed(self) -> &'static [Capability] {
        use Capability as C;
        match self {
            Self::PatientStandalone => &[C::LaunchStandalone, C::ContextStandalonePatient, C::PermissionPatient],
            Self::PatientEhr => &[C::LaunchEhr, C::ContextEhrPatient, C::PermissionPatient],
            Self::ClinicianStandalone => &[C::LaunchStandalone, C::PermissionUser, C::PermissionPatient],
            Self::ClinicianEhr => {
                &[C::LaunchEhr, C::ContextEhrPatient, C::ContextEhrEncounter, C::PermissionUser, C::PermissionPatient]
            }
        }
    }

    /// What `capabilities` lacks of this set. Where neither client type is there, `client-public` stands for both.
    pub fn missing_from(self, capabilities: &[Capability]) -> Vec<Capability> {
        let has = |wanted: &Capability| capabilities.iter().any(|c| c.current() == *wanted);
        let mut missing: Vec<_> = self.needed().iter().filter(|c| !has(c)).cloned().collect();
        if !has(&Capability::ClientPublic) && !has(&Capability::ClientConfidentialSymmetric) {
            missing.push(Capability::ClientPublic);
        }
        missing
    }

    /// Whether `capabilities` holds the whole set.
    pub fn is_met_by(self, capabilities: &[Capability]) -> bool {
        self.missing_from(capabilities).is_empty()
    }
}
