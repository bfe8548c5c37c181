//! The manifest: what an export came to, one model for all versions.

use super::FhirInstant;
use crate::ResourceTypeName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smart_core::json::parse_object;
use std::fmt;
use url::Url;

/// What a file of an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Resources (`output`).
    Output,
    /// OperationOutcomes of any severity about the export (`error` up to 3.0, `outcome` in 4.0).
    Error,
    /// Transaction bundles of deletes (`deleted`), see [`deletions`](super::deletions).
    Deleted,
}

/// One file of an export. Debug shows no URL: it may be all that it takes to read the file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestFile {
    /// What it holds.
    pub kind: FileKind,
    /// Where it is. It may be a capability by itself (a pre-signed URL): a secret.
    pub url: Url,
    /// The type of its resources. None where the output is organised otherwise, and in 4.0 for outcomes and deletes.
    pub resource_type: Option<ResourceTypeName>,
    /// How many resources it has, where the server says so.
    pub count: Option<u64>,
    /// Its size in octets (4.0).
    pub file_size: Option<u64>,
    /// The file that goes on where this one ends within a block (`continuesInFile`, 3.0).
    pub continues_in: Option<Url>,
    /// Everything else that is said of it, such as `countSeverity` or `extension`.
    pub other: Map<String, Value>,
}

/// What an export came to. Debug shows numbers only.
///
/// It is read the same way whatever the version: `error` and `outcome` are one list, members that are missing are empty, members
/// that are not known are kept.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The server's time of the export: the `_since` of the next one (requirement BK-31).
    pub transaction_time: FhirInstant,
    /// Whether the files are given out to bearers of the token only.
    pub requires_access_token: bool,
    /// The request as the server understood it (up to 3.0). It may name patients.
    pub request: Option<String>,
    /// The resource type that the output is organised by (3.0).
    pub organized_by: Option<String>,
    /// All files, as they are listed: output, then errors, then deleted.
    pub files: Vec<ManifestFile>,
    /// The next manifest of the same export (`link`, 3.0).
    pub next: Option<Url>,
    /// Everything else, such as `extension`, `manifestType`, `outputFormat`.
    pub other: Map<String, Value>,
    /// Until when the files are there (`Expires`), in the server's words.
    pub expires: Option<String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ManifestError {
    /// It is no JSON object.
    #[error("it is no JSON object: {0}")]
    Json(#[from] smart_core::json::JsonError),
    /// A member that has to be there is missing or of another kind.
    #[error("`{member}` is missing or not what it has to be")]
    Member {
        /// Which member.
        member: &'static str,
    },
    /// A file has no URL that can be requested.
    #[error("the file {index} of `{list}` has no http URL")]
    FileUrl {
        /// Which list.
        list: &'static str,
        /// Which file of it, from 0.
        index: usize,
    },
    /// The `type` of a file is no resource type.
    #[error("the `type` of the file {index} of `{list}` is no resource type")]
    FileType {
        /// Which list.
        list: &'static str,
        /// Which file of it, from 0.
        index: usize,
    },
}

impl Manifest {
    /// Reads the body of a response that came from `url`.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn parse(body: &[u8], url: &Url) -> Result<Self, ManifestError> {
        let mut members = parse_object(body)?;
        let member = |member| ManifestError::Member { member };
        let time = members.remove("transactionTime");
        let time = time.as_ref().and_then(Value::as_str).and_then(|text| FhirInstant::parse(text).ok());
        let token = members.remove("requiresAccessToken");
        let mut manifest = Self {
            transaction_time: time.ok_or_else(|| member("transactionTime"))?,
            requires_access_token: token.as_ref().and_then(flag).ok_or_else(|| member("requiresAccessToken"))?,
            request: text(members.remove("request")),
            organized_by: text(members.remove("outputOrganizedBy")),
            files: Vec::new(),
            next: next_link(&mut members, url),
            other: Map::new(),
            expires: None,
        };
        for (list, kind) in [
            ("output", FileKind::Output),
            ("error", FileKind::Error),
            ("outcome", FileKind::Error),
            ("deleted", FileKind::Deleted),
        ] {
            let items = match members.remove(list) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(items)) => items,
                Some(_) => return Err(member(list)),
            };
            for (index, item) in items.into_iter().enumerate() {
                manifest.files.push(file(item, kind, list, index, url)?);
            }
        }
        manifest.other = members;
        Ok(manifest)
    }

    /// The files with resources.
    pub fn output(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.kind == FileKind::Output)
    }

    /// The files with what the server has to say about the export. They are there after a partial success too, and hold
    /// OperationOutcomes of any severity (requirement BK-28).
    pub fn errors(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.kind == FileKind::Error)
    }

    /// The files with what was deleted.
    pub fn deleted(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.kind == FileKind::Deleted)
    }

    /// The files with resources, each before those that it continues in: the order in which blocks are whole
    /// ([`BlockReader`](super::BlockReader)).
    pub fn output_in_order(&self) -> Vec<&ManifestFile> {
        let continued: Vec<&Url> = self.output().filter_map(|file| file.continues_in.as_ref()).collect();
        let mut left: Vec<&ManifestFile> = self.output().collect();
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            // A ring of files has no first one; any of them will do then.
            let first = left.iter().position(|file| !continued.contains(&&file.url)).unwrap_or(0);
            let mut next = Some(left.remove(first));
            while let Some(file) = next {
                ordered.push(file);
                let place = file.continues_in.as_ref().and_then(|url| left.iter().position(|file| file.url == *url));
                next = place.map(|place| left.remove(place));
            }
        }
        ordered
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Some servers write booleans as text.
fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}

