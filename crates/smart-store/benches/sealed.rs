//! What a sealed put and get cost beside AES-GCM and a file written and read, measured in turns in one run.
//!
//! Neither forces anything to the disk. The other side does the least that keeps an old record whole: it seals, writes a
//! temporary file and puts it in the place of the old one; then it reads the file and opens it. It has one task, no locks,
//! no versions, no names, and no key that may change. It runs once as it is (`plain`), and once from a task that hands each
//! call to a thread that may wait (`from a task`), as the store has to.
//!
//! `cargo bench -p smart-store --bench sealed`; `SMART_STORE_BENCH` names a folder on another file system than that of
//! temporary files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench reports by panicking")]

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use smart_store::{DataKey, EncryptedFileStore, Expected, Key, Kind, RawKey, SecretBytes, Store as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
const CALLS: u32 = 20;

/// AES-GCM and a file.
struct Plain {
    folder: PathBuf,
    cipher: LessSafeKey,
}

impl Plain {
    fn put(&self, value: &[u8]) {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).unwrap();
        let mut octets = Vec::with_capacity(NONCE_LEN + value.len() + 16);
        octets.extend_from_slice(&nonce);
        octets.extend_from_slice(value);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut octets[NONCE_LEN..]).unwrap();
        octets.extend_from_slice(tag.as_ref());
        std::fs::write(self.folder.join("record.tmp"), &octets).unwrap();
        std::fs::rename(self.folder.join("record.tmp"), self.folder.join("record")).unwrap();
    }

    fn get(&self) -> Vec<u8> {
        let mut octets = std::fs::read(self.folder.join("record")).unwrap();
        let (nonce, sealed) = octets.split_at_mut(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
        self.cipher.open_in_place(nonce, Aad::empty(), sealed).unwrap().to_vec()
    }
}

/// The time of a call in the round that was disturbed least.
fn least(times: &[Duration]) -> f64 {
    times.iter().min().unwrap().as_secs_f64() * 1e6 / f64::from(CALLS)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let base = std::env::var_os("SMART_STORE_BENCH").map_or_else(std::env::temp_dir, Into::into);
    println!("sealed put + get, nothing forced to the disk, in {}", base.display());
    println!("least of {ROUNDS} rounds of {CALLS}; ratios of the store to plain, and to plain from a task");
    println!("{:>10} {:>12} {:>12} {:>12} {:>8} {:>8}", "octets", "store", "plain", "from a task", "ratio", "ratio");
    for size in [2_000, 16_000, 256_000] {
        let folder = tempfile::tempdir_in(&base).unwrap();
        let data_key = DataKey::generate().unwrap();
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, data_key.expose_secret()).unwrap());
        let plain = Arc::new(Plain { folder: folder.path().to_owned(), cipher });
        let store = EncryptedFileStore::new(folder.path().join("store"), RawKey::new(data_key)).without_sync();
        let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1");
        let value = vec![b'x'; size];
        let (mut ours, mut plains, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
        let shared = Arc::new(value.clone());
        let mut version = runtime.block_on(store.put(&key, SecretBytes::new(value.clone()), Expected::Any)).unwrap();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            version = runtime.block_on(async {
                let mut version = version;
                for _ in 0..CALLS {
                    let value = SecretBytes::new(value.clone());
                    version = store.put(&key, value, Expected::Version(version)).await.unwrap();
                    assert_eq!(store.get(&key).await.unwrap().unwrap().value.expose_secret().len(), size);
                }
                version
            });
            ours.push(begun.elapsed());
            let begun = Instant::now();
            for _ in 0..CALLS {
                plain.put(&value);
                assert_eq!(plain.get().len(), size);
            }
            plains.push(begun.elapsed());
            let begun = Instant::now();
            runtime.block_on(async {
                for _ in 0..CALLS {
                    let (here, value) = (plain.clone(), shared.clone());
                    tokio::task::spawn_blocking(move || here.put(&value)).await.unwrap();
                    let here = plain.clone();
                    assert_eq!(tokio::task::spawn_blocking(move || here.get()).await.unwrap().len(), size);
                }
            });
            tasks.push(begun.elapsed());
        }
        let (ours, plain, task) = (least(&ours), least(&plains), least(&tasks));
        let ratios = format!("{:>8.2} {:>8.2}", ours / plain, ours / task);
        println!("{size:>10} {ours:>9.1} us {plain:>9.1} us {task:>9.1} us {ratios}");
    }
}
