//! What the URL of a page says, and what is left of it once that is dealt with.

use std::collections::HashSet;
use url::Url;

/// What brought the browser to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// An EHR: `iss` or `launch` is in the query (SMART App Launch 2.2, EHR launch).
    Launch,
    /// An authorization server: `state` is there with `code` or `error` (RFC 6749, section 4.1.2).
    Callback,
    /// Neither.
    Plain,
}

/// The parameters that a callback brings (RFC 6749, 4.1.2; RFC 9207; OpenID Connect Session Management).
const CALLBACK: [&str; 6] = ["code", "state", "error", "error_description", "error_uri", "session_state"];

/// What brought the browser to the page with this URL.
pub fn kind_of(url: &Url) -> PageKind {
    let names: HashSet<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let has = |name: &str| names.contains(name);
    // The answer of RFC 9207 has an `iss` as well, so that it is looked for first.
    if has("state") && (has("code") || has("error")) {
        PageKind::Callback
    } else if has("iss") || has("launch") {
        PageKind::Launch
    } else {
        PageKind::Plain
    }
}

/// The URL of a callback without what the server added, for the address bar: code and state must not stay in the history
/// (RFC 9700, section 4.3.1).
pub fn cleaned(url: &Url) -> Url {
    let mut cleaned = url.clone();
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| *name != "iss" && !CALLBACK.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    cleaned.set_query(None);
    if !kept.is_empty() {
        cleaned.query_pairs_mut().extend_pairs(kept);
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &str) -> Url {
        Url::parse(&format!("https://app.example/page{query}")).unwrap()
    }

    /// Launches and callbacks are told apart, also where the callback names its issuer (RFC 9207).
    #[test]
    fn kinds_are_told_apart() {
        for (query, kind) in [
            ("", PageKind::Plain),
            ("?view=labs", PageKind::Plain),
            ("?code=1", PageKind::Plain),
            ("?iss=https%3A%2F%2Fehr.example%2Ffhir&launch=1", PageKind::Launch),
            ("?iss=https%3A%2F%2Fehr.example%2Ffhir", PageKind::Launch),
            ("?launch=1", PageKind::Launch),
            ("?code=1&state=2", PageKind::Callback),
            ("?code=1&state=2&iss=https%3A%2F%2Fehr.example", PageKind::Callback),
            ("?error=access_denied&state=2", PageKind::Callback),
        ] {
            assert_eq!(kind_of(&url(query)), kind, "{query}");
        }
    }

    /// CB-10 (RFC 9700, 4.3.1): the address that stays has neither code nor state; what is the app's own stays.
    #[test]
    fn code_and_state_leave_the_address() {
        let after = cleaned(&url("?view=labs%20a&code=c0de&state=st8&iss=https%3A%2F%2Fehr.example#top"));
        assert_eq!(after.as_str(), "https://app.example/page?view=labs+a#top");
        assert_eq!(cleaned(&url("?error=x&error_description=y&error_uri=z&state=2")), url(""));
    }
}
