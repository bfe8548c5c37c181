//! The query of a granular scope.

use super::error::{Fault, ScopeErrorKind, check_characters};

/// More pairs than this are compared as text only, so that a hostile scope cannot cost much time.
const MAX_PAIRS: usize = 32;

/// Parameters that begin with an underscore and still only filter. Others of that kind shape the answer.
const FILTERS: [&str; 6] = ["_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"];

/// The constraint of a granular scope: `category=laboratory&status=final` (SMART, finer-grained resource constraints).
///
/// The text is kept byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopeQuery<'a>(&'a str);

impl<'a> ScopeQuery<'a> {
    pub(super) fn unchecked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text after the question mark, as it was written.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The pairs of parameter and value, as they were written.
    pub fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split('&').filter_map(|pair| pair.split_once('='))
    }

    /// Whether a pair uses what SMART marks as experimental: a modifier (`code:in=`), a chain (`patient.birthdate=`)
    /// or `_filter`. Such queries are compared as text only.
    pub fn is_experimental(self) -> bool {
        self.pairs().any(|(name, _)| name.contains([':', '.']) || name == "_filter")
    }

    /// Whether everything that `other` lets through is surely let through by this one too.
    ///
    /// It is for the same text. It is too when all pairs of this one are among those of the other, in any order:
    /// each further pair narrows (FHIR, search, AND). Where the meaning is not sure, only the same text counts: for
    /// [experimental](Self::is_experimental) queries, for parameters that shape the answer instead of filtering, and
    /// where a parameter is repeated, for which SMART gives no rule.
    pub fn covers(self, other: ScopeQuery<'_>) -> bool {
        self.0 == other.0
            || (self.only_narrows()
                && other.only_narrows()
                && self.pairs().all(|pair| other.pairs().any(|others| others == pair)))
    }

    /// Whether each pair is known to narrow the result.
    pub(super) fn only_narrows(self) -> bool {
        self.pairs().nth(MAX_PAIRS).is_none()
            && self.pairs().enumerate().all(|(index, (name, _))| {
                !name.contains([':', '.'])
                    && (!name.starts_with('_') || FILTERS.contains(&name))
                    && !self.pairs().take(index).any(|(earlier, _)| earlier == name)
            })
    }

    /// Checks `param=value` pairs joined by `&`.
    pub(super) fn check(text: &str) -> Result<(), Fault> {
        let fault = |offset, expected: &'static str| Err(Fault::new(ScopeErrorKind::Query, offset, expected));
        check_characters(text)?;
        let mut offset = 0;
        for pair in text.split('&') {
            let name_length = pair.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(pair.len());
            if !pair.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
                return fault(offset, "the name of a search parameter");
            }
            match pair.as_bytes().get(name_length) {
                Some(b'=') => {}
                _ => return fault(offset + name_length, "`=` and a value after the name of a search parameter"),
            }
            if pair.len() == name_length + 1 {
                return fault(offset + pair.len(), "a value: servers ignore a parameter without one");
            }
            offset += pair.len() + 1;
        }
        Ok(())
    }
}

/// What the name of a search parameter with its modifier or chain may consist of.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.')
}

/// Appends `name=value`, with all that may not stand in a scope or would end the value percent-encoded. A name that is
/// none shows by its percent signs.
pub(super) fn push_pair(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(percent_encoding::utf8_percent_encode(name, ENCODED_IN_NAME));
    query.push('=');
    query.extend(percent_encoding::utf8_percent_encode(value, ENCODED));
}

/// `%` and `&` are syntax, `+` may be read as a blank and `#` as the start of a fragment.
const ENCODED: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'\\').add(b'%').add(b'&').add(b'+').add(b'#');

const ENCODED_IN_NAME: &percent_encoding::AsciiSet = &ENCODED.add(b'=').add(b'?');
