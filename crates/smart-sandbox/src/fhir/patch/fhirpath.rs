//! FHIRPath Patch (FHIR R4, fhirpatch) on paths that name members and indices: `Patient.name[0].given`. Anything else of
//! FHIRPath is refused, never guessed at.

use super::MAX_OPERATIONS;
use super::path::{CHOICES, Step, delete, list, nowhere, one, steps};
use crate::fhir::answer::Fault;
use serde_json::{Map, Value};

/// Elements that are lists wherever they stand, so that a first value can be added to them.
const LISTS: &[&str] = &[
    "address",
    "alias",
    "basedOn",
    "bodySite",
    "category",
    "coding",
    "communication",
    "component",
    "contact",
    "contained",
    "dosageInstruction",
    "extension",
    "generalPractitioner",
    "given",
    "identifier",
    "interpretation",
    "line",
    "link",
    "modifierExtension",
    "note",
    "participant",
    "performer",
    "photo",
    "prefix",
    "profile",
    "reasonCode",
    "reasonReference",
    "referenceRange",
    "security",
    "suffix",
    "tag",
    "telecom",
];
/// Elements that stand once wherever they stand.
const SINGLE: &[&str] = &[
    "abatement",
    "active",
    "assigner",
    "authoredOn",
    "birthDate",
    "city",
    "class",
    "clinicalStatus",
    "code",
    "comparator",
    "country",
    "criticality",
    "deceased",
    "description",
    "display",
    "district",
    "effective",
    "encounter",
    "end",
    "family",
    "gender",
    "implicitRules",
    "intent",
    "issued",
    "language",
    "managingOrganization",
    "maritalStatus",
    "medication",
    "method",
    "multipleBirth",
    "occurrence",
    "onset",
    "patient",
    "performed",
    "period",
    "postalCode",
    "priority",
    "rank",
    "recordedDate",
    "recorder",
    "reference",
    "requester",
    "severity",
    "start",
    "state",
    "status",
    "subject",
    "system",
    "text",
    "unit",
    "use",
    "userSelected",
    "value",
    "verificationStatus",
    "version",
];
/// Does the operations of a Parameters resource, in their order.
///
/// # Errors
/// 400 for what is no patch, 422 for what leads nowhere or is not supported; the content is not to be used then.
pub(super) fn apply(parameters: &Value, content: &mut Value) -> Result<(), Fault> {
    let operations = parameters.get("parameter").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err(Fault::bad(format!("a FHIRPath Patch has between 1 and {MAX_OPERATIONS} operations")));
    }
    for operation in operations {
        if operation.get("name").is_none_or(|name| name != "operation") {
            return Err(Fault::bad("each parameter of a FHIRPath Patch is called operation"));
        }
        let resource_type = content.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        Operation::read(operation, &resource_type)?.apply(content)?;
    }
    Ok(())
}

struct Operation<'a> {
    kind: &'a str,
    path: Vec<Step<'a>>,
    parts: &'a [Value],
}

impl<'a> Operation<'a> {
    fn read(operation: &'a Value, resource_type: &str) -> Result<Self, Fault> {
        let parts = operation.get("part").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut it = Self { kind: "", path: Vec::new(), parts };
        it.kind = it.text("type", "valueCode")?;
        let path = it.text("path", "valueString")?;
        it.path = steps(path)?;
        let begins = path.split('.').next().unwrap_or_default();
        if ![resource_type, "DomainResource", "Resource"].contains(&begins) {
            return Err(nowhere());
        }
        Ok(it)
    }

