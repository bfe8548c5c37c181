//! A Markdown table whose rows begin with an id and whose last column names the tests that show it.
//!
//! The last cell is parted by `<br>`. Its parts are: a test's name in backticks; `planned (crate)`, where there is no test
//! yet; `also planned (crate): text`, for the rest of a row that tests show in part; `note: text`; or `n/a: why`.

use crate::ids::ListedId;
use crate::tags::id_length;
use crate::test_sources::SourceTest;
use std::collections::{BTreeMap, BTreeSet};

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line, counted from 1.
    pub line: usize,
    /// Its id.
    pub id: String,
    /// Its cells between the id and the last.
    pub middle: Vec<String>,
    /// The parts of its last cell.
    pub shown_by: Vec<String>,
}

impl Row {
    /// The tests that the last cell names.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.shown_by.iter().filter_map(|part| part.strip_prefix('`')?.strip_suffix('`'))
    }

    /// Whether it says that the row does not apply.
    pub fn is_not_applicable(&self) -> bool {
        self.shown_by.iter().any(|part| part.starts_with("n/a: "))
    }
}

/// The rows of `text`; other lines are not looked at.
pub fn rows(text: &str) -> Vec<Row> {
    text.lines().zip(1..).filter_map(|(line, number)| row(line, number)).collect()
}

fn row(line: &str, number: usize) -> Option<Row> {
    let cells = cells(line.trim().strip_prefix('|')?.strip_suffix('|')?);
    let [id, middle @ .., last] = cells.as_slice() else { return None };
    if id_length(id) != Some(id.len()) {
        return None;
    }
    let shown_by = last.split("<br>").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    Some(Row { line: number, id: id.clone(), middle: middle.to_vec(), shown_by })
}

