//! The values of a search parameter.

use std::borrow::Cow;

/// How a number or a date is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

impl Prefix {
    /// Takes a prefix off; without one it is equality.
    pub(crate) fn split(text: &str) -> (Self, &str) {
        let prefix = match text.get(..2) {
            Some("eq") => Self::Eq,
            Some("ne") => Self::Ne,
            Some("gt") => Self::Gt,
            Some("lt") => Self::Lt,
            Some("ge") => Self::Ge,
            Some("le") => Self::Le,
            Some("sa") => Self::Sa,
            Some("eb") => Self::Eb,
            Some("ap") => Self::Ap,
            _ => return (Self::Eq, text),
        };
        (prefix, text.get(2..).unwrap_or_default())
    }
}

/// Parts a text at a character, unless that is escaped with a backslash. The escapes stay.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if !escaped && c == separator {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// A text without its escapes.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut escaped = false;
    let plain = text.chars().filter(|c| {
        escaped = !escaped && *c == '\\';
        !escaped
    });
    plain.collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What was escaped comes out again, whatever it is.
        #[test]
        fn escaped_texts_come_out_again(texts in proptest::collection::vec(".{0,12}", 1..5)) {
            let escaped = |text: &String| {
                let each = text.chars().flat_map(|c| (r"\,|$".contains(c)).then_some('\\').into_iter().chain([c]));
                each.collect::<String>()
            };
            let joined = texts.iter().map(escaped).collect::<Vec<_>>().join(",");
            let read: Vec<_> = split(&joined, ',').into_iter().map(|text| unescaped(text).into_owned()).collect();
            prop_assert_eq!(read, texts);
        }
    }

    /// A prefix is two letters before the value.
    #[test]
    fn prefixes_are_taken_off() {
        assert_eq!(Prefix::split("ge2025"), (Prefix::Ge, "2025"));
        assert_eq!(Prefix::split("2025"), (Prefix::Eq, "2025"));
        assert_eq!(Prefix::split(""), (Prefix::Eq, ""));
    }
}
