//! How to reach a PostgreSQL server.

use super::schema::Schema;
use crate::error::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::str::FromStr as _;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// One for the keys, one for where they come from, one that waits for those of the names, and one to work with.
const FEWEST_CONNECTIONS: usize = 4;
const MOST_CONNECTIONS: usize = 1_000;
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// How to reach a PostgreSQL server, and where in it the store lies.
///
/// Connections go over TLS, and the server must show a certificate for its host name that the platform trusts: what
/// libpq calls `sslmode=verify-full`. Weaker modes do not exist; a Unix socket, `localhost` and loopback addresses need
/// no TLS. With `sslmode=require` (or `verify-full`) in the connection string they have it as well.
///
/// By default: schema `smart_store`, 8 connections at most, 10 seconds for a statement and for a connection.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(super) server: tokio_postgres::Config,
    pub(super) schema: Schema,
    pub(super) max_connections: usize,
    pub(super) statement_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) roots: Option<Vec<CertificateDer<'static>>>,
    pub(super) without_tls: bool,
}

impl PostgresConfig {
    /// Reads a connection string, as a URL (`postgresql://user@host:5432/database`) or as libpq's `key=value` pairs. Host
    /// and user must be in it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be read. The string is not in the error: it may hold the password.
    pub fn parse(connection: &str) -> Result<Self, StoreError> {
        let parse = tokio_postgres::Config::from_str;
        // The library does not know libpq's names of the stricter modes. We have but the strictest.
        let strict = || {
            connection.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require")
        };
        let mut server = parse(connection).or_else(|_| parse(&strict())).map_err(|_| {
            refused("its connection string cannot be read; special characters in it are to be percent-encoded in a URL")
        })?;
        if server.get_hosts().is_empty() && server.get_hostaddrs().is_empty() {
            return Err(refused("its connection string names no host"));
        }
        if server.get_user().is_none() {
            return Err(refused("its connection string names no user"));
        }
        server.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if server.get_application_name().is_none() {
            server.application_name("smart-store");
        }
        Ok(Self {
            server,
            schema: Schema::default(),
            max_connections: 8,
            statement_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            roots: None,
            without_tls: false,
        })
    }

    /// The same with a password that is not in the connection string.
    pub fn with_password(mut self, password: impl AsRef<[u8]>) -> Self {
        self.server.password(password);
        self
    }

    /// The same with the store in another schema, so that several applications share a database. It is made if it is
    /// not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the name is not of 1 to 48 letters `a` to `z`, digits and `_`, beginning with a
    /// letter, or begins with `pg_`.
    pub fn with_schema(self, name: &str) -> Result<Self, StoreError> {
        let schema = Schema::new(name).ok_or_else(|| {
            refused("the name of a schema has 1 to 48 of `a` to `z`, digits and `_`, and begins with a letter")
        })?;
        Ok(Self { schema, ..self })
    }

    /// The same with another limit of connections at a time, between 4 and 1,000. Calls wait for one to become free.
    pub fn with_max_connections(self, count: usize) -> Self {
        Self { max_connections: count.clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS), ..self }
    }

    /// The same with another time that a statement may take, between a tenth of a second and an hour. The server ends
    /// it then; where the server does not answer, the call ends two seconds later.
    pub fn with_statement_timeout(self, time: Duration) -> Self {
        Self { statement_timeout: time.clamp(SHORTEST_WAIT, LONGEST_WAIT), ..self }
    }

    /// The same with another time that it may take to connect, and to wait for a free connection; between a tenth of a
    /// second and an hour.
    pub fn with_connect_timeout(self, time: Duration) -> Self {
        Self { connect_timeout: time.clamp(SHORTEST_WAIT, LONGEST_WAIT), ..self }
    }

    /// The same with these authorities (PEM) in place of those that the platform trusts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no certificate in it.
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, StoreError> {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| refused("the root certificates are no PEM"))?;
        if roots.is_empty() {
            return Err(refused("there is no certificate among the root certificates"));
        }
        Ok(Self { roots: Some(roots), ..self })
    }

    /// The same without TLS, to any host. Records are sealed all the same, but who listens sees which rows are read, and
    /// who is in between can answer in the server's place and try to get the password.
    pub fn dangerous_without_tls(self) -> Self {
        Self { without_tls: true, ..self }
    }

    /// Whether connections go over TLS.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection string forbids TLS where it has to be.
    pub(super) fn tls(&self) -> Result<bool, StoreError> {
        if self.without_tls {
            return Ok(false);
        }
        let local = self.is_local();
        match self.server.get_ssl_mode() {
            SslMode::Disable if !local => Err(refused(
                "its connection string has sslmode=disable, and the server is on another host; \
                 leave it out, or call `dangerous_without_tls`",
            )),
            SslMode::Require => Ok(true),
            _ => Ok(!local),
        }
    }

    /// Whether all its servers are on this machine, by name and by address.
    fn is_local(&self) -> bool {
        let by_name = self.server.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        });
        by_name && self.server.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
    }

    /// What to call the store in errors: no user, no password.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<String> = if self.server.get_hosts().is_empty() {
            self.server.get_hostaddrs().iter().map(ToString::to_string).collect()
        } else {
            self.server.get_hosts().iter().map(host_name).collect()
        };
        let ports: Vec<String> = self.server.get_ports().iter().map(ToString::to_string).collect();
        let port = if ports.is_empty() { "5432".to_owned() } else { ports.join(",") };
        let database = self.server.get_dbname().or(self.server.get_user()).unwrap_or_default();
        format!("PostgreSQL at {}:{port}, database `{database}`, schema `{}`", hosts.join(","), self.schema.name())
    }
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

