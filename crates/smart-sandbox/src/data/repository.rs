//! The versioned resources of one sandbox: the built-in ones to begin with, and what apps make of them.

use super::resource::put;
use super::store::{DataSet, StoredResource};
use crate::config::StorageLimits;
use serde_json::{Value, json};
use smart_core::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Created,
    Updated,
    Deleted,
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    /// Tells which of two versions of the same second came first.
    pub(crate) sequence: u64,
    pub(crate) change: Change,
    /// The resource; of a deletion, what was deleted.
    pub(crate) resource: Arc<StoredResource>,
    octets: usize,
}

impl Version {
    pub(crate) fn is_deletion(&self) -> bool {
        self.change == Change::Deleted
    }
}

/// Nothing more can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this sandbox stores no more: its limit of {limit} {what} is reached")]
pub(crate) struct StorageFull {
    what: &'static str,
    limit: usize,
}

/// All versions of all resources. A copy shares them, so that a transaction can work on one.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    shelves: BTreeMap<String, Shelf>,
    limits: StorageLimits,
    sequence: u64,
    next_id: u64,
    /// How many resources apps have made, and how many octets all the versions take that they wrote.
    made: usize,
    octets: usize,
}

/// The resources of one type, in the order in which they came.
#[derive(Debug, Clone, Default)]
struct Shelf {
    order: Vec<Arc<str>>,
    /// Each resource's versions, the oldest first; never empty.
    chains: HashMap<Arc<str>, Arc<Vec<Version>>>,
}

impl Repository {
    /// The built-in data.
    pub(crate) fn new(data: &DataSet, limits: StorageLimits) -> Self {
        let mut it = Self::empty(limits);
        for resource_type in data.resource_types() {
            for resource in data.all(resource_type) {
                let at = resource.content().pointer("/meta/lastUpdated").and_then(Value::as_str);
                let at = at.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_second);
                let (resource, at) = (resource.clone(), Timestamp::from_unix_seconds(at));
                it.sequence += 1;
                let sequence = it.sequence;
                it.push(Version { number: 1, at, sequence, change: Change::Created, resource, octets: 0 });
            }
        }
        it
    }

    /// One without resources.
    pub(crate) fn empty(limits: StorageLimits) -> Self {
        Self { shelves: BTreeMap::new(), limits, sequence: 0, next_id: 1, made: 0, octets: 0 }
    }

    /// The newest version, which may be a deletion.
    pub(crate) fn newest(&self, resource_type: &str, id: &str) -> Option<&Version> {
        self.versions(resource_type, id).last()
    }

    /// The resource as it is now.
    pub(crate) fn live(&self, resource_type: &str, id: &str) -> Option<&Arc<StoredResource>> {
        self.newest(resource_type, id).filter(|version| !version.is_deletion()).map(|version| &version.resource)
    }

    /// The versions that are kept, the oldest first.
    pub(crate) fn versions(&self, resource_type: &str, id: &str) -> &[Version] {
        let chain = self.shelves.get(resource_type).and_then(|shelf| shelf.chains.get(id));
        chain.map_or(&[], |chain| chain.as_slice())
    }

    /// All resources of a type as they are now, in a fixed order.
    pub(crate) fn all<'s>(&'s self, resource_type: &str) -> impl Iterator<Item = &'s Arc<StoredResource>> {
        self.shelves.get(resource_type).into_iter().flat_map(|of_type| {
            let newest = of_type.order.iter().filter_map(|id| of_type.chains.get(id)?.last());
            newest.filter(|version| !version.is_deletion()).map(|version| &version.resource)
        })
    }

    /// The types of which there is anything.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.shelves.keys().map(String::as_str)
    }

    /// Every version that is kept, of one type or of all, in no order.
    pub(crate) fn every_version(&self, resource_type: Option<&str>) -> impl Iterator<Item = &Version> {
        let shelves = self.shelves.iter().filter(move |(name, _)| resource_type.is_none_or(|wanted| wanted == **name));
        shelves.flat_map(|(_, shelf)| shelf.chains.values().flat_map(|chain| chain.iter()))
    }

    /// An id that no resource of this type has or had.
    pub(crate) fn fresh_id(&mut self, resource_type: &str) -> String {
        loop {
            let id = format!("made-{}", self.next_id);
            self.next_id += 1;
            if self.versions(resource_type, &id).is_empty() {
                return id;
            }
        }
    }

    /// Stores the next version of a resource that has its type and id; version and time are set in its `meta`.
    ///
    /// # Errors
    /// [`StorageFull`].
    pub(crate) fn store(&mut self, mut content: Value, now: Timestamp) -> Result<Version, StorageFull> {
        let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (resource_type, id) = (text("resourceType"), text("id"));
        let before = self.newest(&resource_type, &id).map(|version| (version.number, version.is_deletion()));
        if before.is_none() && self.made >= self.limits.resources {
            return Err(StorageFull { what: "resources", limit: self.limits.resources });
        }
        let number = before.map_or(1, |(number, _)| number + 1);
        let change = if before.is_some_and(|(_, gone)| !gone) { Change::Updated } else { Change::Created };
        let mut meta = content.get("meta").filter(|meta| meta.is_object()).cloned().unwrap_or_else(|| json!({}));
        put(&mut meta, "versionId", number.to_string().into());
        put(&mut meta, "lastUpdated", instant(now).into());
        put(&mut content, "meta", meta);
        let octets = content.to_string().len();
        if self.octets.saturating_add(octets) > self.limits.octets {
            return Err(StorageFull { what: "octets", limit: self.limits.octets });
        }
        self.made += usize::from(before.is_none());
        let resource = Arc::new(StoredResource::new(content));
        Ok(self.add(number, now, change, resource, octets))
    }

    /// Deletes a resource; `None` when there is none. What was there stays in its history.
    pub(crate) fn delete(&mut self, resource_type: &str, id: &str, now: Timestamp) -> Option<Version> {
        let newest = self.newest(resource_type, id).filter(|version| !version.is_deletion())?;
        let (number, resource) = (newest.number + 1, newest.resource.clone());
        Some(self.add(number, now, Change::Deleted, resource, 0))
    }

    fn add(
        &mut self,
        number: u64,
        at: Timestamp,
        change: Change,
        resource: Arc<StoredResource>,
        octets: usize,
    ) -> Version {
        self.sequence += 1;
        self.octets += octets;
        let version = Version { number, at, sequence: self.sequence, change, resource, octets };
        self.push(version.clone());
        version
    }

    fn push(&mut self, version: Version) {
        let (resource_type, id): (_, Arc<str>) = (version.resource.resource_type(), version.resource.id().into());
        let of_type = self.shelves.entry(resource_type.to_owned()).or_default();
        let (order, kept) = (&mut of_type.order, self.limits.versions.max(1));
        let chain = of_type.chains.entry(id.clone()).or_insert_with(|| {
            order.push(id);
            Arc::default()
        });
        let chain = Arc::make_mut(chain);
        chain.push(version);
        if chain.len() > kept {
            let oldest = chain.remove(0);
            self.octets = self.octets.saturating_sub(oldest.octets);
        }
    }
}

