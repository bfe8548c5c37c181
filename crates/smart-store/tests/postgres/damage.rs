//! Rows that were altered, exchanged or lost.

use super::cluster::Cluster;
use super::{key, put, text, unavailable, value};
use smart_store::{Expected, Filter, PostgresStore, Store as _, StoreError};
use tokio_postgres::Client;

const RECORDS: &str = "smart_store.smart_store_records";

async fn assert_unreadable(store: &PostgresStore, id: &str, why: &str) {
    let error = store.get(&key(id)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{why}: {error}");
    assert!(error.needs_reauthorization() && !error.is_retryable(), "{why}");
    assert!(error.to_string().contains(&format!("session {id} at ")), "{why}: {error}");
}

/// The name of the only row.
async fn only_name(admin: &Client) -> Vec<u8> {
    admin.query_one(&format!("SELECT name FROM {RECORDS}"), &[]).await.unwrap().get(0)
}

async fn run(admin: &Client, statement: &str) {
    assert!(admin.execute(statement, &[]).await.unwrap() > 0, "{statement}");
}

/// F-77, F-84 (SMART, App protection): wherever a row's octets are altered, cut or emptied, the record is a clear error, and
/// the others are unharmed.
#[tokio::test]
async fn an_altered_row_is_a_clear_error_and_harms_no_other() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, admin) = (cluster.store(), cluster.admin().await);
    put(&store, "a", "tokens").await;
    let name = only_name(&admin).await;
    put(&store, "b", "others").await;
    let sizes = format!("SELECT octet_length(head), octet_length(body), head, body FROM {RECORDS} WHERE name = $1");
    let row = admin.query_one(&sizes, &[&name]).await.unwrap();
    let whole: [Vec<u8>; 2] = [row.get(2), row.get(3)];
    let update = format!("UPDATE {RECORDS} SET head = $2, body = $3 WHERE name = $1");
    for part in 0..2 {
        let mut altered: Vec<Vec<u8>> = (0..whole[part].len())
            .step_by(3)
            .map(|at| {
                let mut octets = whole[part].clone();
                octets[at] ^= 1;
                octets
            })
            .collect();
        altered.extend([Vec::new(), whole[part][1..].to_vec(), [whole[part].as_slice(), b"x"].concat()]);
        for octets in altered {
            let mut both = whole.clone();
            both[part] = octets;
            admin.execute(&update, &[&name, &both[0], &both[1]]).await.unwrap();
            assert_unreadable(&store, "a", "altered").await;
        }
    }
    assert_eq!(text(&store, "b").await.unwrap(), "others");
    assert!(store.list(&Filter::default()).await.unwrap().contains(&key("b")));
    let health = store.check().await.unwrap();
    assert_eq!((health.readable, health.unreadable.len()), (1, 1));
    assert_eq!(store.reseal().await.unwrap().unreadable, 0, "what has the current key's id is not looked at");
    admin.execute(&update, &[&name, &whole[0], &whole[1]]).await.unwrap();
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
}

/// F-84, D-28: a damaged record can be replaced; its octets are set aside, and go with it when it is removed.
#[tokio::test]
async fn a_damaged_record_can_be_replaced() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, admin) = (cluster.store(), cluster.admin().await);
    put(&store, "other", "others").await;
    for expected in [Expected::Absent, Expected::Any] {
        let version = put(&store, "a", "tokens").await;
        run(&admin, &format!("UPDATE {RECORDS} SET head = 'garbage', body = 'more' WHERE name <> (SELECT name FROM {RECORDS} ORDER BY xmin::text::int LIMIT 1)")).await;
        assert_unreadable(&store, "a", "garbage").await;
        let believed = store.put(&key("a"), value("late"), Expected::Version(version)).await;
        assert!(matches!(believed, Err(StoreError::Unreadable { .. })), "{believed:?}");
        let believed = store.remove(&key("a"), Expected::Version(version)).await;
        assert!(matches!(believed, Err(StoreError::Unreadable { .. })), "{believed:?}");
        store.put(&key("a"), value("new"), expected).await.unwrap();
        assert_eq!(text(&store, "a").await.unwrap(), "new");
        let health = store.check().await.unwrap();
        assert_eq!((health.readable, health.unreadable.len(), health.quarantined.len()), (2, 0, 1));
        let aside = admin.query_one("SELECT sealed FROM smart_store.smart_store_quarantine", &[]).await.unwrap();
        assert_eq!(aside.get::<_, Vec<u8>>(0), b"garbagemore");
        run(
            &admin,
            &format!(
                "UPDATE {RECORDS} SET body = 'x' WHERE name = (SELECT name FROM smart_store.smart_store_quarantine)"
            ),
        )
        .await;
        assert!(store.remove(&key("a"), Expected::Any).await.unwrap());
        assert!(store.check().await.unwrap().quarantined.is_empty());
    }
    assert_eq!(text(&store, "other").await.unwrap(), "others");
}

