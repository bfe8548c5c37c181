//! Settings as a code, and back.

use super::error::LauncherCodeError;
use super::legacy;
use super::settings::{
    EncounterChoice, LaunchType, LauncherClientType, LauncherPkce, LauncherSettings, SimulatedError,
};
use crate::fhir_base::FhirBaseUrl;
use crate::json::{JsonError, parse_object};
use crate::secret::ClientSecret;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};

/// The longest code that is read: keys of several clients fit.
const MAX_LENGTH: usize = 64 * 1024;

/// Written without padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The order in which the array counts them.
const LAUNCH_TYPES: [LaunchType; 5] = [
    LaunchType::ProviderEhr,
    LaunchType::PatientPortal,
    LaunchType::ProviderStandalone,
    LaunchType::PatientStandalone,
    LaunchType::BackendService,
];
const CLIENT_TYPES: [LauncherClientType; 4] = [
    LauncherClientType::Public,
    LauncherClientType::ConfidentialSymmetric,
    LauncherClientType::ConfidentialAsymmetric,
    LauncherClientType::BackendService,
];
const PKCE_MODES: [LauncherPkce; 3] = [LauncherPkce::None, LauncherPkce::Auto, LauncherPkce::Always];

impl LauncherSettings {
    /// The code: the `launch` value of an EHR launch, or a segment of the FHIR base.
    ///
    /// # Errors
    /// [`LauncherCodeError::Comma`] when an id or a redirect URI has a comma.
    pub fn to_code(&self) -> Result<String, LauncherCodeError> {
        let it = self.relevant();
        let person = it.launch_type != LaunchType::BackendService;
        let encounter = match &it.encounter {
            _ if !person => "",
            EncounterChoice::Auto => "AUTO",
            EncounterChoice::Manual => "MANUAL",
            EncounterChoice::None => "NONE",
            EncounterChoice::Id(id) => id,
        };
        let settings = json!([
            index(&LAUNCH_TYPES, &it.launch_type),
            joined("patient", &it.patients)?,
            joined("provider", &it.providers)?,
            encounter,
            u8::from(it.skip_login),
            u8::from(it.skip_consent),
            u8::from(it.simulated_ehr),
            it.scopes,
            joined("redirect_uris", &it.redirect_uris)?,
            it.client_id,
            it.client_secret.as_ref().map(ClientSecret::expose_secret).unwrap_or_default(),
            it.error.as_ref().map(SimulatedError::as_str).unwrap_or_default(),
            it.jwks_url,
            it.jwks,
            index(&CLIENT_TYPES, &it.client_type),
            index(&PKCE_MODES, &it.pkce),
            it.fhir_server,
        ]);
        Ok(BASE64.encode(settings.to_string()))
    }

    /// Reads a code: the array of the present launcher, or the object of the first one and of `smart.argo.run`. An
    /// array may be shorter than today's; what it lacks is as in [`new`](Self::new).
    ///
    /// # Errors
    /// [`LauncherCodeError`].
    pub fn from_code(code: &str) -> Result<Self, LauncherCodeError> {
        if code.len() > MAX_LENGTH {
            return Err(LauncherCodeError::TooLong { length: code.len(), limit: MAX_LENGTH });
        }
        let octets = BASE64.decode(code).map_err(|_| LauncherCodeError::Base64)?;
        match octets.trim_ascii_start().first() {
            Some(b'[') => {
                let syntax = |e: serde_json::Error| JsonError::Syntax { line: e.line(), column: e.column() };
                read(&serde_json::from_slice::<Vec<Value>>(&octets).map_err(syntax)?)
            }
            Some(b'{') => legacy::read(&parse_object(&octets)?),
            _ => Err(LauncherCodeError::Form),
        }
    }

    /// The FHIR base of a launch with these settings: `{origin}/v/{release}/sim/{code}/fhir`. `release` is `r2`, `r3` or
    /// `r4`.
    ///
    /// # Errors
    /// [`LauncherCodeError`].
    pub fn fhir_base(&self, origin: &str, release: &str) -> Result<FhirBaseUrl, LauncherCodeError> {
        let origin = origin.trim_end_matches('/');
        Ok(FhirBaseUrl::parse(&format!("{origin}/v/{release}/sim/{}/fhir", self.to_code()?))?)
    }

    /// The settings in a FHIR base. `None`: it has no such segment.
    pub fn from_fhir_base(base: &FhirBaseUrl) -> Option<Result<Self, LauncherCodeError>> {
        let mut segments = base.url().path_segments()?;
        segments.find(|segment| *segment == "sim")?;
        segments.next().map(Self::from_code)
    }
}

fn read(settings: &[Value]) -> Result<LauncherSettings, LauncherCodeError> {
    let text = |at: usize, name| text(settings.get(at), name);
    let flag = |at: usize| settings.get(at).and_then(Value::as_u64) == Some(1);
    let launch_type = choice(settings.first(), &LAUNCH_TYPES).ok_or(LauncherCodeError::Setting("launch_type"))?;
    let client_type = or_default(settings.get(14), &CLIENT_TYPES, "client_type")?;
    let pkce = or_default(settings.get(15), &PKCE_MODES, "pkce")?;
    let settings = LauncherSettings {
        launch_type,
        patients: parted(&text(1, "patient")?),
        providers: parted(&text(2, "provider")?),
        encounter: encounter(text(3, "encounter")?),
        skip_login: flag(4),
        skip_consent: flag(5),
        simulated_ehr: flag(6),
        scopes: text(7, "scope")?,
        redirect_uris: parted(&text(8, "redirect_uris")?),
        client_id: text(9, "client_id")?,
        client_secret: secret(text(10, "client_secret")?),
        error: error(&text(11, "auth_error")?),
        jwks_url: text(12, "jwks_url")?,
        jwks: text(13, "jwks")?,
        client_type,
        pkce,
        fhir_server: text(16, "fhir_server")?,
    };
    Ok(settings.relevant())
}

/// A text; what counts as nothing in the launcher's language is an empty one.
pub(super) fn text(value: Option<&Value>, name: &'static str) -> Result<String, LauncherCodeError> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(String::new()),
        Some(_) => Err(LauncherCodeError::Setting(name)),
    }
}

/// An empty choice has the launcher ask, as does the word for it.
fn encounter(text: String) -> EncounterChoice {
    match text.as_str() {
        "AUTO" => EncounterChoice::Auto,
        "MANUAL" | "" => EncounterChoice::Manual,
        "NONE" => EncounterChoice::None,
        _ => EncounterChoice::Id(text),
    }
}

pub(super) fn secret(text: String) -> Option<ClientSecret> {
    (!text.is_empty()).then(|| ClientSecret::new(text))
}

pub(super) fn error(text: &str) -> Option<SimulatedError> {
    (!text.is_empty()).then(|| SimulatedError::from(text))
}

pub(super) fn parted(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn joined(name: &'static str, values: &[String]) -> Result<String, LauncherCodeError> {
    if values.iter().any(|value| value.contains(',')) {
        Err(LauncherCodeError::Comma(name))
    } else {
        Ok(values.join(","))
    }
}

fn index<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|other| other == one).unwrap_or_default()
}

fn or_default<T: Copy + Default>(value: Option<&Value>, all: &[T], name: &'static str) -> Result<T, LauncherCodeError> {
    match value {
        None | Some(Value::Null) => Ok(T::default()),
        given => choice(given, all).ok_or(LauncherCodeError::Setting(name)),
    }
}

fn choice<T: Copy>(value: Option<&Value>, all: &[T]) -> Option<T> {
    all.get(usize::try_from(value?.as_u64()?).ok()?).copied()
}
