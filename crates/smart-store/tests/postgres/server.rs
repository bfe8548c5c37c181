//! A server that restarts, refuses, hangs or is busy, and sessions that are set up otherwise.

use super::cluster::{Cluster, PASSWORD};
use super::{key, put, raw_key, soon, text, unavailable, value};
use smart_store::{Expected, Holder, PostgresConfig, PostgresStore, Store as _, StoreError};
use std::time::{Duration, Instant};

fn patient_for(cluster: &Cluster, milliseconds: u64) -> PostgresStore {
    let time = Duration::from_millis(milliseconds);
    let config = cluster.config().with_statement_timeout(time).with_connect_timeout(time).with_max_connections(4);
    PostgresStore::new(config, raw_key()).unwrap()
}

/// F-77: while the server is down calls fail with an error that says to try again, and work when it is back, by the same
/// store.
#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let Some(mut cluster) = Cluster::start() else { return };
    let store = cluster.store();
    let version = put(&store, "a", "tokens").await;
    for round in 0..2 {
        cluster.stop();
        if round == 0 {
            for (reason, retryable) in [
                unavailable(store.get(&key("a")).await),
                unavailable(store.put(&key("a"), value("x"), Expected::Version(version)).await),
                unavailable(store.lease(&key("a"), &Holder::new("h"), Duration::from_secs(1)).await),
            ] {
                assert!(retryable, "{reason}");
            }
        }
        cluster.start_again();
        // The runtime has stood still meanwhile: it is to see that the connections in the pool are dead.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(text(&store, "a").await.unwrap(), "tokens");
    }
    store.put(&key("a"), value("new"), Expected::Version(version)).await.unwrap();
}

/// F-77: a session that the server ends in the middle of a statement is an error that says to try again; the record is as it
/// was, and the next call has another session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_session_is_replaced() {
    let Some(cluster) = Cluster::start() else { return };
    let store = cluster.store();
    let version = put(&store, "a", "tokens").await;
    let mut admin = cluster.admin().await;
    let other = cluster.admin().await;
    let lock = admin.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM smart_store.smart_store_records FOR UPDATE", &[]).await.unwrap();
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.put(&key("a"), value("new"), Expected::Version(version)).await }
    });
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    soon(async || !other.query(end, &[]).await.unwrap().is_empty()).await;
    let (reason, retryable) = unavailable(writer.await.unwrap());
    assert!(retryable, "{reason}");
    lock.rollback().await.unwrap();
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
    store.put(&key("a"), value("new"), Expected::Version(version)).await.unwrap();
}

