//! Showing text that came from outside.

/// `text` cut to `limit` characters, with control and direction-changing characters replaced, so that it cannot steer
/// a terminal or fake a line of a log. It is still untrusted: escape it before it goes into markup.
pub fn shown(text: &str, limit: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(limit)
        .map(|c| {
            if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

/// `text` with everything replaced that an `error_description` must not have: other characters than printable ASCII, and
/// among these the double quote and the backslash (RFC 6749, section 5.2).
pub fn oauth_text(text: &str) -> String {
    let legal = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    text.chars()
        .map(|c| match c {
            '"' => '\'',
            other if legal(other) => other,
            _ => '?',
        })
        .collect()
}

/// `text` escaped for HTML text and double-quoted attribute values.
pub fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CB-08 (SMART, App protection): text from outside cannot steer a terminal.
    #[test]
    fn control_characters_are_replaced_and_length_is_bounded() {
        assert_eq!(shown("a\u{1b}[31mb\nc\u{202e}", 80), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
        assert_eq!(shown("abcdef", 3), "abc…");
    }

    /// AZ-05, CB-08: markup is escaped.
    #[test]
    fn markup_is_escaped() {
        assert_eq!(html_escaped("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }
}
