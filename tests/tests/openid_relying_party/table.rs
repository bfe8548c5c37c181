//! The book's page on these modules: it lists every one of the suite, and every test here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PAGE: &str = "docs/src/openid-rp.md";
/// The modules of the suite with their plans, as it publishes them.
const MODULES: &str = "tests/data/openid-rp-modules.txt";
const NOT_APPLICABLE: &str = "not applicable: ";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The rows of a section of the page: module, what it is part of, test or reason.
fn rows(heading: &str) -> Vec<[String; 3]> {
    let page = read(PAGE);
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    rows.map(|row| {
        let cells: Vec<String> = row.split(" | ").map(str::to_owned).collect();
        let [module, plans, test] = <[String; 3]>::try_from(cells).unwrap();
        [module.trim_end_matches('`').to_owned(), plans, test]
    })
    .collect()
}

/// The tests of this directory, by the module that their doc comment names in its parentheses.
fn tests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openid_relying_party")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let pieces: Vec<&str> = source.split("\n#[tokio::test]\nasync fn ").collect();
        for pair in pieces.windows(2) {
            let doc: Vec<&str> = pair[0].lines().rev().map_while(|line| line.strip_prefix("/// ")).collect();
            let doc: String = doc.into_iter().rev().collect::<Vec<_>>().join(" ");
            let (_, module) = doc.split_once('(').unwrap_or_else(|| panic!("{file}: {doc}"));
            let (module, _) = module.split_once(')').unwrap();
            let test = format!("{file}::{}", pair[1].split('(').next().unwrap());
            let twice = found.insert(module.to_owned(), test);
            assert!(twice.is_none(), "{module} has two tests: {twice:?}");
        }
    }
    found
}

/// F-131: the page lists every module of the suite's plans for relying parties, once, with its plans, and each has a test or a
/// reason why it does not apply.
#[test]
fn every_module_is_on_the_page() {
    let list = read(MODULES);
    let modules = list.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(": ").unwrap());
    let modules: Vec<(String, String)> = modules.map(|(name, plans)| (name.to_owned(), plans.to_owned())).collect();
    let rows = rows("Modules");
    let listed: Vec<(String, String)> = rows.iter().map(|[name, plans, _]| (name.clone(), plans.clone())).collect();
    assert_eq!(listed, modules);
    for [name, _, test] in &rows {
        let reason = test.strip_prefix(NOT_APPLICABLE);
        assert!(reason.is_some_and(|reason| reason.len() > 20) || test.starts_with('`'), "{name}: {test}");
    }
}

/// F-131: each test that the page names is there, for the module that its row is about, and each test that is there is named.
#[test]
fn every_test_is_on_the_page() {
    let tests = tests();
    let named: BTreeMap<String, String> = rows("Modules")
        .into_iter()
        .chain(rows("What else was taken up"))
        .filter(|[_, _, test]| !test.starts_with(NOT_APPLICABLE))
        .map(|[module, _, test]| (module, test.trim_matches('`').to_owned()))
        .collect();
    assert_eq!(named, tests);
    assert_eq!(tests.values().collect::<BTreeSet<_>>().len(), tests.len());
    let page = read(PAGE);
    let applicable = rows("Modules").iter().filter(|[_, _, test]| test.starts_with('`')).count();
    let count = format!("Of the {} modules {applicable} apply", rows("Modules").len());
    assert!(page.contains(&count), "the page does not say: {count}");
}
