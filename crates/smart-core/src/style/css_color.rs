//! Colours of CSS.

use super::color_names::COLOR_NAMES;
use super::css_number::{number, written};
use super::error::CssValueError;

/// A text longer than this is no colour.
const MAX_LENGTH: usize = 64;

/// A colour: `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`, a name, `rgb()`, `rgba()`, `hsl()` or `hsla()` (CSS Color, sections
/// 5 to 7). It is written anew from what was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CssColor(String);

impl CssColor {
    /// Reads a colour. Expressions and system colours are refused.
    ///
    /// # Errors
    /// [`CssValueError`].
    pub fn parse(text: &str) -> Result<Self, CssValueError> {
        let text = text.trim();
        let read = if text.len() > MAX_LENGTH { None } else { read(&text.to_ascii_lowercase()) };
        read.map(Self).ok_or(CssValueError { expected: "a colour" })
    }

    /// The colour as it goes into a style sheet.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CssColor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn read(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix('#') {
        let is_hex = matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|c| c.is_ascii_hexdigit());
        return is_hex.then(|| text.to_owned());
    }
    if COLOR_NAMES.binary_search(&text).is_ok() {
        return Some(text.to_owned());
    }
    let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let (parts, alpha) = arguments_of(arguments)?;
    let alpha = match alpha {
        Some(text) => format!(", {}", written(of_whole(text, 1.0)?)),
        None => String::new(),
    };
    let suffix = if alpha.is_empty() { "" } else { "a" };
    let [first, second, third] = parts;
    match name {
        "rgb" | "rgba" => {
            let channel = |text: &str| of_whole(text, 255.0).map(written);
            let (red, green, blue) = (channel(first)?, channel(second)?, channel(third)?);
            Some(format!("rgb{suffix}({red}, {green}, {blue}{alpha})"))
        }
        "hsl" | "hsla" => {
            let share = |text: &str| text.ends_with('%').then(|| of_whole(text, 100.0).map(written)).flatten();
            let (hue, saturation, lightness) = (written(degrees(first)?), share(second)?, share(third)?);
            Some(format!("hsl{suffix}({hue}, {saturation}%, {lightness}%{alpha})"))
        }
        _ => None,
    }
}

/// The three arguments and the alpha of a colour function: all parted by commas, or by blanks with a slash before alpha.
fn arguments_of(text: &str) -> Option<([&str; 3], Option<&str>)> {
    let (main, alpha): (Vec<&str>, Option<&str>) = if text.contains(',') {
        let mut parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let alpha = if parts.len() == 4 { parts.pop() } else { None };
        (parts, alpha)
    } else {
        match text.split_once('/') {
            Some((main, alpha)) => (main.split_ascii_whitespace().collect(), Some(alpha.trim())),
            None => (text.split_ascii_whitespace().collect(), None),
        }
    };
    Some((main.try_into().ok()?, alpha))
}

/// A number from 0 to `whole`, or a percentage of it; what lies outside is moved to the nearest end, as browsers do.
fn of_whole(text: &str, whole: f64) -> Option<f64> {
    let value = match number(text)? {
        (value, "") => value,
        (value, "%") => value * whole / 100.0,
        _ => return None,
    };
    Some(value.clamp(0.0, whole))
}

fn degrees(text: &str) -> Option<f64> {
    let (value, unit) = number(text)?;
    let degrees = match unit {
        "" | "deg" => value,
        "turn" => value * 360.0,
        "grad" => value * 0.9,
        "rad" => value.to_degrees(),
        _ => return None,
    };
    Some(degrees.rem_euclid(360.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CX-05 (SMART app styling; CSS Color 5 to 7): the usual forms of a colour, written anew.
    #[test]
    fn colours_of_every_form_are_read() {
        for (text, written) in [
            ("#EDEAE3", "#edeae3"),
            (" #fff ", "#fff"),
            ("#12345678", "#12345678"),
            ("RebeccaPurple", "rebeccapurple"),
            ("transparent", "transparent"),
            ("rgb(1,2,3)", "rgb(1, 2, 3)"),
            ("rgba(300, -1, 50%, .5)", "rgba(255, 0, 127.5, 0.5)"),
            ("rgb(1 2 3 / 25%)", "rgba(1, 2, 3, 0.25)"),
            ("hsl(0.5turn 50% 20%)", "hsl(180, 50%, 20%)"),
            ("HSLA(-30deg, 100%, 50%, 1)", "hsla(330, 100%, 50%, 1)"),
        ] {
            assert_eq!(CssColor::parse(text).unwrap().as_str(), written, "{text}");
        }
    }

    /// CX-05: nothing that could end a declaration, load something or take a value from elsewhere is a colour.
    #[test]
    fn other_text_is_no_colour() {
        for text in [
            "",
            "#ggg",
            "#12345",
            "red;}*{display:none",
            "red}",
            "url(https://evil.example/x)",
            "var(--x)",
            "inherit",
            "currentcolor",
            "expression(alert(1))",
            "rgb(1,2)",
            "rgb(1,2,3,4,5)",
            "rgb(1,2,3))",
            "rgb(1;2;3)",
            "rgb(1,2,calc(3))",
            "hsl(1,2,3)",
            "hsl(1px,2%,3%)",
            "red/**/",
            "\\72 ed",
            "</style>",
            "#fff #fff",
        ] {
            assert!(CssColor::parse(text).is_err(), "{text}");
        }
    }
}
