//! One connection, and the statements that go over it.

use super::config::PostgresConfig;
use super::failure::Failure;
use super::tls::Tls;
use bytes::BytesMut;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Row};

/// How much longer than the server a call waits for the server's answer.
const GRACE: Duration = Duration::from_secs(2);
/// How long an unused connection may take to show that it still works.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// Before or after a statement, for tests that stop there.
#[cfg_attr(not(feature = "contract"), expect(unreachable_pub, reason = "public for tests alone"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementStep {
    /// The statement is about to be sent.
    Before,
    /// Its answer has come.
    After,
}

/// What a test does at a step. The text says what the statement is for.
pub(crate) type Hook = dyn Fn(StatementStep, &'static str) + Send + Sync;

/// A parameter of a statement. It shows in no log: the library would log parameters by their `Debug`.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Octets(&'a [u8]),
    Number(i64),
    Real(f64),
    /// Seconds since 1970, or none.
    Time(Option<i64>),
}

impl Value<'_> {
    fn sql_type(self) -> Type {
        match self {
            Self::Octets(_) => Type::BYTEA,
            Self::Number(_) | Self::Time(_) => Type::INT8,
            Self::Real(_) => Type::FLOAT8,
        }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, to: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Octets(octets) => octets.to_sql(of, to),
            Self::Number(number) => number.to_sql(of, to),
            Self::Real(real) => real.to_sql(of, to),
            Self::Time(time) => time.to_sql(of, to),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::BYTEA, Type::INT8, Type::FLOAT8].contains(of)
    }

    to_sql_checked!();
}

/// A connection to the server. What is dropped in the middle of a statement or transaction is not used again.
pub(super) struct Connection {
    client: Client,
    driver: JoinHandle<()>,
    patience: Duration,
    hook: Option<Arc<Hook>>,
    made: Instant,
    used: Instant,
    /// A statement is under way or a transaction is open.
    busy: bool,
    in_transaction: bool,
    /// Nobody else may use it: the session holds something.
    pub(super) spent: bool,
}

impl Connection {
    pub(super) async fn open(
        config: &PostgresConfig,
        tls: Option<&Tls>,
        hook: Option<Arc<Hook>>,
    ) -> Result<Self, Failure> {
        let mut server = config.server.clone();
        server.connect_timeout(config.connect_timeout);
        server.ssl_mode(match tls {
            Some(_) => tokio_postgres::config::SslMode::Require,
            None => tokio_postgres::config::SslMode::Disable,
        });
        let connect = async {
            Ok(if let Some(tls) = tls {
                let (client, connection) = server.connect(tls.clone()).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            } else {
                let (client, connection) = server.connect(NoTls).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            })
        };
        let connected: Result<_, Failure> = limited(config.connect_timeout, connect).await;
        let (client, driver) = connected?;
        let now = Instant::now();
        let mut connection = Self {
            client,
            driver,
            patience: config.statement_timeout.saturating_add(GRACE),
            hook,
            made: now,
            used: now,
            busy: false,
            in_transaction: false,
            spent: false,
        };
        connection.run("preparing a connection", &session_settings(config.statement_timeout), &[]).await?;
        Ok(connection)
    }

    /// Sends a statement, and waits for its rows as long as the server may take.
    ///
    /// It is not prepared: that would take another round trip, and a statement of its own for each connection.
    pub(super) async fn run(
        &mut self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), value.sql_type())).collect();
        self.begin_step(doing);
        let answer = limited(self.patience, async { Ok(self.client.query_typed(statement, &typed).await?) }).await;
        self.end_step(doing, &answer);
        answer
    }

    /// Sends several statements without parameters.
    pub(super) async fn run_all(&mut self, doing: &'static str, statements: &str) -> Result<(), Failure> {
        self.begin_step(doing);
        let answer = limited(self.patience, async { Ok(self.client.batch_execute(statements).await?) }).await;
        self.end_step(doing, &answer);
        answer
    }

    fn begin_step(&mut self, doing: &'static str) {
        self.step(StatementStep::Before, doing);
        self.busy = true;
    }

    fn end_step<T>(&mut self, doing: &'static str, answer: &Result<T, Failure>) {
        // After an error of the statement's the connection is as good as before; a fatal one is the last that it says.
        let answered = match answer {
            Ok(_) => true,
            Err(Failure::Server(error)) => {
                error.as_db_error().and_then(DbError::parsed_severity) == Some(Severity::Error)
            }
            Err(_) => false,
        };
        self.busy = self.in_transaction || !answered;
        self.used = Instant::now();
        self.step(StatementStep::After, doing);
    }

    /// Begins a transaction. Until it is [committed](Self::commit) the connection is of no use to others.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        self.in_transaction = true;
        self.run("beginning a transaction", "BEGIN", &[]).await.map(drop)
    }

    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        self.run("committing a transaction", "COMMIT", &[]).await?;
        (self.in_transaction, self.busy) = (false, false);
        Ok(())
    }

    /// Undoes a transaction that is open.
    pub(super) async fn roll_back(&mut self) -> Result<(), Failure> {
        if self.in_transaction {
            self.run("undoing a transaction", "ROLLBACK", &[]).await?;
            (self.in_transaction, self.busy) = (false, false);
        }
        Ok(())
    }

    /// Whether somebody else may use it.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.busy && !self.spent && !self.client.is_closed()
    }

    pub(super) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    pub(super) fn unused_for(&self) -> Duration {
        self.used.elapsed()
    }

    /// Asks whether the server is still there.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.busy = true;
        let alive = limited(SIGN_OF_LIFE, async { Ok(self.client.query_typed("SELECT 1", &[]).await?) }).await.is_ok();
        self.busy = !alive;
        alive
    }

    fn step(&self, step: StatementStep, doing: &'static str) {
        if let Some(hook) = &self.hook {
            hook(step, doing);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // One at rest says goodbye by itself; in the middle of something there is nobody to wait for.
        if !self.is_at_rest() {
            self.driver.abort();
        }
    }
}

async fn limited<T>(time: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(time, work).await.unwrap_or(Err(Failure::NoAnswer))
}

/// What a database or user may have set otherwise: time-outs; the isolation that the statements are made for; that a
/// commit waits for the disk (a server that waits for even more is left to do so); and that names mean what they mean.
fn session_settings(statement_timeout: Duration) -> String {
    let time = statement_timeout.as_millis();
    let lock_time = time.saturating_mul(3) / 4;
    format!(
        "SELECT set_config('statement_timeout', '{time}', false), set_config('lock_timeout', '{lock_time}', false), \
         set_config('idle_in_transaction_session_timeout', '{time}', false), \
         set_config('default_transaction_isolation', 'read committed', false), \
         set_config('search_path', 'pg_catalog', false), \
         CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END"
    )
}
