//! The platform's credential store: on Linux a real GNOME Keyring, on a message bus of the test's own.
//!
//! It needs Debian's packages dbus and gnome-keyring. Without them the test prints why it is skipped, and fails where the
//! variable CI is set.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

use smart_store::{
    CredentialStore, DataKey, EncryptedFileStore, Expected, Key, KeyError, KeyRing, KeySource as _, Kind, SecretBytes,
    Store as _, StoreError,
};
use std::path::Path;
use std::process::{Command, Output};

const CHILD: &str = "SMART_STORE_IN_SESSION";

/// Runs one of the tests below in a session with a message bus, after the shell command `before`.
fn in_session(before: &str, test: &str, home: &Path) -> Option<Output> {
    for program in ["dbus-run-session", "gnome-keyring-daemon"] {
        if Command::new(program).arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed (Debian: dbus, gnome-keyring)");
            eprintln!("skipped: {program} is not installed (Debian: dbus, gnome-keyring)");
            return None;
        }
    }
    let output = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", &format!("{before} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(CHILD, "1")
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    Some(output)
}

/// F-78, SE-03 (SMART, App protection): the data key lies in the platform's credential store, the records open with it after
/// a restart, and without it nothing opens and nothing is taken for empty.
#[test]
fn the_data_key_lies_in_the_credential_store() {
    let home = tempfile::tempdir().unwrap();
    let unlocked = "printf 'login password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null &&";
    in_session(unlocked, "child_with_a_credential_store", home.path());
}

/// SE-11, F-78 (RFC 9700 2.6): where there is no credential store, the error says so, and no key is put elsewhere instead.
#[test]
fn without_a_credential_store_nothing_falls_back() {
    let home = tempfile::tempdir().unwrap();
    in_session("", "child_without_a_credential_store", home.path());
}

fn key() -> Key {
    Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1")
}

fn value() -> SecretBytes {
    SecretBytes::new(b"tokens".to_vec())
}

#[tokio::test]
#[ignore = "run by another test, in a session of its own"]
async fn child_with_a_credential_store() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let store = EncryptedFileStore::in_user_data("smart-store-test").unwrap();
    store.put(&key(), value(), Expected::Absent).await.unwrap();
    let open = || EncryptedFileStore::in_user_data("smart-store-test").unwrap();
    assert_eq!(open().get(&key()).await.unwrap().unwrap().value, value());
    assert_eq!(store.rotate_key().await.unwrap().resealed, 1);
    assert_eq!(open().get(&key()).await.unwrap().unwrap().value, value());
    let data = std::env::var("XDG_DATA_HOME").unwrap();
    assert!(format!("{store:?}").contains(&format!("{data}/smart-store-test/sessions")), "{store:?}");

    // The fullest ring of keys there can be.
    let source = CredentialStore::new("smart-store-test", "a full ring");
    assert!(source.load().await.unwrap().is_none());
    let older = (0..KeyRing::MAX_OLDER).map(|_| DataKey::generate().unwrap());
    let full = KeyRing::of(DataKey::generate().unwrap()).with_older(older);
    source.save(&full).await.unwrap();
    assert_eq!(format!("{:?}", source.load().await.unwrap().unwrap()), format!("{full:?}"));
    assert!(source.forget().await.unwrap() && !source.forget().await.unwrap());

    assert!(CredentialStore::new("smart-store-test", "smart-store data key").forget().await.unwrap());
    let lost = open().get(&key()).await;
    assert!(matches!(lost, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{lost:?}");
}

#[tokio::test]
#[ignore = "run by another test, in a session of its own"]
async fn child_without_a_credential_store() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // The bus may start a keyring service by itself, which has no unlocked collection.
    let store = EncryptedFileStore::in_user_data("smart-store-test").unwrap();
    let error = store.put(&key(), value(), Expected::Absent).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed { source: KeyError::Unavailable { .. }, .. }), "{error}");
    println!("{error}");
    let data = std::env::var("XDG_DATA_HOME").unwrap();
    let records = Path::new(&data).join("smart-store-test/sessions/records");
    assert_eq!(std::fs::read_dir(records).unwrap().count(), 0);
}

/// F-78 (keyutils): the kernel's keyring keeps the data key where it is asked for, the records open with it from another
/// store, and once it is forgotten nothing opens and nothing is taken for empty.
#[tokio::test]
async fn the_data_key_lies_in_the_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let account = format!("test {}", folder.path().display());
    let source = || CredentialStore::in_kernel("smart-store-test", account.as_str());
    if let Err(error) = source().load().await {
        // A container may forbid the calls; no package changes that.
        assert!(matches!(error, KeyError::Unavailable { .. }), "{error}");
        eprintln!("skipped: {error}");
        return;
    }
    assert!(source().load().await.unwrap().is_none());
    let open = || EncryptedFileStore::new(folder.path(), source());
    let store = open();
    store.put(&key(), value(), Expected::Absent).await.unwrap();
    assert_eq!(open().get(&key()).await.unwrap().unwrap().value, value());
    assert_eq!(store.rotate_key().await.unwrap().resealed, 1);
    assert_eq!(open().get(&key()).await.unwrap().unwrap().value, value());
    let older = (0..KeyRing::MAX_OLDER).map(|_| DataKey::generate().unwrap());
    let full = KeyRing::of(DataKey::generate().unwrap()).with_older(older);
    let other = CredentialStore::in_kernel("smart-store-test", format!("{account} full"));
    other.save(&full).await.unwrap();
    assert_eq!(format!("{:?}", other.load().await.unwrap().unwrap()), format!("{full:?}"));
    assert!(other.forget().await.unwrap() && !other.forget().await.unwrap());
    assert!(source().forget().await.unwrap());
    let lost = open().get(&key()).await;
    assert!(matches!(lost, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{lost:?}");
}
