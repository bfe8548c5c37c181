//! Lists of fonts of CSS.

use super::error::CssValueError;

/// A text longer than this is no list of fonts.
const MAX_LENGTH: usize = 500;

/// Words that mean something else than a font when they stand alone.
const RESERVED: [&str; 6] = ["inherit", "initial", "unset", "revert", "revert-layer", "default"];

/// A list of font families, best first (CSS Fonts, section 3.1): names in quotes, and names or generic families without.
/// It is written anew, quoted names in single quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CssFontFamily {
    text: String,
    names: Vec<String>,
}

impl CssFontFamily {
    /// Reads a list. One semicolon at its end is passed over: an example of the specification has one.
    ///
    /// # Errors
    /// [`CssValueError`]. A name may have letters and digits of any script, blanks, and `-`, `_`, `.`, `+`.
    pub fn parse(text: &str) -> Result<Self, CssValueError> {
        let text = text.trim();
        let text = text.strip_suffix(';').unwrap_or(text);
        let read = if text.len() > MAX_LENGTH { None } else { read(text) };
        read.ok_or(CssValueError { expected: "a list of font names" })
    }

    /// The list as it goes into a style sheet.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names, without quotes.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl std::fmt::Display for CssFontFamily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn read(text: &str) -> Option<CssFontFamily> {
    let (mut written, mut names) = (Vec::new(), Vec::new());
    // No name has a comma, so the list can be parted before the quotes are looked at.
    for part in text.split(',').map(str::trim) {
        let quoted = ['"', '\''].into_iter().find_map(|quote| part.strip_prefix(quote)?.strip_suffix(quote));
        let name = if let Some(name) = quoted {
            let legal = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '+');
            if name.trim().is_empty() || !name.chars().all(legal) {
                return None;
            }
            written.push(format!("'{name}'"));
            name.to_owned()
        } else {
            let words: Vec<&str> = part.split_ascii_whitespace().collect();
            let is_reserved = |word: &str| RESERVED.iter().any(|r| word.eq_ignore_ascii_case(r));
            if words.is_empty() || !words.iter().all(|word| is_identifier(word)) || words.iter().any(|w| is_reserved(w))
            {
                return None;
            }
            written.push(words.join(" "));
            words.join(" ")
        };
        names.push(name);
    }
    Some(CssFontFamily { text: written.join(", "), names })
}

fn is_identifier(word: &str) -> bool {
    let start = word.strip_prefix('-').unwrap_or(word);
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    start.starts_with(|c: char| c.is_alphabetic() || c == '_') && start.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CX-05 (SMART app styling, the example; CSS Fonts 3.1): lists of fonts, as the specification's example has them.
    #[test]
    fn font_lists_are_read() {
        for (text, written) in [
            ("Georgia, Times, 'Times New Roman', serif", "Georgia, Times, 'Times New Roman', serif"),
            (
                "'HelveticaNeue-Light', Helvetica, Arial, 'Lucida Grande', sans-serif;",
                "'HelveticaNeue-Light', Helvetica, Arial, 'Lucida Grande', sans-serif",
            ),
            ("-apple-system,  BlinkMacSystemFont , \"Segoe UI\"", "-apple-system, BlinkMacSystemFont, 'Segoe UI'"),
            ("Times  New   Roman", "Times New Roman"),
            ("'ヒラギノ角ゴ'", "'ヒラギノ角ゴ'"),
        ] {
            assert_eq!(CssFontFamily::parse(text).unwrap().as_str(), written);
        }
        assert_eq!(CssFontFamily::parse("'A b', serif").unwrap().names(), ["A b", "serif"]);
    }

    /// CX-05: nothing that could end a declaration or load something is a list of fonts.
    #[test]
    fn other_text_is_no_font_list() {
        for text in [
            "",
            ";",
            "a,,b",
            "'a",
            "'a\"",
            "''",
            "'a';}*{display:none}",
            "a;b;",
            "url(x)",
            "inherit",
            "serif, Unset",
            "'\\27 '",
            "a}b",
            "'</style>'",
            "3D",
            "--x",
            "a\u{202e}",
        ] {
            assert!(CssFontFamily::parse(text).is_err(), "{text}");
        }
        assert!(CssFontFamily::parse(&"a,".repeat(400)).is_err());
    }
}
