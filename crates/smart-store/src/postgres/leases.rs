//! Leases, by the server's clock: the same for all machines.

use super::connection::Value;
use super::failure::Failure;
use super::pool::Lent;
use super::statements::Statements;
use crate::error::StoreError;
use crate::lease::{Holder, LeaseOutcome, whole_seconds};
use smart_core::time::{Clock, Timestamp};
use std::time::Duration;
use tokio_postgres::Row;

/// How often it is asked anew because somebody else was quicker.
const MAX_ATTEMPTS: usize = 8;
/// A hundred years: what the server's times can hold with ease.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What tells the time.
#[derive(Clone, Copy)]
pub(super) struct Times<'a> {
    /// This machine's clock, to say in its time when a lease ends.
    pub(super) here: &'a dyn Clock,
    /// Whether it stands in for the server's as well, in tests.
    pub(super) instead_of_the_servers: bool,
}

pub(super) async fn lease(
    connection: &mut Lent,
    statements: &Statements,
    place: &str,
    name: &[u8],
    holder: &Holder,
    duration: Duration,
    times: Times<'_>,
) -> Result<LeaseOutcome, StoreError> {
    const DOING: &str = "taking a lease";
    let holder = hashed(holder);
    let seconds = whole_seconds(duration.min(LONGEST)).as_secs_f64();
    for _ in 0..MAX_ATTEMPTS {
        // Before the request is sent: by this clock the lease does not end later than by the server's.
        let now = times.here.now();
        let stands_in = times.instead_of_the_servers.then(|| now.as_unix_seconds());
        let values = [Value::Octets(name), Value::Octets(&holder), Value::Real(seconds), Value::Time(stands_in)];
        let rows = connection.run(DOING, &statements.lease, &values).await;
        let rows = rows.map_err(|failure| failure.at(place, DOING))?;
        let answer = rows.first().and_then(answer).ok_or_else(|| Failure::Strange.at(place, DOING))?;
        if answer.is_settled {
            return Ok(outcome(answer.is_held, now, answer.seconds));
        }
    }
    Err(StoreError::Unavailable {
        place: place.to_owned(),
        reason: "many ask for the same lease at once".to_owned(),
        retryable: true,
    })
}

/// What the statement says.
struct Answer {
    is_held: bool,
    /// Until the lease ends.
    seconds: f64,
    /// Whether it is so in the table.
    is_settled: bool,
}

fn answer(row: &Row) -> Option<Answer> {
    let (is_held, is_settled) = (row.try_get("is_held").ok()?, row.try_get("is_settled").ok()?);
    Some(Answer { is_held, seconds: row.try_get("seconds").ok()?, is_settled })
}

fn outcome(is_held: bool, now: Timestamp, seconds: f64) -> LeaseOutcome {
    let rest = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if is_held {
        LeaseOutcome::Held { until: now.saturating_add(rest) }
    } else {
        LeaseOutcome::Taken { until: now.saturating_add(whole_seconds(rest)) }
    }
}

pub(super) async fn release(
    connection: &mut Lent,
    statements: &Statements,
    place: &str,
    name: &[u8],
    holder: &Holder,
) -> Result<(), StoreError> {
    const DOING: &str = "giving a lease back";
    let holder = hashed(holder);
    let values = [Value::Octets(name), Value::Octets(&holder)];
    let released = connection.run(DOING, &statements.release, &values).await;
    released.map(drop).map_err(|failure| failure.at(place, DOING))
}

fn hashed(holder: &Holder) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, holder.as_str().as_bytes());
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}
