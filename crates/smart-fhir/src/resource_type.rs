//! Names of resource types.

use crate::FhirError;
use std::fmt;
use std::str::FromStr;

/// A Rust type that stands for one FHIR resource type, so that
/// [`FhirClient::read_typed`](crate::FhirClient::read_typed) knows where to look.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Patient {
///     id: String,
/// }
///
/// impl smart_fhir::ResourceType for Patient {
///     const TYPE: &'static str = "Patient";
/// }
/// ```
pub trait ResourceType {
    /// The name of the resource type, such as `Patient`.
    const TYPE: &'static str;
}

/// The name of a resource type: a capital letter, then letters and digits, 64 at most. Types of later versions pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceTypeName(String);

impl ResourceTypeName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`FhirError::InvalidType`].
    pub fn parse(name: &str) -> Result<Self, FhirError> {
        let legal = name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if legal { Ok(Self(name.to_owned())) } else { Err(FhirError::InvalidType) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceTypeName {
    type Err = FhirError;

    fn from_str(name: &str) -> Result<Self, FhirError> {
        Self::parse(name)
    }
}

impl fmt::Display for ResourceTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-12: only names of resource types pass.
    #[test]
    fn only_type_names_pass() {
        for name in ["Patient", "MedicationRequest", "X1"] {
            assert_eq!(ResourceTypeName::parse(name).unwrap().to_string(), name);
        }
        for name in ["", "patient", "..", "Patient/1", "Patient?x", "_history", "$export", "Pati ent", &"X".repeat(65)]
        {
            assert!(matches!(ResourceTypeName::parse(name), Err(FhirError::InvalidType)), "{name}");
        }
    }
}
