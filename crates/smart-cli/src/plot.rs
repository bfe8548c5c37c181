//! A small plot of one measured value over time, for a terminal.

use crate::table::Characters;
use crate::text::{fit, one_line, pad, pad_left, width};

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// When, in seconds since 1970.
    pub(crate) seconds: i64,
    /// What was measured.
    pub(crate) value: f64,
}

/// What is plotted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plot<'a> {
    /// What the values are.
    pub(crate) title: &'a str,
    /// Their unit; empty where there is none.
    pub(crate) unit: &'a str,
    /// The measurements, in any order.
    pub(crate) points: &'a [Point],
}

/// How many lines the plot's area has.
const HEIGHT: usize = 6;
/// The narrowest and the widest area, in columns.
const AREA: std::ops::RangeInclusive<usize> = 12..=60;
/// Dots of a braille character: two columns of four.
const DOTS: (usize, usize) = (2, 4);

impl Plot<'_> {
    /// The lines: title, area with the highest and the lowest value at its axis, and the first and the last day below.
    /// None when there is nothing to plot.
    pub(crate) fn lines(&self, characters: Characters, terminal: usize) -> Vec<String> {
        let mut points: Vec<Point> = self.points.iter().copied().filter(|p| p.value.is_finite()).collect();
        points.sort_by_key(|p| p.seconds);
        let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else {
            return Vec::new();
        };
        let low = points.iter().map(|p| p.value).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(|p| p.value).fold(f64::NEG_INFINITY, f64::max);
        let labels = axis_labels(low, high);
        let margin = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let columns = terminal.saturating_sub(margin + 2).clamp(*AREA.start(), *AREA.end());
        let scale = Scale { first: first.seconds, last: last.seconds, low, high };
        let area = match characters {
            Characters::Unicode => braille(&points, &scale, columns),
            Characters::Ascii => ascii(&points, &scale, columns),
        };
        let (tick, bar, corner, floor) = match characters {
            Characters::Unicode => ("┤", "│", "└", "─"),
            Characters::Ascii => ("+", "|", "+", "-"),
        };
        let mut lines = vec![self.headline(points.len(), terminal)];
        for (label, row) in labels.iter().zip(area) {
            let axis = if label.is_empty() { bar } else { tick };
            lines.push(format!("{}{axis}{}", pad_left(label, margin + 1), row.trim_end_matches([' ', '\u{2800}'])));
        }
        lines.push(format!("{}{corner}{}", " ".repeat(margin + 1), floor.repeat(columns)));
        lines.push(format!("{}{}", " ".repeat(margin + 2), date_line(first.seconds, last.seconds, columns)));
        lines
    }

    fn headline(&self, count: usize, terminal: usize) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", one_line(self.unit)) };
        let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
        fit(&format!("{}{unit}, {values}", one_line(self.title)), terminal.max(*AREA.start()), "~")
    }
}

/// A value without needless digits.
pub(crate) fn shown_value(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// One label a line: the highest value at the top, the lowest at the bottom, or the only value in the middle.
fn axis_labels(low: f64, high: f64) -> Vec<String> {
    (0..HEIGHT)
        .map(|line| match line {
            _ if low >= high => {
                if line == HEIGHT / 2 {
                    shown_value(low)
                } else {
                    String::new()
                }
            }
            0 => shown_value(high),
            _ if line + 1 == HEIGHT => shown_value(low),
            _ => String::new(),
        })
        .collect()
}

fn date_line(first: i64, last: i64, columns: usize) -> String {
    let (from, to) = (day(first), day(last));
    if from == to {
        return from;
    }
    let room = columns.saturating_sub(width(&to));
    if room > width(&from) { format!("{}{to}", pad(&from, room)) } else { format!("{from} - {to}") }
}

/// The day of a moment, in UTC.
fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

struct Scale {
    first: i64,
    last: i64,
    low: f64,
    high: f64,
}

impl Scale {
    /// Where a point lies on a grid, from the top left.
    fn place(&self, point: Point, columns: usize, lines: usize) -> (usize, usize) {
        #[expect(clippy::cast_precision_loss, reason = "a plot's column needs no more than 52 bits of a time")]
        let across = ratio((point.seconds.saturating_sub(self.first)) as f64, (self.last - self.first) as f64);
        let up = if self.high > self.low { ratio(point.value - self.low, self.high - self.low) } else { 0.5 };
        (step(across, columns), step(1.0 - up, lines))
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// The cell out of `count` that a share between 0 and 1 falls into.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the share is between 0 and 1 and a terminal's width is small"
)]
fn step(share: f64, count: usize) -> usize {
    let last = count.saturating_sub(1);
    ((share * last as f64).round() as usize).min(last)
}

/// The cells on the straight way from one cell to another, ends included.
fn way(from: (usize, usize), to: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
    let between = move |a: usize, b: usize, at: usize| {
        let moved = (a.abs_diff(b) * at + steps / 2) / steps;
        if b >= a { a + moved } else { a - moved }
    };
    (0..=steps).map(move |at| (between(from.0, to.0, at), between(from.1, to.1, at)))
}

fn pairs<T: Copy>(places: &[T]) -> impl Iterator<Item = (T, T)> + '_ {
    places.iter().copied().zip(places.iter().copied().skip(1))
}