fn number(value: Option<Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The next manifest; other links are kept with what is not known. A fragment alone (`#pending`) is no next manifest.
fn next_link(members: &mut Map<String, Value>, url: &Url) -> Option<Url> {
    let links = members.get("link")?.as_array()?;
    let is_next = |link: &&Value| link.get("relation").and_then(Value::as_str) == Some("next");
    let text = links.iter().find(is_next)?.get("url")?.as_str()?;
    let next = url.join(text).ok().filter(|_| !text.starts_with('#'))?;
    members.remove("link");
    Some(next)
}

fn file(
    item: Value,
    kind: FileKind,
    list: &'static str,
    index: usize,
    base: &Url,
) -> Result<ManifestFile, ManifestError> {
    let Value::Object(mut members) = item else { return Err(ManifestError::FileUrl { list, index }) };
    let http_url = |value: Option<Value>| {
        let url = base.join(value?.as_str()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    };
    let url = http_url(members.remove("url")).ok_or(ManifestError::FileUrl { list, index })?;
    let resource_type = match text(members.remove("type")) {
        None => None,
        Some(name) => Some(ResourceTypeName::parse(&name).map_err(|_| ManifestError::FileType { list, index })?),
    };
    Ok(ManifestFile {
        kind,
        url,
        resource_type,
        count: number(members.remove("count")),
        file_size: number(members.remove("fileSize")),
        continues_in: http_url(members.remove("continuesInFile")),
        other: members,
    })
}

impl fmt::Debug for ManifestFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManifestFile")
            .field("kind", &self.kind)
            .field("resource_type", &self.resource_type)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("transaction_time", &self.transaction_time)
            .field("requires_access_token", &self.requires_access_token)
            .field("output", &self.output().count())
            .field("errors", &self.errors().count())
            .field("deleted", &self.deleted().count())
            .field("has_next", &self.next.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn url() -> Url {
        Url::parse("https://ehr.example/bulk/status/1").unwrap()
    }

    fn parse(value: &Value) -> Result<Manifest, ManifestError> {
        Manifest::parse(value.to_string().as_bytes(), &url())
    }

    fn least() -> Value {
        json!({"transactionTime": "2026-01-31T08:00:00Z", "requiresAccessToken": true})
    }

    /// BK-26, BK-27 (Bulk Data 1.0 to 4.0, manifest): one model for the manifests of all versions; unknown members are kept.
    #[test]
    fn manifests_of_all_versions_are_read_alike() {
        let v1 = parse(&json!({
            "transactionTime": "2026-01-31T08:00:00Z", "request": "https://ehr.example/fhir/$export",
            "requiresAccessToken": true,
            "output": [{"type": "Patient", "url": "https://files.example/1", "count": 7}],
            "error": [{"type": "OperationOutcome", "url": "https://files.example/e"}],
            "extension": {"https://ehr.example/x": true},
        }))
        .unwrap();
        assert_eq!(v1.request.as_deref(), Some("https://ehr.example/fhir/$export"));
        assert_eq!((v1.output().count(), v1.errors().count(), v1.deleted().count()), (1, 1, 0));
        assert_eq!(v1.other["extension"]["https://ehr.example/x"], true);

        let v3 = parse(&json!({
            "transactionTime": "2026-01-31T08:00:00Z", "request": "r", "requiresAccessToken": false,
            "outputOrganizedBy": "Patient",
            "output": [{"url": "https://files.example/1", "continuesInFile": "https://files.example/2"},
                       {"url": "https://files.example/2"}],
            "deleted": [{"type": "Bundle", "url": "https://files.example/d"}], "error": [],
            "link": [{"relation": "next", "url": "https://ehr.example/bulk/status/1?page=2"}],
        }))
        .unwrap();
        assert_eq!(v3.organized_by.as_deref(), Some("Patient"));
        assert_eq!(v3.next.as_ref().unwrap().query(), Some("page=2"));
        assert_eq!(v3.output().next().unwrap().continues_in.as_ref().unwrap().path(), "/2");
        assert!(!v3.requires_access_token && v3.deleted().count() == 1);

        let v4 = parse(&json!({
            "manifestType": "export", "outputFormat": "application/fhir+ndjson", "transactionTime": "2026-01-31T08:00:00Z",
            "requiresAccessToken": false, "outputOrganizedByDetail": "x", "extension": [{"url": "u"}],
            "output": [{"type": "Patient", "url": "https://files.example/1", "count": 3, "fileSize": 99}],
            "outcome": [{"url": "https://files.example/o", "countSeverity": [{"code": "error", "count": 1}]}],
        }))
        .unwrap();
        assert_eq!((v4.request.as_ref(), v4.output().next().unwrap().file_size), (None, Some(99)));
        let outcome = v4.errors().next().unwrap();
        assert!(outcome.resource_type.is_none() && outcome.other.contains_key("countSeverity"));
        assert!(
            ["manifestType", "outputFormat", "outputOrganizedByDetail", "extension"]
                .iter()
                .all(|m| v4.other.contains_key(*m))
        );
    }

    /// BK-27 (Bulk Data 3.0, manifest): missing and empty lists are legal, and so is no count.
    #[test]
    fn missing_and_empty_lists_are_legal() {
        assert!(parse(&least()).unwrap().files.is_empty());
        let mut empty = least();
        empty["output"] = json!([]);
        empty["error"] = Value::Null;
        assert!(parse(&empty).unwrap().files.is_empty());
        let mut odd = least();
        odd["output"] = json!([{"type": "Patient", "url": "https://files.example/1", "count": "12"}]);
        odd["requiresAccessToken"] = json!("false");
        let odd = parse(&odd).unwrap();
        assert!(odd.files[0].count == Some(12) && !odd.requires_access_token);
    }

    /// BK-26: what a client must know and is not told is an error, never a guess: above all whether the files want a token.
    #[test]
    fn what_has_to_be_there_is_asked_for() {
        for member in ["transactionTime", "requiresAccessToken"] {
            let mut manifest = least();
            manifest.as_object_mut().unwrap().remove(member);
            assert_eq!(parse(&manifest), Err(ManifestError::Member { member }));
        }
        for (member, value) in
            [("transactionTime", json!("2026-01-31")), ("requiresAccessToken", json!(1)), ("output", json!({}))]
        {
            let mut manifest = least();
            manifest[member] = value;
            assert_eq!(parse(&manifest), Err(ManifestError::Member { member }));
        }
        for (item, is_url) in [
            (json!({}), true),
            (json!("https://files.example/1"), true),
            (json!({"url": "file:///etc/passwd"}), true),
            (json!({"url": "https://["}), true),
            (json!({"url": "https://files.example/1", "type": "../../etc"}), false),
        ] {
            let mut manifest = least();
            manifest["output"] = json!([item]);
            let error = parse(&manifest).unwrap_err();
            assert_eq!(matches!(error, ManifestError::FileUrl { list: "output", index: 0 }), is_url, "{item}");
        }
        assert!(matches!(Manifest::parse(b"<html>", &url()), Err(ManifestError::Json(_))));
    }

    /// BK-29 (Bulk Data 3.0 and 4.0, `link`): only `next` leads on, and a fragment alone leads nowhere.
    #[test]
    fn only_next_leads_on() {
        for (links, next) in [
            (json!([{"relation": "self", "url": "https://x.example/"}]), None),
            (json!([{"relation": "next", "url": "#pending"}]), None),
            (json!([{"relation": "next", "url": "?page=2"}]), Some("https://ehr.example/bulk/status/1?page=2")),
        ] {
            let mut manifest = least();
            manifest["link"] = links;
            assert_eq!(parse(&manifest).unwrap().next.as_ref().map(Url::as_str), next);
        }
    }

    /// BK-40 (Bulk Data 3.0, file organization): a file comes right before the one that it continues in, and a ring of files
    /// ends.
    #[test]
    fn continued_files_follow_one_another() {
        let order = |items: Value| {
            let mut manifest = least();
            manifest["output"] = items;
            let manifest = parse(&manifest).unwrap();
            manifest.output_in_order().iter().map(|file| file.url.path().to_owned()).collect::<String>()
        };
        let at = |name: &str, next: &str| json!({"url": format!("https://f.example/{name}"), "continuesInFile": format!("https://f.example/{next}")});
        assert_eq!(
            order(json!([{"url": "https://f.example/c"}, {"url": "https://f.example/x"}, at("b", "c"), at("a", "b")])),
            "/x/a/b/c"
        );
        assert_eq!(order(json!([at("a", "b"), at("b", "a")])), "/a/b");
    }

    /// BK-34, FR-23: a manifest that is shown gives no URL away.
    #[test]
    fn urls_are_not_shown() {
        let mut manifest = least();
        manifest["output"] = json!([{"url": "https://files.example/1?signature=s3cret", "type": "Patient"}]);
        manifest["request"] = json!("https://ehr.example/fhir/$export?patient=s3cret");
        let manifest = parse(&manifest).unwrap();
        assert!(!format!("{manifest:?} {:?}", manifest.files).contains("s3cret"));
    }

    proptest! {
        /// BK-26: any JSON is a manifest or refused; what is read has http URLs and safe names only.
        #[test]
        fn any_manifest_is_decided(list in "[a-z]{0,8}", url in "\\PC{0,30}|https?://[a-z./]{1,20}", name in "[A-Za-z./]{0,12}", count in any::<i64>()) {
            let mut value = least();
            value["output"] = json!([{"url": url, "type": name, "count": count, list: {}}]);
            if let Ok(manifest) = parse(&value) {
                let file = &manifest.files[0];
                prop_assert!(file.url.scheme().starts_with("http"));
                prop_assert!(file.resource_type.as_ref().unwrap().as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
            }
        }
    }
}
