//! The form of the first launcher and of `smart.argo.run`: an object with members of one letter.

use super::code::{error, parted, secret, text};
use super::error::LauncherCodeError;
use super::settings::{EncounterChoice, LaunchType, LauncherClientType, LauncherPkce, LauncherSettings};
use serde_json::{Map, Value};

/// Errors counted as the first launcher counts them.
const ERRORS: [&str; 8] = [
    "auth_invalid_client_id",
    "auth_invalid_redirect_uri",
    "auth_invalid_scope",
    "auth_invalid_client_secret",
    "token_invalid_token",
    "token_expired_refresh_token",
    "request_invalid_token",
    "request_expired_token",
];

pub(super) fn read(members: &Map<String, Value>) -> Result<LauncherSettings, LauncherCodeError> {
    let is = |name: &str| members.get(name).is_some_and(|value| value == "1");
    let text = |name: &'static str| text(members.get(name), name);
    if is("l") {
        return Err(LauncherCodeError::Setting("l"));
    }
    let launch_type = match (is("a"), is("k"), is("h")) {
        (_, _, true) => LaunchType::ProviderStandalone,
        (true, true, _) => LaunchType::PatientPortal,
        (false, true, _) => LaunchType::PatientStandalone,
        _ => LaunchType::ProviderEhr,
    };
    let mut settings = LauncherSettings::new(launch_type);
    settings.patients = parted(&text("b")?);
    settings.providers = parted(&text("e")?);
    settings.encounter =
        if !text("c")?.is_empty() || is("g") { EncounterChoice::Manual } else { EncounterChoice::Auto };
    settings.skip_login = is("i");
    settings.skip_consent = is("j");
    settings.simulated_ehr = is("f");
    settings.error = text("d")?.parse::<usize>().ok().and_then(|at| ERRORS.get(at)).and_then(|code| error(code));
    settings.pkce = if is("m") { LauncherPkce::Always } else { LauncherPkce::Auto };
    settings.client_type = match text("n")?.as_str() {
        "cc-asym" => LauncherClientType::ConfidentialAsymmetric,
        "cc-sym" => LauncherClientType::ConfidentialSymmetric,
        _ => LauncherClientType::Public,
    };
    if let Some(uris) = members.get("o").and_then(Value::as_array) {
        settings.redirect_uris = uris.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    settings.client_secret = secret(text("p")?);
    settings.jwks_url = text("q")?;
    settings.jwks = text("r")?;
    settings.fhir_server = text("s")?;
    Ok(settings.relevant())
}