/// F-84: of many that replace a damaged record at once exactly one succeeds.
#[tokio::test]
async fn a_damaged_record_is_replaced_once() {
    let Some(cluster) = Cluster::start() else { return };
    let admin = cluster.admin().await;
    put(&cluster.store(), "a", "tokens").await;
    run(&admin, &format!("UPDATE {RECORDS} SET body = 'garbage'")).await;
    let puts: Vec<_> = (0..6)
        .map(|n| {
            let store = cluster.store();
            tokio::spawn(async move { store.put(&key("a"), value(n.to_string()), Expected::Absent).await })
        })
        .collect();
    let mut won = 0;
    for put in puts {
        match put.await.unwrap() {
            Ok(_) => won += 1,
            Err(StoreError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
}

/// F-82, D-15: a genuine record in another's row opens as neither, is not listed, and does not pass for the other's after a
/// rotation either.
#[tokio::test]
async fn a_row_in_anothers_place_does_not_open() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, admin) = (cluster.store(), cluster.admin().await);
    put(&store, "a", "tokens").await;
    let name = only_name(&admin).await;
    put(&store, "b", "others").await;
    let swap = format!(
        "UPDATE {RECORDS} r SET head = o.head, body = o.body FROM {RECORDS} o WHERE r.name <> o.name AND r.name = $1"
    );
    assert_eq!(admin.execute(&swap, &[&name]).await.unwrap(), 1);
    assert_unreadable(&store, "a", "exchanged").await;
    assert_eq!(text(&store, "b").await.unwrap(), "others");
    assert_eq!(store.list(&Filter::default()).await.unwrap(), [key("b")]);
    // Only the value, or only the head, of another record.
    put(&store, "a", "tokens").await;
    for column in ["head", "body"] {
        let swap = format!(
            "UPDATE {RECORDS} r SET {column} = o.{column} FROM {RECORDS} o WHERE r.name <> o.name AND r.name = $1"
        );
        admin.execute(&swap, &[&name]).await.unwrap();
        assert_unreadable(&store, "a", column).await;
        store.put(&key("a"), value("tokens"), Expected::Absent).await.unwrap();
    }
    // The row of one user under the user of another: it is not found for the one, and not taken for the other's.
    run(&admin, &format!("UPDATE {RECORDS} SET owner = '\\\\x00'")).await;
    let by_user = Filter { user: Some("dr-lee".to_owned()), ..Filter::default() };
    assert!(store.list(&by_user).await.unwrap().is_empty());
    assert_eq!(store.check().await.unwrap().unreadable.len(), 2);
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
    put(&store, "a", "mended").await;
    assert_eq!(store.list(&by_user).await.unwrap(), [key("a")]);
}

/// F-84: an altered or lost row of the store's own mends itself, where one of the two copies of what cannot be made anew is
/// there; else nothing is taken for empty.
#[tokio::test]
async fn small_rows_mend_themselves() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, admin) = (cluster.store(), cluster.admin().await);
    put(&store, "a", "tokens").await;
    for harm in [
        "UPDATE smart_store.smart_store_state SET current_key = set_byte(current_key, 3, 255 - get_byte(current_key, 3))",
        "UPDATE smart_store.smart_store_state SET current_key = NULL",
        "UPDATE smart_store.smart_store_state SET current_key = '', names_id = ''",
        "UPDATE smart_store.smart_store_state SET names_id = set_byte(names_id, 3, 255 - get_byte(names_id, 3))",
        "DELETE FROM smart_store.smart_store_state",
        "DELETE FROM smart_store.smart_store_names WHERE copy = 1",
        "UPDATE smart_store.smart_store_names SET sealed = set_byte(sealed, 90, 255 - get_byte(sealed, 90)) WHERE copy = 2",
        "UPDATE smart_store.smart_store_names SET sealed = 'garbage' WHERE copy = 1",
    ] {
        run(&admin, harm).await;
        for store in [&store, &cluster.store()] {
            assert_eq!(text(store, "a").await.unwrap(), "tokens", "{harm}");
            put(store, "a", "tokens").await;
            assert_eq!(store.list(&Filter::default()).await.unwrap(), [key("a")], "{harm}");
        }
    }
    let copies = "SELECT count(DISTINCT sealed) FROM smart_store.smart_store_names HAVING count(*) = 2";
    assert_eq!(admin.query_one(copies, &[]).await.unwrap().get::<_, i64>(0), 1);
    run(&admin, "CREATE TABLE kept AS SELECT * FROM smart_store.smart_store_names").await;
    for harm in
        ["UPDATE smart_store.smart_store_names SET sealed = 'garbage'", "DELETE FROM smart_store.smart_store_names"]
    {
        run(&admin, harm).await;
        let (reason, retryable) = unavailable(cluster.store().get(&key("a")).await);
        assert!(reason.contains("bring the table smart_store_names back") && !retryable, "{reason}");
        unavailable(cluster.store().put(&key("b"), value("x"), Expected::Absent).await);
    }
    run(&admin, "INSERT INTO smart_store.smart_store_names SELECT * FROM kept").await;
    assert_eq!(text(&cluster.store(), "a").await.unwrap(), "tokens");
}

/// F-84: tables that were dropped under a store are an error that says so; made anew by somebody else they are used, with
/// their own names.
#[tokio::test]
async fn tables_made_anew_are_noticed() {
    let Some(cluster) = Cluster::start() else { return };
    let (store, admin) = (cluster.store(), cluster.admin().await);
    put(&store, "a", "tokens").await;
    admin.batch_execute("DROP SCHEMA smart_store CASCADE").await.unwrap();
    let (reason, retryable) = unavailable(store.get(&key("a")).await);
    assert!(reason.contains("its tables are gone") && !retryable, "{reason}");
    let other = cluster.store();
    put(&other, "b", "others").await;
    assert_eq!(text(&store, "a").await, None);
    assert_eq!(text(&store, "b").await.unwrap(), "others");
    put(&store, "a", "new").await;
    assert_eq!(text(&other, "a").await.unwrap(), "new");
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 2);
}
