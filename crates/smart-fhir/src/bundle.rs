//! Search results as bundles: pages of entries with links.

use crate::history::HistoryEntry;
use crate::resource::without_mark;
use crate::{OperationOutcome, RawResource};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use smart_http::Endpoint;
use std::fmt;
use url::Url;

/// Why an entry is in a search result (FHIR R4, search.html#match-vs-include).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchMode {
    /// It is what was searched for.
    Match,
    /// It comes along with a match (`_include`, `_revinclude`).
    Include,
    /// It is an OperationOutcome about the search itself: what the server left out, or did not understand.
    Outcome,
}

/// What the pages of a result hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Matches of a search of this type, and what comes along with them.
    Type(String),
    /// Resources of any type: all are matches unless they say otherwise.
    Any,
    /// Versions of resources.
    History,
}

/// An entry of a search result. Debug shows no content.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct BundleEntry {
    /// Why it is there.
    pub mode: SearchMode,
    /// The resource's absolute URL, as the server names it. Untrusted: no token goes there by itself.
    pub full_url: Option<String>,
    /// The resource, a JSON object.
    pub resource: Value,
    raw: Option<RawResource>,
}

impl BundleEntry {
    /// The resource's type, as it names itself.
    pub fn resource_type(&self) -> Option<&str> {
        self.resource.get("resourceType").and_then(Value::as_str)
    }

    /// The resource in the octets that came, with every digit of its decimals. `None`: it says no type of itself.
    pub fn raw(&self) -> Option<&RawResource> {
        self.raw.as_ref()
    }

    /// The entry as an OperationOutcome, if it is one.
    pub fn outcome(&self) -> Option<OperationOutcome> {
        self.resource.as_object().and_then(OperationOutcome::from_resource)
    }
}

impl fmt::Debug for BundleEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleEntry").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// One page of a search result. Debug shows counts only.
#[derive(Clone)]
pub struct Bundle {
    url: Url,
    total: Option<u64>,
    links: Vec<(String, String)>,
    entries: Vec<BundleEntry>,
    history: Vec<HistoryEntry>,
}

impl Bundle {
    /// Reads the page that came from `url`: its octets, and what they are as JSON. An entry that does not say why it is
    /// there is a match when it is of the type that was searched for.
    ///
    /// Gives the name of the element that cannot be read.
    pub(crate) fn read(
        url: Url,
        content: &Content,
        mut bundle: Map<String, Value>,
        octets: &Bytes,
    ) -> Result<Self, &'static str> {
        let total = bundle.get("total").and_then(Value::as_u64);
        let links = match bundle.get("link") {
            None => Vec::new(),
            Some(Value::Array(links)) => links.iter().filter_map(read_link).collect(),
            Some(_) => return Err("link"),
        };
        let found = match bundle.remove("entry") {
            None => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err("entry"),
        };
        let mut raw = raw_resources(octets).into_iter();
        let (mut entries, mut history) = (Vec::new(), Vec::new());
        for entry in found {
            let raw = raw.next().flatten();
            match content {
                Content::History => history.push(HistoryEntry::read(&entry, raw)?),
                Content::Type(searched) => entries.extend(read_entry(entry, Some(searched), raw)?),
                Content::Any => entries.extend(read_entry(entry, None, raw)?),
            }
        }
        Ok(Self { url, total, links, entries, history })
    }

    /// Reads a bundle that is there already, such as a `document` or `collection`, in the octets that came.
    ///
    /// # Errors
    /// [`FhirError::InvalidResource`](crate::FhirError::InvalidResource).
    pub fn parse(octets: impl Into<Bytes>) -> Result<Self, crate::FhirError> {
        let octets = octets.into();
        let invalid = |reason: String| crate::FhirError::InvalidResource { reason };
        let bundle = smart_core::json::parse_object(&octets).map_err(|error| invalid(error.to_string()))?;
        if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
            return Err(invalid("it is no Bundle".to_owned()));
        }
        let nowhere = Url::parse("urn:bundle").map_err(|error| invalid(error.to_string()))?;
        Self::read(nowhere, &Content::Any, bundle, &octets)
            .map_err(|name| invalid(format!("its `{name}` is malformed")))
    }

    /// How many matches there are on all pages together, where the server counts them. It may be an estimate.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The entries, in the server's order.
    pub fn entries(&self) -> &[BundleEntry] {
        &self.entries
    }

    /// The entries, in the server's order, to keep.
    pub fn into_entries(self) -> Vec<BundleEntry> {
        self.entries
    }

    /// The matches' resources, in the server's order.
    pub fn matches(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().filter(|entry| entry.mode == SearchMode::Match).map(|entry| &entry.resource)
    }

    /// The resources that come along with the matches, in the server's order.
    pub fn included(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().filter(|entry| entry.mode == SearchMode::Include).map(|entry| &entry.resource)
    }

    /// What the server has to say about the search.
    pub fn outcomes(&self) -> impl Iterator<Item = OperationOutcome> {
        self.entries.iter().filter(|entry| entry.mode == SearchMode::Outcome).filter_map(BundleEntry::outcome)
    }

    pub(crate) fn into_history(self) -> Vec<HistoryEntry> {
        self.history
    }

    /// The link of this name, such as `self`, `next` or `previous`, as the server gives it. Untrusted.
    pub fn link(&self, relation: &str) -> Option<&str> {
        self.links.iter().find(|(name, _)| name == relation).map(|(_, url)| url.as_str())
    }

    /// Where the page came from.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from(&self.url)
    }
}

fn read_link(link: &Value) -> Option<(String, String)> {
    let text = |name| link.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    Some((text("relation")?, text("url")?))
}

