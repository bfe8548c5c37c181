//! Courses of values as SVG, drawn by the server: no script, and readable by a screen reader.

use jiff::civil::Date;
use smart_on_fhir::core::untrusted::html_escaped;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 36.0;
const RIGHT: f64 = 76.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 32.0;
/// How far apart two labels at the end of lines are at least.
const LABEL_HEIGHT: f64 = 16.0;
/// How many marks the time axis has at most.
const MOST_MARKS: i32 = 8;

/// A line of a chart, the earliest value first.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: &'a [(Date, f64)],
}

/// A chart of courses that have one unit.
pub(crate) struct Chart<'a> {
    /// A word for element ids.
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) decimals: usize,
    pub(crate) series: Vec<Series<'a>>,
}

/// How values and days become places in the drawing.
struct Scale {
    first: Date,
    days: f64,
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// `None`: there is nothing to draw.
    fn of(series: &[Series<'_>]) -> Option<Self> {
        let dates = || series.iter().flat_map(|series| series.points).map(|(date, _)| *date);
        let (mut first, mut last) = (dates().min()?, dates().max()?);
        if first == last {
            first = first.checked_sub(jiff::Span::new().days(30)).ok()?;
            last = last.checked_add(jiff::Span::new().days(30)).ok()?;
        }
        let values = || series.iter().flat_map(|series| series.points).map(|(_, value)| *value);
        let (smallest, largest) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(smallest, largest), value| {
            (smallest.min(value), largest.max(value))
        });
        let step = round_step((largest - smallest) / 4.0);
        let (low, mut high) = ((smallest / step).floor() * step, (largest / step).ceil() * step);
        if high - low < step {
            high = low + step;
        }
        Some(Self { first, days: days_between(first, last), low, high, step })
    }

    fn x(&self, date: Date) -> f64 {
        LEFT + days_between(self.first, date) / self.days * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }
}

fn days_between(from: Date, to: Date) -> f64 {
    f64::from(from.until(to).map_or(0, |span| span.get_days()))
}

/// The next of 1, 2, 5, 10, .. from `least` on.
fn round_step(least: f64) -> f64 {
    if least <= 0.0 || !least.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= least).unwrap_or(least)
}

