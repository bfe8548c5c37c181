//! Searches: from the parameters of a request to a Bundle.

mod bundle;
mod dates;
mod filter;
mod include;
mod matching;
mod order;
mod parameter;
mod query;
mod shape;
mod value;

pub(crate) use bundle::{Page, page_url, searchset};
pub(crate) use dates::Range;
pub(crate) use matching::{fits, local_reference};
pub(crate) use parameter::parameters;
pub(crate) use query::Query;
pub(crate) use shape::Shape;
pub(crate) use value::unescaped;

use super::access::Access;
use crate::data::{Repository, StoredResource};
use std::sync::Arc;

/// What a search looks at, and through whose eyes.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) resources: &'a Repository,
    pub(crate) access: &'a Access,
    /// The FHIR base without a slash at its end.
    pub(crate) root: &'a str,
}

/// A resource that was found.
pub(crate) type Found<'a> = &'a Arc<StoredResource>;

#[cfg(test)]
mod tests {
    use super::*;
    use value::Prefix;

    /// FR-09 (FHIR R4, search, date): dates compare on the precision that is asked for.
    #[test]
    fn dates_compare_on_their_precision() {
        for (wanted, is_match) in [
            ("2025", true),
            ("2025-03", true),
            ("2025-03-10", true),
            ("2024", false),
            ("ge2025-03-10", true),
            ("gt2025-03-10", false),
            ("gt2025-03-09", true),
            ("lt2025-03-10", false),
            ("lt2025-04", true),
            ("le2025", true),
            ("ne2025", false),
            ("sa2025-03-09", true),
            ("sa2025-03-10", false),
            ("eb2025-03-11", true),
            ("ap2025-03", true),
            ("2025-03-10T09:10", true),
            ("2025-03-10T09:10:00Z", true),
            ("2025-03-10T10:10:00+01:00", true),
            ("2025-03-10T10:10:00 01:00", true),
            ("gt2025-03-10T09:09:59Z", true),
        ] {
            let (prefix, text) = Prefix::split(wanted);
            let stored = Range::parse("2025-03-10T09:10:00Z").unwrap();
            assert_eq!(stored.matches(prefix, Range::parse(text).unwrap()), is_match, "{wanted}");
        }
        for text in ["", "20", "2025-13", "2025-02-30", "2025/03", "yesterday", "2025-03-10T", "2025-03-10Tx"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    /// FR-11 (FHIR R4, search, escaping): a comma separates, an escaped one does not.
    #[test]
    fn commas_separate_unless_escaped() {
        let values = |text: &'static str| value::split(text, ',').into_iter().map(unescaped).collect::<Vec<_>>();
        assert_eq!(values("a,b"), ["a", "b"]);
        assert_eq!(values(r"a\,b,c\\"), ["a,b", r"c\"]);
        assert_eq!(values(r"\\,\|"), [r"\", "|"]);
        assert_eq!(values(""), [""]);
        assert_eq!(value::split(r"a\|b|c", '|'), [r"a\|b", "c"]);
    }
}
