//! Search parameters.

use serde_json::Value;

/// The values of one parameter: separated by commas, any of them matches.
pub(crate) fn value_list(value: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, ',') => values.push(String::new()),
            _ => {
                escaped = false;
                if let Some(last) = values.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    values
}

/// Whether a resource matches any of the values. `None`: the parameter is not known for this type.
pub(crate) fn matches_parameter(resource: &Value, name: &str, values: &[String]) -> Option<bool> {
    let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let any = |test: &dyn Fn(&str) -> bool| Some(values.iter().any(|v| test(v)));
    match (name, resource_type) {
        ("_id", _) => any(&|v| text("/id") == v),
        ("_lastUpdated", _) => any(&|v| date_matches(&text("/meta/lastUpdated"), v)),
        ("patient" | "subject", "Observation" | "Condition" | "MedicationRequest" | "Encounter") => {
            any(&|v| text("/subject/reference") == patient_reference(v))
        }
        ("patient", "AllergyIntolerance") => any(&|v| text("/patient/reference") == patient_reference(v)),
        ("code", "Observation" | "Condition") => any(&|v| token_matches(resource.get("code"), v)),
        ("code", "MedicationRequest") => any(&|v| token_matches(resource.get("medicationCodeableConcept"), v)),
        ("category", "Observation" | "Condition") => {
            let concepts = resource.get("category").and_then(Value::as_array);
            any(&|v| concepts.is_some_and(|c| c.iter().any(|concept| token_matches(Some(concept), v))))
        }
        ("date", "Observation") => any(&|v| date_matches(&text("/effectiveDateTime"), v)),
        ("date", "Encounter") => any(&|v| date_matches(&text("/period/start"), v)),
        ("onset-date", "Condition") => any(&|v| date_matches(&text("/onsetDateTime"), v)),
        ("status", "Observation" | "MedicationRequest" | "Encounter") => any(&|v| text("/status") == v),
        ("name" | "family" | "given", "Patient" | "Practitioner") => {
            let names = format!("{} {}", text("/name/0/given/0"), text("/name/0/family")).to_lowercase();
            any(&|v| names.split(' ').any(|part| part.starts_with(&v.to_lowercase())))
        }
        ("gender", "Patient") => any(&|v| text("/gender") == v),
        ("birthdate", "Patient") => any(&|v| date_matches(&text("/birthDate"), v)),
        _ => None,
    }
}

/// `patient=7` and `patient=Patient/7` are the same; so is an absolute reference.
fn patient_reference(wanted: &str) -> String {
    format!("Patient/{}", wanted.rsplit('/').next().unwrap_or(wanted))
}

fn token_matches(concept: Option<&Value>, wanted: &str) -> bool {
    let codings = concept.and_then(|c| c.get("coding")).and_then(Value::as_array);
    let part = |coding: &Value, member: &str| coding.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    codings.is_some_and(|codings| {
        codings.iter().any(|coding| match wanted.split_once('|') {
            Some((system, code)) => {
                part(coding, "system") == system && (code.is_empty() || part(coding, "code") == code)
            }
            None => part(coding, "code") == wanted,
        })
    })
}

/// Compares on the precision of the wanted date: `2025` is all of 2025.
fn date_matches(stored: &str, wanted: &str) -> bool {
    let (prefix, date) = match wanted.get(..2) {
        Some(prefix @ ("eq" | "ne" | "gt" | "lt" | "ge" | "le")) => (prefix, wanted.get(2..).unwrap_or_default()),
        _ => ("eq", wanted),
    };
    if stored.is_empty() || date.is_empty() {
        return false;
    }
    let same = stored.starts_with(date);
    match prefix {
        "eq" => same,
        "ne" => !same,
        "gt" => !same && stored > date,
        "lt" => !same && stored < date,
        "ge" => same || stored > date,
        _ => same || stored < date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-09: dates compare on the precision that is asked for.
    #[test]
    fn dates_compare_on_their_precision() {
        for (wanted, matches) in [
            ("2025", true),
            ("2025-03", true),
            ("2025-03-10", true),
            ("2024", false),
            ("ge2025-03-10", true),
            ("gt2025-03-10", false),
            ("gt2025-03-09", true),
            ("lt2025-03-10", false),
            ("lt2025-04", true),
            ("le2025", true),
            ("ne2025", false),
            ("", false),
        ] {
            assert_eq!(date_matches("2025-03-10T09:10:00Z", wanted), matches, "{wanted}");
        }
    }

    /// FR-11 (FHIR R4, search, escaping): a comma separates, an escaped one does not.
    #[test]
    fn commas_separate_unless_escaped() {
        assert_eq!(value_list("a,b"), ["a", "b"]);
        assert_eq!(value_list(r"a\,b,c\\"), ["a,b", r"c\"]);
    }
}
