//! OperationOutcomes: read as far as they go, and no text of the server's is shown.

use smart_core::json::parse_object;
use smart_fhir::OperationOutcome;

/// Tries `body` as an OperationOutcome.
pub fn hold(body: &[u8]) {
    let Ok(resource) = parse_object(body) else { return };
    let Some(outcome) = OperationOutcome::from_resource(&resource) else {
        assert_ne!(resource.get("resourceType").and_then(|name| name.as_str()), Some("OperationOutcome"));
        return;
    };
    assert!(outcome.issues().len() <= 100);
    let shown = format!("{outcome} {:?}", outcome.issues());
    let is_word = |c: char| c.is_ascii_lowercase() || "-, .()[]I".contains(c);
    assert!(shown.chars().all(is_word), "{shown}");
    for issue in outcome.issues() {
        assert!((1..=32).contains(&issue.code().len()) && (1..=32).contains(&issue.severity().len()));
        assert!(outcome.has_code(issue.code()));
    }
    let is_grave = |severity: &str| matches!(severity, "error" | "fatal");
    assert_eq!(outcome.is_error(), outcome.issues().iter().any(|issue| is_grave(issue.severity())));
}
