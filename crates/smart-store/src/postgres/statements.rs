//! The statements, for tables in one schema.
//!
//! All names are written out with their schema, so that no `search_path` can put another table in the place of one.

use super::schema::Schema;
use crate::keys::DataKeyId;
use crate::seal::{KEY_ID_AT, VERSION_AT};

/// How many rows one statement lists.
pub(super) const PAGE: usize = 1_000;

pub(super) struct Statements {
    pub(super) state: String,
    pub(super) has_records: String,
    pub(super) name_key: String,
    pub(super) names: String,
    pub(super) note_names: String,
    pub(super) store_names: String,
    pub(super) wrapped_keys: String,
    pub(super) store_wrapped_keys: String,
    pub(super) get: String,
    pub(super) insert: String,
    pub(super) upsert: String,
    pub(super) swap: String,
    pub(super) replace_damaged: String,
    pub(super) reseal: String,
    pub(super) remove: String,
    pub(super) remove_version: String,
    pub(super) remove_quarantined: String,
    pub(super) list_all: String,
    pub(super) list_by_issuer: String,
    pub(super) list_by_owner: String,
    pub(super) list_by_owner_and_issuer: String,
    pub(super) names_of_older: String,
    pub(super) page: String,
    pub(super) quarantined: String,
    pub(super) lease: String,
    pub(super) release: String,
    pub(super) sweep_leases: String,
}

impl Statements {
    pub(super) fn new(schema: &Schema) -> Self {
        let schema = schema.name();
        let table = |name: &str| format!("\"{schema}\".smart_store_{name}");
        let (state, names, records) = (table("state"), table("names"), table("records"));
        let (leases, quarantine) = (table("leases"), table("quarantine"));
        let version = format!("substring(head FROM {VERSION_AT} FOR 8)");
        let key_id = format!("substring(head FROM {KEY_ID_AT} FOR {})", DataKeyId::LENGTH);
        // A row when $1 is the key that seals and $2 that of the names. It is locked until the write is committed: who
        // names another key waits for that, and who comes after sees the other.
        let with_current =
            format!("WITH allowed AS (SELECT 1 FROM {state} WHERE current_key = $1 AND names_id = $2 FOR SHARE)");
        let insert = format!(
            "{with_current} INSERT INTO {records} AS r (name, issuer, owner, head, body) \
             SELECT $3, $4, $5, $6, $7 FROM allowed ON CONFLICT (name)"
        );
        let set = "SET issuer = $4, owner = $5, head = $6, body = $7 FROM allowed";
        let list = |condition: &str| {
            format!("SELECT name, head FROM {records} WHERE name > $1 {condition} ORDER BY name LIMIT {PAGE}")
        };
        Self {
            state: format!("SELECT current_key, names_id FROM {state}"),
            has_records: format!("SELECT 1 FROM {records} LIMIT 1"),
            name_key: format!(
                "INSERT INTO {state} (current_key) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET current_key = $1"
            ),
            names: format!("SELECT sealed FROM {names} ORDER BY copy"),
            note_names: format!("UPDATE {state} SET names_id = $1 WHERE names_id IS DISTINCT FROM $1"),
            store_names: format!(
                "WITH allowed AS (SELECT 1 FROM {state} WHERE current_key = $1 FOR SHARE) \
                 INSERT INTO {names} (copy, sealed) SELECT copy, $2 FROM allowed, generate_series(1, 2) AS copy \
                 ON CONFLICT (copy) DO UPDATE SET sealed = $2 RETURNING 1"
            ),
            wrapped_keys: format!("SELECT wrapped_keys FROM {state}"),
            store_wrapped_keys: format!(
                "INSERT INTO {state} (wrapped_keys) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET wrapped_keys = $1"
            ),
            get: format!(
                "SELECT s.current_key, s.names_id, r.head, r.body FROM {state} s LEFT JOIN {records} r ON r.name = $1"
            ),
            insert: format!("{insert} DO NOTHING RETURNING 1"),
            upsert: format!("{insert} DO UPDATE SET issuer = $4, owner = $5, head = $6, body = $7 RETURNING 1"),
            swap: format!("{with_current} UPDATE {records} {set} WHERE name = $3 AND {version} = $8 RETURNING 1"),
            // The update asks for what was set aside, so that it comes after that.
            replace_damaged: format!(
                "{with_current}, damaged AS (SELECT head || body AS sealed FROM {records} AS r, allowed \
                 WHERE name = $3 AND sha256(head || body) = $8 FOR UPDATE OF r), \
                 aside AS (INSERT INTO {quarantine} (name, sealed) SELECT $3, sealed FROM damaged \
                 ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, since = excluded.since RETURNING 1) \
                 UPDATE {records} {set}, aside WHERE name = $3 AND sha256(head || body) = $8 RETURNING 1"
            ),
            reseal: format!(
                "{with_current} UPDATE {records} SET head = $4, body = $5 FROM allowed \
                 WHERE name = $3 AND sha256(head || body) = $6 RETURNING 1"
            ),
            remove: format!("DELETE FROM {records} WHERE name = $1 RETURNING 1"),
            remove_version: format!("DELETE FROM {records} WHERE name = $1 AND {version} = $2 RETURNING 1"),
            remove_quarantined: format!("DELETE FROM {quarantine} WHERE name = $1"),
            list_all: list(""),
            list_by_issuer: list("AND issuer = $2"),
            list_by_owner: list("AND owner = $2"),
            list_by_owner_and_issuer: list("AND owner = $2 AND issuer = $3"),
            names_of_older: format!(
                "SELECT name FROM {records} WHERE name > $1 AND {key_id} IS DISTINCT FROM $2 ORDER BY name LIMIT {PAGE}"
            ),
            page: format!(
                "SELECT name, issuer, owner, head, body FROM {records} WHERE name > $1 ORDER BY name LIMIT 100"
            ),
            quarantined: format!("SELECT name FROM {quarantine} ORDER BY name"),
            lease: lease(&leases),
            release: format!("DELETE FROM {leases} WHERE name = $1 AND holder = $2"),
            sweep_leases: format!(
                "DELETE FROM {leases} WHERE name IN (SELECT name FROM {leases} \
                 WHERE until < clock_timestamp() - interval '24 hours' LIMIT {PAGE} FOR UPDATE SKIP LOCKED)"
            ),
        }
    }
}

