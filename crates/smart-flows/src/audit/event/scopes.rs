//! Granted scopes as an event shows them.

use super::shape::{MASK, is_type_name};
use serde::Serialize;
use smart_core::scope::{Scope, Scopes};

/// How many scopes are kept.
const MOST: usize = 100;

/// What was granted: scopes without the values of their search arguments and roles. A scope that SMART does not define
/// is a word of the server's and shown as `other`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RecordedScopes(Vec<String>);

impl RecordedScopes {
    /// The scopes in the order of `scopes`, 100 at most.
    pub fn of(scopes: &Scopes) -> Self {
        Self(scopes.iter().take(MOST).map(recorded).collect())
    }

    /// The scopes.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl std::fmt::Display for RecordedScopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

fn recorded(scope: &Scope) -> String {
    match scope {
        Scope::Resource(resource) => {
            let text = resource.as_str();
            let (plain, arguments) = text.split_once('?').map_or((text, ""), |(plain, _)| (plain, "?***"));
            match (
                plain.split_once('/').and_then(|(level, rest)| Some((level, rest.rsplit_once('.')?))),
                resource.resource_type(),
            ) {
                (Some((level, (_, permissions))), Some(name)) if !is_type_name(name) => {
                    format!("{level}/{MASK}.{permissions}{arguments}")
                }
                _ => format!("{plain}{arguments}"),
            }
        }
        Scope::Launch(launch) => match launch.resource_type() {
            None => "launch".to_owned(),
            Some(name) if name.len() <= 40 && name.bytes().all(|c| c.is_ascii_lowercase()) => {
                format!("launch/{name}{}", if launch.role().is_some() { "?role=***" } else { "" })
            }
            Some(_) => format!("launch/{MASK}"),
        },
        Scope::Other(_) => "other".to_owned(),
        known => known.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05 (SMART, App protection): scopes are told without what a server or app may have written into them.
    #[test]
    fn scopes_are_told_without_their_values() {
        let granted = Scopes::parse_granted(
            "openid fhirUser launch launch/patient launch/list?role=https://x.example/ada patient/*.rs \
             patient/Observation.rs?category=ada user/Adax1.r https://ehr.example/ada ada offline_access system/Patient.read",
        );
        let recorded = RecordedScopes::of(&granted);
        assert!(!recorded.to_string().to_lowercase().contains("ada"), "{recorded}");
        for kept in [
            "openid",
            "fhirUser",
            "launch",
            "launch/patient",
            "launch/list?role=***",
            "patient/*.rs",
            "patient/Observation.rs?***",
            "user/***.r",
            "other",
            "offline_access",
            "system/Patient.read",
        ] {
            assert!(recorded.as_slice().iter().any(|scope| scope == kept), "{kept}: {recorded}");
        }
    }
}
