//! The `Retry-After` header.

use http::{HeaderMap, header};
use smart_core::time::Timestamp;
use std::time::Duration;

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date in any of the three forms of section 5.6.7.
///
/// A date that has passed is zero. `None` when there is none or it is malformed. The value is the server's, however
/// long it is: bound it.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // Only digits, so what does not parse is too large for the type.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(Timestamp::from(date).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1994-11-06T08:49:37Z, the date of RFC 9110's examples.
    const DATE: i64 = 784_111_777;

    fn read(value: &str, now: i64) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
        retry_after(&headers, Timestamp::from_unix_seconds(now)).map(|wait| wait.as_secs())
    }

    /// FR-19 (RFC 9110, 10.2.3): delta-seconds, however many.
    #[test]
    fn seconds_are_read() {
        for (value, seconds) in [
            ("0", 0),
            ("120", 120),
            (" 007\t", 7),
            ("99999999999999999999999", u64::MAX),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(read(value, 0), Some(seconds), "{value}");
        }
    }

    /// FR-19 (RFC 9110, 5.6.7): all three forms of a date, against the clock that was passed in.
    #[test]
    fn all_three_date_forms_are_read() {
        for value in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(read(value, DATE - 90), Some(90), "{value}");
            assert_eq!(read(value, DATE + 90), Some(0), "{value}");
        }
    }

    /// FR-19: anything else is no Retry-After.
    #[test]
    fn other_values_are_passed_over() {
        for value in
            ["", " ", "-1", "+1", "1.5", "1 2", "soon", "Sun, 06 Nov 1994", "Sun, 99 Nov 1994 08:49:37 GMT", "\u{661}"]
        {
            assert_eq!(read(value, 0), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::from_unix_seconds(0)), None);
    }

    proptest! {
        /// FR-19: no value makes the parser panic, and every number of seconds is read as it is.
        #[test]
        fn any_value_is_read_or_passed_over(value in ".*", seconds: u64, now: i64) {
            read(&value, now);
            prop_assert_eq!(read(&seconds.to_string(), now), Some(seconds));
        }
    }
}
