//! The days of the data set. It knows no clock: its present is the morning of 2026-01-01.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// The day on which the data set ends.
pub(super) const EPOCH: Date = jiff::civil::date(2026, 1, 1);

/// A day of the tables. A text that is no day becomes the epoch, which a test of the tables rules out.
pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap_or(EPOCH)
}

/// Some days later.
pub(super) fn later(date: Date, days: i32) -> Date {
    date.saturating_add(Span::new().days(i64::from(days).clamp(-100_000, 100_000)))
}

/// The first working day from `date` on.
pub(super) fn working_day(date: Date) -> Date {
    use jiff::civil::Weekday;
    match date.weekday() {
        Weekday::Saturday => date.saturating_add(2.days()),
        Weekday::Sunday => date.saturating_add(1.day()),
        _ => date,
    }
}

/// Days from one date to another.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    i32::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(0)
}

/// Whole years from one date to another.
pub(super) fn years_between(from: Date, to: Date) -> i16 {
    let had_birthday = (to.month(), to.day()) >= (from.month(), from.day());
    to.year() - from.year() - i16::from(!had_birthday)
}

/// An instant of a day, in UTC.
pub(super) fn at(date: Date, minutes: u32) -> String {
    format!("{date}T{:02}:{:02}:00Z", minutes / 60 % 24, minutes % 60)
}