impl Chart<'_> {
    /// The drawing, or words where there is nothing to draw.
    pub(crate) fn svg(&self) -> String {
        let Some(scale) = Scale::of(&self.series) else {
            return "<p class=\"none\">No values are recorded.</p>".to_owned();
        };
        let (id, title, unit) = (self.id, html_escaped(self.title), html_escaped(self.unit));
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\">\
             <title id=\"{id}-title\">{title} in {unit}</title><desc id=\"{id}-text\">{}</desc>\n",
            html_escaped(&self.in_words())
        );
        draw_axes(&scale, &mut svg);
        for (index, series) in self.series.iter().enumerate() {
            self.draw(series, index, &scale, &mut svg);
        }
        self.draw_labels(&scale, &mut svg);
        svg.push_str("</svg>");
        svg
    }

    fn draw(&self, series: &Series<'_>, index: usize, scale: &Scale, svg: &mut String) {
        let line: Vec<String> =
            series.points.iter().map(|(date, value)| format!("{:.1},{:.1}", scale.x(*date), scale.y(*value))).collect();
        let _ = writeln!(svg, "<polyline class=\"line s{index}\" points=\"{}\"/>", line.join(" "));
        for (date, value) in series.points {
            let (x, y) = (scale.x(*date), scale.y(*value));
            let what = format!(
                "<title>{} {date}: {value:.*} {}</title>",
                html_escaped(series.name),
                self.decimals,
                html_escaped(self.unit)
            );
            // Shapes tell the lines apart where colours do not.
            let _ = if index == 0 {
                writeln!(svg, "<circle class=\"dot s0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\">{what}</circle>")
            } else {
                let (left, top) = (x - 3.2, y - 3.2);
                writeln!(
                    svg,
                    "<rect class=\"dot s{index}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"6.4\" height=\"6.4\">{what}</rect>"
                )
            };
        }
    }

    /// The name and the last value of each line, at its end, and never one above another.
    fn draw_labels(&self, scale: &Scale, svg: &mut String) {
        let mut labels: Vec<(f64, usize, &Series<'_>, f64)> = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            if let Some((_, value)) = series.points.last() {
                labels.push((scale.y(*value), index, series, *value));
            }
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::NEG_INFINITY;
        for (y, index, series, value) in labels {
            let y = y.max(free);
            free = y + 2.0 * LABEL_HEIGHT + 4.0;
            let x = WIDTH - RIGHT + 10.0;
            let _ = writeln!(
                svg,
                "<text class=\"label s{index}\" x=\"{x}\" y=\"{:.1}\">{value:.*}</text>\
                 <text class=\"label name\" x=\"{x}\" y=\"{:.1}\">{}</text>",
                y + 1.0,
                self.decimals,
                y + LABEL_HEIGHT,
                html_escaped(series.name)
            );
        }
    }

    /// What the drawing shows, for those who do not see it.
    fn in_words(&self) -> String {
        let mut words = String::new();
        for series in &self.series {
            if let (Some((from, first)), Some((to, last))) = (series.points.first(), series.points.last()) {
                let _ = write!(
                    words,
                    "{}: {} values, from {first:.*} on {from} to {last:.*} on {to}. ",
                    series.name,
                    series.points.len(),
                    self.decimals,
                    self.decimals
                );
            }
        }
        words.push_str("All values are in the table below.");
        words
    }

    /// The same values as a table, the newest first.
    pub(crate) fn table(&self) -> String {
        let mut heads = String::new();
        // By day, and by the how-manieth of that day: two values of one day are two rows.
        let mut rows: BTreeMap<(Date, usize), Vec<Option<f64>>> = BTreeMap::new();
        for (index, series) in self.series.iter().enumerate() {
            let _ = write!(heads, "<th scope=\"col\">{} ({})</th>", html_escaped(series.name), html_escaped(self.unit));
            let mut of_day = BTreeMap::new();
            for (date, value) in series.points {
                let count = of_day.entry(*date).or_insert(0);
                *count += 1;
                let row = rows.entry((*date, *count)).or_insert_with(|| vec![None; self.series.len()]);
                if let Some(cell) = row.get_mut(index) {
                    *cell = Some(*value);
                }
            }
        }
        let mut table = format!("<table><thead><tr><th scope=\"col\">Date</th>{heads}</tr></thead><tbody>\n");
        for ((date, _), cells) in rows.iter().rev() {
            let _ = write!(table, "<tr><th scope=\"row\">{date}</th>");
            for cell in cells {
                let shown = cell.map_or_else(|| "–".to_owned(), |value| format!("{value:.*}", self.decimals));
                let _ = write!(table, "<td>{shown}</td>");
            }
            table.push_str("</tr>\n");
        }
        table.push_str("</tbody></table>");
        table
    }
}

/// Horizontal lines at round values, and a mark at the beginning of years or months.
fn draw_axes(scale: &Scale, svg: &mut String) {
    let mut value = scale.low;
    while value <= scale.high + scale.step / 2.0 {
        let y = scale.y(value);
        let decimals = usize::from(scale.step < 1.0);
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"mark end\" x=\"{:.1}\" y=\"{:.1}\">{value:.decimals$}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0
        );
        value += scale.step;
    }
    for (date, label) in time_marks(scale) {
        let (x, bottom) = (scale.x(date), HEIGHT - BOTTOM);
        let _ = writeln!(
            svg,
            "<line class=\"tick\" x1=\"{x:.1}\" y1=\"{bottom}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
             <text class=\"mark middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>",
            bottom + 5.0,
            bottom + 21.0
        );
    }
}

/// Where the time axis has marks: at the first of years, or of months where it shows less than two years.
fn time_marks(scale: &Scale) -> Vec<(Date, String)> {
    let first = i32::from(scale.first.year()) * 12 + i32::from(scale.first.month()) - 1;
    // Whole days, far fewer than an i32 holds.
    #[expect(clippy::cast_possible_truncation, reason = "the days of a record")]
    let months = (scale.days / 30.44) as i32 + 1;
    let by_years = months > 24;
    let unit = if by_years { 12 } else { 1 };
    let every = unit * ((months / unit + MOST_MARKS - 1) / MOST_MARKS).max(1);
    let mut marks = Vec::new();
    let mut month = (first + every - 1) / every * every;
    while month <= first + months {
        let (year, of_year) = (month / 12, month % 12 + 1);
        let date = i16::try_from(year).ok().zip(i8::try_from(of_year).ok());
        if let Some(date) = date.and_then(|(year, month)| Date::new(year, month, 1).ok())
            && date >= scale.first
            && days_between(scale.first, date) <= scale.days
        {
            marks.push((date, if by_years { year.to_string() } else { format!("{year}-{of_year:02}") }));
        }
        month += every;
    }
    marks
}