/// F-77: a statement that waits too long for another is ended by the server, changes nothing, may be tried again, and its
/// connection is used again.
#[tokio::test]
async fn a_statement_has_its_time() {
    let Some(cluster) = Cluster::start() else { return };
    let store = patient_for(&cluster, 800);
    let version = put(&store, "a", "tokens").await;
    let mut admin = cluster.admin().await;
    let lock = admin.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM smart_store.smart_store_records FOR UPDATE", &[]).await.unwrap();
    let begun = Instant::now();
    let (reason, retryable) = unavailable(store.put(&key("a"), value("new"), Expected::Version(version)).await);
    assert!(retryable && reason.contains("55P03"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(4) && begun.elapsed() > Duration::from_millis(590));
    lock.rollback().await.unwrap();
    store.put(&key("a"), value("new"), Expected::Version(version)).await.unwrap();
    assert_eq!(cluster.sessions().await, 1);
}

/// F-77: a server that does not answer at all is given up soon after the time that a statement has, and is found again.
#[tokio::test]
async fn a_silent_server_is_given_up() {
    let Some(cluster) = Cluster::start() else { return };
    let store = patient_for(&cluster, 700);
    put(&store, "a", "tokens").await;
    let pids = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = 'smart-store'";
    let pids: String = cluster.admin().await.query_one(pids, &[]).await.unwrap().get(0);
    let signal = |signal: &str| {
        let status = std::process::Command::new("kill").arg(signal).args(pids.split(' ')).status().unwrap();
        assert!(status.success());
    };
    signal("-STOP");
    let begun = Instant::now();
    let (reason, retryable) = unavailable(store.get(&key("a")).await);
    assert!(retryable && reason.contains("did not answer in time"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!(text(&store, "a").await.unwrap(), "tokens", "over another connection");
    signal("-CONT");
}

/// F-77: when all connections are in use a call waits its time, and then says so; there are never more than allowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_bounded() {
    let Some(cluster) = Cluster::start() else { return };
    // Those who wait for a connection give up before those who have one.
    let config = cluster.config().with_statement_timeout(Duration::from_secs(4)).with_max_connections(4);
    let config = config.with_connect_timeout(Duration::from_millis(900));
    let store = PostgresStore::new(config, raw_key()).unwrap();
    for n in 0..12 {
        put(&store, &n.to_string(), "tokens").await;
    }
    let mut admin = cluster.admin().await;
    let lock = admin.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE smart_store.smart_store_records IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let writers: Vec<_> = (0..12)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&key(&n.to_string()), value("new"), Expected::Any).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(cluster.sessions().await <= 4);
    let mut told = 0;
    for writer in writers {
        let (reason, retryable) = unavailable(writer.await.unwrap());
        assert!(retryable, "{reason}");
        told += usize::from(reason.contains("all 4 connections are in use"));
    }
    assert!(told > 0);
    lock.rollback().await.unwrap();
    put(&store, "0", "new").await;
}

/// F-77 (cancel-safety): a read after a write that was given up tells what came of it: it is not overtaken. What is given up
/// costs no connection and spoils none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_given_up_is_done_or_not_when_it_is_read() {
    let Some(cluster) = Cluster::start() else { return };
    let store = patient_for(&cluster, 5_000).with_statement_hook(|_, doing| {
        if doing == "writing a record" {
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    put(&store, "a", "0").await;
    let mut landed = 0;
    for n in 1..60 {
        let before = text(&store, "a").await.unwrap();
        let (key, new) = (key("a"), n.to_string());
        let write = store.put(&key, value(&new), Expected::Any);
        let given_up = tokio::time::timeout(Duration::from_micros(n * 150), write).await.is_err();
        let _ = tokio::time::timeout(Duration::from_micros(n * 20), store.get(&key)).await;
        let seen = text(&store, "a").await.unwrap();
        assert!(seen == new || given_up && seen == before);
        landed += usize::from(given_up && seen == new);
        tokio::time::sleep(Duration::from_millis(4)).await;
        assert_eq!(text(&store, "a").await.unwrap(), seen, "a write landed after it was read");
    }
    assert!(landed > 0, "no write was given up half-way: the test shows nothing");
    assert!(cluster.sessions().await <= 4);
    let pid = "SELECT min(backend_start) > now() - interval '1 hour', count(*) FROM pg_stat_activity \
               WHERE application_name = 'smart-store' AND state <> 'idle'";
    assert_eq!(cluster.admin().await.query_one(pid, &[]).await.unwrap().get::<_, i64>(1), 0);
}

/// F-77: a program whose runtime stands still after a call does not keep others from the keys, also when the call failed.
#[test]
fn a_runtime_that_stands_still_holds_no_lock() {
    let Some(cluster) = Cluster::start() else { return };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let still: Vec<_> = (0..3)
        .map(|n| {
            let (runtime, store) = (runtime(), patient_for(&cluster, 3_000));
            runtime.block_on(async {
                if n == 1 {
                    let admin = cluster.admin().await;
                    // The next migration fails half-way.
                    let undo =
                        "DROP TABLE smart_store.smart_store_state; DELETE FROM smart_store.smart_store_migrations";
                    admin.batch_execute(undo).await.unwrap();
                    unavailable(store.open().await);
                    admin.batch_execute("DROP SCHEMA smart_store CASCADE").await.unwrap();
                } else {
                    store.open().await.unwrap();
                }
            });
            (runtime, store)
        })
        .collect();
    drop(still);
}

/// F-85, SE-05: a wrong password says what to check, and shows no password; so does a missing one.
#[tokio::test]
async fn a_wrong_password_says_what_to_do() {
    let Some(cluster) = Cluster::start() else { return };
    let url = format!("postgresql://postgres:hunter2@127.0.0.1:{}/postgres", cluster.port);
    let error = PostgresStore::new(PostgresConfig::parse(&url).unwrap(), raw_key()).unwrap().open().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("check the user, the password") && shown.contains("28P01"), "{shown}");
    assert!(!shown.contains("hunter2") && !error.is_retryable(), "{shown}");
    let none = PostgresConfig::parse(&cluster.url()).unwrap();
    let (reason, retryable) = unavailable(PostgresStore::new(none, raw_key()).unwrap().open().await);
    assert!(reason.contains("with_password") && !retryable, "{reason}");
    let nowhere = PostgresConfig::parse(&format!("{}_nowhere", cluster.url())).unwrap().with_password(PASSWORD);
    let (reason, retryable) = unavailable(PostgresStore::new(nowhere, raw_key()).unwrap().open().await);
    assert!(reason.contains("create the database") && !retryable, "{reason}");
}

/// RF-06, F-77: what a database or user has set otherwise does not change what a write means: it is on the disk when it
/// returns, statements see what others have committed, and names are those of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_others_do_not_matter() {
    let Some(cluster) = Cluster::start() else { return };
    let admin = cluster.admin().await;
    admin
        .batch_execute(
            "ALTER ROLE postgres SET synchronous_commit = off; ALTER ROLE postgres SET search_path = evil, pg_catalog; \
             ALTER ROLE postgres SET default_transaction_isolation = 'serializable'; \
             ALTER ROLE postgres SET statement_timeout = '1ms'; \
             CREATE SCHEMA evil; CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS \
             $$SELECT '2000-01-01'::timestamptz$$",
        )
        .await
        .unwrap();
    let store = cluster.store();
    store.open().await.unwrap();
    admin
        .batch_execute(
            "CREATE TABLE seen (setting text); CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \
             INSERT INTO public.seen VALUES (current_setting('synchronous_commit')), \
             (current_setting('transaction_isolation')), (current_setting('search_path')); RETURN NULL; END$$; \
             CREATE TRIGGER look AFTER INSERT OR UPDATE ON smart_store.smart_store_records EXECUTE FUNCTION look()",
        )
        .await
        .unwrap();
    put(&store, "a", "tokens").await;
    let seen = admin.query("SELECT DISTINCT setting FROM seen ORDER BY setting", &[]).await.unwrap();
    let seen: Vec<String> = seen.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, ["on", "pg_catalog", "read committed"]);
    store.lease(&key("a"), &Holder::new("h"), Duration::from_secs(60)).await.unwrap();
    let ended = "SELECT count(*) FROM smart_store.smart_store_leases WHERE until < now()";
    assert_eq!(admin.query_one(ended, &[]).await.unwrap().get::<_, i64>(0), 0);
    smart_store::contract::one_of_many_wins(&cluster.store_in("many")).await;
    smart_store::contract::one_lease_of_many(&cluster.store_in("many")).await;
}

/// F-77: a record over the limit is refused before anything is sent.
#[tokio::test]
async fn a_record_over_the_limit_is_refused() {
    let Some(cluster) = Cluster::start() else { return };
    let store = cluster.store();
    put(&store, "a", "old").await;
    let error = store.put(&key("a"), value("x".repeat((16 << 20) + 1)), Expected::Any).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: 16_777_216, .. }), "{error}");
    put(&store, "b", &"x".repeat(16 << 20)).await;
    assert_eq!(text(&store, "b").await.unwrap().len(), 16 << 20);
    assert_eq!(text(&store, "a").await.unwrap(), "old");
}
