//! Media types of FHIR JSON.

use http::{HeaderMap, header};
use smart_core::untrusted::shown;

/// The media type that is asked for and sent (FHIR R4, http.html#mime-type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FhirMediaType {
    /// `application/fhir+json`: STU3 and later. The default.
    #[default]
    FhirJson,
    /// `application/json+fhir`: DSTU2.
    Dstu2,
}

impl FhirMediaType {
    /// The media type as it is written in a header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FhirJson => "application/fhir+json",
            Self::Dstu2 => "application/json+fhir",
        }
    }
}

/// Checks that a response says it is JSON of any name; one that says nothing passes.
///
/// # Errors
/// The content type, as it may be shown.
pub(crate) fn check_is_json(headers: &HeaderMap) -> Result<(), String> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence.split_once('/').is_some_and(|(_, sub)| sub.split('+').any(|part| part == "json"));
    if is_json { Ok(()) } else { Err(shown(&essence, 80)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-07 (FHIR R4, http.html#mime-type): JSON under any of its names passes, other content is told by its name.
    #[test]
    fn json_under_any_name_passes() {
        let check = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("CONTENT-type", value.parse().unwrap());
            check_is_json(&headers)
        };
        for value in [
            "application/fhir+json",
            "Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0",
            "application/json+fhir",
            "application/json",
            "text/json;x=y",
        ] {
            assert_eq!(check(value), Ok(()), "{value}");
        }
        for value in ["text/html", "application/fhir+xml", "application/fhir+ndjson", "json", ""] {
            assert_eq!(check(value), Err(value.to_owned()));
        }
        assert_eq!(check_is_json(&HeaderMap::new()), Ok(()));
    }
}