    fn part(&self, name: &str) -> Result<&'a Value, Fault> {
        let found = self.parts.iter().find(|part| part.get("name").and_then(Value::as_str) == Some(name));
        found.ok_or_else(|| Fault::bad(format!("an operation lacks its {name}")))
    }

    fn text(&self, name: &str, member: &str) -> Result<&'a str, Fault> {
        let text = self.part(name)?.get(member).and_then(Value::as_str);
        text.ok_or_else(|| Fault::bad(format!("the {name} of an operation is no {member}")))
    }

    fn index(&self, name: &str) -> Result<usize, Fault> {
        let index = self.part(name)?.get("valueInteger").and_then(Value::as_u64);
        index
            .and_then(|index| usize::try_from(index).ok())
            .ok_or_else(|| Fault::bad(format!("the {name} of an operation is no index")))
    }

    /// The value, and the name of its type as it ends the name of a choice.
    fn value(&self) -> Result<(&'a str, &'a Value), Fault> {
        let part = self.part("value")?.as_object();
        let found =
            part.and_then(|part| part.iter().find_map(|(name, value)| Some((name.strip_prefix("value")?, value))));
        found.filter(|(kind, _)| !kind.is_empty()).ok_or_else(|| {
            Fault::unprocessable("not-supported", "values that are made of parts are not supported; use a JSON Patch")
        })
    }

    fn apply(&self, content: &mut Value) -> Result<(), Fault> {
        match self.kind {
            "add" => self.add(content),
            "insert" => {
                let (index, (_, value)) = (self.index("index")?, self.value()?);
                let list = list(content, &self.path)?;
                if index > list.len() {
                    return Err(nowhere());
                }
                list.insert(index, value.clone());
                Ok(())
            }
            "replace" if self.path.is_empty() => {
                Err(Fault::unprocessable("processing", "a patch does not replace the resource"))
            }
            "replace" => {
                let (_, value) = self.value()?;
                *one(content, &self.path)? = value.clone();
                Ok(())
            }
            "delete" => delete(content, &self.path),
            "move" => {
                let (from, to) = (self.index("source")?, self.index("destination")?);
                let list = list(content, &self.path)?;
                if from >= list.len() || to >= list.len() {
                    return Err(nowhere());
                }
                let moved = list.remove(from);
                list.insert(to, moved);
                Ok(())
            }
            _ => Err(Fault::bad("an operation is add, insert, delete, replace or move")),
        }
    }

    fn add(&self, content: &mut Value) -> Result<(), Fault> {
        let name = self.text("name", "valueString")?;
        let (kind, value) = self.value()?;
        let parent = one(content, &self.path)?;
        let resource_type = parent.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let parent: &mut Map<String, Value> = parent.as_object_mut().ok_or_else(nowhere)?;
        let is_choice = is_choice(parent, name);
        let full = if is_choice { format!("{name}{kind}") } else { name.to_owned() };
        let name_is_list =
            name == "name" && matches!(resource_type.as_str(), "Patient" | "Practitioner" | "Person" | "RelatedPerson");
        match parent.get_mut(&full) {
            Some(Value::Array(items)) => items.push(value.clone()),
            Some(_) => {
                return Err(Fault::unprocessable("processing", "what is to be added is there already; replace it"));
            }
            None if LISTS.contains(&name) || name_is_list => {
                parent.insert(full, Value::Array(vec![value.clone()]));
            }
            None if SINGLE.contains(&name) => {
                parent.insert(full, value.clone());
            }
            None => {
                let text = "whether the element is a list is not known here; use a JSON Patch";
                return Err(Fault::unprocessable("not-supported", text));
            }
        }
        Ok(())
    }
}