/// An instant of FHIR: `2026-01-01T09:00:00Z`.
pub(crate) fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_unix_seconds()).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// Versions count up over a deletion, old ones stay, and the oldest give way at the limit.
    #[test]
    fn versions_count_up_and_are_bounded() {
        let mut it = Repository::empty(StorageLimits { versions: 3, ..StorageLimits::default() });
        let thing = |text: &str| json!({"resourceType": "Basic", "id": "b", "code": {"text": text}});
        assert_eq!(it.store(thing("1"), at(10)).unwrap().change, Change::Created);
        assert_eq!(it.store(thing("2"), at(20)).unwrap().change, Change::Updated);
        assert!(it.delete("Basic", "b", at(30)).unwrap().is_deletion());
        assert!(it.delete("Basic", "b", at(31)).is_none() && it.live("Basic", "b").is_none());
        let again = it.store(thing("4"), at(40)).unwrap();
        assert_eq!((again.number, again.change), (4, Change::Created));
        let numbers: Vec<_> = it.versions("Basic", "b").iter().map(|version| version.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
        let content = it.live("Basic", "b").unwrap().content();
        assert_eq!((&content["meta"]["versionId"], &content["code"]["text"]), (&"4".into(), &"4".into()));
        assert_eq!(content["meta"]["lastUpdated"], "1970-01-01T00:00:40Z");
        let octets: usize = it.versions("Basic", "b").iter().map(|version| version.octets).sum();
        assert_eq!(it.octets, octets, "what fell off is not counted");
    }

    /// The limits hold, and a refusal changes nothing.
    #[test]
    fn storage_is_bounded() {
        let thing = |id: &str, text: &str| json!({"resourceType": "Basic", "id": id, "code": {"text": text}});
        let mut few = Repository::empty(StorageLimits { resources: 1, ..StorageLimits::default() });
        few.store(thing("a", "x"), at(1)).unwrap();
        assert!(few.store(thing("b", "x"), at(1)).is_err() && few.newest("Basic", "b").is_none());
        few.store(thing("a", "y"), at(2)).unwrap();
        let mut small = Repository::empty(StorageLimits { octets: 200, ..StorageLimits::default() });
        small.store(thing("a", "x"), at(1)).unwrap();
        let full = small.store(thing("a", &"x".repeat(200)), at(1)).unwrap_err();
        assert!(full.to_string().contains("200 octets"), "{full}");
        assert_eq!(small.newest("Basic", "a").unwrap().number, 1);
    }

    /// A copy goes its own way.
    #[test]
    fn copies_are_independent() {
        let mut it = Repository::new(&DataSet::built_in(), StorageLimits::default());
        let copy = it.clone();
        let id = it.fresh_id("Patient");
        it.store(json!({"resourceType": "Patient", "id": id}), at(1)).unwrap();
        it.delete("Patient", "p1001", at(1)).unwrap();
        assert!(it.live("Patient", &id).is_some() && it.live("Patient", "p1001").is_none());
        assert!(copy.live("Patient", &id).is_none() && copy.live("Patient", "p1001").is_some());
        assert_ne!(it.fresh_id("Patient"), id);
    }
}
