//! A login without a person: redirects are followed until one leads back to the app.

use crate::check::Stop;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Request};
use smart_http::{HttpClient, HyperTransport};
use std::collections::BTreeMap;
use url::Url;

/// How many redirects a login may take.
const MOST_REDIRECTS: usize = 20;

/// Follows redirects from `url`, with the cookies of the way, until one leads to `redirect_uri`.
pub(super) async fn follow(url: &Url, redirect_uri: &str) -> Result<Url, Stop> {
    let browser = HttpClient::new(HyperTransport::new());
    let mut cookies = BTreeMap::<String, String>::new();
    let mut at = url.clone();
    for _ in 0..MOST_REDIRECTS {
        let mut request = Request::get(at.as_str()).body(bytes::Bytes::new())?;
        if !cookies.is_empty() {
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(COOKIE, HeaderValue::from_str(&jar.join("; "))?);
        }
        let response = browser.fetch(request).await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location else {
            let words = String::from_utf8_lossy(response.body()).chars().take(300).collect::<String>();
            return Err(Stop::failed(format!("the login stopped with status {}: {words}", response.status())));
        };
        at = at.join(location)?;
        if at.as_str().starts_with(redirect_uri) {
            return Ok(at);
        }
    }
    Err(Stop::failed("the login redirects without end"))
}
