//! Reading the claims that JWTs have in common (RFC 7519, section 4.1).

use serde_json::{Map, Value};
use smart_core::time::Timestamp;

/// `aud`: one text, or an array of texts. `None` when it is neither.
pub(crate) fn audience(claims: &Map<String, Value>) -> Option<Vec<&str>> {
    match claims.get("aud") {
        Some(Value::String(one)) => Some(vec![one]),
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A `NumericDate`: seconds, with a fraction at most (RFC 7519, section 2), which is cut off.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and either end is refused as a date")]
pub(crate) fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, ()> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let seconds = number.as_i64().or_else(|| number.as_f64().map(|s| s.floor() as i64));
            seconds.map(|s| Some(Timestamp::from_unix_seconds(s))).ok_or(())
        }
        Some(_) => Err(()),
    }
}
