//! The PostgreSQL store, on a real server: the contract of all stores, and what a database adds to it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test reports by panicking")]

mod cluster;
mod contract;

use smart_store::{DataKey, Expected, Key, Kind, PostgresStore, RawKey, SecretBytes, Store as _, Version};

fn key(id: &str) -> Key {
    Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", id)
}

fn value(text: impl Into<String>) -> SecretBytes {
    SecretBytes::new(text.into().into_bytes())
}

fn raw_key() -> RawKey {
    RawKey::new(DataKey::from_octets(&[7; 32]))
}

async fn put(store: &PostgresStore, id: &str, text: &str) -> Version {
    store.put(&key(id), value(text), Expected::Any).await.unwrap()
}

async fn text(store: &PostgresStore, id: &str) -> Option<String> {
    let record = store.get(&key(id)).await.unwrap()?;
    Some(String::from_utf8(record.value.expose_secret().to_vec()).unwrap())
}