/// The resources of a page in the octets that came, in order. Empty where the page is not of the usual shape.
fn raw_resources(octets: &Bytes) -> Vec<Option<RawResource>> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow, default)]
        entry: Vec<Entry<'a>>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        resource: Option<&'a RawValue>,
    }
    let page: Page<'_> = serde_json::from_slice(without_mark(octets)).unwrap_or(Page { entry: Vec::new() });
    let raw = |text: &RawValue| RawResource::parse(octets.slice_ref(text.get().as_bytes())).ok();
    page.entry.into_iter().map(|entry| entry.resource.and_then(raw)).collect()
}

/// An entry without a resource says nothing and is passed over; one whose resource is no object cannot be read.
fn read_entry(
    mut entry: Value,
    searched: Option<&str>,
    raw: Option<RawResource>,
) -> Result<Option<BundleEntry>, &'static str> {
    let Some(object) = entry.as_object_mut() else { return Err("entry") };
    let resource = match object.remove("resource") {
        None => return Ok(None),
        Some(resource @ Value::Object(_)) => resource,
        Some(_) => return Err("entry.resource"),
    };
    let own_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    let mode = match object.get("search").and_then(|search| search.get("mode")).and_then(Value::as_str) {
        // Some servers call their warnings matches. They are none, unless outcomes were searched for.
        _ if own_type == "OperationOutcome" && searched != Some(own_type) => SearchMode::Outcome,
        Some("include") => SearchMode::Include,
        Some("outcome") => SearchMode::Outcome,
        Some("match") => SearchMode::Match,
        _ if searched.is_none_or(|searched| own_type == searched) => SearchMode::Match,
        _ => SearchMode::Include,
    };
    let full_url = object.get("fullUrl").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(BundleEntry { mode, full_url, resource, raw }))
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("url", &self.endpoint())
            .field("total", &self.total)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(bundle: &Value) -> Result<Bundle, &'static str> {
        let url = Url::parse("https://ehr.example/fhir/Observation?patient=Smith").unwrap();
        let octets = Bytes::from(bundle.to_string());
        Bundle::read(url, &Content::Type("Observation".to_owned()), bundle.as_object().unwrap().clone(), &octets)
    }

    /// FR-20 (FHIR R4, search.html): entries are told apart, whether they say what they are or not.
    #[test]
    fn entries_are_told_apart() {
        use SearchMode::{Include, Match, Outcome};
        for (resource_type, mode, expected) in [
            ("Observation", Some("match"), Match),
            ("Observation", None, Match),
            ("Observation", Some("include"), Include),
            ("Patient", None, Include),
            ("Patient", Some("match"), Match),
            ("OperationOutcome", Some("outcome"), Outcome),
            ("OperationOutcome", Some("match"), Outcome),
            ("OperationOutcome", None, Outcome),
            ("Observation", Some("odd"), Match),
        ] {
            let mut entry = json!({"resource": {"resourceType": resource_type}});
            if let Some(mode) = mode {
                entry["search"] = json!({ "mode": mode });
            }
            let bundle = read(&json!({"resourceType": "Bundle", "entry": [entry]})).unwrap();
            assert_eq!(bundle.entries()[0].mode, expected, "{resource_type} {mode:?}");
        }
    }

    /// FR-20: no total, no entries and entries without a resource are normal.
    #[test]
    fn sparse_bundles_are_normal() {
        let bundle = read(&json!({"resourceType": "Bundle", "type": "searchset"})).unwrap();
        assert_eq!((bundle.total(), bundle.entries().len(), bundle.link("next")), (None, 0, None));
        let bundle =
            read(&json!({"entry": [{}, {"fullUrl": "x"}], "total": 5, "link": [{}, {"relation": "next"}]})).unwrap();
        assert_eq!((bundle.total(), bundle.entries().len(), bundle.link("next")), (Some(5), 0, None));
    }

    /// FR-20: what would be lost without a word is an error.
    #[test]
    fn malformed_bundles_are_refused() {
        for bundle in
            [json!({"entry": {}}), json!({"entry": [1]}), json!({"entry": [{"resource": "x"}]}), json!({"link": 1})]
        {
            assert!(read(&bundle).is_err(), "{bundle}");
        }
    }

    /// FR-08 (FHIR R4, datatypes decimal): each entry has its resource in the octets that came, entries without one between.
    #[test]
    fn entries_keep_their_octets() {
        let one = r#"{"resourceType":"Observation","id":"1","valueQuantity":{"value":1.50}}"#;
        let two = r#"{"resourceType":"Patient", "id":"2", "x":0.10000000000000000001}"#;
        let text = format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{one}}},{{}},{{"fullUrl":"x","resource":{two} }}]}}"#
        );
        let bundle = Bundle::parse(text).unwrap();
        let raw: Vec<_> = bundle.entries().iter().map(|entry| entry.raw().unwrap().octets().clone()).collect();
        assert_eq!(raw, [one, two]);
        assert_eq!(bundle.matches().count(), 2);
        for other in ["{}", "[]", r#"{"resourceType":"Patient"}"#, r#"{"resourceType":"Bundle","entry":1}"#] {
            assert!(Bundle::parse(other).is_err(), "{other}");
        }
    }

    /// FR-23: Debug shows neither criteria nor content.
    #[test]
    fn debug_shows_no_content() {
        let bundle = read(&json!({"entry": [{"fullUrl": "Smith", "resource": {"x": "Smith"}}]})).unwrap();
        assert!(!format!("{bundle:?} {:?}", bundle.entries()).contains("Smith"));
    }
}
