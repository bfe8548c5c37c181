//! Reading the small types of FHIR: concepts, names, addresses, quantities.

use serde_json::Value;

/// The text of a member, where it is not empty.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The entries of a member that is a list; none where it is missing or something else.
pub(crate) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a CodeableConcept means to a person: its text, else a display, else a code.
pub(crate) fn concept_text(concept: &Value) -> Option<String> {
    let codings = list(concept, "coding");
    text(concept, "text")
        .or_else(|| codings.iter().find_map(|coding| text(coding, "display")))
        .or_else(|| codings.iter().find_map(|coding| text(coding, "code")))
        .map(str::to_owned)
}

/// Whether a CodeableConcept has a code, in whatever system.
pub(crate) fn has_code(concept: &Value, code: &str) -> bool {
    list(concept, "coding").iter().any(|coding| text(coding, "code") == Some(code))
}

/// What tells one concept from another: its LOINC code, else its first code with its system, else its text.
pub(crate) fn concept_key(concept: &Value) -> Option<String> {
    let codings = list(concept, "coding");
    let loinc = codings.iter().find(|coding| text(coding, "system") == Some("http://loinc.org"));
    let key =
        |coding: &Value| Some(format!("{}|{}", text(coding, "system").unwrap_or_default(), text(coding, "code")?));
    loinc.and_then(key).or_else(|| codings.iter().find_map(key)).or_else(|| text(concept, "text").map(str::to_owned))
}

/// The name to show: the official one, else the usual one, else the first that is in use.
pub(crate) fn name(patient: &Value) -> Option<String> {
    let names = list(patient, "name");
    let of_use = |wanted: &str| names.iter().find(|name| text(name, "use") == Some(wanted));
    let in_use = || names.iter().find(|name| !matches!(text(name, "use"), Some("old" | "maiden")));
    let name = of_use("official").or_else(|| of_use("usual")).or_else(in_use).or_else(|| names.first())?;
    if let Some(whole) = text(name, "text") {
        return Some(whole.to_owned());
    }
    let parts = |member: &str| list(name, member).iter().filter_map(Value::as_str).collect::<Vec<_>>();
    let words: Vec<&str> =
        [parts("prefix"), parts("given"), text(name, "family").into_iter().collect(), parts("suffix")].concat();
    Some(words.join(" ")).filter(|whole| !whole.trim().is_empty())
}

/// The address to show: that of the home, else the first that is no old one.
pub(crate) fn address(patient: &Value) -> Option<String> {
    let addresses = list(patient, "address");
    let home = addresses.iter().find(|address| text(address, "use") == Some("home"));
    let address = home.or_else(|| addresses.iter().find(|address| text(address, "use") != Some("old")))?;
    if let Some(whole) = text(address, "text") {
        return Some(whole.to_owned());
    }
    let mut parts: Vec<String> = list(address, "line").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let town: Vec<&str> =
        ["city", "state", "postalCode"].into_iter().filter_map(|member| text(address, member)).collect();
    parts.push(town.join(" "));
    parts.extend(text(address, "country").map(str::to_owned));
    parts.retain(|part| !part.trim().is_empty());
    Some(parts.join(", ")).filter(|whole| !whole.is_empty())
}

/// A number as the record has it, with its comparator and unit: `< 5 mg/dL`.
pub(crate) fn quantity_text(quantity: &Value) -> Option<String> {
    let value = quantity.get("value").filter(|value| value.is_number())?;
    let words =
        [text(quantity, "comparator").map(str::to_owned), Some(value.to_string()), unit(quantity).map(str::to_owned)];
    Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The unit to show.
pub(crate) fn unit(quantity: &Value) -> Option<&str> {
    text(quantity, "unit").or_else(|| text(quantity, "code"))
}

/// Whether a resource was marked as a mistake, so that nothing may be made of it.
pub(crate) fn is_entered_in_error(resource: &Value) -> bool {
    text(resource, "status") == Some("entered-in-error")
        || resource.get("verificationStatus").is_some_and(|status| has_code(status, "entered-in-error"))
}

/// A FHIR date or time for a table: the day and the minute, as the record has them.
pub(crate) fn shown_date(date_time: &str) -> String {
    match date_time.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..5).unwrap_or(time)),
        None => date_time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The official name comes first, an old one last.
    #[test]
    fn the_official_name_is_shown() {
        let patient = json!({"name": [
            {"use": "old", "family": "Then"},
            {"use": "usual", "given": ["Ada"]},
            {"use": "official", "prefix": ["Dr."], "given": ["Ada", "M."], "family": "Lee"},
        ]});
        assert_eq!(name(&patient).unwrap(), "Dr. Ada M. Lee");
        assert_eq!(name(&json!({"name": [{"use": "maiden", "family": "A"}, {"family": "B"}]})).unwrap(), "B");
        assert_eq!(name(&json!({"name": [{"text": "王小明"}]})).unwrap(), "王小明");
        assert_eq!(name(&json!({"name": [{}]})), None);
        assert_eq!(name(&json!({"name": "Lee"})), None);
    }

    /// An address is put together from its parts.
    #[test]
    fn the_home_address_is_shown() {
        let patient = json!({"address": [
            {"use": "work", "city": "Elsewhere"},
            {"use": "home", "line": ["1 Main St", "Apt 2"], "city": "Bend", "state": "OR", "postalCode": "97701", "country": "US"},
        ]});
        assert_eq!(address(&patient).unwrap(), "1 Main St, Apt 2, Bend OR 97701, US");
        assert_eq!(address(&json!({"address": [{"use": "old", "city": "X"}]})), None);
    }

    /// Concepts show what people read, and are told apart by their codes.
    #[test]
    fn concepts_prefer_text_for_people_and_codes_for_keys() {
        let concept = json!({"coding": [
            {"system": "urn:local", "code": "hr"},
            {"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"},
        ]});
        assert_eq!(concept_text(&concept).unwrap(), "Heart rate");
        assert_eq!(concept_key(&concept).unwrap(), "http://loinc.org|8867-4");
        assert_eq!(concept_key(&json!({"text": "Pulse"})).unwrap(), "Pulse");
        assert_eq!(concept_key(&json!({})), None);
    }

    /// A comparator belongs to the value: `< 5` is not `5`.
    #[test]
    fn quantities_keep_comparator_and_unit() {
        assert_eq!(quantity_text(&json!({"value": 5, "comparator": "<", "unit": "mg/dL"})).unwrap(), "< 5 mg/dL");
        assert_eq!(quantity_text(&json!({"value": 36.6, "code": "Cel"})).unwrap(), "36.6 Cel");
        assert_eq!(quantity_text(&json!({"unit": "kg"})), None);
    }

    /// Times are cut to the minute, days stay as they are.
    #[test]
    fn dates_are_cut_to_the_minute() {
        assert_eq!(shown_date("2024-05-01T09:30:00+02:00"), "2024-05-01 09:30");
        assert_eq!(shown_date("2024-05"), "2024-05");
    }
}