/// Whether a value of this element stands under the name with its type. `value` does in resources, components and extensions,
/// but not in identifiers, contacts and quantities.
fn is_choice(parent: &Map<String, Value>, name: &str) -> bool {
    let has_choice = || {
        parent.contains_key("resourceType")
            || parent.contains_key("url")
            || parent.get("code").is_some_and(Value::is_object)
    };
    CHOICES.contains(&name) && (name != "value" || has_choice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn patient() -> Value {
        json!({"resourceType": "Patient", "id": "7", "gender": "male", "name": [{"family": "A", "given": ["B", "C"]}]})
    }

    fn operation(parts: &Value) -> Value {
        json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
    }

    fn patched(parts: &Value) -> Result<Value, Fault> {
        let mut content = patient();
        apply(&operation(parts), &mut content).map(|()| content)
    }

    proptest! {
        /// Whatever an operation is, what comes of it is a resource of the same type, or a refusal.
        #[test]
        fn no_operation_breaks_a_resource(
            kind in "add|insert|delete|replace|move", path in r"(Patient|[a-z]{1,6})(\.(name|given|gender|id|[a-z]{1,6})(\[[0-9]{1,2}\])?){0,4}",
            name in "name|given|value|photo|[a-z]{1,5}", from in 0_u64..4, to in 0_u64..4,
        ) {
            let parts = json!([{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path},
                {"name": "name", "valueString": name}, {"name": "value", "valueString": "x"}, {"name": "index", "valueInteger": from},
                {"name": "source", "valueInteger": from}, {"name": "destination", "valueInteger": to}]);
            if let Ok(patched) = patched(&parts) {
                prop_assert_eq!(&patched["resourceType"], "Patient");
                prop_assert!(!patched.to_string().contains("[]") && !patched.to_string().contains("{}"), "{}", patched);
            }
        }
    }

    /// FHIR R4, fhirpatch: each operation does what its name says.
    #[test]
    fn operations_are_done() {
        let kind = |kind: &str| json!({"name": "type", "valueCode": kind});
        let path = |path: &str| json!({"name": "path", "valueString": path});
        let name = |name: &str| json!({"name": "name", "valueString": name});
        let text = |text: &str| json!({"name": "value", "valueString": text});
        let index = |name: &str, index: u64| json!({"name": name, "valueInteger": index});
        for (parts, pointer, value) in [
            (
                json!([kind("replace"), path("Patient.gender"), {"name": "value", "valueCode": "other"}]),
                "/gender",
                json!("other"),
            ),
            (json!([kind("replace"), path("Patient.name.family"), text("Z")]), "/name/0/family", json!("Z")),
            (
                json!([kind("add"), path("Patient"), name("birthDate"), {"name": "value", "valueDate": "2000-01-01"}]),
                "/birthDate",
                json!("2000-01-01"),
            ),
            (
                json!([kind("add"), path("Patient"), name("telecom"), {"name": "value", "valueContactPoint": {"value": "1"}}]),
                "/telecom/0/value",
                json!("1"),
            ),
            (json!([kind("add"), path("Patient.name[0]"), name("given"), text("D")]), "/name/0/given/2", json!("D")),
            (
                json!([kind("add"), path("Patient"), name("deceased"), {"name": "value", "valueBoolean": true}]),
                "/deceasedBoolean",
                json!(true),
            ),
            (
                json!([kind("insert"), path("Patient.name[0].given"), index("index", 0), text("X")]),
                "/name/0/given/0",
                json!("X"),
            ),
            (
                json!([kind("move"), path("Patient.name[0].given"), index("source", 1), index("destination", 0)]),
                "/name/0/given",
                json!(["C", "B"]),
            ),
            (json!([kind("delete"), path("Patient.name[0].given[0]")]), "/name/0/given", json!(["C"])),
            (json!([kind("delete"), path("Patient.gender")]), "/gender", Value::Null),
            (json!([kind("delete"), path("Patient.photo")]), "/photo", Value::Null),
            (json!([kind("delete"), path("Patient.name")]), "/name", Value::Null),
        ] {
            let patched = patched(&parts).unwrap();
            assert_eq!(patched.pointer(pointer).unwrap_or(&Value::Null), &value, "{parts}: {patched}");
        }
        for (parts, status) in [
            (json!([kind("replace"), path("Patient.name.where(use='x')"), text("x")]), 422),
            (json!([kind("replace"), path("Patient.name[0].given"), text("x")]), 422),
            (json!([kind("replace"), path("Patient.photo"), text("x")]), 422),
            (json!([kind("add"), path("Patient"), name("madeUp"), text("x")]), 422),
            (json!([kind("add"), path("Patient"), name("gender"), text("x")]), 422),
            (json!([kind("delete"), path("Patient.name[0].given")]), 422),
            (json!([kind("delete"), path("Patient")]), 422),
            (json!([kind("insert"), path("Patient.name[0].given"), index("index", 9), text("x")]), 422),
            (json!([kind("delete"), path("Observation.gender")]), 422),
            (json!([kind("explode"), path("Patient.name")]), 400),
            (json!([kind("replace")]), 400),
        ] {
            assert_eq!(patched(&parts).unwrap_err().status, status, "{parts}");
        }
    }
}
