//! The logical id of a resource.

use crate::FhirError;
use std::fmt;
use std::str::FromStr;

/// The logical id of a resource or of a version: 1 to 64 letters, digits, `-` and `.` (FHIR R4, datatypes, `id`).
///
/// `.` and `..`, which the rule would let pass, are refused too: in a URL they name another place. Debug does not show
/// the id, which may be a patient's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FhirId(String);

impl FhirId {
    /// Checks an id.
    ///
    /// # Errors
    /// [`FhirError::InvalidId`].
    pub fn parse(id: &str) -> Result<Self, FhirError> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if (1..=64).contains(&id.len()) && id.bytes().all(is_legal) && !matches!(id, "." | "..") {
            Ok(Self(id.to_owned()))
        } else {
            Err(FhirError::InvalidId)
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FhirId {
    type Err = FhirError;

    fn from_str(id: &str) -> Result<Self, FhirError> {
        Self::parse(id)
    }
}

impl fmt::Display for FhirId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FhirId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FhirId(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FR-12 (FHIR R4, datatypes id): legal ids pass as they are.
    #[test]
    fn legal_ids_pass() {
        for id in ["1", "a.b-C9", "...", "-", &"x".repeat(64)] {
            assert_eq!(FhirId::parse(id).unwrap().as_str(), id);
        }
        assert_eq!(format!("{:?}", FhirId::parse("smith").unwrap()), "FhirId(***)");
    }

    /// FR-12 (FHIR R4, datatypes id): what could lead a URL elsewhere is refused, and not repeated.
    #[test]
    fn path_injection_is_refused() {
        for id in [
            "",
            ".",
            "..",
            "../Patient",
            "1/2",
            "1?x=y",
            "1#x",
            "%2e%2e",
            "a b",
            "a_b",
            "\u{e4}",
            "a\n",
            "a\\b",
            "$meta",
            &"x".repeat(65),
        ] {
            let error = FhirId::parse(id).unwrap_err();
            assert!(matches!(error, FhirError::InvalidId), "{id}");
            assert!(id.len() < 4 || !format!("{error} {error:?}").contains(id), "{id}");
        }
    }

    proptest! {
        /// FR-12: an id that passes stays one segment of the path.
        #[test]
        fn an_id_stays_one_segment(id in "\\PC{1,70}") {
            if let Ok(id) = FhirId::parse(&id) {
                let url = url::Url::parse(&format!("https://ehr.example/fhir/Patient/{id}")).unwrap();
                prop_assert_eq!(url.path(), format!("/fhir/Patient/{id}"));
            }
        }
    }
}
