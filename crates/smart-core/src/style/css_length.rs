//! Lengths of CSS.

use super::css_number::{number, written};
use super::error::CssValueError;

/// No length of a style is longer, in whatever unit.
const MAX: f64 = 10_000.0;

/// A length that is not negative, such as `6px` or `1.25rem`; zero may lack a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CssLength {
    value: f64,
    unit: LengthUnit,
}

macro_rules! units {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// The unit of a length (CSS Values and Units, section 6).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum LengthUnit {
            $($(#[$doc])* $variant,)+
        }

        impl LengthUnit {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The unit as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

units! {
    /// Pixels.
    Px = "px",
    /// The size of the element's font.
    Em = "em",
    /// The size of the root element's font.
    Rem = "rem",
    /// A share of what is around it.
    Percent = "%",
    /// Points.
    Pt = "pt",
    /// Picas.
    Pc = "pc",
    /// The height of the letter x.
    Ex = "ex",
    /// The width of the digit 0.
    Ch = "ch",
    /// Inches.
    In = "in",
    /// Centimetres.
    Cm = "cm",
    /// Millimetres.
    Mm = "mm",
    /// A hundredth of the window's width.
    Vw = "vw",
    /// A hundredth of the window's height.
    Vh = "vh",
}

impl CssLength {
    /// Reads a length. Expressions (`calc()`, `var()`) are refused, and so is what is negative or longer than 10,000
    /// units.
    ///
    /// # Errors
    /// [`CssValueError`].
    pub fn parse(text: &str) -> Result<Self, CssValueError> {
        Self::read(text).ok_or(CssValueError { expected: "a length" })
    }

    fn read(text: &str) -> Option<Self> {
        let (value, unit) = number(text.trim())?;
        let unit = match unit {
            "" if value == 0.0 => LengthUnit::Px,
            unit => LengthUnit::ALL.iter().copied().find(|known| unit.eq_ignore_ascii_case(known.as_str()))?,
        };
        (0.0..=MAX).contains(&value).then_some(Self { value, unit })
    }

    /// How many units. Look at it where a small or large length could hide what people must see.
    pub fn value(self) -> f64 {
        self.value
    }

    /// The unit.
    pub fn unit(self) -> LengthUnit {
        self.unit
    }
}

impl std::fmt::Display for CssLength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", written(self.value), self.unit.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CX-05 (SMART app styling): lengths with a unit; nothing else.
    #[test]
    fn lengths_are_a_number_and_a_unit() {
        for (text, written) in
            [("6px", "6px"), (" 1.25REM ", "1.25rem"), ("0", "0px"), ("100%", "100%"), ("+.5em", "0.5em")]
        {
            assert_eq!(CssLength::parse(text).unwrap().to_string(), written);
        }
        for text in [
            "",
            "6",
            "-1px",
            "1 px",
            "10001px",
            "6px;color:red",
            "6px}",
            "calc(1px)",
            "var(--x)",
            "1px 2px",
            "1e9px",
            "url(x)",
            "6px/**/",
            "\\36 px",
        ] {
            assert!(CssLength::parse(text).is_err(), "{text}");
        }
    }
}
