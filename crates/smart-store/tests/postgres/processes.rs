//! Several processes, and processes that are killed.

use super::children::start;
use super::cluster::Cluster;
use super::{key, put, soon, text};
use smart_store::{KeyFile, PostgresStore, Store as _};
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

/// F-77, RF-06 (RFC 6749 6): a process killed at random points loses nothing that it has said to be written, leaves the
/// record whole and the others alone, and blocks nobody.
#[tokio::test]
async fn kill_nine_at_random_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, folder) = (cluster.store(), tempfile::tempdir().unwrap());
    put(&store, "counter", "0").await;
    put(&store, "other", "others").await;
    let (begun, mut kills, mut random) = (Instant::now(), 0, 88_172_645_463_325_252_u64);
    let mut said = 0;
    let own_sessions = cluster.sessions().await;
    while kills < 3 || kills < 60 && begun.elapsed() < Duration::from_secs(3) {
        let mut child = start("count", &cluster, "smart_store", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("wrote")).unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 9_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.map(Result::unwrap).filter(|line| line.starts_with("wrote")).last().unwrap_or(first);
        let last: u64 = last.trim_start_matches("wrote ").parse().unwrap();
        // The server may still be at the last statement of the killed one.
        soon(async || cluster.sessions().await == own_sessions).await;
        let stored: u64 = text(&store, "counter").await.unwrap().parse().unwrap();
        assert!(stored == last || stored == last + 1, "said {last}, stored {stored}");
        assert!(stored > said);
        said = stored;
        kills += 1;
    }
    assert_eq!(text(&store, "other").await.unwrap(), "others");
    assert_eq!(store.check().await.unwrap().readable, 2);
    println!("{kills} kills, {said} writes");
}

/// F-77 (tables): a process killed before or after any statement of its first use, from making the tables to removing a
/// record, leaves a store that works.
#[tokio::test]
async fn kill_nine_while_the_tables_are_made_blocks_nobody() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    for step in 0.. {
        let schema = format!("step_{step}");
        let child = start(&format!("die {step}"), &cluster, &schema, folder.path());
        let output = child.wait_with_output().unwrap();
        let survived = String::from_utf8_lossy(&output.stdout).contains("survived");
        assert_ne!(survived, !output.status.success(), "step {step}");
        let store = cluster.store_in(&schema);
        let now = text(&store, "a").await;
        assert!(now.as_deref() == Some("new") || now.is_none() && !survived, "step {step}: {now:?}");
        put(&store, "a", "newer").await;
        assert_eq!(text(&cluster.store_in(&schema), "a").await.unwrap(), "newer");
        assert_eq!(store.check().await.unwrap().unreadable, []);
        if survived {
            assert!(step > 30, "{step}");
            return;
        }
    }
}

/// F-77, RF-06 (RFC 6749 6): a process killed before or after any statement of a write and of a removal leaves the old record
/// or the new, never less, and the others as they are.
#[tokio::test]
async fn kill_nine_at_each_statement_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, folder) = (cluster.store(), tempfile::tempdir().unwrap());
    let mut died = String::new();
    for step in 0.. {
        put(&store, "a", "old").await;
        put(&store, "b", "to be removed").await;
        put(&store, "other", "others").await;
        let child = start(&format!("die {step}"), &cluster, "smart_store", folder.path());
        let said = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
        let survived = said.contains("survived");
        let (now, b) = (text(&store, "a").await.unwrap(), text(&store, "b").await);
        assert!(now == "new" || now == "old" && !survived && b.is_some(), "step {step}: {now}");
        assert!(b.is_none() || !survived);
        assert_eq!(text(&store, "other").await.unwrap(), "others");
        assert_eq!(store.check().await.unwrap().unreadable, []);
        if survived {
            for reached in ["dies at writing a record", "dies at removing a record"] {
                assert_eq!(died.matches(reached).count(), 2, "{died}");
            }
            return;
        }
        died.push_str(&said);
    }
}

/// RF-05, F-68, F-77 (RFC 9700 4.14.2): of several processes that write with the same belief one succeeds: no sum gets lost.
#[tokio::test]
async fn processes_never_overwrite_each_other() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, folder) = (cluster.store(), tempfile::tempdir().unwrap());
    put(&store, "sum", "0").await;
    let children: Vec<_> = (0..3).map(|_| start("add 100", &cluster, "smart_store", folder.path())).collect();
    let mut conflicts = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        conflicts += said.split("lost ").nth(1).unwrap().split_whitespace().next().unwrap().parse::<u32>().unwrap();
    }
    assert_eq!(text(&store, "sum").await.unwrap(), "300");
    assert!(conflicts > 0, "the processes never met: the test shows nothing");
}

/// RF-05, F-68 (RFC 9700 4.14.2): a lease is one process's at a time, whatever machine it is on.
#[tokio::test]
async fn a_lease_is_one_processs_at_a_time() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    cluster.store().open().await.unwrap();
    let children: Vec<_> = (0..3).map(|_| start("alone 40", &cluster, "smart_store", folder.path())).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
}

/// F-77, RF-06 (rotation): a rotation killed at random points leaves every record readable.
#[tokio::test]
async fn a_rotation_killed_at_random_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let open = || PostgresStore::new(cluster.config(), KeyFile::new(folder.path().join("key"))).unwrap();
    let store = open();
    for n in 0..10 {
        put(&store, &n.to_string(), "tokens").await;
    }
    let (begun, mut kills) = (Instant::now(), 0_u64);
    while kills < 3 || kills < 40 && begun.elapsed() < Duration::from_secs(3) {
        let mut child = start("rotate", &cluster, "smart_store", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "rotated"));
        std::thread::sleep(Duration::from_micros(kills * 3_970 % 70_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for reader in [&store, &open()] {
            assert_eq!(reader.check().await.unwrap().readable, 10);
        }
        kills += 1;
    }
    store.rotate_key().await.unwrap();
    assert_eq!(open().check().await.unwrap().readable, 10);
    assert_eq!(store.get(&key("3")).await.unwrap().unwrap().value, super::value("tokens"));
}
