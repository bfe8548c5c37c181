//! Dates compare as ranges: `2025` is all of that year (FHIR R4, search, date).

use super::value::Prefix;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

const SECOND: i128 = 1_000_000_000;

/// From the first nanosecond to the first that is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i128,
    pub(crate) to: i128,
}

impl Range {
    /// The range of a date, dateTime or instant, whatever its precision. Without a time zone it is UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.contains('T') { Self::of_time(text) } else { Self::of_days(text) }
    }

    /// The range of an element: a date, or a Period, which may be open at either end.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Object(period) => {
                let end = |name: &str| period.get(name).and_then(Value::as_str).and_then(Self::parse);
                let (start, end) = (end("start"), end("end"));
                (start.is_some() || end.is_some()).then(|| Self {
                    from: start.map_or(i128::MIN, |start| start.from),
                    to: end.map_or(i128::MAX, |end| end.to),
                })
            }
            _ => None,
        }
    }

    fn of_days(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i8>().ok());
        let is_plain =
            text.bytes().enumerate().all(|(at, c)| if at == 4 || at == 7 { c == b'-' } else { c.is_ascii_digit() });
        let year = text.get(..4).filter(|_| is_plain)?.parse::<i16>().ok()?;
        let (first, next) = match text.len() {
            4 => (Date::new(year, 1, 1).ok()?, date(year, 12, 31)),
            7 => {
                let first = Date::new(year, number(5, 7)?, 1).ok()?;
                (first, first.last_of_month())
            }
            10 => {
                let day = Date::new(year, number(5, 7)?, number(8, 10)?).ok()?;
                (day, day)
            }
            _ => return None,
        };
        let midnight = |day: Date| Some(TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_nanosecond());
        Some(Self { from: midnight(first)?, to: midnight(next.checked_add(1.day()).ok()?)? })
    }

    fn of_time(text: &str) -> Option<Self> {
        // A plus in a query that was not encoded comes as a blank.
        let text = text.replace(' ', "+");
        let (_, time) = text.split_once('T')?;
        let zone = time.find(['Z', '+', '-']);
        let clock = time.get(..zone.unwrap_or(time.len()))?;
        let has_seconds = clock.len() > 5;
        let zone = zone.and_then(|at| time.get(at..)).unwrap_or("Z");
        let day = text.get(..10)?;
        let whole = format!("{day}T{clock}{}{zone}", if has_seconds { "" } else { ":00" });
        let from = whole.parse::<Timestamp>().ok()?.as_nanosecond();
        let width = match (has_seconds, clock.split_once('.')) {
            (false, _) => 60 * SECOND,
            (true, None) => SECOND,
            (true, Some((_, fraction))) => (0..fraction.len().min(9)).fold(SECOND, |width, _| width / 10),
        };
        Some(Self { from, to: from + width })
    }

    /// Whether this range of a resource is what a search with this prefix and value looks for.
    pub(crate) fn matches(self, prefix: Prefix, wanted: Self) -> bool {
        let is_within = self.from >= wanted.from && self.to <= wanted.to;
        match prefix {
            Prefix::Eq => is_within,
            Prefix::Ne => !is_within,
            Prefix::Gt => self.to > wanted.to,
            Prefix::Lt => self.from < wanted.from,
            Prefix::Ge => self.to > wanted.to || is_within,
            Prefix::Le => self.from < wanted.from || is_within,
            Prefix::Sa => self.from >= wanted.to,
            Prefix::Eb => self.to <= wanted.from,
            Prefix::Ap => self.from < wanted.to && self.to > wanted.from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(stored: &Value, wanted: &str) -> bool {
        let (prefix, text) = Prefix::split(wanted);
        Range::of(stored).unwrap().matches(prefix, Range::parse(text).unwrap())
    }

    proptest! {
        /// A text is a range of at least a nanosecond, or it is refused.
        #[test]
        fn any_text_is_a_range_or_refused(text in "[0-9TZ:.+ -]{0,30}|.{0,12}") {
            if let Some(range) = Range::parse(&text) {
                prop_assert!(range.from < range.to, "{text}");
                prop_assert!(range.matches(Prefix::Eq, range) && !range.matches(Prefix::Gt, range), "{text}");
            }
        }
    }

    /// A Period that is open has no end.
    #[test]
    fn periods_may_be_open() {
        let open = serde_json::json!({"start": "2025-03-10"});
        assert!(matches(&open, "gt2030") && matches(&open, "ge2025-03-10") && !matches(&open, "2025"));
        assert!(matches(&open, "ap2027") && !matches(&open, "eb2099") && !matches(&open, "lt2025-03-10"));
    }
}