/// Asks for a lease: $1 name, $2 holder, $3 seconds, $4 the time of a test's clock in place of the server's.
///
/// The row that is there is locked first, and the time taken after the wait for it: `CASE` says in which order. The rules
/// are those of [`Lease::ask`](crate::lease::Lease::ask). When there was no row, and there is one at the time of writing,
/// somebody else was quicker: nothing is written, and the caller asks again.
fn lease(leases: &str) -> String {
    format!(
        "WITH stored AS (SELECT holder, granted, until FROM {leases} WHERE name = $1 FOR UPDATE), \
         clock AS MATERIALIZED (SELECT CASE WHEN (SELECT count(*) FROM stored) >= 0 \
         THEN coalesce(to_timestamp($4), clock_timestamp()) END AS now), \
         asked AS MATERIALIZED (SELECT now, stored.holder, granted, until, \
         stored.holder IS NOT NULL AS is_stored, \
         coalesce(stored.holder <> $2 AND granted > now, false) AS is_set_back, \
         coalesce(stored.holder <> $2 AND granted <= now AND until > now, false) AS is_taken \
         FROM clock LEFT JOIN stored ON true), \
         outcome AS MATERIALIZED (SELECT now, is_stored, is_taken, NOT is_taken AND NOT is_set_back AS is_held, \
         CASE WHEN is_taken OR is_set_back THEN holder ELSE $2 END AS holder, \
         CASE WHEN is_taken THEN until WHEN is_set_back THEN now + (until - granted) \
         ELSE now + make_interval(secs => $3) END AS until FROM asked), \
         written AS (INSERT INTO {leases} AS l (name, holder, granted, until) \
         SELECT $1, holder, now, until FROM outcome WHERE NOT is_taken \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, granted = excluded.granted, until = excluded.until \
         WHERE (SELECT is_stored FROM outcome) RETURNING 1) \
         SELECT is_held, extract(epoch FROM until - now)::float8 AS seconds, \
         is_taken OR (SELECT count(*) FROM written) = 1 AS is_settled FROM outcome"
    )
}
