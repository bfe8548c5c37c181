//! Points in time as text.

use crate::api::{Clock as _, SystemClock, Timestamp};

/// A point in time as RFC 3339 text, in UTC. `None`: it lies beyond the years that can be written.
pub(crate) fn rfc3339(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_second(at.as_unix_seconds()).ok().map(|at| at.to_string())
}

/// How many seconds from now a point in time lies; negative when it is over.
pub(crate) fn seconds_until(at: Timestamp) -> i64 {
    at.as_unix_seconds().saturating_sub(SystemClock.now().as_unix_seconds())
}

/// How far away something is, for people: `in 59 minutes`, `3 days ago`.
pub(crate) fn in_words(seconds: i64) -> String {
    let distance = seconds.unsigned_abs();
    let (count, unit) = match distance {
        0..90 => (distance, "second"),
        90..5400 => ((distance + 30) / 60, "minute"),
        5400..129_600 => ((distance + 1800) / 3600, "hour"),
        _ => ((distance + 43_200) / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

/// A point in time and how far away it is: `2024-01-01T00:00:00Z (in 59 minutes)`.
pub(crate) fn with_distance(at: Timestamp) -> String {
    let distance = in_words(seconds_until(at));
    match rfc3339(at) {
        Some(text) => format!("{text} ({distance})"),
        None => distance,
    }
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

    /// Distances are told in the unit that fits, forwards and back.
    #[test]
    fn distances_are_told_in_fitting_units() {
        for (seconds, words) in [
            (0, "in 0 seconds"),
            (1, "in 1 second"),
            (89, "in 89 seconds"),
            (90, "in 2 minutes"),
            (3540, "in 59 minutes"),
            (-7200, "2 hours ago"),
            (259_200, "in 3 days"),
            (-86_400, "24 hours ago"),
            (i64::MIN, "106751991167301 days ago"),
        ] {
            assert_eq!(in_words(seconds), words, "{seconds}");
        }
    }
}
