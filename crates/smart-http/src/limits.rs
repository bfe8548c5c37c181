//! How long an exchange may take and how large its answer may be.

use std::time::Duration;

/// The limits of one exchange (requirement SE-08). Every exchange has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection: name lookup, TCP and TLS together. Default 10 s.
    pub connect: Duration,
    /// From the connection to the head of the response. Default 20 s.
    pub headers: Duration,
    /// Between two chunks of the body. Default 15 s.
    pub idle: Duration,
    /// The whole exchange, body included. Default 30 s. `Duration::MAX` leaves it to the other limits.
    pub total: Duration,
    /// The body, in octets. Default 32 MiB.
    pub max_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            headers: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(30),
            max_body: 32 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The same limits with another one for the body, in octets.
    pub fn with_max_body(self, max_body: u64) -> Self {
        Self { max_body, ..self }
    }

    /// The same limits with another one for the whole exchange.
    pub fn with_total(self, total: Duration) -> Self {
        Self { total, ..self }
    }
}
