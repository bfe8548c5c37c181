//! FHIR dates, and how old somebody is on a day.

use jiff::civil::Date;

/// A FHIR `date` or `dateTime`, as exact as the record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartialDate {
    /// Only the year is known.
    Year(i16),
    /// Year and month.
    Month(i16, i8),
    /// The day.
    Day(Date),
}

impl PartialDate {
    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; a time of day after it is passed over.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let day = text.split('T').next().unwrap_or(text);
        let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        let mut parts = day.split('-');
        let year = parts.next().filter(|p| digits(p, 4))?.parse().ok()?;
        let Some(month) = parts.next() else { return Some(Self::Year(year)) };
        let month = Some(month).filter(|p| digits(p, 2))?.parse().ok().filter(|m| (1..=12).contains(m))?;
        let Some(day) = parts.next() else { return Some(Self::Month(year, month)) };
        let day = Some(day).filter(|p| digits(p, 2))?.parse().ok()?;
        if parts.next().is_some() {
            return None;
        }
        Date::new(year, month, day).ok().map(Self::Day)
    }

    /// The first day that it may mean.
    fn earliest(self) -> Option<Date> {
        match self {
            Self::Year(year) => Date::new(year, 1, 1).ok(),
            Self::Month(year, month) => Date::new(year, month, 1).ok(),
            Self::Day(day) => Some(day),
        }
    }

    /// The last day that it may mean.
    fn latest(self) -> Option<Date> {
        match self {
            Self::Year(year) => Date::new(year, 12, 31).ok(),
            Self::Month(year, month) => Date::new(year, month, 1).ok().map(Date::last_of_month),
            Self::Day(day) => Some(day),
        }
    }
}

/// The seconds since 1970 of a FHIR `dateTime` or `instant`. A date without a time counts from its first midnight in
/// UTC.
pub(crate) fn moment(text: &str) -> Option<i64> {
    if text.contains('T') {
        return text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    }
    let midnight = PartialDate::parse(text)?.earliest()?.at(0, 0, 0, 0);
    jiff::tz::Offset::UTC.to_timestamp(midnight).ok().map(jiff::Timestamp::as_second)
}

/// The age on `day` of somebody born at `birth`, in words: years, months below two years, days below two months.
/// Where the record is not exact enough to tell, both possible ages are given. `None`: born after that day.
pub(crate) fn age(birth: PartialDate, day: Date) -> Option<String> {
    let youngest = birth.latest()?.min(day);
    let oldest = birth.earliest().filter(|earliest| *earliest <= day)?;
    let (least, most) = (words(youngest, day), words(oldest, day));
    Some(if least == most { most } else { format!("{least} to {most}") })
}

fn words(birth: Date, day: Date) -> String {
    let months = full_months(birth, day);
    let counted = |count: i32, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match months {
        0 | 1 => counted(days(birth, day), "day"),
        2..=23 => counted(months, "month"),
        _ => counted(months / 12, "year"),
    }
}

fn full_months(birth: Date, day: Date) -> i32 {
    let months =
        (i32::from(day.year()) - i32::from(birth.year())) * 12 + i32::from(day.month()) - i32::from(birth.month());
    // Who is born on the 31st has the month's birthday on the last day of a shorter month.
    let birthday = birth.day().min(day.days_in_month());
    months - i32::from(day.day() < birthday)
}

fn days(birth: Date, day: Date) -> i32 {
    let seconds = day.duration_since(birth).as_secs();
    i32::try_from(seconds / 86_400).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(birth: &str, day: &str) -> Option<String> {
        age(PartialDate::parse(birth).unwrap(), day.parse().unwrap())
    }

    /// Years count from birthday to birthday.
    #[test]
    fn years_change_on_the_birthday() {
        assert_eq!(on("1980-06-15", "2024-06-14").unwrap(), "43 years");
        assert_eq!(on("1980-06-15", "2024-06-15").unwrap(), "44 years");
        assert_eq!(on("2004-02-29", "2024-02-28").unwrap(), "19 years");
        assert_eq!(on("2004-02-29", "2023-02-28").unwrap(), "19 years");
    }

    /// A small child's age is given in months, a newborn's in days: doses depend on it.
    #[test]
    fn small_children_are_counted_in_months_and_days() {
        assert_eq!(on("2024-01-31", "2024-01-31").unwrap(), "0 days");
        assert_eq!(on("2024-01-31", "2024-02-01").unwrap(), "1 day");
        assert_eq!(on("2024-01-31", "2024-03-30").unwrap(), "59 days");
        assert_eq!(on("2024-01-31", "2024-03-31").unwrap(), "2 months");
        assert_eq!(on("2022-03-10", "2024-03-09").unwrap(), "23 months");
        assert_eq!(on("2022-03-10", "2024-03-10").unwrap(), "2 years");
    }

    /// A birth date that is not exact gives no exact age.
    #[test]
    fn inexact_birth_dates_give_both_ages() {
        assert_eq!(on("1980", "2024-06-15").unwrap(), "43 years to 44 years");
        assert_eq!(on("1980-06", "2024-06-15").unwrap(), "43 years to 44 years");
        assert_eq!(on("1980-05", "2024-06-15").unwrap(), "44 years");
        assert_eq!(on("2024", "2024-06-15").unwrap(), "0 days to 5 months");
    }

    /// Somebody not yet born has no age.
    #[test]
    fn a_birth_date_in_the_future_gives_no_age() {
        assert_eq!(on("2024-06-16", "2024-06-15"), None);
        assert_eq!(on("2025", "2024-06-15"), None);
    }

    /// Dates that FHIR does not have are not guessed at.
    #[test]
    fn malformed_dates_are_refused() {
        for bad in ["", "80", "1980-6-15", "1980-13", "1980-02-30", "1980-01-01-01", "15.06.1980", "+980"] {
            assert_eq!(PartialDate::parse(bad), None, "{bad}");
        }
        assert_eq!(PartialDate::parse("1980-06-15T10:00:00Z"), PartialDate::parse("1980-06-15"));
    }

    /// Moments compare by time, not by letters.
    #[test]
    fn moments_respect_the_offset() {
        let (earlier, later) = ("2024-05-01T23:30:00+10:00", "2024-05-01T14:00:00Z");
        assert!(earlier > later && moment(earlier) < moment(later));
        assert_eq!(moment("1970-01-02"), Some(86_400));
        assert_eq!(moment("1971"), Some(31_536_000));
        assert_eq!(moment("2024-05-01T10:00"), None);
    }
}
