//! The settings themselves.

use crate::open_codes::open_codes;
use crate::secret::ClientSecret;

/// How the launch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LaunchType {
    /// A clinician starts the app from the EHR.
    ProviderEhr,
    /// A patient starts the app from a portal.
    PatientPortal,
    /// A clinician starts the app on its own.
    ProviderStandalone,
    /// A patient starts the app on its own.
    PatientStandalone,
    /// There is no person.
    BackendService,
}

/// Which encounter the launch is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EncounterChoice {
    /// The most recent one. The default.
    #[default]
    Auto,
    /// The person picks one.
    Manual,
    /// None, also when it is asked for.
    None,
    /// This one.
    Id(String),
}

/// How the client is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LauncherClientType {
    /// Without a secret. The default.
    #[default]
    Public,
    /// With a shared secret.
    ConfidentialSymmetric,
    /// With a key.
    ConfidentialAsymmetric,
    /// A backend service, with a key.
    BackendService,
}

/// What is asked of PKCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LauncherPkce {
    /// It is not looked at.
    None,
    /// It is checked when the client uses it. The default.
    #[default]
    Auto,
    /// It has to be there.
    Always,
}

open_codes! {
    /// An error that the launcher makes on purpose.
    SimulatedError {
        /// The client id is refused at the authorization endpoint.
        AuthInvalidClientId = "auth_invalid_client_id",
        /// The redirect URI is refused.
        AuthInvalidRedirectUri = "auth_invalid_redirect_uri",
        /// The scopes are refused.
        AuthInvalidScope = "auth_invalid_scope",
        /// The client's secret is refused.
        AuthInvalidClientSecret = "auth_invalid_client_secret",
        /// The token request is refused.
        TokenInvalidToken = "token_invalid_token",
        /// The refresh token is refused as expired.
        TokenExpiredRefreshToken = "token_expired_refresh_token",
        /// The client assertion is refused as expired.
        TokenExpiredRegistrationToken = "token_expired_registration_token",
        /// The scopes of a backend service are refused.
        TokenInvalidScope = "token_invalid_scope",
        /// The `jti` of the client assertion is refused.
        TokenInvalidJti = "token_invalid_jti",
        /// FHIR requests are refused for an invalid token.
        RequestInvalidToken = "request_invalid_token",
        /// FHIR requests are refused for an expired token.
        RequestExpiredToken = "request_expired_token",
    }
}

/// The settings of one launch. Empty values mean that the launcher does not care.
///
/// A setting that does not bear on the launch type is not written: of a backend service only scopes, client id, error, keys,
/// client type, PKCE and FHIR server; the simulated EHR only where an EHR starts the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LauncherSettings {
    /// How the launch goes.
    pub launch_type: LaunchType,
    /// The ids of the patients to choose from; one is chosen already.
    pub patients: Vec<String>,
    /// The ids of the practitioners who can log in; one is logged in already.
    pub providers: Vec<String>,
    /// Which encounter the launch is for.
    pub encounter: EncounterChoice,
    /// Whether a single patient or provider is logged in without a page.
    pub skip_login: bool,
    /// Whether the consent page is left out.
    pub skip_consent: bool,
    /// Whether the app runs inside of a simulated EHR, which shows the patient banner itself.
    pub simulated_ehr: bool,
    /// The scopes that may be asked for, parted by blanks.
    pub scopes: String,
    /// The redirect URIs that may be used.
    pub redirect_uris: Vec<String>,
    /// The client id that has to be used.
    pub client_id: String,
    /// The secret that has to be shown. It stands readable in the code: use made-up ones.
    pub client_secret: Option<ClientSecret>,
    /// An error to make.
    pub error: Option<SimulatedError>,
    /// Where the client's keys are.
    pub jwks_url: String,
    /// The client's keys, as JSON text.
    pub jwks: String,
    /// How the client is registered.
    pub client_type: LauncherClientType,
    /// What is asked of PKCE.
    pub pkce: LauncherPkce,
    /// Another FHIR server behind the launcher.
    pub fhir_server: String,
}

impl LauncherSettings {
    /// A launch that asks for nothing in particular.
    pub fn new(launch_type: LaunchType) -> Self {
        Self {
            launch_type,
            patients: Vec::new(),
            providers: Vec::new(),
            encounter: EncounterChoice::Auto,
            skip_login: false,
            skip_consent: false,
            simulated_ehr: false,
            scopes: String::new(),
            redirect_uris: Vec::new(),
            client_id: String::new(),
            client_secret: None,
            error: None,
            jwks_url: String::new(),
            jwks: String::new(),
            client_type: LauncherClientType::Public,
            pkce: LauncherPkce::Auto,
            fhir_server: String::new(),
        }
    }

    /// The settings that are written: those that bear on the launch type.
    pub(super) fn relevant(&self) -> Self {
        let mut relevant = self.clone();
        match self.launch_type {
            LaunchType::BackendService => {
                let kept = Self::new(LaunchType::BackendService);
                relevant = Self {
                    scopes: relevant.scopes,
                    client_id: relevant.client_id,
                    error: relevant.error,
                    jwks_url: relevant.jwks_url,
                    jwks: relevant.jwks,
                    client_type: relevant.client_type,
                    pkce: relevant.pkce,
                    fhir_server: relevant.fhir_server,
                    ..kept
                };
            }
            LaunchType::ProviderStandalone | LaunchType::PatientStandalone => relevant.simulated_ehr = false,
            LaunchType::ProviderEhr | LaunchType::PatientPortal => {}
        }
        relevant
    }
}
