//! The resources with what is needed to find them.

use super::users::{User, users};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A resource as the server holds it.
#[derive(Debug, Clone)]
pub(crate) struct StoredResource {
    resource_type: String,
    id: String,
    patients: Vec<String>,
    content: Value,
}

impl StoredResource {
    /// Takes a resource in, and notes down which patients it speaks of.
    pub(crate) fn new(content: Value) -> Self {
        let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (resource_type, id) = (text("resourceType"), text("id"));
        let mut patients = Vec::new();
        if resource_type == "Patient" {
            patients.push(id.clone());
        } else {
            each_reference(&content, &mut |reference| patients.extend(patient_of(reference)));
            embedded_patients(&content, &mut patients);
            patients.sort_unstable();
            patients.dedup();
        }
        Self { resource_type, id, patients, content }
    }

    /// The resource type.
    pub(crate) fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// The logical id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// `Patient/p1001`.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }

    /// The id of the patient whom it is about; `None` for what is about no patient, or about several.
    pub(crate) fn patient(&self) -> Option<&str> {
        match self.patients.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Every patient it speaks of, in whatever member: the ids, or the whole reference where it leads to another server.
    /// Of a Patient resource it is that patient alone.
    pub(crate) fn patients(&self) -> &[String] {
        &self.patients
    }

    /// The resource.
    pub(crate) fn content(&self) -> &Value {
        &self.content
    }
}

/// Calls something with each literal reference of a resource, contained resources included.
pub(crate) fn each_reference<'v>(value: &'v Value, found: &mut impl FnMut(&'v str)) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("reference").and_then(Value::as_str) {
                found(reference);
            }
            object.values().for_each(|inner| each_reference(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| each_reference(inner, found)),
        _ => {}
    }
}

/// A Patient within another resource, in a Bundle or contained, is spoken of too.
fn embedded_patients(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if object.get("resourceType").is_some_and(|name| name == "Patient") {
                found.push(object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned());
            }
            object.values().for_each(|inner| embedded_patients(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| embedded_patients(inner, found)),
        _ => {}
    }
}

/// The patient that a reference names. On another server it is nobody whom we know by that id, so the whole of it stands.
fn patient_of(reference: &str) -> Option<String> {
    let (whole, _) = reference.split_once("/_history/").unwrap_or((reference, ""));
    match whole.strip_prefix("Patient/") {
        Some(id) => Some(id.to_owned()),
        None => whole.contains("/Patient/").then(|| whole.to_owned()),
    }
}

/// The resources that the server offers, and who can log in.
#[derive(Debug)]
pub(crate) struct DataSet {
    by_type: HashMap<String, Vec<Arc<StoredResource>>>,
    users: Vec<User>,
}

static BUILT_IN: LazyLock<Arc<DataSet>> = LazyLock::new(|| Arc::new(DataSet::new(super::built_in_resources())));

impl DataSet {
    /// The built-in data set. It is made once.
    pub(crate) fn built_in() -> Arc<Self> {
        BUILT_IN.clone()
    }

    fn new(resources: Vec<Value>) -> Self {
        let mut set = Self { by_type: HashMap::new(), users: users() };
        for resource in resources {
            let stored = Arc::new(StoredResource::new(resource));
            set.by_type.entry(stored.resource_type.clone()).or_default().push(stored);
        }
        set
    }

    /// The names of the resource types there are, in alphabetical order.
    pub(crate) fn resource_types(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_type.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// All resources of a type, in a fixed order.
    pub(crate) fn all(&self, resource_type: &str) -> &[Arc<StoredResource>] {
        self.by_type.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// Who can log in.
    pub(crate) fn users(&self) -> &[User] {
        &self.users
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Whoever a resource speaks of is noted down, wherever it does.
    #[test]
    fn patients_are_found_wherever_they_are() {
        let patients = |content: Value| StoredResource::new(content).patients().to_vec();
        let reference = |to: &str| serde_json::json!({"reference": to});
        for (content, expected) in [
            (
                serde_json::json!({"resourceType": "Patient", "id": "a", "link": [{"other": reference("Patient/b")}]}),
                vec!["a"],
            ),
            (serde_json::json!({"resourceType": "Basic", "subject": reference("Patient/a/_history/2")}), vec!["a"]),
            (
                serde_json::json!({"resourceType": "Basic", "extension": [{"valueReference": reference("Patient/a")}]}),
                vec!["a"],
            ),
            (
                serde_json::json!({"resourceType": "Basic", "subject": reference("https://h.example/Patient/a")}),
                vec!["https://h.example/Patient/a"],
            ),
            (
                serde_json::json!({"resourceType": "Bundle", "id": "x", "entry": [
                    {"resource": {"resourceType": "Patient", "id": "b"}},
                    {"resource": {"resourceType": "Basic", "id": "y", "subject": reference("Patient/a")}},
                ]}),
                vec!["a", "b"],
            ),
            (serde_json::json!({"resourceType": "Basic", "subject": reference("Practitioner/a")}), vec![]),
        ] {
            assert_eq!(patients(content.clone()), expected, "{content}");
        }
        let both = StoredResource::new(serde_json::json!({"resourceType": "Basic",
            "subject": reference("Patient/a"), "author": reference("Patient/b")}));
        assert_eq!(both.patient(), None);
    }

    /// The data set is coherent: ids are unique and legal, every reference resolves, and there is enough of it.
    #[test]
    fn data_set_is_coherent() {
        let data = DataSet::built_in();
        let mut found = Vec::new();
        for resource_type in data.resource_types() {
            let mut ids = HashSet::new();
            for stored in data.all(resource_type) {
                let (resource, id) = (stored.content(), stored.id());
                assert_eq!(resource["resourceType"], resource_type);
                assert!(
                    (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || b"-.".contains(&c)),
                    "{id}"
                );
                assert!(ids.insert(id), "{id} is there twice");
                assert!(
                    resource["meta"]["versionId"].is_string() && resource["meta"]["lastUpdated"].is_string(),
                    "{id}"
                );
                each_reference(resource, &mut |reference| found.push(reference));
            }
        }
        for reference in found {
            let (resource_type, id) = reference.split_once('/').unwrap();
            assert!(data.all(resource_type).iter().any(|it| it.id() == id), "{reference}");
        }
        for (resource_type, least) in [
            ("Patient", 10),
            ("Observation", 500),
            ("Condition", 20),
            ("MedicationRequest", 15),
            ("Encounter", 40),
            ("Practitioner", 4),
        ] {
            assert!(data.all(resource_type).len() >= least, "{resource_type}");
        }
        for patient in data.all("Patient") {
            let own: Vec<_> = data.all("Observation").iter().filter(|o| o.patient() == Some(patient.id())).collect();
            assert!(own.len() >= 30, "{} has {} observations", patient.id(), own.len());
            let practitioner = patient.content()["generalPractitioner"][0]["reference"].as_str().unwrap();
            assert!(practitioner.starts_with("Practitioner/"), "{practitioner}");
        }
    }
}
