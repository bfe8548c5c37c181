//! Numbers of CSS, in the narrow form that style documents need.

/// The most digits that are read.
const MAX_LENGTH: usize = 12;

/// Reads a number in front of `text`: an optional sign, digits, an optional fraction; no exponent. Gives it with what
/// follows.
pub(super) fn number(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let length = unsigned.bytes().take_while(|c| c.is_ascii_digit() || *c == b'.').count();
    let (digits, rest) = unsigned.split_at_checked(length)?;
    let parts: Vec<&str> = digits.split('.').collect();
    let is_number = match parts.as_slice() {
        [whole] => !whole.is_empty(),
        [_, fraction] => !fraction.is_empty(),
        _ => false,
    };
    if !is_number || length > MAX_LENGTH {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    Some((if text.starts_with('-') { -value } else { value }, rest))
}

/// Writes a number with at most three places after the point.
pub(super) fn written(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // Rounding may leave a sign before nothing.
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CX-05: numbers are read narrowly and written shortly.
    #[test]
    fn numbers_are_plain() {
        for (text, value, rest) in
            [("13px", 13.0, "px"), ("-.5", -0.5, ""), ("+1.25rem", 1.25, "rem"), ("007", 7.0, ""), ("1e3", 1.0, "e3")]
        {
            assert_eq!(number(text), Some((value, rest)), "{text}");
        }
        for text in ["", ".", "-", "1.", "1.2.3", "px", "--1", "1234567890123", "Infinity", "NaN"] {
            assert_eq!(number(text), None, "{text}");
        }
        for (value, text) in [(13.0, "13"), (0.5, "0.5"), (-0.0001, "0"), (1.0 / 3.0, "0.333"), (1000.0, "1000")] {
            assert_eq!(written(value), text);
        }
    }
}
