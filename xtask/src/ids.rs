//! The list of ids in `tests/data` that a table must have, each once.

use crate::error::TaskError;
use crate::tags::id_length;
use std::path::Path;

/// One id of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedId {
    /// `SC-01`.
    pub id: String,
    /// `MUST`, or `-` where the list knows none.
    pub strength: String,
    /// What it is about.
    pub area: String,
    /// The crate that meets it, or `-` where it does not apply.
    pub owner: String,
}

/// Reads a list: a line an id, four columns parted by tabs, `#` begins a remark.
///
/// # Errors
/// When the file cannot be read, a line is malformed, or an id comes twice.
pub fn read(path: &Path) -> Result<Vec<ListedId>, TaskError> {
    let text = std::fs::read_to_string(path).map_err(TaskError::file(path))?;
    parse(&text).map_err(|problem| TaskError::Invalid(format!("{}: {problem}", path.display())))
}

fn parse(text: &str) -> Result<Vec<ListedId>, String> {
    let mut list: Vec<ListedId> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let [id, strength, area, owner] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("`{line}` has not four columns"));
        };
        if id_length(id) != Some(id.len()) {
            return Err(format!("`{id}` is no id"));
        }
        if list.iter().any(|listed| listed.id == id) {
            return Err(format!("{id} comes twice"));
        }
        let [id, strength, area, owner] = [id, strength, area, owner].map(str::to_owned);
        list.push(ListedId { id, strength, area, owner });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_faults_are_told() {
        let list = parse("# ids\nSC-01\tMUST\tscopes\tsmart-core\n\nBK-50\tMAY\tbulk\t-\n").unwrap();
        assert_eq!(list.iter().map(|listed| listed.owner.as_str()).collect::<Vec<_>>(), ["smart-core", "-"]);
        for (text, problem) in [
            ("SC-01 MUST scopes core", "four columns"),
            ("SC1\tMUST\tscopes\tcore", "no id"),
            ("A-01\t-\ta\tb\nA-01\t-\ta\tb", "twice"),
        ] {
            assert!(parse(text).unwrap_err().contains(problem), "{text}");
        }
    }
}
