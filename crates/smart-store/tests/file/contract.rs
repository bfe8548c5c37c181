//! The contract of all stores.

use smart_store::contract::ManualClock;
use smart_store::testing::FaultyStore;
use smart_store::{EncryptedFileStore, KeyFile};
use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;
use tempfile::TempDir;

/// A store whose folder goes with it.
struct Opened<S> {
    store: S,
    folder: TempDir,
}

impl<S> Deref for Opened<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

fn file_store(clock: Arc<ManualClock>) -> Ready<Opened<EncryptedFileStore>> {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyFile::new(folder.path().join("key"));
    let store = EncryptedFileStore::new(folder.path().join("store"), keys).with_clock(clock).without_sync();
    ready(Opened { store, folder })
}

// Each part on its own, so that a failure says which it is.
smart_store::store_contract!(file_store);

/// F-77, F-79, F-82: the encrypted file store passes the contract of all stores.
#[tokio::test]
async fn the_contract_holds() {
    smart_store::contract::holds(async |clock| file_store(clock).await).await;
}

mod without_faults {
    use super::*;

    async fn faultless(clock: Arc<ManualClock>) -> Opened<FaultyStore<EncryptedFileStore>> {
        let opened = file_store(clock).await;
        Opened { store: FaultyStore::new(opened.store), folder: opened.folder }
    }

    // The wrapper changes nothing until a test puts a fault in.
    smart_store::store_contract!(faultless);
}
