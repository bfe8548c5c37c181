//! The files of an export, by the names that they get here.

use super::super::exchange::Token;
use super::super::{FhirInstant, FileKind, Manifest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use url::Url;

/// A file, without its URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedFile {
    pub(super) name: String,
    pub(super) kind: FileKind,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) continues_in: Option<String>,
}

/// Where a file is at present.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) url: Url,
    pub(super) token: Token,
}

/// The files of all manifests of an export.
pub(super) struct Listing {
    pub(super) transaction_time: FhirInstant,
    pub(super) organized_by: Option<String>,
    pub(super) files: Vec<ListedFile>,
    pub(super) links: Vec<Link>,
}

impl Listing {
    /// None when there is no manifest.
    pub(super) fn of(manifests: &[Manifest]) -> Option<Self> {
        let first = manifests.first()?;
        let mut listing = Self {
            transaction_time: first.transaction_time.clone(),
            organized_by: first.organized_by.clone(),
            files: Vec::new(),
            links: Vec::new(),
        };
        let (mut numbers, mut names) = (HashMap::new(), HashMap::new());
        let mut continued = Vec::new();
        for manifest in manifests {
            let token = if manifest.requires_access_token { Token::Needed } else { Token::Never };
            for file in &manifest.files {
                let resource_type = file.resource_type.as_ref().map(|name| name.as_str().to_owned());
                // No type has a hyphen in its name, so that no two files get the same one.
                let label = match (file.kind, &resource_type) {
                    (FileKind::Error, _) => "export-errors".to_owned(),
                    (FileKind::Deleted, _) => "export-deleted".to_owned(),
                    (FileKind::Output, Some(name)) => name.clone(),
                    (FileKind::Output, None) => "all-types".to_owned(),
                };
                let number: &mut u64 = numbers.entry(label.clone()).or_default();
                *number += 1;
                let name = format!("{label}.{number:04}.ndjson");
                names.insert(file.url.clone(), name.clone());
                continued.push(file.continues_in.clone());
                listing.files.push(ListedFile {
                    name,
                    kind: file.kind,
                    resource_type,
                    count: file.count,
                    size: file.file_size,
                    continues_in: None,
                });
                listing.links.push(Link { url: file.url.clone(), token });
            }
        }
        for (file, continues_in) in listing.files.iter_mut().zip(continued) {
            file.continues_in = continues_in.and_then(|url| names.get(&url).cloned());
        }
        Some(listing)
    }
}
