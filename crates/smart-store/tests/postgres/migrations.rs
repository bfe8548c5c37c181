//! Tables: made once, by whoever comes first, by one who may, where they belong.

use super::children::start;
use super::cluster::Cluster;
use super::{key, put, raw_key, text, unavailable, value};
use smart_store::{Expected, Filter, PostgresConfig, PostgresStore, Store as _};

/// F-77: of many processes and tasks that open an empty database at once one makes the tables and the keys, and all work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_made_once() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| start("open", &cluster, "smart_store", folder.path())).collect();
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let store = cluster.store();
            tokio::spawn(async move { put(&store, &n.to_string(), "tokens").await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(cluster.store().list(&Filter::default()).await.unwrap().len(), 4);
    let admin = cluster.admin().await;
    let versions = admin.query("SELECT version FROM smart_store.smart_store_migrations", &[]).await.unwrap();
    assert_eq!(versions.len(), 1);
}

/// F-77: tables of a newer version are refused before anything is read or written, with what to do about it.
#[tokio::test]
async fn newer_tables_are_refused() {
    let Some(cluster) = Cluster::start() else { return };
    put(&cluster.store(), "a", "tokens").await;
    let admin = cluster.admin().await;
    let newer = "INSERT INTO smart_store.smart_store_migrations (version) VALUES (2)";
    admin.execute(newer, &[]).await.unwrap();
    for result in [
        cluster.store().open().await,
        cluster.store().migrate().await,
        cluster.store().put(&key("a"), value("x"), Expected::Any).await.map(drop),
    ] {
        let (reason, retryable) = unavailable(result);
        assert!(reason.contains("version 2, of a newer version of this program") && !retryable, "{reason}");
    }
    admin.execute("DELETE FROM smart_store.smart_store_migrations WHERE version = 2", &[]).await.unwrap();
    assert_eq!(text(&cluster.store(), "a").await.unwrap(), "tokens");
}

/// F-77, SE-03: a user who may only read and write rows is enough once the owner has made the tables; before that the error
/// says what is missing.
#[tokio::test]
async fn the_application_needs_no_rights_over_tables() {
    let Some(cluster) = Cluster::start() else { return };
    let admin = cluster.admin().await;
    admin
        .batch_execute("CREATE ROLE app LOGIN PASSWORD 'apps own'; CREATE ROLE peeper LOGIN PASSWORD 'peep'")
        .await
        .unwrap();
    let store = |user: &str, password: &str| {
        let url = format!("host=127.0.0.1 port={} user={user} dbname=postgres", cluster.port);
        let config = PostgresConfig::parse(&url).unwrap().with_password(password);
        PostgresStore::new(config, raw_key()).unwrap()
    };
    let (reason, retryable) = unavailable(store("app", "apps own").open().await);
    assert!(reason.contains("PostgresStore::migrate") && reason.contains("42501") && !retryable, "{reason}");
    cluster.store().migrate().await.unwrap();
    admin
        .batch_execute(
            "GRANT USAGE ON SCHEMA smart_store TO app; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smart_store TO app",
        )
        .await
        .unwrap();
    let app = store("app", "apps own");
    put(&app, "a", "tokens").await;
    assert_eq!(text(&app, "a").await.unwrap(), "tokens");
    assert!(app.remove(&key("a"), Expected::Any).await.unwrap());
    let (reason, _) = unavailable(store("peeper", "peep").open().await);
    assert!(reason.contains("42501"), "{reason}");
}

/// F-77, D-15: applications in schemas of their own share a database and see nothing of each other, with the same keys too.
#[tokio::test]
async fn schemas_keep_applications_apart() {
    let Some(cluster) = Cluster::start() else { return };
    let (one, two) = (cluster.store_in("clinic"), cluster.store_in("lab_2"));
    put(&one, "a", "tokens").await;
    assert_eq!(text(&two, "a").await, None);
    put(&two, "a", "others").await;
    assert_eq!(text(&one, "a").await.unwrap(), "tokens");
    assert!(two.remove(&key("a"), Expected::Any).await.unwrap());
    assert_eq!(one.list(&Filter::default()).await.unwrap(), [key("a")]);
}
