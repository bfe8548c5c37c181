//! No secret in the clear: not in the database, not in its log, not in ours.

use super::cluster::{Cluster, PASSWORD};
use super::value;
use log::{LevelFilter, Log, Metadata, Record};
use smart_store::{DataKey, Expected, Holder, Key, Kind, PostgresStore, RawKey, Store as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

const SECRETS: [&str; 6] =
    ["refresh-token-9f3a", "ehr.secret.example", "dr-lee-secret", "session-name-77", "holder-4711", PASSWORD];

static LOGGED: Mutex<String> = Mutex::new(String::new());

/// Keeps all that any library logs.
struct Everything;

impl Log for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        use std::fmt::Write as _;
        writeln!(LOGGED.lock().unwrap(), "{}: {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// F-77, F-85, SE-06, SE-05 (SMART, App protection): no token, server, user, id, holder, password or data key is in the clear
/// in any file of the server, its write-ahead log and its log of statements among them, nor in what the libraries log here.
#[tokio::test]
async fn the_server_never_sees_a_secret() {
    log::set_logger(&Everything).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let all = "log_statement = all\nlog_min_duration_statement = 0\nlog_connections = on\nlog_min_messages = debug1";
    let Some(mut cluster) = Cluster::start_with(|_| all.to_owned()) else { return };
    let data_key = DataKey::generate().unwrap();
    let store = PostgresStore::new(cluster.config(), RawKey::new(data_key.clone())).unwrap();
    let key = Key::new(Kind::Session, format!("https://{}", SECRETS[1]), SECRETS[2], SECRETS[3]);
    let version = store.put(&key, value(SECRETS[0].repeat(20)), Expected::Absent).await.unwrap();
    store.put(&key, value(SECRETS[0].repeat(2_000)), Expected::Version(version)).await.unwrap();
    assert!(store.put(&key, value(SECRETS[0]), Expected::Version(version)).await.is_err());
    store.lease(&key, &Holder::new(SECRETS[4]), Duration::from_secs(60)).await.unwrap();
    let new_key = DataKey::generate().unwrap();
    let both = RawKey::new(new_key.clone()).with_older([data_key.clone()]);
    let store = PostgresStore::new(cluster.config(), both).unwrap();
    assert_eq!(store.reseal().await.unwrap().resealed, 1);
    let admin = cluster.admin().await;
    admin.batch_execute("UPDATE smart_store.smart_store_records SET body = 'x'").await.unwrap();
    store.put(&key, value(SECRETS[0]), Expected::Absent).await.unwrap();
    admin.batch_execute("CHECKPOINT").await.unwrap();
    let row = admin.query_one("SELECT name FROM smart_store.smart_store_records", &[]).await.unwrap();
    let name: Vec<u8> = row.get(0);
    cluster.stop();

    // Each octet as a character: looking for text is the quickest that the standard library has.
    let as_text = |octets: &[u8]| octets.iter().map(|octet| char::from(*octet)).collect::<String>();
    let is_in = |text: &str, what: &[u8]| text.contains(&as_text(what));
    let mut seen_name = false;
    for path in files_in(cluster.folder()).into_iter().filter(|path| !path.ends_with("password")) {
        let octets = as_text(&std::fs::read(&path).unwrap());
        seen_name |= is_in(&octets, &name);
        for secret in SECRETS {
            assert!(!is_in(&octets, secret.as_bytes()), "{secret} in {}", path.display());
        }
        for key in [&data_key, &new_key] {
            assert!(!is_in(&octets, key.expose_secret()), "a data key in {}", path.display());
            let digits = key.expose_secret().map(|octet| format!("{octet:02x}")).concat();
            assert!(!is_in(&octets, digits.as_bytes()), "a data key in {}", path.display());
        }
    }
    assert!(seen_name, "the rows were not on the disk: the test shows nothing");
    let logged = LOGGED.lock().unwrap();
    assert!(logged.contains("tokio_postgres"), "nothing was logged: the test shows nothing");
    for secret in SECRETS {
        assert!(!logged.contains(secret), "{secret} was logged");
    }
    // The first octets of the row's name as `Debug` and as PostgreSQL write them: parameters are not logged, sealed or not.
    let (list, digits) = (format!("{:?}", &name[..4]), format!("{:02x}{:02x}{:02x}", name[0], name[1], name[2]));
    assert!(!logged.contains(list.trim_end_matches(']')) && !logged.contains(&format!("\\x{digits}")));
    for text in [format!("{store:?}"), format!("{:?}", cluster.config())] {
        assert!(!text.contains(PASSWORD) && text.contains("schema `smart_store`"), "{text}");
    }
}
