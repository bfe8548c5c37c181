//! What was deleted since the last export.

use crate::{FhirId, ResourceTypeName};
use serde_json::Value;
use std::fmt;

/// A resource that was deleted at the server. Debug shows the type only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Deletion {
    /// Its type.
    pub resource_type: ResourceTypeName,
    /// Its id.
    pub id: FhirId,
}

impl fmt::Debug for Deletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deletion({}/***)", self.resource_type)
    }
}

/// What a line of a file of [`FileKind::Deleted`](super::FileKind::Deleted) tells to delete: the entries of a transaction bundle
/// whose method is DELETE (Bulk Data 2.0 and later, manifest, `deleted`).
///
/// None when the line is no such bundle, or one of its entries is anything else: half of it must not be applied.
pub fn deletions(bundle: &Value) -> Option<Vec<Deletion>> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if text(bundle, "resourceType")? != "Bundle" || text(bundle, "type")? != "transaction" {
        return None;
    }
    let Some(entries) = bundle.get("entry") else { return Some(Vec::new()) };
    let deletion = |entry: &Value| {
        let request = entry.get("request")?;
        if text(request, "method")? != "DELETE" {
            return None;
        }
        let url = text(request, "url")?;
        let (rest, id) = url.rsplit_once('/')?;
        let name = rest.rsplit('/').next()?;
        Some(Deletion { resource_type: ResourceTypeName::parse(name).ok()?, id: FhirId::parse(id).ok()? })
    };
    entries.as_array()?.iter().map(deletion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bundle(entries: &Value) -> Value {
        json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    }

    /// BK-30 (Bulk Data 3.0, manifest, `deleted`): each entry is a delete of one resource, by a relative or an absolute URL.
    #[test]
    fn a_bundle_tells_what_was_deleted() {
        let found = deletions(&bundle(&json!([
            {"request": {"method": "DELETE", "url": "Patient/123"}},
            {"request": {"method": "DELETE", "url": "https://ehr.example/fhir/Observation/o.1"}},
        ])))
        .unwrap();
        let shown: Vec<_> = found.iter().map(|d| format!("{}/{}", d.resource_type, d.id)).collect();
        assert_eq!(shown, ["Patient/123", "Observation/o.1"]);
        assert!(!format!("{found:?}").contains("123"));
        assert_eq!(deletions(&json!({"resourceType": "Bundle", "type": "transaction"})), Some(vec![]));
    }

    /// BK-30: a bundle that does anything but delete is not applied, not even in part.
    #[test]
    fn anything_else_is_not_applied() {
        let good = json!({"request": {"method": "DELETE", "url": "Patient/123"}});
        for entry in [
            json!({"request": {"method": "PUT", "url": "Patient/123"}}),
            json!({"request": {"method": "DELETE", "url": "Patient?name=x"}}),
            json!({"request": {"method": "DELETE", "url": "Patient"}}),
            json!({"resource": {}}),
        ] {
            assert_eq!(deletions(&bundle(&json!([good, entry]))), None, "{entry}");
        }
        assert_eq!(deletions(&json!({"resourceType": "Bundle", "type": "collection"})), None);
        assert_eq!(deletions(&json!({"resourceType": "Patient"})), None);
    }
}
