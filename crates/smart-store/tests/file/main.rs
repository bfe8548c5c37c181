//! The encrypted file store: the contract of all stores, and what files add to it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test reports by panicking")]

mod contract;
mod damage;
mod disk;
mod keys;
mod leaks;
mod processes;
mod rotation;

use smart_store::{DataKey, EncryptedFileStore, Expected, Key, Kind, RawKey, SecretBytes, Store as _, Version};
use std::path::{Path, PathBuf};

fn key(id: &str) -> Key {
    Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", id)
}

fn value(text: impl Into<String>) -> SecretBytes {
    SecretBytes::new(text.into().into_bytes())
}

fn raw_key() -> RawKey {
    RawKey::new(DataKey::from_octets(&[7; 32]))
}

/// A store with a fixed key. Its writes are not forced to the disk, which a killed process does not notice.
fn open(folder: &Path) -> EncryptedFileStore {
    EncryptedFileStore::new(folder, raw_key()).without_sync()
}

async fn put(store: &EncryptedFileStore, id: &str, text: &str) -> Version {
    store.put(&key(id), value(text), Expected::Any).await.unwrap()
}

async fn text(store: &EncryptedFileStore, id: &str) -> Option<String> {
    let record = store.get(&key(id)).await.unwrap()?;
    Some(String::from_utf8(record.value.expose_secret().to_vec()).unwrap())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn records_in(folder: &Path) -> Vec<PathBuf> {
    files_in(&folder.join("records"))
}
