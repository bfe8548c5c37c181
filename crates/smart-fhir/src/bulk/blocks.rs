//! Files that are organised by a resource: blocks, each after a header.

use serde_json::Value;

/// What a line of an organised file is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockItem {
    /// A block begins: what follows belongs to this resource, such as `Patient/1`.
    Begins {
        /// The reference of the header.
        reference: String,
    },
    /// The block of the file before goes on in this one.
    GoesOn {
        /// The reference of the header.
        reference: String,
    },
    /// A resource of a block, or of none where no header came before.
    Resource {
        /// The block that it belongs to.
        block: Option<String>,
        /// The resource.
        resource: Value,
    },
}

/// Tells which block each resource belongs to (Bulk Data 3.0, file organization; `organizeOutputBy`).
///
/// Feed it the lines of the files in the order of [`Manifest::output_in_order`](super::Manifest::output_in_order): a block that
/// goes on in the next file has its header there again.
#[derive(Debug, Clone, Default)]
pub struct BlockReader {
    block: Option<String>,
    is_at_start: bool,
    continues: bool,
}

impl BlockReader {
    /// A reader before the first file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells that a file begins, and whether the one before continues in it (`continuesInFile`).
    pub fn begin_file(&mut self, continues: bool) {
        (self.is_at_start, self.continues) = (true, continues);
        if !continues {
            self.block = None;
        }
    }

    /// Takes the next line.
    pub fn read(&mut self, resource: Value) -> BlockItem {
        let is_first = std::mem::take(&mut self.is_at_start);
        let Some(reference) = header(&resource) else {
            return BlockItem::Resource { block: self.block.clone(), resource };
        };
        let goes_on = is_first && self.continues && self.block.as_deref() == Some(reference);
        let reference = reference.to_owned();
        self.block = Some(reference.clone());
        if goes_on { BlockItem::GoesOn { reference } } else { BlockItem::Begins { reference } }
    }
}

/// The reference of a header: a Parameters resource with the parameter `header`.
fn header(resource: &Value) -> Option<&str> {
    if resource.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return None;
    }
    let parameters = resource.get("parameter")?.as_array()?;
    let header = parameters.iter().find(|parameter| parameter.get("name").and_then(Value::as_str) == Some("header"))?;
    header.pointer("/valueReference/reference")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn head(reference: &str) -> Value {
        json!({"resourceType": "Parameters", "parameter": [{"name": "header", "valueReference": {"reference": reference}}]})
    }

    /// BK-40 (Bulk Data 3.0, file organization): a block has its header first, and goes on in the next file where its header
    /// comes again.
    #[test]
    fn blocks_go_on_over_files() {
        let mut reader = BlockReader::new();
        reader.begin_file(false);
        let begins = |reference: &str| BlockItem::Begins { reference: reference.to_owned() };
        assert_eq!(reader.read(head("Patient/1")), begins("Patient/1"));
        let observation = json!({"resourceType": "Observation", "id": "1"});
        let of = |block: Option<&str>| BlockItem::Resource {
            block: block.map(str::to_owned),
            resource: observation.clone(),
        };
        assert_eq!(reader.read(observation.clone()), of(Some("Patient/1")));
        assert_eq!(reader.read(head("Patient/2")), begins("Patient/2"));
        reader.begin_file(true);
        assert_eq!(reader.read(head("Patient/2")), BlockItem::GoesOn { reference: "Patient/2".to_owned() });
        assert_eq!(reader.read(observation.clone()), of(Some("Patient/2")));
        assert_eq!(
            reader.read(head("Patient/2")),
            begins("Patient/2"),
            "not at the beginning it is a block of its own"
        );
        reader.begin_file(false);
        assert_eq!(reader.read(observation.clone()), of(None), "a file that continues nothing has no block yet");
        let parameters = json!({"resourceType": "Parameters", "parameter": [{"name": "other"}]});
        assert!(
            matches!(reader.read(parameters), BlockItem::Resource { .. }),
            "Parameters without a header are a resource"
        );
    }
}
