//! Manifests of bulk exports: only files that can be asked for, names that are safe, an order that has each file once, and nothing
//! secret in what is shown.

use smart_fhir::bulk::{FileKind, Manifest};

/// Tries `body` as a manifest.
pub fn hold(body: &[u8]) {
    let url = "https://ehr.example/bulk/1".parse().expect("a URL");
    let Ok(manifest) = Manifest::parse(body, &url) else { return };
    for file in &manifest.files {
        assert!(matches!(file.url.scheme(), "http" | "https"));
        if let Some(name) = &file.resource_type {
            assert!(name.as_str().bytes().all(|octet| octet.is_ascii_alphanumeric()));
        }
    }
    let ordered = manifest.output_in_order();
    assert_eq!(ordered.len(), manifest.output().count());
    let mut places: Vec<_> = ordered.iter().map(|file| std::ptr::from_ref(*file)).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), ordered.len(), "each file comes once");
    assert!(ordered.iter().all(|file| file.kind == FileKind::Output));
    let shown = format!("{manifest:?}{:?}", manifest.files);
    assert!(!shown.contains("://"), "no URL is shown");
}
