//! Scopes: what is parsed prints as it was, a grant is read whatever it is, both readers agree, and a decision depends
//! neither on the order of the scopes nor on how they are written.

use smart_core::scope::{AccessRequest, Interaction, Scope, Scopes};
use std::mem::discriminant;

/// Comparing sets compares each with each.
const FEW: usize = 40;

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
    if granted.len() <= FEW {
        sets(&granted);
    }
    for resource_type in ["Observation", text.get(..text.len().min(12)).unwrap_or("Patient")] {
        let interaction = Interaction::ALL[text.len() % Interaction::ALL.len()];
        decisions(&granted, &AccessRequest::new(interaction, resource_type));
    }
    if let Some(request) = AccessRequest::from_http("GET", text) {
        decisions(&granted, &request);
    }
}

/// The order of a set means nothing, and more scopes never permit less.
fn decisions(granted: &Scopes, request: &AccessRequest<'_>) {
    let decision = granted.decide(request);
    let reversed: Scopes = granted.iter().rev().cloned().collect();
    assert_eq!(discriminant(&decision), discriminant(&reversed.decide(request)), "order means nothing");
    let half: Scopes = granted.iter().take(granted.len() / 2).cloned().collect();
    assert!(!half.decide(request).is_allowed() || decision.is_allowed(), "more scopes never permit less");
    assert!(!half.decide(request).is_fully_allowed() || decision.is_fully_allowed(), "nor do they narrow");
}

/// Sets behave as sets.
fn sets(granted: &Scopes) {
    let simplified = granted.simplified();
    assert!(simplified.is_equivalent(granted), "the short form means the same: {simplified}");
    assert!(granted.difference(granted).is_empty(), "a set leaves nothing of itself");
    assert_eq!(granted.union(granted), *granted);
    let (first, rest): (Scopes, Scopes) = (
        granted.iter().take(granted.len() / 2).cloned().collect(),
        granted.iter().skip(granted.len() / 2).cloned().collect(),
    );
    assert_eq!(first.union(&rest), *granted);
    let left = granted.difference(&first);
    assert!(granted.covers_all(&left), "a remainder is a part: {left}");
    assert!(first.union(&left).covers_all(granted), "and nothing is lost: {left}");
}
