//! Scopes: what is parsed prints as it was, a grant is read whatever it is, and both readers agree.

use smart_core::scope::{AccessRequest, Interaction, Scope, Scopes};

/// Tries `text` as a scope string.
pub fn hold(text: &str) {
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.to_string(), text);
    }
    let granted = Scopes::parse_granted(text);
    let again = Scopes::parse_granted(&granted.to_string());
    assert_eq!(granted, again, "what was read prints as what was read");
    if let Ok(strict) = text.parse::<Scopes>() {
        assert_eq!(strict, granted, "what the strict reader accepts the lenient one reads alike");
    }
    for scope in granted.iter().take(20) {
        assert!(granted.covers(scope), "a set covers its members: {scope}");
    }
    let request = AccessRequest::new(Interaction::ALL[text.len() % Interaction::ALL.len()], "Observation");
    let _ = granted.decide(&request);
}
