//! The tests of a package as its sources have them: names as nextest prints them, ids, and whether they are ignored.
//!
//! It follows `mod` declarations from each crate root, so that a file that is not compiled has no tests, and looks into
//! macro calls (`proptest! { .. }`). Tests that a macro makes up from a list of names cannot be seen.

use crate::assertions::{Words, can_fail, failing, words};
use crate::error::TaskError;
use crate::tags::ids_at_head;
use crate::workspace::Package;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A test function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTest {
    /// `smart-core::pkce::tests::name` for a unit test, `smart-core::scopes::name` for one in `tests/scopes.rs`.
    pub name: String,
    /// The ids at the head of its doc comment.
    pub ids: Vec<String>,
    /// Whether it has `#[ignore]`.
    pub is_ignored: bool,
    /// Whether it can fail: an assertion, or something that panics, stands in it or in what it calls.
    pub can_fail: bool,
    /// The conditions that it is compiled under, `test` apart.
    pub conditions: Vec<String>,
    /// The file that it is in.
    pub file: PathBuf,
}

/// All tests of `package`: library, binaries and integration tests.
///
/// # Errors
/// When a source file cannot be read or is no Rust.
pub fn tests_of(package: &Package) -> Result<Vec<SourceTest>, TaskError> {
    let mut scan = Scan::default();
    for (binary, file) in roots(package)? {
        let dir = file.parent().unwrap_or(&package.dir).to_owned();
        scan.file(&file, &dir, &Place { name: binary, conditions: Vec::new() })?;
    }
    Ok(scan.finish())
}

/// The crate roots of a package with their names as nextest has them.
fn roots(package: &Package) -> Result<Vec<(String, PathBuf)>, TaskError> {
    let (name, src) = (&package.name, package.dir.join("src"));
    let mut found = vec![(name.clone(), src.join("lib.rs"))];
    let mut bins: Vec<_> = package.bins.iter().map(|(bin, path)| (bin.clone(), package.dir.join(path))).collect();
    for (stem, path) in files_and_mains(&src.join("bin"))?.into_iter().chain([(name.clone(), src.join("main.rs"))]) {
        if !bins.iter().any(|(_, named)| *named == path) {
            bins.push((stem, path));
        }
    }
    found.extend(bins.into_iter().map(|(bin, path)| (format!("{name}::bin/{bin}"), path)));
    let tests = files_and_mains(&package.dir.join("tests"))?;
    found.extend(tests.into_iter().map(|(stem, path)| (format!("{name}::{stem}"), path)));
    found.retain(|(_, path)| path.is_file());
    Ok(found)
}

