//! Which words may be shown as they are: those of FHIR's own kind, which no id, name or token looks like.

/// The mask.
pub(super) const MASK: &str = "***";

/// Parameters that FHIR defines for all types and interactions.
const CONTROL_PARAMETERS: &[&str] = &[
    "_at",
    "_contained",
    "_containedType",
    "_content",
    "_count",
    "_elements",
    "_filter",
    "_format",
    "_has",
    "_id",
    "_include",
    "_lastUpdated",
    "_list",
    "_outputFormat",
    "_pretty",
    "_profile",
    "_query",
    "_revinclude",
    "_security",
    "_since",
    "_sort",
    "_source",
    "_summary",
    "_tag",
    "_text",
    "_total",
    "_type",
    "_typeFilter",
];

/// Whether this looks like the name of a resource type: words of letters, each with a capital first and a small letter
/// after it. That is narrower than FHIR, so that nothing random passes.
pub(super) fn is_type_name(text: &str) -> bool {
    let mut capital_before = false;
    let mut any = false;
    for c in text.bytes() {
        match c {
            b'A'..=b'Z' if !capital_before => capital_before = true,
            b'a'..=b'z' if capital_before || any => capital_before = false,
            _ => return false,
        }
        any = true;
    }
    any && !capital_before && text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Whether this looks like a search parameter: small letters and hyphens, or one of the known ones with `_`.
fn is_parameter_word(text: &str) -> bool {
    CONTROL_PARAMETERS.contains(&text)
        || (!text.is_empty() && text.len() <= 30 && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'))
}

/// Whether this looks like the name of a search parameter with its chain and modifiers, such as
/// `subject:Patient.birthdate` or `_has:Observation:patient:code`.
pub(super) fn is_parameter_name(text: &str) -> bool {
    let mut words = text.split([':', '.']);
    text.len() <= 100
        && words.next().is_some_and(is_parameter_word)
        && words.all(|word| is_parameter_word(word) || is_type_name(word))
}

/// Whether this looks like the name of an operation: `$everything`.
pub(super) fn is_operation(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(|name| !name.starts_with('_') && is_parameter_word(name))
}

/// Whether this is a logical id: 1 to 64 letters, digits, `-` and `.` (FHIR R4, datatypes, id).
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'))
        && !matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Names of FHIR pass.
    #[test]
    fn names_of_fhir_pass() {
        for name in ["Patient", "MedicationRequest", "CodeSystem", "MedicinalProductUndesirableEffect"] {
            assert!(is_type_name(name), "{name}");
        }
        for name in ["patient", "code-value-quantity", "_lastUpdated", "subject:Patient.birthdate", "name:exact"] {
            assert!(is_parameter_name(name), "{name}");
        }
        assert!(is_parameter_name("_has:Observation:patient:code") && is_operation("$validate-code"));
    }

    /// SE-05, FR-23 (SMART, App protection): ids, tokens and names of people do not pass for words of FHIR.
    #[test]
    fn what_is_not_of_fhir_does_not_pass() {
        for text in ["", "patient", "P1", "ID", "PATIENT", "Patient/1", "SplxlOBeZQQYbYS6WxSbIA", "A", "Ab1", "XyZ"] {
            assert!(!is_type_name(text), "{text}");
        }
        for text in ["", "Ada Lovelace", "eyJhbGciOiJSUzI1NiJ9", "_getpages", "a=b", "a..b", "access_token", "1", "Ada"]
        {
            assert!(!is_parameter_name(text), "{text}");
        }
        assert!(!is_operation("$") && !is_operation("$_id") && !is_operation("$Abc"));
    }

    proptest! {
        /// SE-05: a random token of 128 bits or more is never taken for a word.
        #[test]
        fn no_token_is_taken_for_a_word(octets in prop::collection::vec(any::<u8>(), 16..48)) {
            use base64::Engine as _;
            let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&octets);
            // All small letters happens once in a hundred million tokens of the shortest length; not in a run of this test.
            prop_assert!(!is_parameter_name(&token) && !is_type_name(&token));
        }
    }
}
