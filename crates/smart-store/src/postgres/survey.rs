//! What goes over all rows.

use super::call::Call;
use super::connection::Value;
use super::failure::Failure;
use crate::hex;
use crate::keeper::Refused;
use crate::key::{Filter, Key};
use crate::seal::Damage;
use crate::stored::{open_head, open_name};
use tokio_postgres::Row;

/// The state of a store's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresHealth {
    /// Records that open.
    pub readable: usize,
    /// Names of rows (hexadecimal, as in the tables) whose record does not open, and why.
    pub unreadable: Vec<(String, String)>,
    /// Names of damaged records that were set aside when their record was written anew.
    pub quarantined: Vec<String>,
}

/// The keys that pass the filter, page by page.
pub(super) async fn list(mut call: Call, filter: &Filter) -> Result<Vec<Key>, Refused> {
    const DOING: &str = "listing records";
    let (statements, place) = (call.statements.clone(), call.place.clone());
    let issuer = filter.issuer.as_deref().map(|issuer| call.names.of_issuer(issuer));
    let owner = filter.user.as_deref().map(|user| call.names.of_user(user));
    let (statement, by) = match (&owner, &issuer) {
        (None, None) => (&statements.list_all, vec![]),
        (None, Some(issuer)) => (&statements.list_by_issuer, vec![Value::Octets(issuer)]),
        (Some(owner), None) => (&statements.list_by_owner, vec![Value::Octets(owner)]),
        (Some(owner), Some(issuer)) => {
            (&statements.list_by_owner_and_issuer, vec![Value::Octets(owner), Value::Octets(issuer)])
        }
    };
    let mut found = Vec::new();
    let mut last = Vec::new();
    loop {
        let values = [&[Value::Octets(&last)], by.as_slice()].concat();
        let rows = call.connection.run(DOING, statement, &values).await;
        let rows = rows.map_err(|failure| failure.at(&place, DOING))?;
        let octets = |row: &Row, column| octets(row, column).map_err(|failure| failure.at(&place, DOING));
        for row in &rows {
            let name = octets(row, 0)?;
            // What cannot be opened is left out, and so is what lies in the place of another.
            match open_head(&octets(row, 1)?, &call.keys) {
                Ok(key) if call.names.of_key(&key).name == *name && filter.matches(&key) => found.push(key),
                Err(Damage::OtherKey(_)) => call.refuse_stale_keys().await?,
                _ => {}
            }
        }
        let Some(end) = rows.last() else { break };
        last = octets(end, 0)?;
    }
    call.refuse_other_names().await?;
    found.sort();
    Ok(found)
}

/// Reads all records.
pub(super) async fn check(mut call: Call) -> Result<PostgresHealth, Refused> {
    const DOING: &str = "reading all records";
    let (statements, place) = (call.statements.clone(), call.place.clone());
    call.refuse_other_names().await?;
    let mut health = PostgresHealth { readable: 0, unreadable: Vec::new(), quarantined: Vec::new() };
    let mut last = Vec::new();
    loop {
        let rows = call.connection.run(DOING, &statements.page, &[Value::Octets(&last)]).await;
        let rows = rows.map_err(|failure| failure.at(&place, DOING))?;
        let octets = |row: &Row, column| octets(row, column).map_err(|failure| failure.at(&place, DOING));
        for row in &rows {
            let name = octets(row, 0)?;
            let sealed = [octets(row, 3)?, octets(row, 4)?].concat();
            let opened = open_name(&sealed, &call.keys, true).and_then(|key| {
                let expected = call.names.of_key(&key);
                let is_found = expected.name == *name
                    && octets(row, 1).is_ok_and(|issuer| issuer == expected.issuer)
                    && octets(row, 2).is_ok_and(|owner| owner == expected.owner);
                if is_found { Ok(()) } else { Err(Damage::Altered) }
            });
            match opened {
                Ok(()) => health.readable = health.readable.saturating_add(1),
                Err(damage) => {
                    if matches!(damage, Damage::OtherKey(_)) {
                        call.refuse_stale_keys().await?;
                    }
                    health.unreadable.push((hex::encode(&name), damage.to_string()));
                }
            }
        }
        let Some(end) = rows.last() else { break };
        last = octets(end, 0)?;
    }
    let rows = call.connection.run(DOING, &statements.quarantined, &[]).await;
    for row in rows.map_err(|failure| failure.at(&place, DOING))? {
        health.quarantined.push(hex::encode(&octets(&row, 0).map_err(|failure| failure.at(&place, DOING))?));
    }
    Ok(health)
}

fn octets(row: &Row, column: usize) -> Result<Vec<u8>, Failure> {
    row.try_get(column).map_err(|_| Failure::Strange)
}