/// `x.rs` and `x/main.rs` in `dir`, each with its stem, sorted; none where there is no such directory.
fn files_and_mains(dir: &Path) -> Result<Vec<(String, PathBuf)>, TaskError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(TaskError::file(dir))? {
        let path = entry.map_err(TaskError::file(dir))?.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else { continue };
        if path.is_dir() {
            found.push((stem, path.join("main.rs")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((stem, path));
        }
    }
    found.retain(|(_, path)| path.is_file());
    found.sort();
    Ok(found)
}

/// A module: its name and the conditions on it.
#[derive(Clone)]
struct Place {
    name: String,
    conditions: Vec<String>,
}

/// What attributes say of the item after them.
#[derive(Default)]
struct Attributes {
    doc: String,
    is_test: bool,
    is_ignored: bool,
    should_panic: bool,
    conditions: Vec<String>,
    path: Option<String>,
}

#[derive(Default)]
struct Scan {
    /// With the words of their bodies.
    tests: Vec<(SourceTest, Words)>,
    /// All other functions of the package, those of one name together.
    functions: BTreeMap<String, Words>,
}

impl Scan {
    fn finish(self) -> Vec<SourceTest> {
        let failing = failing(&self.functions);
        let finished = self.tests.into_iter().map(|(test, words)| {
            let can_fail = test.can_fail || can_fail(&words, &failing);
            SourceTest { can_fail, ..test }
        });
        finished.collect()
    }

    /// Reads `file`; its child modules lie in `children`.
    fn file(&mut self, file: &Path, children: &Path, place: &Place) -> Result<(), TaskError> {
        let text = std::fs::read_to_string(file).map_err(TaskError::file(file))?;
        let tokens: TokenStream =
            text.parse().map_err(|error| TaskError::Invalid(format!("{}: {error}", file.display())))?;
        self.items(tokens, file, children, place)
    }

    fn items(&mut self, tokens: TokenStream, file: &Path, children: &Path, place: &Place) -> Result<(), TaskError> {
        let (mut place, mut attributes) = (place.clone(), Attributes::default());
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match (first, after) {
                (TokenTree::Punct(hash), [TokenTree::Group(group), tail @ ..]) if hash.as_char() == '#' => {
                    attributes.read(group);
                    rest = tail;
                }
                (TokenTree::Punct(hash), [TokenTree::Punct(bang), TokenTree::Group(group), tail @ ..])
                    if hash.as_char() == '#' && bang.as_char() == '!' =>
                {
                    let mut inner = Attributes::default();
                    inner.read(group);
                    place.conditions.extend(inner.conditions);
                    rest = tail;
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), tail @ ..]) if word == "fn" => {
                    let words = body_of(tail).map(words).unwrap_or_default();
                    if attributes.is_test {
                        let test = SourceTest {
                            name: format!("{}::{name}", place.name),
                            ids: ids_at_head(&attributes.doc),
                            is_ignored: attributes.is_ignored,
                            can_fail: attributes.should_panic,
                            conditions: [place.conditions.clone(), std::mem::take(&mut attributes.conditions)].concat(),
                            file: file.to_owned(),
                        };
                        self.tests.push((test, words));
                    } else {
                        self.functions.entry(name.to_string()).or_default().extend(words);
                    }
                    rest = tail;
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), body, tail @ ..]) if word == "mod" => {
                    let name = name.to_string();
                    let conditions = [place.conditions.clone(), std::mem::take(&mut attributes.conditions)].concat();
                    let inner = Place { name: format!("{}::{name}", place.name), conditions };
                    if let TokenTree::Group(group) = body {
                        self.items(group.stream(), file, &children.join(&name), &inner)?;
                    } else {
                        self.child(&name, attributes.path.as_deref(), file, children, &inner)?;
                    }
                    attributes = Attributes::default();
                    rest = tail;
                }
                (TokenTree::Ident(_), [TokenTree::Punct(bang), TokenTree::Group(body), tail @ ..])
                    if bang.as_char() == '!' =>
                {
                    self.items(body.stream(), file, children, &place)?;
                    attributes = Attributes::default();
                    rest = tail;
                }
                (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => {
                    attributes = Attributes::default();
                }
                (TokenTree::Punct(end), _) if end.as_char() == ';' => attributes = Attributes::default(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Follows `mod name;`. A file that is not there is rustc's to report.
    fn child(
        &mut self,
        name: &str,
        path: Option<&str>,
        file: &Path,
        children: &Path,
        place: &Place,
    ) -> Result<(), TaskError> {
        let beside = children.join(format!("{name}.rs"));
        let inside = children.join(name).join("mod.rs");
        if let Some(path) = path {
            let named = file.parent().unwrap_or(children).join(path);
            let below = named.parent().unwrap_or(children).to_owned();
            self.file(&named, &below, place)
        } else if beside.is_file() {
            self.file(&beside, &children.join(name), place)
        } else if inside.is_file() {
            self.file(&inside, &children.join(name), place)
        } else {
            Ok(())
        }
    }
}

impl Attributes {
    fn read(&mut self, attribute: &Group) {
        let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
        let path_length = tokens.iter().take_while(|token| is_path(token)).count();
        let (path, rest) = tokens.split_at(path_length);
        let last = path.last().map(ToString::to_string).unwrap_or_default();
        match (last.as_str(), rest) {
            ("doc", [_, TokenTree::Literal(text), ..]) => {
                self.doc.push_str(&literal_text(&text.to_string()));
                self.doc.push('\n');
            }
            ("path", [_, TokenTree::Literal(text), ..]) => self.path = Some(literal_text(&text.to_string())),
            ("cfg", [TokenTree::Group(condition), ..]) => {
                let condition = condition.stream().to_string();
                if condition != "test" {
                    self.conditions.push(condition);
                }
            }
            ("test", _) => self.is_test = true,
            ("ignore", _) => self.is_ignored = true,
            ("should_panic", _) => self.should_panic = true,
            _ => {}
        }
    }
}

/// The body of a function, of which `tail` is what follows its name.
fn body_of(tail: &[TokenTree]) -> Option<TokenStream> {
    tail.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    })
}

