//! The headers `Link` and `Retry-After`: bounded, and what is read can be written and read again.

use http::{HeaderMap, HeaderValue, header};
use smart_core::time::Timestamp;
use std::time::Duration;

/// Tries `body` as the value of either header.
pub fn hold(body: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(body) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(header::LINK, value.clone());
    let links = smart_http::links(&headers);
    assert!(links.len() <= 32);
    for link in &links {
        assert!(!link.target().contains('>'));
        let Ok(again) = HeaderValue::from_str(&format!("<{}>; rel=\"x\"", link.target())) else { continue };
        headers.insert(header::LINK, again);
        let again = smart_http::links(&headers);
        assert_eq!(again.iter().map(smart_http::Link::target).collect::<Vec<_>>(), [link.target()]);
        assert!(again.iter().all(|link| link.is("X")));
    }

    headers.insert(header::RETRY_AFTER, value);
    let now = Timestamp::from_unix_seconds(784_111_777);
    let wait = smart_http::retry_after(&headers, now);
    let text = String::from_utf8_lossy(body);
    if let Some(seconds) = text.parse::<u64>().ok().filter(|_| text.bytes().all(|c| c.is_ascii_digit())) {
        assert_eq!(wait, Some(Duration::from_secs(seconds)));
    }
    // A later look at the same answer waits no longer.
    let later = smart_http::retry_after(&headers, now.saturating_add(Duration::from_secs(60)));
    assert_eq!(wait.is_some(), later.is_some());
    assert!(later <= wait);
}
