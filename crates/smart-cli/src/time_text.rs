//! Points in time as text.

use crate::api::Timestamp;

/// A point in time as RFC 3339 text, in UTC. `None`: it lies beyond the years that can be written.
pub(crate) fn rfc3339(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_second(at.as_unix_seconds()).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds become RFC 3339 text; what cannot be written is left out.
    #[test]
    fn points_in_time_are_written_in_utc() {
        assert_eq!(rfc3339(Timestamp::from_unix_seconds(1_704_067_200)).unwrap(), "2024-01-01T00:00:00Z");
        assert_eq!(rfc3339(Timestamp::from_unix_seconds(i64::MAX)), None);
    }
}
