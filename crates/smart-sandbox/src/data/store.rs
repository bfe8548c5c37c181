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
    patient: Option<String>,
    content: Value,
}

impl StoredResource {
    fn new(content: Value) -> Self {
        let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (resource_type, id) = (text("resourceType"), text("id"));
        let subject = ["subject", "patient"].iter().find_map(|name| content.get(name)?.get("reference")?.as_str());
        let patient = if resource_type == "Patient" {
            Some(id.clone())
        } else {
            subject.and_then(|reference| reference.strip_prefix("Patient/")).map(str::to_owned)
        };
        Self { resource_type, id, patient, content }
    }

    /// The logical id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The id of the patient in whose compartment it is; `None` for what belongs to no patient.
    pub(crate) fn patient(&self) -> Option<&str> {
        self.patient.as_deref()
    }

    /// The resource.
    pub(crate) fn content(&self) -> &Value {
        &self.content
    }
}

/// The resources that the server offers, and who can log in.
#[derive(Debug)]
pub(crate) struct DataSet {
    by_type: HashMap<String, Vec<Arc<StoredResource>>>,
    by_id: HashMap<String, HashMap<String, Arc<StoredResource>>>,
    users: Vec<User>,
}

static BUILT_IN: LazyLock<Arc<DataSet>> = LazyLock::new(|| Arc::new(DataSet::new(super::built_in_resources())));

impl DataSet {
    /// The built-in data set. It is made once.
    pub(crate) fn built_in() -> Arc<Self> {
        BUILT_IN.clone()
    }

    fn new(resources: Vec<Value>) -> Self {
        let mut set = Self { by_type: HashMap::new(), by_id: HashMap::new(), users: users() };
        for resource in resources {
            let stored = Arc::new(StoredResource::new(resource));
            let (resource_type, id) = (stored.resource_type.clone(), stored.id.clone());
            set.by_id.entry(resource_type.clone()).or_default().insert(id, stored.clone());
            set.by_type.entry(resource_type).or_default().push(stored);
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

    /// One resource.
    pub(crate) fn get(&self, resource_type: &str, id: &str) -> Option<&Arc<StoredResource>> {
        self.by_id.get(resource_type)?.get(id)
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

    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("reference").and_then(Value::as_str));
                object.values().for_each(|v| references(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| references(v, found)),
            _ => {}
        }
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
                references(resource, &mut found);
            }
        }
        for reference in found {
            let (resource_type, id) = reference.split_once('/').unwrap();
            assert!(data.get(resource_type, id).is_some(), "{reference}");
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
