//! How output looks: colours, characters and width, by what it goes to.

use crate::table::Characters;
use std::io::IsTerminal as _;

/// The width where nothing is known of it.
const USUAL_WIDTH: usize = 80;
/// Lines do not get longer than this, so that they can be read on a wide screen too.
const WIDEST: usize = 120;

/// How output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Box and braille characters, or ASCII.
    pub(crate) characters: Characters,
    /// Columns.
    pub(crate) width: usize,
    /// Whether colours are used.
    pub(crate) colour: bool,
    /// Whether a line that stands may be written over.
    pub(crate) live: bool,
}

/// What a style is decided by.
pub(crate) struct Surroundings<'a> {
    /// `--ascii`.
    pub(crate) ascii: bool,
    /// Whether the output goes to a terminal.
    pub(crate) terminal: bool,
    /// The terminal's columns, where it tells them.
    pub(crate) columns: Option<usize>,
    /// The environment.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Style {
    /// The style of standard output.
    pub(crate) fn of_stdout(ascii: bool) -> Self {
        let out = std::io::stdout();
        let columns = terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0));
        Self::by(&Surroundings { ascii, terminal: out.is_terminal(), columns, variable: &variable })
    }

    /// The style of standard error.
    pub(crate) fn of_stderr(ascii: bool) -> Self {
        let err = std::io::stderr();
        let columns = terminal_size::terminal_size_of(&err).map(|(width, _)| usize::from(width.0));
        Self::by(&Surroundings { ascii, terminal: err.is_terminal(), columns, variable: &variable })
    }

    /// The style for these surroundings.
    pub(crate) fn by(around: &Surroundings<'_>) -> Self {
        let set = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        // The first of the three that is set decides, as in POSIX.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).map(|name| name.to_ascii_lowercase());
        let other_charset = locale.is_some_and(|name| !name.contains("utf-8") && !name.contains("utf8"));
        // The Linux console has no braille.
        let ascii = around.ascii || other_charset || term == "dumb" || term == "linux";
        let columns = around.columns.or_else(|| set("COLUMNS").and_then(|text| text.parse().ok()));
        Self {
            characters: if ascii { Characters::Ascii } else { Characters::Unicode },
            width: columns.unwrap_or(USUAL_WIDTH).min(WIDEST),
            colour: around.terminal && set("NO_COLOR").is_none() && term != "dumb",
            live: around.terminal && term != "dumb",
        }
    }

    /// `text` in a colour, where there are colours.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code()) } else { text.to_owned() }
    }

    /// The Unicode or the ASCII form.
    pub(crate) fn either<'a>(&self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.characters == Characters::Unicode { unicode } else { ascii }
    }
}

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// It worked.
    Good,
    /// It failed.
    Bad,
    /// It matters less.
    Dim,
    /// It heads something.
    Head,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Dim => "2",
            Self::Head => "1",
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(terminal: bool, variables: &[(&str, &str)]) -> Style {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Style::by(&Surroundings { ascii: false, terminal, columns: None, variable: &variable })
    }

    /// Colours only on a terminal, and never with NO_COLOR or on a dumb terminal.
    #[test]
    fn colours_only_on_a_terminal_that_wants_them() {
        assert!(style(true, &[("TERM", "xterm")]).colour);
        assert!(!style(false, &[("TERM", "xterm")]).colour);
        assert!(!style(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]).colour);
        assert!(style(true, &[("TERM", "xterm"), ("NO_COLOR", "")]).colour);
        assert!(!style(true, &[("TERM", "dumb")]).colour);
        assert_eq!(style(false, &[]).paint(Colour::Bad, "x"), "x");
        assert_eq!(style(true, &[]).paint(Colour::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }

    /// Box characters unless the locale has none; the first variable that is set decides.
    #[test]
    fn characters_follow_the_locale() {
        assert_eq!(style(true, &[("LANG", "C")]).characters, Characters::Ascii);
        assert_eq!(style(true, &[("LANG", "de_DE.UTF-8")]).characters, Characters::Unicode);
        assert_eq!(style(true, &[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).characters, Characters::Ascii);
        assert_eq!(style(true, &[("LC_ALL", ""), ("LANG", "C.utf8")]).characters, Characters::Unicode);
        assert_eq!(style(true, &[]).characters, Characters::Unicode);
        assert_eq!(style(true, &[("TERM", "linux"), ("LANG", "C.utf8")]).characters, Characters::Ascii);
    }

    /// The width is the terminal's, else that of COLUMNS, else 80, and never too wide to read.
    #[test]
    fn the_width_is_bounded() {
        assert_eq!(style(false, &[]).width, 80);
        assert_eq!(style(false, &[("COLUMNS", "100")]).width, 100);
        assert_eq!(style(false, &[("COLUMNS", "many")]).width, 80);
        let wide = Surroundings { ascii: false, terminal: true, columns: Some(400), variable: &|_| None };
        assert_eq!(Style::by(&wide).width, 120);
    }
}
