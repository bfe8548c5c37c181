//! Whether a test can fail: by something in its body, or in a function that it calls.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// The words in a function's body.
pub type Words = BTreeSet<String>;

/// The words of `tokens`, at any depth.
pub fn words(tokens: TokenStream) -> Words {
    let mut found = Words::new();
    collect(tokens, &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Words) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Ident(word) => {
                found.insert(word.to_string());
            }
            // A test that hands an error on fails by it.
            TokenTree::Punct(punct) if punct.as_char() == '?' => {
                found.insert("?".to_owned());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Whether a word makes a test fail where it does not hold.
fn fails(word: &str) -> bool {
    word.starts_with("assert")
        || word.starts_with("debug_assert")
        || word.starts_with("prop_assert")
        // The suite of smart-store, which other packages run too.
        || word == "holds"
        || matches!(word, "panic" | "unreachable" | "unwrap" | "unwrap_err" | "expect" | "expect_err" | "?")
}

/// The functions of a package that fail, by themselves or by what they call.
pub fn failing(functions: &BTreeMap<String, Words>) -> BTreeSet<&str> {
    let mut failing: BTreeSet<&str> = BTreeSet::new();
    loop {
        let more: Vec<&str> = functions
            .iter()
            .filter(|(name, words)| !failing.contains(name.as_str()) && can_fail(words, &failing))
            .map(|(name, _)| name.as_str())
            .collect();
        if more.is_empty() {
            return failing;
        }
        failing.extend(more);
    }
}

/// Whether a body with these words can fail.
pub fn can_fail(words: &Words, failing: &BTreeSet<&str>) -> bool {
    words.iter().any(|word| fails(word) || failing.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Words {
        words(text.parse().unwrap())
    }

    #[test]
    fn assertions_count_wherever_they_stand() {
        let none = BTreeSet::new();
        for body in [
            "assert_eq!(a, b);",
            "if x { f(|| y.unwrap()) }",
            "read()?;",
            "prop_assert!(x)",
            "match x { _ => panic!() }",
        ] {
            assert!(can_fail(&of(body), &none), "{body}");
        }
        for body in ["let x = f(1);", "println!(\"assert!(x)\");", ""] {
            assert!(!can_fail(&of(body), &none), "{body}");
        }
    }

    #[test]
    fn what_is_called_counts_too() {
        let functions = BTreeMap::from([
            ("refuses".to_owned(), of("assert!(read(x).is_err())")),
            ("both".to_owned(), of("refuses(a); refuses(b);")),
            ("prints".to_owned(), of("println!()")),
        ]);
        let failing = failing(&functions);
        assert_eq!(failing, BTreeSet::from(["refuses", "both"]));
        assert!(can_fail(&of("both(1)"), &failing) && !can_fail(&of("prints()"), &failing));
    }
}