fn braille(points: &[Point], scale: &Scale, columns: usize) -> Vec<String> {
    let mut cells = vec![vec![0_u32; columns]; HEIGHT];
    let places: Vec<_> = points.iter().map(|p| scale.place(*p, columns * DOTS.0, HEIGHT * DOTS.1)).collect();
    let mut dot = |(x, y): (usize, usize)| {
        if let Some(cell) = cells.get_mut(y / DOTS.1).and_then(|row| row.get_mut(x / DOTS.0)) {
            *cell |= match (x % DOTS.0, y % DOTS.1) {
                (0, 3) => 0x40,
                (1, 3) => 0x80,
                (0, down) => 0x01 << down,
                (_, down) => 0x08 << down,
            };
        }
    };
    places.iter().copied().for_each(&mut dot);
    pairs(&places).flat_map(|(from, to)| way(from, to)).for_each(dot);
    cells
        .into_iter()
        .map(|row| row.into_iter().map(|bits| char::from_u32(0x2800 + bits).unwrap_or(' ')).collect())
        .collect()
}

fn ascii(points: &[Point], scale: &Scale, columns: usize) -> Vec<String> {
    let mut cells = vec![vec![' '; columns]; HEIGHT];
    let places: Vec<_> = points.iter().map(|p| scale.place(*p, columns, HEIGHT)).collect();
    let mut put = |(x, y): (usize, usize), mark: char| {
        if let Some(cell) = cells.get_mut(y).and_then(|row| row.get_mut(x)) {
            *cell = mark;
        }
    };
    pairs(&places).flat_map(|(from, to)| way(from, to)).for_each(|at| put(at, '.'));
    for at in places {
        put(at, '*');
    }
    cells.into_iter().map(String::from_iter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn points(values: &[f64]) -> Vec<Point> {
        // 2024-01-01
        values
            .iter()
            .zip(0_i64..)
            .map(|(value, at)| Point { seconds: 1_704_067_200 + at * DAY, value: *value })
            .collect()
    }

    fn lines(values: &[f64], characters: Characters, terminal: usize) -> Vec<String> {
        Plot { title: "Heart rate", unit: "/min", points: &points(values) }.lines(characters, terminal)
    }

    /// The axis names the highest and the lowest value, the floor the first and the last day.
    #[test]
    fn axes_name_extremes_and_dates() {
        let lines = lines(&[60.0, 80.5, 70.0], Characters::Ascii, 40);
        assert_eq!(lines[0], "Heart rate (/min), 3 values");
        assert!(lines[1].starts_with(" 80.5+"), "{lines:#?}");
        assert!(lines[HEIGHT].starts_with("   60+*"), "{lines:#?}");
        assert!(lines.last().unwrap().contains("2024-01-01") && lines.last().unwrap().ends_with("2024-01-03"));
        assert!(lines.iter().all(|line| width(line) <= 40), "{lines:#?}");
    }

    /// A rising series rises from the lower left to the upper right.
    #[test]
    fn ascii_points_lie_where_they_belong() {
        let lines = lines(&[1.0, 2.0], Characters::Ascii, 40);
        assert!(lines[1].ends_with('*') && width(&lines[1]) > 30, "{lines:#?}");
        assert!(lines[HEIGHT].contains("+*"), "{lines:#?}");
        assert_eq!(lines.iter().flat_map(|l| l.chars()).filter(|c| *c == '*').count(), 2);
    }

    /// Braille output has dots in the first and the last column, and only braille in its area.
    #[test]
    fn braille_uses_the_whole_area() {
        let lines = lines(&[1.0, 5.0, 2.0], Characters::Unicode, 60);
        let area: Vec<&str> = lines[1..=HEIGHT].iter().map(|l| l.split(['┤', '│']).nth(1).unwrap()).collect();
        assert!(area.iter().flat_map(|row| row.chars()).all(|c| ('\u{2800}'..='\u{28ff}').contains(&c)), "{area:?}");
        assert!(area[HEIGHT - 1].chars().next().is_some_and(|c| c != '\u{2800}'), "{area:?}");
        assert!(area[0].chars().any(|c| c != '\u{2800}'), "{area:?}");
    }

    /// One value, equal values, none, and values that are no numbers are all survived.
    #[test]
    fn edge_cases_are_drawn_or_left_out() {
        let one = lines(&[72.0], Characters::Ascii, 40);
        assert_eq!(one[0], "Heart rate (/min), 1 value");
        assert_eq!(one.iter().filter(|line| line.contains("72+")).count(), 1, "{one:#?}");
        assert_eq!(one.last().unwrap().trim(), "2024-01-01");
        assert_eq!(lines(&[72.0, 72.0], Characters::Unicode, 40).iter().filter(|l| l.contains("72┤")).count(), 1);
        assert!(lines(&[], Characters::Ascii, 40).is_empty());
        assert!(lines(&[f64::NAN, f64::INFINITY], Characters::Ascii, 40).is_empty());
        assert!(!lines(&[1.0, 2.0], Characters::Unicode, 0).is_empty());
    }

    /// The order in which the measurements come makes no difference.
    #[test]
    fn order_does_not_matter() {
        let sorted = points(&[1.0, 3.0, 2.0]);
        let mut mixed = sorted.clone();
        mixed.rotate_left(1);
        let draw = |points: &[Point]| Plot { title: "x", unit: "", points }.lines(Characters::Unicode, 50);
        assert_eq!(draw(&sorted), draw(&mixed));
    }

    /// Values are shown without needless digits.
    #[test]
    fn values_have_no_needless_digits() {
        assert_eq!(shown_value(80.0), "80");
        assert_eq!(shown_value(80.50), "80.5");
        assert_eq!(shown_value(-0.001), "0");
        assert_eq!(shown_value(100.0), "100");
        assert_eq!(shown_value(36.64), "36.64");
    }
}
