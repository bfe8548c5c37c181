//! Aligned tables for a terminal: box characters or plain ASCII, never wider than asked.

use crate::text::{one_line, pad, pad_left, width, wrap};

/// What a table is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Characters {
    /// Box drawing.
    Unicode,
    /// `+`, `-` and `|`.
    Ascii,
}

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table of text cells.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    head: bool,
}

/// The columns that borders and blanks take besides the cells: `| a | b |`.
const fn frame(columns: usize) -> usize {
    3 * columns + 1
}

/// No column is made narrower than this.
const NARROWEST: usize = 4;

impl Table {
    /// A table with a head.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            columns: columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect(),
            rows: Vec::new(),
            head: true,
        }
    }

    /// A table of names and values, without a head.
    pub(crate) fn of_pairs() -> Self {
        Self { head: false, ..Self::new(&[("", Align::Left), ("", Align::Left)]) }
    }

    /// Adds a row. Missing cells are empty; cells beyond the last column are left out. Control characters are replaced.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut row: Vec<String> = cells.into_iter().map(|cell| one_line(cell.as_ref())).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table, none wider than `terminal` columns unless every column is at its narrowest. Cells that
    /// are too long go on in further lines: nothing is cut off.
    pub(crate) fn lines(&self, characters: Characters, terminal: usize) -> Vec<String> {
        let widths = self.widths(terminal);
        let set = Set::of(characters);
        let rule = |left: &str, middle: &str, right: &str| {
            let bars: Vec<String> = widths.iter().map(|w| set.horizontal.repeat(w + 2)).collect();
            format!("{left}{}{right}", bars.join(middle))
        };
        let mut lines = vec![rule(set.top[0], set.top[1], set.top[2])];
        if self.head {
            let names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
            lines.extend(self.row_lines(&names, &widths, set));
            lines.push(rule(set.middle[0], set.middle[1], set.middle[2]));
        }
        for row in &self.rows {
            lines.extend(self.row_lines(row, &widths, set));
        }
        lines.push(rule(set.bottom[0], set.bottom[1], set.bottom[2]));
        lines
    }

    fn row_lines(&self, row: &[String], widths: &[usize], set: &Set) -> Vec<String> {
        let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        (0..height)
            .map(|line| {
                let mut out = set.vertical.to_owned();
                for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
                    let text = cell.get(line).map_or("", String::as_str);
                    let padded = if *align == Align::Right { pad_left(text, *width) } else { pad(text, *width) };
                    out.extend([" ", &padded, " ", set.vertical]);
                }
                out
            })
            .collect()
    }

    /// The natural widths, the widest columns shrunk until the table fits.
    fn widths(&self, terminal: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
                cells.chain([width(name)]).max().unwrap_or(0).max(1)
            })
            .collect();
        let room = terminal.saturating_sub(frame(widths.len()));
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

struct Set {
    horizontal: &'static str,
    vertical: &'static str,
    top: [&'static str; 3],
    middle: [&'static str; 3],
    bottom: [&'static str; 3],
}

impl Set {
    fn of(characters: Characters) -> &'static Self {
        match characters {
            Characters::Unicode => &Self {
                horizontal: "─",
                vertical: "│",
                top: ["┌", "┬", "┐"],
                middle: ["├", "┼", "┤"],
                bottom: ["└", "┴", "┘"],
            },
            Characters::Ascii => &Self {
                horizontal: "-",
                vertical: "|",
                top: ["+", "+", "+"],
                middle: ["+", "+", "+"],
                bottom: ["+", "+", "+"],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals() -> Table {
        let mut table = Table::new(&[("Vital sign", Align::Left), ("Value", Align::Right)]);
        table.row(["Heart rate", "72 /min"]);
        table.row(["Weight", "6.5 kg"]);
        table
    }

    /// The columns are aligned, numbers to the right.
    #[test]
    fn ascii_table_is_aligned() {
        assert_eq!(
            vitals().lines(Characters::Ascii, 80),
            [
                "+------------+---------+",
                "| Vital sign |   Value |",
                "+------------+---------+",
                "| Heart rate | 72 /min |",
                "| Weight     |  6.5 kg |",
                "+------------+---------+",
            ]
        );
    }

    /// The box is closed, and every line is as wide as the others, with wide characters too.
    #[test]
    fn unicode_table_lines_have_one_width() {
        let mut table = vitals();
        table.row(["體溫", "36.6 °C"]);
        let lines = table.lines(Characters::Unicode, 80);
        assert!(lines[0].starts_with('┌') && lines[0].ends_with('┐'), "{lines:?}");
        assert!(lines.iter().all(|line| width(line) == width(&lines[0])), "{lines:#?}");
    }

    /// A table is never wider than the terminal, and loses no text to that.
    #[test]
    fn narrow_terminals_wrap_cells_and_lose_nothing() {
        let mut table = Table::of_pairs();
        table.row(["Address", "12 Long Meadow Lane Springfield Massachusetts 01101 United States"]);
        let lines = table.lines(Characters::Unicode, 32);
        assert!(lines.iter().all(|line| width(line) <= 32), "{lines:#?}");
        for word in ["Meadow", "Massachusetts", "01101", "States"] {
            assert!(lines.iter().any(|line| line.contains(word)), "{word}: {lines:#?}");
        }
    }

    /// A terminal narrower than any table gets the narrowest one, and no endless loop.
    #[test]
    fn absurdly_narrow_terminals_are_survived() {
        assert!(!vitals().lines(Characters::Ascii, 0).is_empty());
        assert!(!Table::of_pairs().lines(Characters::Ascii, 1).is_empty());
    }

    /// CB-08 (SMART, app launch, callback): a cell cannot steer the terminal nor break its row.
    #[test]
    fn cells_are_cleaned() {
        let mut table = Table::of_pairs();
        table.row(["Name", "Eve\u{1b}[2J\nMallory"]);
        let lines = table.lines(Characters::Ascii, 80);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains("Eve\u{fffd}[2J Mallory"), "{lines:?}");
    }
}
