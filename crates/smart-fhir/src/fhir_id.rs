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

    /// Checks the id of something that a server has: up to 255 letters, digits, `-`, `.` and `_`.
    ///
    /// Real servers have such ids, Epic's are longer than FHIR's 64 characters. This client reads, changes and deletes what has one,
    /// and never makes one up: where it chooses an id itself, [`parse`](Self::parse) applies. An id that begins with `_` is
    /// refused, as `_history` and `_search` would be no id in a URL.
    ///
    /// # Errors
    /// [`FhirError::InvalidId`].
    pub fn parse_lenient(id: &str) -> Result<Self, FhirError> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_plain = !id.starts_with('_') && !matches!(id, "." | "..");
        if (1..=255).contains(&id.len()) && id.bytes().all(is_legal) && is_plain {
            Ok(Self(id.to_owned()))
        } else {
            Err(FhirError::InvalidId)
        }
    }

    /// Whether it is an id by FHIR's own rule.
    pub fn is_strict(&self) -> bool {
        Self::parse(&self.0).is_ok()
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

    /// FR-12 (FHIR R4, datatypes id): ids that servers have beyond FHIR's rule are known as such, and stay harmless.
    #[test]
    fn longer_ids_of_servers_are_read() {
        for id in ["eq081-VQEgP8drUUqCWzHfw3", &"e".repeat(65), &"x".repeat(255), "a_b"] {
            assert_eq!(FhirId::parse_lenient(id).unwrap().as_str(), id);
        }
        assert!(FhirId::parse_lenient("1").unwrap().is_strict());
        assert!(!FhirId::parse_lenient(&"e".repeat(65)).unwrap().is_strict());
        for id in ["", ".", "..", "_history", "_", "a/b", "a?b", "a%2fb", "a b", "a;b", "$x", &"x".repeat(256)] {
            assert!(FhirId::parse_lenient(id).is_err(), "{id}");
        }
    }

    proptest! {
        /// FR-12: an id that passes stays one segment of the path.
        #[test]
        fn an_id_stays_one_segment(id in "\\PC{1,70}") {
            if let Ok(id) = FhirId::parse_lenient(&id) {
                let url = url::Url::parse(&format!("https://ehr.example/fhir/Patient/{id}")).unwrap();
                prop_assert_eq!(url.path(), format!("/fhir/Patient/{id}"));
            }
        }
    }
}
