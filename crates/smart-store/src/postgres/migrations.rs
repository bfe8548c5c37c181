//! Makes the tables, and brings those of an earlier version up to date.

use super::failure::Failure;
use super::pool::Lent;
use super::schema::Schema;

/// What makes each version of the tables out of the one before.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001.sql")];
/// The version that this program knows.
const KNOWN: usize = MIGRATIONS.len();

/// Why the tables cannot be used.
pub(super) enum NotMigrated {
    /// A newer version of this program has changed them.
    Newer(i32),
    Failed(Failure),
}

impl From<Failure> for NotMigrated {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Makes or changes the tables if need be. The connection holds the schema's lock, so that one process does it.
///
/// All happens in one transaction: it is done or not begun. Where nothing is to be done nothing is asked of the server
/// that needs more than reading.
pub(super) async fn migrate(connection: &mut Lent, schema: &Schema) -> Result<(), NotMigrated> {
    let name = schema.name();
    let doing = "looking at the version of the tables";
    let exists = format!("SELECT 1 WHERE to_regclass('\"{name}\".smart_store_migrations') IS NOT NULL");
    let mut done = 0;
    if !connection.run(doing, &exists, &[]).await?.is_empty() {
        let version = format!("SELECT coalesce(max(version), 0) FROM \"{name}\".smart_store_migrations");
        let rows = connection.run(doing, &version, &[]).await?;
        done = rows.first().and_then(|row| row.try_get::<_, i32>(0).ok()).ok_or(Failure::Strange)?;
    }
    let first = usize::try_from(done).unwrap_or(0);
    if first > KNOWN {
        return Err(NotMigrated::Newer(done));
    }
    let Some(missing @ [_, ..]) = MIGRATIONS.get(first..) else { return Ok(()) };
    connection.begin().await?;
    if connection.run(doing, &format!("SELECT 1 FROM pg_namespace WHERE nspname = '{name}'"), &[]).await?.is_empty() {
        connection.run_all("making the schema", &format!("CREATE SCHEMA \"{name}\"")).await?;
    }
    connection
        .run_all(
            "making the tables",
            &format!(
                "SET LOCAL search_path = \"{name}\"; CREATE TABLE IF NOT EXISTS smart_store_migrations \
                 (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT clock_timestamp())"
            ),
        )
        .await?;
    for (migration, version) in missing.iter().zip(first.saturating_add(1)..) {
        connection.run_all("making the tables", migration).await?;
        let note = format!("INSERT INTO smart_store_migrations (version) VALUES ({version})");
        connection.run_all("making the tables", &note).await?;
    }
    connection.commit().await?;
    Ok(())
}