fn is_path(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    }
}

/// The text of a string literal, with the escapes that doc comments and paths have undone.
fn literal_text(literal: &str) -> String {
    let (raw, escaped) = match literal.strip_prefix('r') {
        Some(raw) => (raw.trim_matches('#'), false),
        None => (literal, true),
    };
    let inner = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(raw);
    if escaped { inner.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\") } else { inner.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Vec<SourceTest> {
        let mut scan = Scan::default();
        let place = Place { name: "a".to_owned(), conditions: Vec::new() };
        scan.items(text.parse().unwrap(), Path::new("a.rs"), Path::new("none"), &place).unwrap();
        scan.finish()
    }

    #[test]
    fn tests_are_found_with_their_ids() {
        let found = scan(
            r#"
            //! SC-99: no test.
            /// SC-01 (it's "quoted"), F-02: text.
            /// SC-03: is text.
            #[test]
            fn one() { fn inner() {} }
            /// SC-04: no test.
            pub fn helper() -> fn(u8) { todo!() }
            #[cfg(test)]
            mod tests {
                use super::*;
                /// SC-05: async.
                #[tokio::test(flavor = "multi_thread")]
                #[ignore = "slow"]
                async fn two() {}
                proptest! {
                    #![proptest_config(x)]
                    /// SC-06: in a macro.
                    #[test]
                    fn three(x in 0..1) { assert!(true) }
                }
            }
            #[cfg(feature = "ring")]
            mod gated {
                #[test]
                #[should_panic]
                fn four() {}
            }
            macro_rules! made { ($n:ident) => { #[test] fn five() {} } }
            "#,
        );
        let seen: Vec<_> = found.iter().map(|t| (t.name.as_str(), t.ids.join(" "), t.is_ignored)).collect();
        assert_eq!(
            seen,
            [
                ("a::one", "SC-01 F-02".to_owned(), false),
                ("a::tests::two", "SC-05".to_owned(), true),
                ("a::tests::three", "SC-06".to_owned(), false),
                ("a::gated::four", String::new(), false),
            ]
        );
        assert_eq!(found.iter().map(|test| test.can_fail).collect::<Vec<_>>(), [false, false, true, true]);
        assert_eq!(found.iter().map(|test| test.conditions.len()).collect::<Vec<_>>(), [0, 0, 0, 1]);
    }

    #[test]
    fn names_are_those_of_nextest() {
        let packages = crate::workspace::packages(&crate::workspace::root()).unwrap();
        let xtask = packages.iter().find(|package| package.name == "xtask").unwrap();
        let names: Vec<_> = tests_of(xtask).unwrap().into_iter().map(|test| test.name).collect();
        assert!(names.contains(&"xtask::test_sources::tests::names_are_those_of_nextest".to_owned()), "{names:?}");
        let core = packages.iter().find(|package| package.name == "smart-core").unwrap();
        let names: Vec<_> = tests_of(core).unwrap().into_iter().map(|test| test.name).collect();
        assert!(names.contains(&"smart-core::pkce::tests::pkce_plain_is_refused".to_owned()), "{names:?}");
    }
}