/// Splits at each `|` that has no backslash before it.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_escaped) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        if c == '|' && !is_escaped {
            cells.push(cell.trim().to_owned());
            cell.clear();
        } else {
            cell.push(c);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// Everything wrong with the table `text`: ids missing, twice or unknown, strengths changed, cells that say nothing,
/// and named tests that do not exist or are ignored.
pub fn problems(text: &str, list: &[ListedId], tests: &[SourceTest], places: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let rows = rows(text);
    let tests: BTreeMap<&str, &SourceTest> = tests.iter().map(|test| (test.name.as_str(), test)).collect();
    for listed in list {
        match rows.iter().filter(|row| row.id == listed.id).count() {
            1 => {}
            0 => problems.push(format!("{} has no row", listed.id)),
            n => problems.push(format!("{} has {n} rows", listed.id)),
        }
    }
    for row in &rows {
        let at = format!("line {}, {}", row.line, row.id);
        match list.iter().find(|listed| listed.id == row.id) {
            None => problems.push(format!("{at}: this id is not in the list")),
            Some(listed) if listed.strength != "-" && row.middle.first() != Some(&listed.strength) => {
                problems.push(format!("{at}: its strength is {} in the list", listed.strength));
            }
            Some(_) => {}
        }
        if row.middle.iter().any(String::is_empty) {
            problems.push(format!("{at}: an empty cell"));
        }
        if row.shown_by.is_empty() {
            problems.push(format!("{at}: nothing says what shows it"));
        }
        for part in &row.shown_by {
            problems.extend(part_problem(part, &tests, places).map(|problem| format!("{at}: {problem}")));
        }
    }
    problems
}

fn part_problem(part: &str, tests: &BTreeMap<&str, &SourceTest>, places: &BTreeSet<String>) -> Option<String> {
    if let Some(name) = part.strip_prefix('`').and_then(|part| part.strip_suffix('`')) {
        return match tests.get(name) {
            None => Some(format!("the test {name} does not exist")),
            Some(test) if test.is_ignored => Some(format!("the test {name} is ignored")),
            Some(_) => None,
        };
    }
    if part.starts_with("n/a: ") || part.starts_with("note: ") {
        return None;
    }
    let place =
        part.strip_prefix("also ").unwrap_or(part).strip_prefix("planned (").and_then(|rest| rest.split_once(')'));
    match place {
        Some((place, _)) if places.contains(place) => None,
        Some((place, _)) => Some(format!("there is no crate {place}")),
        None => Some(format!("`{part}` is neither a test nor `planned (crate)` nor `n/a: why`")),
    }
}

/// `text` with the last column as the tests' ids say. Plans and notes stay where they still say something.
pub fn updated(text: &str, list: &[ListedId], tests: &[SourceTest]) -> String {
    let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for test in tests.iter().filter(|test| !test.is_ignored) {
        for id in &test.ids {
            shown.entry(id).or_default().insert(&test.name);
        }
    }
    let mut out = String::with_capacity(text.len());
    for (line, number) in text.lines().zip(1..) {
        match row(line, number) {
            None => out.push_str(line),
            Some(row) => {
                let parts = updated_parts(&row, shown.get(row.id.as_str()), list);
                let cells = [vec![row.id], row.middle, vec![parts.join("<br>")]].concat();
                out.extend(["| ", &cells.join(" | "), " |"]);
            }
        }
        out.push('\n');
    }
    out
}

fn updated_parts(row: &Row, tests: Option<&BTreeSet<&str>>, list: &[ListedId]) -> Vec<String> {
    let keep = |prefixes: &'static [&'static str]| {
        row.shown_by.iter().filter(move |part| prefixes.iter().any(|prefix| part.starts_with(prefix))).cloned()
    };
    if let Some(tests) = tests {
        let named = tests.iter().map(|name| format!("`{name}`"));
        return named.chain(keep(&["also planned (", "note: "])).collect();
    }
    let kept: Vec<String> = keep(&["n/a: ", "planned (", "note: "]).collect();
    if kept.iter().any(|part| !part.starts_with("note: ")) {
        return kept;
    }
    let owner = list.iter().find(|listed| listed.id == row.id).map_or("-", |listed| listed.owner.as_str());
    [vec![format!("planned ({owner})")], kept].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const TABLE: &str = "# T\n\n| Id | Strength | What | Shown by |\n|---|---|---|---|\n\
        | A-01 | MUST | x \\| y | planned (core) |\n| A-02 | MAY | z | `core::t::old`<br>also planned (core): rest |\n\
        | A-03 | MAY | z | n/a: why |\n";

    fn listed(id: &str, strength: &str) -> ListedId {
        let [id, strength] = [id, strength].map(str::to_owned);
        ListedId { id, strength, area: "a".to_owned(), owner: "core".to_owned() }
    }

    fn list() -> Vec<ListedId> {
        vec![listed("A-01", "MUST"), listed("A-02", "MAY"), listed("A-03", "MAY")]
    }

    fn test(name: &str, ids: &[&str], is_ignored: bool) -> SourceTest {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        SourceTest {
            name: name.to_owned(),
            ids,
            is_ignored,
            can_fail: true,
            conditions: Vec::new(),
            file: PathBuf::new(),
        }
    }

    fn found(text: &str, tests: &[SourceTest]) -> String {
        problems(text, &list(), tests, &BTreeSet::from(["core".to_owned()])).join("\n")
    }

    #[test]
    fn cells_with_escaped_bars_stay_whole() {
        let rows = rows(TABLE);
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["A-01", "A-02", "A-03"]);
        assert_eq!(rows.first().unwrap().middle, ["MUST", "x \\| y"]);
        assert_eq!(rows.get(1).unwrap().tests().collect::<Vec<_>>(), ["core::t::old"]);
    }

    #[test]
    fn a_right_table_has_no_problems() {
        assert_eq!(found(TABLE, &[test("core::t::old", &[], false)]), "");
    }

    #[test]
    fn each_fault_of_a_table_is_found() {
        let ok = [test("core::t::old", &[], false)];
        for (from, to, problem) in [
            ("| A-01 |", "| A-02 |", "A-01 has no row"),
            ("| A-01 |", "| A-02 |", "A-02 has 2 rows"),
            ("| A-01 |", "| B-01 |", "B-01: this id is not in the list"),
            ("| MUST |", "| MAY |", "its strength is MUST"),
            ("planned (core) |", "planned (other) |", "there is no crate other"),
            ("planned (core) |", "soon |", "`soon` is neither"),
            ("planned (core) |", " |", "nothing says"),
            ("| x \\| y |", "| |", "an empty cell"),
            ("t::old", "t::new", "core::t::new does not exist"),
        ] {
            let report = found(&TABLE.replacen(from, to, 1), &ok);
            assert!(report.contains(problem), "{to}: {report}");
        }
        assert!(found(TABLE, &[test("core::t::old", &[], true)]).contains("is ignored"));
    }

    #[test]
    fn the_last_column_follows_the_tests() {
        let tests = [test("core::t::b", &["A-01"], false), test("core::t::a", &["A-01"], false)];
        let text = updated(TABLE, &list(), &tests);
        assert!(text.contains("| A-01 | MUST | x \\| y | `core::t::a`<br>`core::t::b` |"), "{text}");
        assert!(text.contains("| A-02 | MAY | z | planned (core) |"), "a test that is gone: {text}");
        assert!(text.contains("| A-03 | MAY | z | n/a: why |"), "{text}");
        assert_eq!(updated(&text, &list(), &tests), text, "twice is once");
        let tests = [test("core::t::c", &["A-02"], false), test("core::t::d", &["A-03"], true)];
        let text = updated(TABLE, &list(), &tests);
        assert!(text.contains("| `core::t::c`<br>also planned (core): rest |"), "{text}");
        assert!(text.contains("| n/a: why |"), "an ignored test shows nothing: {text}");
    }
}
