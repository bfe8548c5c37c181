//! Bundles: what is read is what stands there, each resource in its own octets, and nothing of it is shown.

use smart_core::json::{parse_object, texts_of_object};
use smart_fhir::{Bundle, RawResource, SearchMode};

/// Tries `body` as a bundle, and as a resource.
pub fn hold(body: &[u8]) {
    // Checking without keeping is as strict as keeping.
    let kept = parse_object(body);
    let checked = texts_of_object(body, ["resourceType", "id"]);
    assert_eq!(kept.as_ref().err(), checked.as_ref().err());
    if let Ok(resource) = RawResource::parse(body.to_vec()) {
        assert_eq!(resource.octets().as_ref(), body);
        let kept = kept.expect("a resource is an object");
        assert_eq!(kept.get("resourceType").and_then(|name| name.as_str()), Some(resource.resource_type().as_str()));
        assert_eq!(kept.get("id").and_then(|id| id.as_str()), resource.id());
    }
    let Ok(bundle) = Bundle::parse(body.to_vec()) else { return };
    let text = String::from_utf8_lossy(body);
    for entry in bundle.entries() {
        assert!(entry.resource.is_object());
        let Some(raw) = entry.raw() else { continue };
        assert!(text.contains(std::str::from_utf8(raw.octets()).expect("JSON is UTF-8")));
        assert_eq!(raw.to_value(), entry.resource);
        assert_eq!(entry.resource_type(), Some(raw.resource_type().as_str()));
    }
    let count = |mode| bundle.entries().iter().filter(|entry| entry.mode == mode).count();
    assert_eq!(bundle.matches().count(), count(SearchMode::Match));
    assert_eq!(bundle.included().count(), count(SearchMode::Include));
    assert!(bundle.outcomes().count() <= count(SearchMode::Outcome));
    assert!(format!("{bundle:?}").len() < 200);
}
