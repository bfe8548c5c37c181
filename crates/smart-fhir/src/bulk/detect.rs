//! What a server offers: which exports, of which version, of which groups.

use super::{BulkClient, BulkError, BulkVersion};
use crate::{FhirError, SearchQuery};
use serde_json::Value;
use std::fmt;

/// How many groups are listed at most.
const MAX_GROUPS: usize = 10_000;

/// Which exports a server offers, by its capability statement. Servers that offer one without saying so are many: what is not
/// stated may still work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BulkSupport {
    /// Exports of the whole system.
    pub system: bool,
    /// Exports of all patients.
    pub patient: bool,
    /// Exports of groups.
    pub group: bool,
    /// The version of the specification, where it is stated.
    pub version: Option<BulkVersion>,
}

/// A group whose members can be exported. Debug shows neither its id nor its name.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupSummary {
    /// Its id, for [`ExportRequest::group`](super::ExportRequest::group).
    pub id: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// How many members it has, where that is said.
    pub quantity: Option<u64>,
}

impl fmt::Debug for GroupSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSummary").field("quantity", &self.quantity).finish_non_exhaustive()
    }
}

impl BulkSupport {
    /// Reads a capability statement.
    pub fn read(statement: &Value) -> Self {
        let mut support = Self::default();
        let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        for rest in list(statement, "rest") {
            let of_types = list(&rest, "resource").into_iter().flat_map(|resource| list(&resource, "operation"));
            for operation in list(&rest, "operation").into_iter().chain(of_types) {
                support.add(&operation);
            }
        }
        // What the server as a whole says it follows, where no operation says it.
        let guides = list(statement, "instantiates").into_iter().chain(list(statement, "implementationGuide"));
        for guide in guides.filter_map(|guide| guide.as_str().map(str::to_owned)) {
            if support.version.is_none() && guide.contains("/uv/bulkdata") {
                support.version = version_of(&guide);
            }
        }
        support
    }

    fn add(&mut self, operation: &Value) {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let definition = text("definition");
        let canonical = definition.split('|').next().unwrap_or_default();
        match canonical.rsplit('/').next() {
            Some("group-export") => self.group = true,
            Some("patient-export") => self.patient = true,
            Some("export") if text("name").trim_start_matches('$') == "export" => self.system = true,
            _ => return,
        }
        self.version = self.version.or_else(|| version_of(definition));
    }
}

/// The version after the pipe of a canonical URL.
fn version_of(canonical: &str) -> Option<BulkVersion> {
    BulkVersion::of(canonical.split_once('|')?.1)
}

impl BulkClient {
    /// Looks into the server's capability statement for the exports that it offers.
    ///
    /// # Errors
    /// Those of the read.
    pub async fn detect(&self) -> Result<BulkSupport, BulkError> {
        let statement = self.exchange.fhir.capabilities().await?;
        Ok(BulkSupport::read(&statement))
    }

    /// The groups that the token may see (scope `system/Group.rs`), up to 10,000.
    ///
    /// # Errors
    /// Those of the search.
    pub async fn groups(&self) -> Result<Vec<GroupSummary>, BulkError> {
        let mut found = self.exchange.fhir.search(SearchQuery::new("Group"));
        let mut groups = Vec::new();
        while let Some(group) = found.try_next().await.map_err(|error: FhirError| BulkError::from(error))? {
            let Some(id) = group.get("id").and_then(Value::as_str) else { continue };
            let name = group.get("name").and_then(Value::as_str).map(str::to_owned);
            let quantity = group.get("quantity").and_then(Value::as_u64);
            groups.push(GroupSummary { id: id.to_owned(), name, quantity });
            if groups.len() >= MAX_GROUPS {
                break;
            }
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// BK-48 (Bulk Data 4.0, capability documentation): operations are known by their canonical, with the version after a pipe.
    #[test]
    fn operations_are_known_by_their_canonical() {
        let url = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition";
        let operation = |name: &str, id: &str| json!({"name": name, "definition": format!("{url}/{id}")});
        let statement = json!({"resourceType": "CapabilityStatement", "rest": [{
            "operation": [operation("export", "export|2.0.0")],
            "resource": [{"type": "Group", "operation": [operation("export", "group-export|2.0.0")]}, {"type": "Patient"}],
        }]});
        let support = BulkSupport::read(&statement);
        assert!(support.system && support.group && !support.patient);
        assert_eq!(support.version, Some(BulkVersion::V2));
        let by_guide = json!({"instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data|3.0.0"],
            "rest": [{"resource": [{"type": "Patient", "operation": [operation("patient-export", "patient-export")]}]}]});
        let support = BulkSupport::read(&by_guide);
        assert!(support.patient && !support.system && support.version == Some(BulkVersion::V3));
        assert_eq!(BulkSupport::read(&json!({"rest": "x"})), BulkSupport::default());
        assert_eq!(
            BulkSupport::read(&json!({"rest": [{"operation": [{"name": "validate", "definition": "x/validate"}]}]})),
            BulkSupport::default()
        );
    }
}
