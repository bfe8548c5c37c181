//! Text from a server, made fit for a terminal.

use unicode_width::UnicodeWidthStr as _;

/// What replaces a character that could steer the terminal.
const REPLACEMENT: char = '\u{fffd}';

/// `text` on one line, with control and direction-changing characters replaced: a name in a record must not move the
/// cursor, change colours, or turn the text that follows around.
pub(crate) fn one_line(text: &str) -> String {
    let spaced = text.replace(['\n', '\r', '\t'], " ");
    spaced.chars().map(|c| if steers_terminal(c) { REPLACEMENT } else { c }).collect()
}

/// The same for text of several lines: line ends are kept.
pub(crate) fn several_lines(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && steers_terminal(c) { REPLACEMENT } else { c }).collect()
}

fn steers_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// JSON text whose control characters beyond ASCII's are escaped too. In valid JSON they stand in strings only, so the
/// value is the same; a terminal is not steered by it.
pub(crate) fn json_for_terminal(json: &str) -> String {
    // All that steer lie in the basic plane, so one escape is enough.
    let escaped = |c: char| format!("\\u{:04x}", u32::from(c));
    let steers = |c: char| c != '\n' && steers_terminal(c);
    if !json.contains(steers) {
        return json.to_owned();
    }
    json.chars().map(|c| if steers(c) { escaped(c) } else { c.to_string() }).collect()
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to `columns`, the last one an ellipsis where something was cut.
pub(crate) fn fit(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut cut = take_columns(text, room).to_owned();
    if width(ellipsis) <= columns {
        cut.push_str(ellipsis);
    }
    cut
}

/// The longest beginning of `text` that takes at most `columns`.
fn take_columns(text: &str, columns: usize) -> &str {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        match text.get(..next) {
            Some(head) if width(head) <= columns => end = next,
            _ => break,
        }
    }
    text.get(..end).unwrap_or_default()
}

/// `text` filled up with blanks to `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// The same with the blanks before it, for numbers.
pub(crate) fn pad_left(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{}{text}", " ".repeat(blanks))
}

/// `text` in lines of at most `columns`, broken at blanks; a word that is longer is broken too.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) <= columns {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let head = take_columns(word, columns);
            if head.is_empty() {
                // One character is wider than the column: it is shown all the same.
                line.push_str(word);
                break;
            }
            lines.push(head.to_owned());
            word = word.get(head.len()..).unwrap_or_default();
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CB-08 (SMART, app launch, callback): text of a server cannot steer the terminal.
    #[test]
    fn text_of_a_server_cannot_steer_the_terminal() {
        assert_eq!(one_line("Ada\u{1b}[2J\nLee\u{202e}x\u{9b}31m"), "Ada\u{fffd}[2J Lee\u{fffd}x\u{fffd}31m");
        assert_eq!(several_lines("a\nb\u{7}"), "a\nb\u{fffd}");
    }

    /// CB-08 (SMART, app launch, callback): the JSON that is printed is the same value, with every control character escaped.
    #[test]
    fn json_is_escaped_without_changing_its_value() {
        let value = serde_json::json!({"name": "A\u{1b}[2J\u{9b}31m\u{202e}\u{7f} é 王"});
        let shown = json_for_terminal(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.chars().any(|c| c != '\n' && steers_terminal(c)), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    /// Wide characters count as two columns.
    #[test]
    fn widths_are_columns_not_characters() {
        assert_eq!(width("王小明"), 6);
        assert_eq!(pad("王", 4), "王  ");
        assert_eq!(pad_left("7", 3), "  7");
        assert_eq!(fit("王小明", 5, "…"), "王小…");
        assert_eq!(fit("王小明", 4, "…"), "王…");
        assert_eq!(fit("abc", 3, "…"), "abc");
    }

    /// Lines break at blanks, and within a word only when it is too long for a line.
    #[test]
    fn wrapping_breaks_at_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("王王", 1), ["王王"]);
    }
}
