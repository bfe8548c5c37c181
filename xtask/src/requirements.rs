//! The tables of requirements and features: kept in step with the tests, and checked.

use crate::error::TaskError;
use crate::ids::{self, ListedId};
use crate::table;
use crate::test_sources::{SourceTest, tests_of};
use crate::workspace;
use std::collections::BTreeSet;
use std::path::Path;

/// A table and the list of the ids that it must have, below the workspace's root.
const TABLES: [(&str, &str); 2] =
    [("docs/requirements.md", "tests/data/requirement-ids.txt"), ("docs/features.md", "tests/data/feature-ids.txt")];

/// The tables, their lists and the tests, as they are now.
#[derive(Debug)]
pub struct Requirements {
    tables: Vec<Table>,
    tests: Vec<SourceTest>,
    places: BTreeSet<String>,
}

#[derive(Debug)]
struct Table {
    path: &'static str,
    text: String,
    list: Vec<ListedId>,
}

/// How far a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The table's path below the root.
    pub path: &'static str,
    /// Rows that a test shows.
    pub shown: usize,
    /// Rows that are planned.
    pub planned: usize,
    /// Rows that do not apply.
    pub not_applicable: usize,
}

impl Requirements {
    /// Reads the tables, lists and test sources of the workspace at `root`.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn read(root: &Path) -> Result<Self, TaskError> {
        let packages = workspace::packages(root)?;
        let mut tests = Vec::new();
        for package in &packages {
            tests.extend(tests_of(package)?);
        }
        let mut tables = Vec::new();
        for (path, list) in TABLES {
            let file = root.join(path);
            let text = std::fs::read_to_string(&file).map_err(TaskError::file(&file))?;
            tables.push(Table { path, text, list: ids::read(&root.join(list))? });
        }
        let mut places: BTreeSet<String> = packages.into_iter().map(|package| package.name).collect();
        places.extend(["docs".to_owned(), "tests".to_owned()]);
        Ok(Self { tables, tests, places })
    }

    /// What is wrong: in the tables, and tags of tests that no list knows.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for table in &self.tables {
            let found = table::problems(&table.text, &table.list, &self.tests, &self.places);
            problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", table.path)));
        }
        let known: BTreeSet<&str> =
            self.tables.iter().flat_map(|table| table.list.iter().map(|listed| listed.id.as_str())).collect();
        for test in &self.tests {
            for id in test.ids.iter().filter(|id| !known.contains(id.as_str())) {
                problems.push(format!("{}: {} has the unknown tag {id}", test.file.display(), test.name));
            }
        }
        for test in self.tests.iter().filter(|test| !test.can_fail) {
            problems.push(format!("{}: {} cannot fail: it asserts nothing", test.file.display(), test.name));
        }
        problems
    }

    /// How many tests there are.
    pub fn test_count(&self) -> usize {
        self.tests.len()
    }

    /// The tables whose last column is not what the tests' tags say, each with its ids.
    pub fn stale(&self) -> Vec<(&'static str, Vec<String>)> {
        let stale_rows = |table: &Table| {
            let wanted = table::updated(&table.text, &table.list, &self.tests);
            let (now, then) = (table::rows(&table.text), table::rows(&wanted));
            let ids: Vec<_> = now.into_iter().zip(then).filter(|(a, b)| a != b).map(|(row, _)| row.id).collect();
            (table.path, ids)
        };
        self.tables.iter().map(stale_rows).filter(|(_, ids)| !ids.is_empty()).collect()
    }

    /// Writes the last column of each table anew. Returns the paths of those that changed.
    ///
    /// # Errors
    /// When a table cannot be written.
    pub fn write(&self, root: &Path) -> Result<Vec<&'static str>, TaskError> {
        let mut changed = Vec::new();
        for table in &self.tables {
            let text = table::updated(&table.text, &table.list, &self.tests);
            if text != table.text {
                let file = root.join(table.path);
                std::fs::write(&file, text).map_err(TaskError::file(&file))?;
                changed.push(table.path);
            }
        }
        Ok(changed)
    }

    /// How far each table is.
    pub fn progress(&self) -> Vec<Progress> {
        let of = |table: &Table| {
            let rows = table::rows(&table.text);
            let shown = rows.iter().filter(|row| row.tests().next().is_some()).count();
            let not_applicable = rows.iter().filter(|row| row.is_not_applicable()).count();
            Progress { path: table.path, shown, planned: rows.len() - shown - not_applicable, not_applicable }
        };
        self.tables.iter().map(of).collect()
    }

    /// Named tests that are not among `listed`, which is what the compiled test binaries have. Tests for other
    /// targets alone are left out.
    pub fn not_compiled(&self, listed: &BTreeSet<String>) -> Vec<String> {
        let named: BTreeSet<String> = self
            .tables
            .iter()
            .flat_map(|table| table::rows(&table.text))
            .flat_map(|row| row.tests().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let is_for_another_target = |test: &&SourceTest| {
            let words = ["target_", "unix", "windows"];
            test.conditions.iter().any(|condition| words.iter().any(|word| condition.contains(word)))
        };
        let elsewhere: BTreeSet<&str> =
            self.tests.iter().filter(is_for_another_target).map(|test| test.name.as_str()).collect();
        named.into_iter().filter(|name| !listed.contains(name) && !elsewhere.contains(name.as_str())).collect()
    }
}
