//! Printing what a FHIR server gave, each number as it came.

use crate::api::{Answer, EntryAnswer, EntryError, Location, OperationOutcome, RawResource};
use crate::cli_error::CliError;
use crate::output::{Output, print_lines};
use crate::table::{Align, Table};
use crate::text::{json_for_terminal, one_line};
use serde_json::{Value, json};

/// A resource on one line. Only what stands between tokens is left out, so that `1.50` stays `1.50`.
pub(crate) fn line_of(resource: &RawResource) -> String {
    let text = String::from_utf8_lossy(resource.octets());
    let mut line = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.trim_start_matches('\u{feff}').chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            _ => {}
        }
        line.push(c);
    }
    json_for_terminal(&line)
}

/// A JSON object with further members at its end, whose values are JSON text already.
fn object_with(members: &Value, more: &[(&str, String)]) -> String {
    let mut text = json_for_terminal(&members.to_string());
    for (name, value) in more {
        text.pop();
        text.push_str(if text == "{" { "" } else { "," });
        text.extend([Value::from(*name).to_string().as_str(), ":", value, "}"]);
    }
    text
}

/// The lines for what came of a write or an operation: one object with `--json`, else the resource, where one came.
pub(crate) fn answer_lines(answer: &Answer<Option<RawResource>>, output: &Output) -> Vec<String> {
    let resource = answer.resource().as_ref().map(line_of);
    if !output.json {
        return resource.into_iter().collect();
    }
    let members = json!({
        "status": answer.status(),
        "created": answer.is_created(),
        "location": answer.location().map(Location::reference),
        "version": answer.version(),
        "last_modified": answer.last_modified(),
        "request_id": answer.request_id(),
        "issues": issues(answer.outcome()),
    });
    vec![object_with(&members, &[("resource", resource.unwrap_or_else(|| "null".to_owned()))])]
}

/// What was done, in a sentence for the person.
pub(crate) fn told(answer: &Answer<Option<RawResource>>, done: &str) -> String {
    let what = if answer.is_created() { "Created" } else { done };
    let place = answer.location().map(|location| format!(" {}", location.reference())).unwrap_or_default();
    let version = answer.version().map(|version| format!(", version {version}")).unwrap_or_default();
    let issues: Vec<String> = answer.outcome().into_iter().flat_map(issue_lines).collect();
    let issues = if issues.is_empty() { String::new() } else { format!("\n{}", issues.join("\n")) };
    format!("{}.{issues}", one_line(&format!("{what}{place}{version}")))
}

/// The issues of an outcome as the server words them, one a line: the person reads the record anyhow.
pub(crate) fn issue_lines(outcome: &OperationOutcome) -> Vec<String> {
    let issues = outcome.issues().iter();
    let line = |issue: &crate::api::Issue| {
        let text = issue.details().or(issue.diagnostics()).unwrap_or_default();
        one_line(&format!("{} {}: {text}", issue.severity(), issue.code()))
    };
    issues.map(line).collect()
}

fn issues(outcome: Option<&OperationOutcome>) -> Value {
    let issues = outcome.map(OperationOutcome::issues).unwrap_or_default();
    let as_json = |issue: &crate::api::Issue| {
        json!({
            "severity": issue.severity(),
            "code": issue.code(),
            "details": issue.details(),
            "diagnostics": issue.diagnostics(),
        })
    };
    issues.iter().map(as_json).collect()
}

/// The object for what came of an entry of a batch.
pub(crate) fn entry_object(at: usize, entry: Result<&EntryAnswer, EntryError>) -> String {
    match entry {
        Ok(entry) => {
            let resource = entry.resource().map_or_else(|| "null".to_owned(), line_of);
            let members = json!({
                "entry": at,
                "ok": true,
                "status": entry.status(),
                "location": entry.location().map(Location::reference),
                "version": entry.etag().map(|tag| tag.opaque().to_owned()),
                "issues": issues(entry.outcome()),
            });
            object_with(&members, &[("resource", resource)])
        }
        Err(error) => json!({
            "entry": at,
            "ok": false,
            "status": error.status,
            "problem": error.problem,
            "issues": issues(error.outcome.as_ref()),
        })
        .to_string(),
    }
}

/// A list of JSON texts under a name, after other members.
pub(crate) fn object_with_list(members: &Value, name: &str, items: &[String]) -> String {
    object_with(members, &[(name, format!("[{}]", items.join(",")))])
}

