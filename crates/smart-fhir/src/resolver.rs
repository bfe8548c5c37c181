//! Reading what references lead to, each thing once.

use crate::{Batch, FhirClient, FhirError, RawResource, ReferenceError, ReferenceTarget};
use serde_json::Value;
use smart_core::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many reads go into one batch.
const BATCH: usize = 50;

/// Reads what references lead to, and holds it for a while: a page of observations refers to one patient a hundred times.
///
/// It holds 1,000 resources for 5 minutes at most; what it gives may be as old as that. Clones share what is held. It lives
/// in memory only, and belongs to one client and so to one session: drop it with the session. Debug shows the number held.
#[derive(Clone)]
pub struct Resolver {
    client: FhirClient,
    held: Arc<Mutex<Held>>,
    capacity: usize,
    life: Duration,
}

#[derive(Default)]
struct Held {
    resources: HashMap<String, (Timestamp, RawResource)>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Held {
    fn put(&mut self, key: String, now: Timestamp, resource: RawResource, capacity: usize) {
        if self.resources.insert(key.clone(), (now, resource)).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.resources.remove(&oldest);
            }
        }
    }
}

impl Resolver {
    /// A resolver that reads through this client.
    pub fn new(client: FhirClient) -> Self {
        Self { client, held: Arc::default(), capacity: 1000, life: Duration::from_mins(5) }
    }

    /// Another number of resources to hold, and another time to hold them. The new resolver holds nothing yet.
    pub fn with_limits(&self, capacity: usize, life: Duration) -> Self {
        Self { client: self.client.clone(), held: Arc::default(), capacity, life }
    }

    /// What a reference of this server's resources leads to.
    ///
    /// # Errors
    /// As for [`FhirClient::read_ref`].
    pub async fn read(&self, reference: &str) -> Result<RawResource, FhirError> {
        let key = self.key(reference)?;
        if let Some(held) = self.held(&key) {
            return Ok(held);
        }
        let resource: RawResource = self.client.read_ref(reference).await?;
        self.put(key, resource.clone());
        Ok(resource)
    }

    /// What a Reference element leads to, that stands in `resource`: a resource contained in it, or one of this server.
    ///
    /// # Errors
    /// [`ReferenceError::Logical`] when it has an identifier only: search for that. [`ReferenceError::Contained`] when what
    /// should be contained is not. Else as for [`FhirClient::read_ref`].
    pub async fn read_element(&self, element: &Value, resource: &Value) -> Result<Value, FhirError> {
        let Some(reference) = element.get("reference").and_then(Value::as_str) else {
            let is_logical = element.get("identifier").is_some();
            return Err(if is_logical { ReferenceError::Logical } else { ReferenceError::Malformed }.into());
        };
        match self.client.resolve(reference)? {
            ReferenceTarget::Contained { id } => contained(resource, &id).ok_or(ReferenceError::Contained.into()),
            _ => Ok(self.read(reference).await?.to_value()),
        }
    }

    /// What many references lead to, in their order: what is not held is read in batches of 50, each thing once. A server that
    /// refuses batches is asked one by one.
    pub async fn read_many<R: AsRef<str>>(&self, references: &[R]) -> Vec<Result<RawResource, FhirError>> {
        let keys: Vec<Result<String, FhirError>> =
            references.iter().map(|reference| self.key(reference.as_ref()).map_err(FhirError::from)).collect();
        let mut wanted: Vec<&String> = Vec::new();
        for key in keys.iter().flatten() {
            // Versions are read one by one: a batch entry would have to be checked against its version.
            if !key.contains("/_history/") && !wanted.contains(&key) && self.held(key).is_none() {
                wanted.push(key);
            }
        }
        let mut got: HashMap<&str, RawResource> = HashMap::new();
        for chunk in wanted.chunks(BATCH) {
            let mut batch = Batch::new();
            for key in chunk {
                let (resource_type, id) = key.split_once('/').unwrap_or_default();
                batch.read(resource_type, id);
            }
            let Ok(answer) = self.client.submit(&batch).await else { continue };
            for (at, key) in chunk.iter().enumerate() {
                if let Some(resource) = answer.at(at).ok().and_then(|entry| entry.resource()) {
                    self.put((*key).clone(), resource.clone());
                    got.insert(key.as_str(), resource.clone());
                }
            }
        }
        let mut all = Vec::new();
        for key in &keys {
            all.push(match key {
                Err(error) => Err(error.clone()),
                Ok(key) => match got.get(key.as_str()) {
                    Some(resource) => Ok(resource.clone()),
                    None => self.read(key).await,
                },
            });
        }
        all
    }

    /// Forgets everything that is held.
    pub fn clear(&self) {
        *self.lock() = Held::default();
    }

    /// Under what something is held: the relative reference.
    fn key(&self, reference: &str) -> Result<String, ReferenceError> {
        match self.client.resolve(reference)? {
            ReferenceTarget::Here { resource_type, id, version: None } => Ok(format!("{resource_type}/{id}")),
            ReferenceTarget::Here { resource_type, id, version: Some(version) } => {
                Ok(format!("{resource_type}/{id}/_history/{version}"))
            }
            other => Err(other.unreadable()),
        }
    }

    fn held(&self, key: &str) -> Option<RawResource> {
        let now = self.client.http().timer().now();
        let held = self.lock();
        let (since, resource) = held.resources.get(key)?;
        (*since <= now && now < since.saturating_add(self.life)).then(|| resource.clone())
    }

    fn put(&self, key: String, resource: RawResource) {
        let now = self.client.http().timer().now();
        self.lock().put(key, now, resource, self.capacity);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The contained resource with this id; the resource itself for an empty one.
fn contained(resource: &Value, id: &str) -> Option<Value> {
    if id.is_empty() {
        return Some(resource.clone());
    }
    let contained = resource.get("contained")?.as_array()?;
    contained.iter().find(|own| own.get("id").and_then(Value::as_str) == Some(id)).cloned()
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("held", &self.lock().resources.len()).finish_non_exhaustive()
    }
}
