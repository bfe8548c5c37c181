//! The `Link` header: where what belongs to a response lies.

use http::{HeaderMap, header};

/// How much of all `Link` headers together is read, in octets.
const MAX_LENGTH: usize = 16 * 1024;
/// How many links are read.
const MAX_LINKS: usize = 32;

/// One link of a response (RFC 8288, section 3). Target and relations are the server's text: untrusted, and the target
/// may be relative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    target: String,
    relations: Vec<String>,
}

impl Link {
    /// Where it leads: a URL, or a reference relative to the URL of the response.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether it has this relation, such as `next`. Relations compare in any case (RFC 8288, section 2.1.1).
    pub fn is(&self, relation: &str) -> bool {
        self.relations.iter().any(|own| own.eq_ignore_ascii_case(relation))
    }
}

/// The links of a response, in order, over all its `Link` headers.
///
/// A malformed link ends the reading of its header line; what stands before it is kept. Links without a relation are
/// left out, and so are those about another resource than the response (`anchor`).
pub fn links(headers: &HeaderMap) -> Vec<Link> {
    let mut found = Vec::new();
    let mut room = MAX_LENGTH;
    for value in headers.get_all(header::LINK) {
        let Some(left) = room.checked_sub(value.len()) else { break };
        room = left;
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut rest = &*text;
        while let Some((link, after)) = one(rest) {
            if found.len() >= MAX_LINKS {
                return found;
            }
            found.extend(link);
            rest = after;
        }
    }
    found
}

/// Reads one link and the comma after it. The link itself is `None` when it says nothing of use.
fn one(text: &str) -> Option<(Option<Link>, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (target, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let (mut relations, mut is_elsewhere) = (None, false);
    loop {
        rest = skip_blanks(rest);
        let Some(after) = rest.strip_prefix(';') else { break };
        let (name, value, after) = parameter(skip_blanks(after))?;
        // The first `rel` counts (RFC 8288, section 3.3).
        if name.eq_ignore_ascii_case("rel") && relations.is_none() {
            relations = Some(value);
        } else if name.eq_ignore_ascii_case("anchor") {
            is_elsewhere = true;
        }
        rest = after;
    }
    if !(rest.is_empty() || rest.starts_with(',')) {
        return None;
    }
    let relations: Vec<String> = relations.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
    let link = (!is_elsewhere && !relations.is_empty()).then(|| Link { target: target.trim().to_owned(), relations });
    Some((link, rest))
}

/// A parameter's name and value, and what follows it. A parameter may lack its value; between `;` and `;` there may be none.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let end = text.find(['=', ';', ',', ' ', '\t']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let Some(value) = skip_blanks(rest).strip_prefix('=') else { return Some((name, String::new(), rest)) };
    let value = skip_blanks(value);
    let Some(quoted) = value.strip_prefix('"') else {
        let (token, rest) = value.split_at_checked(value.find([';', ',', ' ', '\t']).unwrap_or(value.len()))?;
        return Some((name, token.to_owned(), rest));
    };
    let mut unquoted = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                unquoted.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((name, unquoted, quoted.get(at + 1..)?)),
            _ => unquoted.push(c),
        }
    }
    None
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Vec<Link> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::LINK, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        links(&headers)
    }

    fn shown(lines: &[&str]) -> Vec<String> {
        read(lines).iter().map(|link| format!("{} {}", link.relations.join("+"), link.target)).collect()
    }

    /// FR-05 (RFC 8288, 3): links are read with commas and semicolons in targets and quotes, several in a line or in several.
    #[test]
    fn links_are_read() {
        for (lines, expected) in [
            (&["<https://ehr.example/fhir?page=2>; rel=\"next\""][..], &["next https://ehr.example/fhir?page=2"][..]),
            (&["<a>; rel=next, <b>;rel=prev"], &["next a", "prev b"]),
            (&["<a,b;c>; title=\"x, \\\" <y>; rel=z\"; rel=\"next last\""], &["next+last a,b;c"]),
            (&["<a>;rel=next", " <b> ; REL = \"Next\""], &["next a", "Next b"]),
            (&["<a>; rel=next; rel=prev"], &["next a"]),
            (&["<a>;;rel=next"], &["next a"]),
            (&["<a>; anchor=\"#x\"; rel=next, <b>; rel=next"], &["next b"]),
            (&["<a>", "<b>; title=x", "<>; rel=self"], &["self "]),
        ] {
            assert_eq!(shown(lines), expected, "{lines:?}");
        }
        assert!(read(&["<a>; rel=NEXT"]).iter().all(|link| link.is("next") && link.target() == "a"));
    }

    /// FR-05: a malformed link loses the rest of its line only, and reading is bounded.
    #[test]
    fn malformed_links_lose_only_their_rest() {
        for (lines, expected) in [
            (&["<a>; rel=next, b; rel=prev, <c>; rel=x", "<d>; rel=last"][..], &["next a", "last d"][..]),
            (&["<a>; rel=\"next"], &[]),
            (&["<a>; rel=next x"], &[]),
            (&["<a"], &[]),
            (&[""], &[]),
        ] {
            assert_eq!(shown(lines), expected, "{lines:?}");
        }
        assert_eq!(read(&[&"<a>; rel=x,".repeat(100)]).len(), MAX_LINKS);
        assert!(read(&[&format!("<{}>; rel=x", "a".repeat(MAX_LENGTH))]).is_empty());
    }

    proptest! {
        /// FR-05: no line makes the parser panic, and a link that is written is read.
        #[test]
        fn any_line_is_read(line in "[ -~]{0,80}", target in "[!#-;=?-~]{0,30}", relation in "[a-z]{1,9}") {
            read(&[&line]);
            let written = format!("<{target}>; rel=\"{relation}\"");
            prop_assert_eq!(shown(&[&written]), [format!("{relation} {target}")]);
        }
    }
}
