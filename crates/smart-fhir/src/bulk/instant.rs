//! FHIR instants, as they are sent and received.

use super::BulkError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A FHIR `instant` (FHIR R4, datatypes): a date, a time to the second or finer, and a zone.
///
/// It is kept letter by letter, since the time of an export is told by the server's clock and handed back to the server
/// as it was (requirement BK-31). So two that mean the same time may differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FhirInstant(String);

impl FhirInstant {
    /// Checks a text such as `2026-11-24T20:31:58.123+01:00`.
    ///
    /// # Errors
    /// [`BulkError::InvalidRequest`] when it is no instant: a date alone, or without a zone.
    pub fn parse(text: &str) -> Result<Self, BulkError> {
        if is_instant(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BulkError::InvalidRequest {
                reason: "a time must be a FHIR instant, with seconds and zone, such as 2026-01-31T08:00:00Z",
            })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_instant(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else { return false };
    let Some(at) = rest.find(['Z', '+', '-']) else { return false };
    let (time, zone) = rest.split_at(at);
    is_date(date) && is_time(time) && is_zone(zone)
}

fn is_date(date: &str) -> bool {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    year > 0 && (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// Hours, minutes, seconds (60 is a leap second), and maybe fractions.
fn is_time(time: &str) -> bool {
    let (whole, fraction) = time.split_once('.').map_or((time, None), |(whole, fraction)| (whole, Some(fraction)));
    let parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let below = |text: &str, limit: u32| number(text, 2).is_some_and(|value| value < limit);
    let digits = |text: &str| (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    below(hour, 24) && below(minute, 60) && below(second, 61) && fraction.is_none_or(digits)
}

fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else { return zone == "Z" };
    let Some((hours, minutes)) = offset.split_once(':') else { return false };
    let (Some(hours), Some(minutes)) = (number(hours, 2), number(minutes, 2)) else { return false };
    hours <= 14 && minutes < 60
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

impl TryFrom<String> for FhirInstant {
    type Error = BulkError;

    fn try_from(text: String) -> Result<Self, BulkError> {
        Self::parse(&text)
    }
}

impl From<FhirInstant> for String {
    fn from(instant: FhirInstant) -> Self {
        instant.0
    }
}

impl FromStr for FhirInstant {
    type Err = BulkError;

    fn from_str(text: &str) -> Result<Self, BulkError> {
        Self::parse(text)
    }
}

impl fmt::Display for FhirInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// BK-07 (FHIR R4, datatypes instant): a time has seconds and a zone; it stays as it is written.
    #[test]
    fn instants_have_seconds_and_a_zone() {
        for text in [
            "2026-01-31T08:00:00Z",
            "2026-01-31T08:00:00.123456+01:00",
            "2024-02-29T23:59:60-05:30",
            "2000-02-29T00:00:00+14:00",
        ] {
            assert_eq!(FhirInstant::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "2026",
            "2026-01-31",
            "2026-01-31T08:00Z",
            "2026-01-31T08:00:00",
            "2026-01-31 08:00:00Z",
            "2026-02-29T08:00:00Z",
            "1900-02-29T08:00:00Z",
            "2026-13-01T08:00:00Z",
            "2026-00-01T08:00:00Z",
            "0000-01-01T08:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08:00:00.Z",
            "2026-01-31T08:00:00+0100",
            "2026-01-31T08:00:00+15:00",
            "2026-01-31T08:00:00Zx",
            "+026-01-31T08:00:00Z",
        ] {
            assert!(FhirInstant::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// BK-07: any text is an instant or refused, without a panic; what passes begins with a date.
        #[test]
        fn any_text_is_decided(text in "[0-9TZ:+. -]{0,40}|.*") {
            if let Ok(instant) = FhirInstant::parse(&text) {
                prop_assert!(instant.as_str().len() >= 20 && instant.to_string() == text);
            }
        }
    }
}
