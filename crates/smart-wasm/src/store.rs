//! Records in the browser's IndexedDB, sealed by WebCrypto.

use crate::vault;
use js_sys::{Array, Reflect, Uint8Array};
use ring::digest::{SHA256, digest};
use smart_core::time::Clock as _;
use smart_flows::SystemClock;
use smart_store::{
    BoxFuture, Expected, Filter, Holder, Key, Kind, LeaseOutcome, Record, SecretBytes, Store, StoreError, Version,
};
use std::fmt::Write as _;
use std::time::Duration;
use wasm_bindgen::{JsCast as _, JsValue};
use zeroize::Zeroizing;

/// How soon a tab looks again whether another has given a lease back. A closed tab loses its own at once.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps records in an IndexedDB database, for all tabs of the page's origin.
///
/// Each is sealed by AES-256-GCM with a key that WebCrypto made and does not export, in one piece with its name; the row shows
/// a hash of the name and a version. Leases are Web Locks, which end with the tab that holds them.
#[derive(Debug, Clone)]
pub(crate) struct BrowserStore {
    database: String,
}

impl BrowserStore {
    pub(crate) fn new(database: String) -> Self {
        Self { database }
    }

    fn failed(&self, key: &Key, error: &JsValue) -> StoreError {
        let member = |name| Reflect::get(error, &JsValue::from_str(name)).ok().and_then(|value| value.as_string());
        let (key, place) = (key.to_string(), self.place());
        let reason = member("message").unwrap_or_else(|| "the browser does not say why".to_owned());
        match member("kind").as_deref() {
            Some("conflict") => StoreError::Conflict { key },
            Some("unreadable") => StoreError::Unreadable { key, place, reason },
            _ => StoreError::Unavailable { place, reason, retryable: true },
        }
    }

    fn place(&self) -> String {
        format!("the browser's database `{}`", self.database)
    }

    fn lock_name(&self, key: &Key) -> String {
        format!("{} {}", self.database, row_name(key))
    }
}

/// A belief as `vault.js` has it.
fn belief(expected: Expected) -> (&'static str, f64) {
    match expected {
        Expected::Absent => ("absent", 0.0),
        Expected::Version(version) => ("version", from_version(version)),
        Expected::Any => ("any", 0.0),
    }
}

/// Versions have 53 bits here, so that nothing is lost.
#[expect(clippy::cast_precision_loss, reason = "a version of this store has at most 53 bits")]
fn from_version(version: Version) -> f64 {
    version.number() as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a version is a whole number of 53 bits")]
fn to_version(number: f64) -> Version {
    Version::from_number(number as u64)
}

/// All parts of a key, in one line.
fn key_line(key: &Key) -> String {
    serde_json::json!([key.kind().as_str(), key.issuer(), key.user(), key.id()]).to_string()
}

fn key_of_line(line: &[u8]) -> Option<Key> {
    let (kind, issuer, user, id): (String, String, String, String) = serde_json::from_slice(line).ok()?;
    Some(Key::new(Kind::from_name(&kind)?, issuer, user, id))
}

/// Under what a row lies: it does not give away server or person.
fn row_name(key: &Key) -> String {
    let mut name = String::with_capacity(64);
    for octet in digest(&SHA256, key_line(key).as_bytes()).as_ref() {
        let _ = write!(name, "{octet:02x}");
    }
    name
}

/// What is sealed: the key in its line, then the value.
fn packed(key: &Key, value: &SecretBytes) -> Zeroizing<Vec<u8>> {
    let line = key_line(key);
    // Once and for all, so that no copy of a secret is left behind by growing.
    let mut packed = Zeroizing::new(Vec::with_capacity(line.len() + 1 + value.expose_secret().len()));
    packed.extend_from_slice(line.as_bytes());
    packed.push(b'\n');
    packed.extend_from_slice(value.expose_secret());
    packed
}

fn unpacked(packed: &[u8]) -> Option<(Key, &[u8])> {
    let end = packed.iter().position(|octet| *octet == b'\n')?;
    let (line, value) = (packed.get(..end)?, packed.get(end + 1..)?);
    Some((key_of_line(line)?, value))
}

impl Store for BrowserStore {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let row = vault::get(&self.database, &row_name(key)).await.map_err(|error| self.failed(key, &error))?;
            if row.is_undefined() {
                return Ok(None);
            }
            let damaged = || StoreError::Unreadable {
                key: key.to_string(),
                place: self.place(),
                reason: "it is not as this library writes it".to_owned(),
            };
            let member = |name| Reflect::get(&row, &JsValue::from_str(name)).map_err(|_| damaged());
            let version = member("version")?.as_f64().ok_or_else(damaged)?;
            let value: Uint8Array = member("value")?.dyn_into().map_err(|_| damaged())?;
            let sealed = Zeroizing::new(value.to_vec());
            let (of, value) = unpacked(&sealed).ok_or_else(damaged)?;
            if of != *key {
                return Err(damaged());
            }
            Ok(Some(Record { version: to_version(version), value: SecretBytes::new(value.to_vec()) }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(async move {
            let (belief, version) = belief(expected);
            let packed = Uint8Array::from(packed(key, &value).as_slice());
            let written = vault::put(&self.database, &row_name(key), packed, belief, version).await;
            let version = written.map_err(|error| self.failed(key, &error))?.as_f64();
            version.map(to_version).ok_or_else(|| self.failed(key, &JsValue::UNDEFINED))
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let (belief, version) = belief(expected);
            let removed = vault::remove(&self.database, &row_name(key), belief, version).await;
            Ok(removed.map_err(|error| self.failed(key, &error))?.is_truthy())
        })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(async move {
            let any = Key::new(Kind::App, "", "", "list");
            let values = vault::list(&self.database).await.map_err(|error| self.failed(&any, &error))?;
            let mut keys: Vec<Key> = Array::from(&values)
                .iter()
                .filter_map(|value| {
                    let sealed = Zeroizing::new(value.dyn_into::<Uint8Array>().ok()?.to_vec());
                    unpacked(&sealed).map(|(key, _)| key)
                })
                .filter(|key| filter.matches(key))
                .collect();
            keys.sort();
            Ok(keys)
        })
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(async move {
            let milliseconds = duration.as_secs_f64().ceil() * 1000.0;
            let given = vault::lease(&self.lock_name(key), holder.as_str(), milliseconds).await;
            let given = given.map_err(|error| self.failed(key, &error))?.is_truthy();
            let now = SystemClock.now();
            Ok(if given {
                LeaseOutcome::Held { until: now.saturating_add(duration) }
            } else {
                LeaseOutcome::Taken { until: now.saturating_add(LOOK_AGAIN) }
            })
        })
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            vault::release(&self.lock_name(key), holder.as_str());
            Ok(())
        })
    }
}
