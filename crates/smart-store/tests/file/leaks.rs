//! No secret in the clear, anywhere.

use super::{files_in, value};
use smart_store::{
    BoxFuture, EncryptedFileStore, Expected, Holder, Key, KeyError, KeyFile, KeyManagement, KeyRing, KeySource, Kind,
    Passphrase, PassphraseCost, SecretBytes, Store as _, WrappedKeys,
};
use std::path::Path;
use std::time::Duration;

const SECRETS: [&str; 6] =
    ["refresh-token-9f3a", "ehr.secret.example", "dr-lee-secret", "session-name-77", "the passphrase", "holder-4711"];

/// A service that turns the octets round.
pub(super) struct ToyService;

impl KeyManagement for ToyService {
    fn wrap_key<'a>(&'a self, secret: &'a SecretBytes) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(async { Ok(secret.expose_secret().iter().map(|octet| !octet).collect()) })
    }

    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SecretBytes, KeyError>> {
        Box::pin(async { Ok(SecretBytes::new(wrapped.iter().map(|octet| !octet).collect())) })
    }

    fn place(&self) -> String {
        "a toy".to_owned()
    }
}

async fn use_all(folder: &Path, keys: impl KeySource) -> EncryptedFileStore {
    let store = EncryptedFileStore::new(folder, keys).without_sync();
    let key = Key::new(Kind::Session, format!("https://{}", SECRETS[1]), SECRETS[2], SECRETS[3]);
    let version = store.put(&key, value(SECRETS[0].repeat(20)), Expected::Absent).await.unwrap();
    store.put(&key, value(SECRETS[0].repeat(30)), Expected::Version(version)).await.unwrap();
    store.lease(&key, &Holder::new(SECRETS[5]), Duration::from_secs(60)).await.unwrap();
    store.rotate_key().await.unwrap();
    std::fs::write(&files_in(&folder.join("records"))[0], b"garbage").unwrap();
    store.put(&key, value(SECRETS[0].repeat(20)), Expected::Absent).await.unwrap();
    store
}

fn assert_no_secret(octets: &[u8], keys: &KeyRing, what: &str) {
    let text = String::from_utf8_lossy(octets).to_lowercase();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {what}");
    }
    for key in std::iter::once(keys.current()).chain(keys.older()) {
        let key = key.expose_secret();
        assert!(!octets.windows(32).any(|window| window == key), "a data key in {what}");
        let digits = key.map(|octet| format!("{octet:02x}")).concat();
        assert!(!text.contains(&digits), "a data key in {what}");
    }
}

/// F-79, F-85, SE-06 (SMART, App protection): no file of a store has a token, name, holder, passphrase or data key in the
/// clear, in its content or its path, with any source of keys.
#[tokio::test]
async fn no_file_holds_a_secret_in_the_clear() {
    let outer = tempfile::tempdir().unwrap();
    let at = |name: &str| outer.path().join(name);
    let passphrase = || Passphrase::new(at("passphrase"), SECRETS[4]).with_cost(PassphraseCost::SMALL);
    let wrapped = || WrappedKeys::new(ToyService, at("wrapped/wrapped.keys"));
    let shown = [
        format!("{:?}", use_all(&at("passphrase"), passphrase()).await),
        format!("{:?}", use_all(&at("wrapped"), wrapped()).await),
        format!("{:?}", use_all(&at("key-file"), KeyFile::new(at("the-key-itself"))).await),
        format!("{:?} {:?} {:?}", passphrase(), wrapped(), KeyFile::new(at("the-key-itself"))),
    ];
    for keys in [passphrase().load().await, wrapped().load().await, KeyFile::new(at("the-key-itself")).load().await] {
        let keys = keys.unwrap().unwrap();
        for path in files_in(outer.path()).iter().filter(|path| !path.ends_with("the-key-itself")) {
            let name = path.display().to_string();
            assert_no_secret(name.as_bytes(), &keys, &name);
            assert_no_secret(&std::fs::read(path).unwrap(), &keys, &name);
        }
        for text in &shown {
            assert_no_secret(text.as_bytes(), &keys, "Debug");
        }
    }
    assert!(files_in(outer.path()).len() > 15);
}

/// F-85, SE-05: errors name the record and the place, and have nothing of the content.
#[tokio::test]
async fn errors_hold_no_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = super::open(folder.path());
    super::put(&store, "a", SECRETS[0]).await;
    let conflict = store.put(&super::key("a"), value(SECRETS[0]), Expected::Absent).await.unwrap_err();
    let path = &super::records_in(folder.path())[0];
    let mut damaged = std::fs::read(path).unwrap();
    damaged.pop();
    std::fs::write(path, damaged).unwrap();
    let unreadable = store.get(&super::key("a")).await.unwrap_err();
    for error in [conflict, unreadable] {
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("session a at https://ehr.example/r4") && !shown.contains("dr-lee"), "{shown}");
        assert!(!shown.contains(SECRETS[0]));
    }
}