/// Prints resources as a table for people.
///
/// # Errors
/// As for [`CliError::output`].
pub(crate) fn print_table(resources: &[RawResource], output: &Output) -> Result<(), CliError> {
    let mut table = Table::new(&[("Resource", Align::Left), ("Updated", Align::Left), ("What", Align::Left)]);
    for resource in resources {
        let value = resource.to_value();
        let updated = value.get("meta").and_then(|meta| meta.get("lastUpdated")).and_then(Value::as_str);
        let name = format!("{}/{}", resource.resource_type(), resource.id().unwrap_or("-"));
        table.row([name.as_str(), updated.unwrap_or("-"), &what(&value)]);
    }
    print_lines(table.lines(output.style.characters, output.style.width))
}

/// What a resource is about, in a few words: its name, code or title, and its value and status.
fn what(resource: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let concept = |value: &Value| {
        let coding = value.get("coding").and_then(|codings| codings.get(0)).cloned().unwrap_or_default();
        text(value, "text").or_else(|| text(&coding, "display")).or_else(|| text(&coding, "code"))
    };
    let human = |name: &Value| {
        let given = name.get("given").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let family = name.get("family").and_then(Value::as_str);
        let parts: Vec<&str> = given.chain(family).collect();
        text(name, "text").or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
    };
    let named = match resource.get("name") {
        Some(Value::String(name)) => Some(name.clone()),
        Some(Value::Array(names)) => names.first().and_then(human),
        _ => None,
    };
    let coded = ["code", "vaccineCode", "medicationCodeableConcept", "type"];
    let coded = coded.iter().find_map(|name| match resource.get(name)? {
        Value::Array(all) => concept(all.first()?),
        one => concept(one),
    });
    let quantity = resource.get("valueQuantity").map(|quantity| {
        let number = quantity.get("value").map(ToString::to_string).unwrap_or_default();
        format!("{number} {}", text(quantity, "unit").or_else(|| text(quantity, "code")).unwrap_or_default())
    });
    let date = ["effectiveDateTime", "birthDate", "occurrenceDateTime", "authoredOn", "date"];
    let date = date.iter().find_map(|name| text(resource, name));
    let parts = [named.or(coded).or_else(|| text(resource, "title")), quantity, date, text(resource, "status")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawResource {
        RawResource::parse(text.to_owned()).unwrap()
    }

    /// FR-08 (FHIR R4, datatypes decimal): a resource goes on one line with each number as it came.
    #[test]
    fn a_line_keeps_every_digit() {
        let text =
            "{\n \"resourceType\" : \"Basic\",\t\"x\": [1.50, 2e-3],\r\n \"s\": \"a b\\\" \\\\\", \"t\":\"\\n\" }";
        let line = line_of(&raw(text));
        assert_eq!(line, r#"{"resourceType":"Basic","x":[1.50,2e-3],"s":"a b\" \\","t":"\n"}"#);
        let object = object_with_list(&json!({"count": 1}), "resources", &[line]);
        assert!(object.starts_with(r#"{"count":1,"resources":[{"resourceType":"Basic","x":[1.50,2e-3]"#), "{object}");
        assert!(serde_json::from_str::<Value>(&object).is_ok());
    }

    /// CB-08: what a record says cannot steer the terminal.
    #[test]
    fn a_line_does_not_steer_the_terminal() {
        let line = line_of(&raw("{\"resourceType\":\"Basic\",\"s\":\"a\u{202e}b\u{9b}2J\"}"));
        assert!(!line.contains('\u{202e}') && !line.contains('\u{9b}'), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["s"], "a\u{202e}b\u{9b}2J");
    }

    /// A table says what each resource is about.
    #[test]
    fn resources_are_told_in_words() {
        for (resource, expected) in [
            (
                json!({"name": [{"given": ["Ann", "B"], "family": "Doe"}], "birthDate": "1970-01-01"}),
                "Ann B Doe, 1970-01-01",
            ),
            (
                json!({"code": {"coding": [{"display": "Weight"}]}, "valueQuantity": {"value": 72.5, "unit": "kg"}, "status": "final"}),
                "Weight, 72.5 kg, final",
            ),
            (json!({"type": [{"coding": [{"code": "x"}]}]}), "x"),
            (json!({"name": "Clinic"}), "Clinic"),
            (json!({}), ""),
        ] {
            assert_eq!(what(&resource), expected);
        }
    }
}
