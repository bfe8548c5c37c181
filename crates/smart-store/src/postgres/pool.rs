//! A bounded number of connections.

use super::config::PostgresConfig;
use super::connection::{Connection, Hook, Value};
use super::failure::Failure;
use super::tls::Tls;
use crate::error::StoreError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Row;

/// A connection that was unused for longer is asked for a sign of life first.
const UNUSED: Duration = Duration::from_secs(15);
/// An older connection is not used again, so that a moved server and a changed password show.
const OLD: Duration = Duration::from_secs(1_800);

/// Lends connections, and makes them when there is none.
pub(super) struct Pool {
    config: PostgresConfig,
    tls: Option<Tls>,
    permits: Arc<Semaphore>,
    at_rest: Mutex<Vec<Connection>>,
    pub(super) hook: OnceLock<Arc<Hook>>,
}

impl Pool {
    pub(super) fn new(config: PostgresConfig) -> Result<Self, StoreError> {
        let no_tls = |error: rustls::Error| StoreError::Unavailable {
            place: config.place(),
            reason: format!("its TLS cannot be set up: {error}"),
            retryable: false,
        };
        let tls = if config.tls()? { Some(Tls::new(&config).map_err(no_tls)?) } else { None };
        let permits = Arc::new(Semaphore::new(config.max_connections));
        Ok(Self { config, tls, permits, at_rest: Mutex::default(), hook: OnceLock::new() })
    }

    pub(super) fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// A connection that works, as far as can be told.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lent, Failure> {
        let permit = tokio::time::timeout(self.config.connect_timeout, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| Failure::NoneFree(self.config.max_connections))?
            .map_err(|_| Failure::Stopped)?;
        while let Some(mut connection) = self.pop() {
            let usable = connection.is_at_rest() && connection.age() < OLD;
            if usable && (connection.unused_for() < UNUSED || connection.is_alive().await) {
                return Ok(self.lend(connection, permit));
            }
        }
        let connection = Connection::open(&self.config, self.tls.as_ref(), self.hook.get().cloned()).await?;
        Ok(self.lend(connection, permit))
    }

    fn lend(self: &Arc<Self>, connection: Connection, permit: OwnedSemaphorePermit) -> Lent {
        Lent { connection: Some(connection), pool: self.clone(), _permit: permit }
    }

    fn pop(&self) -> Option<Connection> {
        self.at_rest.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// A lent connection. It goes back when it is dropped, unless it is in the middle of something.
pub(super) struct Lent {
    /// Taken out on drop alone.
    connection: Option<Connection>,
    pool: Arc<Pool>,
    /// Given back last: fields are dropped after [`drop`](Self::drop) has run.
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    /// Sends a statement, and waits for its rows as long as the server may take.
    pub(super) async fn run(
        &mut self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failure> {
        self.connection()?.run(doing, statement, values).await
    }

    /// Sends several statements without parameters.
    pub(super) async fn run_all(&mut self, doing: &'static str, statements: &str) -> Result<(), Failure> {
        self.connection()?.run_all(doing, statements).await
    }

    /// Begins a transaction. One that is not [committed](Self::commit) is undone.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        self.connection()?.begin().await
    }

    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        self.connection()?.commit().await
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), Failure> {
        self.connection()?.roll_back().await
    }

    /// Whether the connection is closed when it is dropped, so that what the session holds is given back.
    pub(super) fn keep_out_of_the_pool(&mut self, is_kept: bool) {
        if let Some(connection) = &mut self.connection {
            connection.spent = is_kept;
        }
    }

    fn connection(&mut self) -> Result<&mut Connection, Failure> {
        self.connection.as_mut().ok_or(Failure::Stopped)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_at_rest()
        {
            self.pool.at_rest.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