fn refused(reason: &str) -> StoreError {
    StoreError::Unavailable { place: "PostgreSQL".to_owned(), reason: reason.to_owned(), retryable: false }
}

impl std::fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig").field("place", &self.place()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(connection: &str) -> Option<bool> {
        PostgresConfig::parse(connection).unwrap().tls().ok()
    }

    /// SE-11, SE-02 (RFC 9700 2.6): to another host TLS is always on, and a connection string cannot turn it off.
    #[test]
    fn tls_is_on_to_other_hosts() {
        for remote in ["db.example", "10.0.0.7", "db.example,localhost", "localhost.example", "[2001:db8::1]"] {
            let url = format!("postgresql://app@{remote}/x");
            assert_eq!(tls(&url), Some(true), "{remote}");
            for mode in ["prefer", "require", "verify-full", "verify-ca"] {
                assert_eq!(tls(&format!("{url}?sslmode={mode}")), Some(true), "{remote} {mode}");
            }
            assert_eq!(tls(&format!("{url}?sslmode=disable")), None, "{remote}");
            let dangerous = PostgresConfig::parse(&url).unwrap().dangerous_without_tls();
            assert!(!dangerous.tls().unwrap());
        }
        assert_eq!(tls("host=localhost hostaddr=10.0.0.7 user=app"), Some(true));
        assert_eq!(tls("host=db.example hostaddr=127.0.0.1 user=app"), Some(true));
    }

    /// SE-02: on the same machine TLS is off by itself, and on where it is asked for.
    #[test]
    fn tls_is_not_needed_on_this_machine() {
        for local in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "%2Frun%2Fpostgresql"] {
            let url = format!("postgresql://app@{local}/x");
            assert_eq!(tls(&url), Some(false), "{local}");
            assert_eq!(tls(&format!("{url}?sslmode=disable")), Some(false), "{local}");
            assert_eq!(tls(&format!("{url}?sslmode=verify-full")), Some(true), "{local}");
        }
    }

    /// SE-05, F-85: neither Debug nor an error shows the password, also where the string cannot be read.
    #[test]
    fn no_password_is_shown() {
        let config = PostgresConfig::parse("postgresql://app:hunter2@db.example:6432/x").unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("db.example:6432, database `x`, schema `smart_store`"), "{shown}");
        assert!(!shown.contains("hunter2"));
        for wrong in [
            "postgresql://app:hunter2@db.example:x/",
            "postgresql://app:hunter2@db.example/?hunter2=1",
            "user=app password=hunter2",
            "host=db.example password=hunter2 hunter2",
            "host=db.example password=hunter2",
        ] {
            let error = PostgresConfig::parse(wrong).unwrap_err();
            assert!(!error.is_retryable() && !format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    /// D-15: a schema's name is a plain one, so that it cannot lead to another application's tables.
    #[test]
    fn schema_names_are_plain() {
        let config = || PostgresConfig::parse("postgresql://app@localhost/x").unwrap();
        assert!(config().with_schema("clinic_2").is_ok());
        for wrong in ["", "A", "a-b", "a\"b", "1a", "pg_catalog", "a.b", "a b", &"a".repeat(49)] {
            assert!(config().with_schema(wrong).is_err(), "{wrong}");
        }
    }
}
