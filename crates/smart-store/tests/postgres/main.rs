//! The PostgreSQL store, on a real server: the contract of all stores, and what a database adds to it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test reports by panicking")]

mod children;
mod cluster;
mod contract;
mod damage;
mod keys;
mod leaks;
mod leases;
mod migrations;
mod processes;
mod rotation;
mod server;
mod tls;

use smart_store::{DataKey, Expected, Key, Kind, PostgresStore, RawKey, SecretBytes, Store as _, StoreError, Version};

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

/// The reason of an error of the store itself, and whether it may pass.
fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (String, bool) {
    match result {
        Err(StoreError::Unavailable { reason, retryable, .. }) => (reason, retryable),
        other => panic!("{other:?}"),
    }
}

/// Waits until it is so.
async fn soon(is_so: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it does not come about");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
