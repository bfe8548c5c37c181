//! Points in time as FHIR's `instant`.

use smart_core::time::Timestamp;

/// The first and the last second that can be written with four digits for the year.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// A point in time as RFC 3339 text in UTC. What lies beyond the years 1 to 9999 is told as their end.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let seconds = at.as_unix_seconds().clamp(FIRST, LAST);
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The point in time of such a text.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let at = Timestamp::from_unix_seconds(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second);
    // Only what would be written the same is read.
    (rfc3339(at) == text).then_some(at)
}

/// Year, month and day of a day since 1970. Years are counted from March, so that the leap day is the last of its year.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(seconds: i64) -> String {
        rfc3339(Timestamp::from_unix_seconds(seconds))
    }

    /// F-95 (FHIR R4, datatypes, instant): times are written to the second, in UTC, with four digits for the year.
    #[test]
    fn times_are_instants() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59Z");
        assert_eq!(text(1_800_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(text(i64::MIN), "0001-01-01T00:00:00Z");
    }

    /// What is no such text is not read.
    #[test]
    fn other_texts_are_not_read() {
        for wrong in [
            "",
            "2027-02-29T00:00:00Z",
            "2027-01-15 08:00:00Z",
            "2027-01-15T24:00:00Z",
            "2027-01-15T08:00:00+00:00",
            "+027-01-15T08:00:00Z",
            "2027-13-01T00:00:00Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        /// Every second is written as another library writes it, and read back.
        #[test]
        fn every_second_is_written_and_read(seconds in FIRST..=LAST) {
            let at = Timestamp::from_unix_seconds(seconds);
            prop_assert_eq!(rfc3339(at), jiff::Timestamp::from_second(seconds).unwrap().to_string());
            prop_assert_eq!(parse(&rfc3339(at)), Some(at));
        }
    }
}
