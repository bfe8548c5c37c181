//! Reading settings. What stands in the document is not shown: a secret may stand where none belongs.

use super::{Problem, Settings, SettingsError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smart_core::json::parse_object;

/// The members, and whether each has to be there.
const MEMBERS: [(&str, bool); 13] = [
    ("client_id", true),
    ("client_type", false),
    ("scopes", true),
    ("fhir_base", false),
    ("redirect_uri", false),
    ("allowed_issuers", false),
    ("server_profile", false),
    ("session", false),
    ("permissions", false),
    ("login_timeout_seconds", false),
    ("assertion_lifetime_seconds", false),
    ("key_set_url", false),
    ("allow_loopback_http", false),
];

pub(super) const fn login_timeout() -> u64 {
    300
}

pub(super) fn settings(json: &[u8]) -> Result<Settings, SettingsError> {
    let object = parse_object(json)?;
    let mut problems: Vec<Problem> = object.iter().filter_map(|(name, value)| problem_of(name, value)).collect();
    for (name, _) in MEMBERS.iter().filter(|(name, is_required)| *is_required && !object.contains_key(*name)) {
        problems.push(Problem::new(*name, "it is missing"));
    }
    if !problems.is_empty() {
        return Err(SettingsError::Problems(problems));
    }
    serde_json::from_value(Value::Object(object))
        .map_err(|_| Problem::new("settings", "their shape is not that of settings").into())
}

/// What is wrong with the shape of one member.
fn problem_of(name: &str, value: &Value) -> Option<Problem> {
    if !MEMBERS.iter().any(|(known, _)| *known == name) {
        let reason = if is_secret(name) {
            "secrets and keys do not belong in settings; give them to `builder`"
        } else {
            "there is no such setting"
        };
        return Some(Problem::new(shown(name), reason));
    }
    let expected = match name {
        "client_type" => {
            fits::<super::ClientType>(value, "one of public, confidential-symmetric, confidential-asymmetric, backend")
        }
        "allowed_issuers" => fits::<Vec<String>>(value, "a list of URLs"),
        "session" => fits::<super::SessionSettings>(
            value,
            "an object with idle_seconds, absolute_seconds, warning_seconds and on_idle (end or lock)",
        ),
        "permissions" => fits_with(permissions::deserialize(value).is_ok(), "one of off, warn, enforce"),
        "login_timeout_seconds" | "assertion_lifetime_seconds" => fits::<u64>(value, "a whole number of seconds"),
        "allow_loopback_http" => fits::<bool>(value, "true or false"),
        _ => fits::<String>(value, "a text"),
    };
    expected.map(|expected| Problem::new(name, format!("it has to be {expected}")))
}

fn fits<T: DeserializeOwned>(value: &Value, expected: &'static str) -> Option<&'static str> {
    fits_with(serde_json::from_value::<T>(value.clone()).is_ok(), expected)
}

fn fits_with(fits: bool, expected: &'static str) -> Option<&'static str> {
    (!fits).then_some(expected)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["secret", "key", "password", "passphrase", "token", "jwk", "pem"].iter().any(|word| name.contains(word))
}

/// A name from outside, cut and without control characters.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// [`PermissionPolicy`](smart_flows::PermissionPolicy) by its names.
pub(super) mod permissions {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use smart_flows::PermissionPolicy;

    const NAMES: [(&str, PermissionPolicy); 3] =
        [("off", PermissionPolicy::Off), ("warn", PermissionPolicy::Warn), ("enforce", PermissionPolicy::Enforce)];

    // Serde asks for a reference.
    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn serialize<S: Serializer>(policy: &PermissionPolicy, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(_, one)| one == policy).map_or("warn", |(name, _)| name);
        serializer.serialize_str(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PermissionPolicy, D::Error> {
        let given = String::deserialize(deserializer)?;
        let found = NAMES.iter().find(|(name, _)| *name == given);
        found.map(|(_, policy)| *policy).ok_or_else(|| D::Error::custom("not one of off, warn, enforce"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ClientType, SessionSettings};

    #[test]
    fn every_member_is_listed() {
        let mut all = Settings::new("app", ClientType::Public, "openid");
        all.fhir_base = Some(String::new());
        all.redirect_uri = Some(String::new());
        all.allowed_issuers = vec![String::new()];
        all.server_profile = Some(String::new());
        all.session = Some(SessionSettings::default());
        all.assertion_lifetime_seconds = Some(1);
        all.key_set_url = Some(String::new());
        all.allow_loopback_http = true;
        let Value::Object(document) = serde_json::to_value(&all).unwrap() else { panic!("no object") };
        let members: Vec<&str> = document.keys().map(String::as_str).collect();
        assert_eq!(members, MEMBERS.map(|(name, _)| name));
    }
}
