//! The body of a document: one JSON object, or what came in its place.

use super::error::DiscoveryError;
use super::report::{Finding, FindingCode};
use crate::json::{JsonError, parse_object};
use serde_json::{Map, Value};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Notes a byte order mark.
pub(super) fn byte_order_mark(body: &[u8]) -> Option<Finding> {
    let message = "the document begins with a byte order mark, which was passed over";
    body.starts_with(BYTE_ORDER_MARK).then(|| Finding::new(FindingCode::ByteOrderMark, message))
}

/// The JSON object of a body, or what came in its place.
pub(super) fn object(body: &[u8], document: &str) -> Result<Map<String, Value>, DiscoveryError> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii_start();
    let what = match text.first() {
        None => "an empty body",
        Some(b'{') => {
            return parse_object(body).map_err(|reason| DiscoveryError::Json { document: document.to_owned(), reason });
        }
        Some(b'<') if is_html(text) => "an HTML page",
        Some(b'<') => "an XML document",
        Some(_) if matches!(parse_object(body), Err(JsonError::NotAnObject)) => "JSON that is no object",
        Some(_) => "something else",
    };
    Err(DiscoveryError::NotJson { document: document.to_owned(), what })
}

fn is_html(text: &[u8]) -> bool {
    let start: Vec<u8> = text.iter().take(1024).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.windows(5).any(|w| w == b"<html" || w == b"<head" || w == b"<body")
}
