//! The ids at the head of a test's doc comment.
//!
//! `PK-04 (RFC 7636 4.1), SE-07: text` has two. An id is one or two capitals, a dash and two or three digits; after
//! each may stand a remark in parentheses; commas part them; anything else ends the list.

/// The ids that `doc` begins with, in order.
pub fn ids_at_head(doc: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = doc.trim_start();
    while let Some(length) = id_length(rest) {
        let (id, after) = rest.split_at(length);
        ids.push(id.to_owned());
        rest = skip_remark(after.trim_start()).trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    ids
}

/// How long the id is that `text` begins with.
pub fn id_length(text: &str) -> Option<usize> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = text.get(letters..)?.strip_prefix('-')?.bytes().take_while(u8::is_ascii_digit).count();
    let length = letters + 1 + digits;
    let ends = !text.get(length..)?.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    ((1..=2).contains(&letters) && (2..=3).contains(&digits) && ends).then_some(length)
}

/// `text` without the balanced parentheses that it begins with.
fn skip_remark(text: &str) -> &str {
    if !text.starts_with('(') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth <= 1 => return text.get(at + 1..).unwrap_or_default(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_up_to_the_text() {
        for (doc, ids) in [
            (" PK-05 (RFC 7636 4.2, appendix B): the pair.", vec!["PK-05"]),
            (" PK-04 (RFC 7636 4.1, 7.1), SE-07: octets.", vec!["PK-04", "SE-07"]),
            ("PK-02, F-16 (SMART (PKCE)), D-08: only S256, not AZ-01.", vec!["PK-02", "F-16", "D-08"]),
            ("F-100,\nF-101: over two lines", vec!["F-100", "F-101"]),
            ("SC-01", vec!["SC-01"]),
            ("SC-01 then words, SC-02", vec!["SC-01"]),
            ("SC-01 (never closed, SC-02", vec!["SC-01"]),
        ] {
            assert_eq!(ids_at_head(doc), ids, "{doc}");
        }
    }

    #[test]
    fn what_is_no_id_is_no_tag() {
        for doc in
            ["", "Reads SC-01.", "sc-01", "SC-1", "SC-0001", "ABC-01", "-01", "SC01", "SC-01x", "SC-01-02", "É-01"]
        {
            assert!(ids_at_head(doc).is_empty(), "{doc}");
        }
    }
}
