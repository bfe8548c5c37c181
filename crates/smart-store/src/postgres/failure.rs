//! What can go wrong with a server, and what to do about it.

use crate::error::StoreError;
use std::error::Error as _;
use tokio_postgres::error::SqlState;

/// Why a statement or a connection came to nothing, or perhaps to something.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer came in time.
    NoAnswer,
    /// All connections were in use for all the time.
    NoneFree(usize),
    /// The server or the connection.
    Server(tokio_postgres::Error),
    /// The server's answer has another form than the tables of this version give.
    Strange,
    /// The runtime is stopping, or the call panicked.
    Stopped,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl Failure {
    /// The error of a call. `doing` says what the call was at.
    pub(super) fn at(&self, place: &str, doing: &str) -> StoreError {
        let reason = format!("{doing}: {}{}", self.description(), self.advice());
        StoreError::Unavailable { place: place.to_owned(), reason, retryable: self.may_pass() }
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Server(error) => error.code(),
            _ => None,
        }
    }

    /// Never the server's detail, which may show a row.
    fn description(&self) -> String {
        match self {
            Self::NoAnswer => "the server did not answer in time".to_owned(),
            Self::NoneFree(count) => format!("all {count} connections are in use"),
            Self::Strange => "the server's answer has another form than expected".to_owned(),
            Self::Stopped => "the runtime is stopping".to_owned(),
            Self::Server(error) => match error.as_db_error() {
                Some(refusal) => format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code()),
                None => match error.source() {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                },
            },
        }
    }

    fn advice(&self) -> &'static str {
        let Some(code) = self.code() else {
            return match self {
                Self::NoneFree(_) => "; try again, or allow more with `with_max_connections`",
                Self::Server(error) if is_about_tls(error) => {
                    "; the server needs a certificate for its name that this machine trusts \
                     (see `PostgresConfig::with_root_certificates`)"
                }
                Self::Server(error) if error.to_string() == "invalid configuration" => {
                    "; give the password in the connection string or by `with_password`"
                }
                _ => "",
            };
        };
        match *code {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "; check the user, the password and the server's pg_hba.conf"
            }
            SqlState::INVALID_CATALOG_NAME => "; create the database, or name another in the connection string",
            SqlState::INSUFFICIENT_PRIVILEGE => {
                "; let the owner of the schema run `PostgresStore::migrate` once, and grant this user USAGE on the schema \
                 and SELECT, INSERT, UPDATE, DELETE on its tables"
            }
            SqlState::DISK_FULL => "; free some space on the server and try again",
            SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => {
                "; its tables are gone or altered: bring them back from a copy, or open the store anew to make empty ones"
            }
            SqlState::READ_ONLY_SQL_TRANSACTION => "; the server is a replica now: try again to find the primary",
            _ => "",
        }
    }

    /// Whether the same call may work a little later. The classes are those of PostgreSQL's appendix A.
    fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer | Self::NoneFree(_) => true,
            Self::Strange | Self::Stopped => false,
            Self::Server(error) => match error.code() {
                Some(code) => {
                    // Connection, resources, intervention of the operator, system; rollback; a lock that is not free.
                    ["08", "53", "57", "58", "40", "55"].iter().any(|class| code.code().starts_with(class))
                        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                }
                None => !is_about_tls(error) && (error.is_closed() || has_io_cause(error)),
            },
        }
    }
}

fn is_about_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS")
}

fn has_io_cause(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}
