//! Lies about how an answer travels.

use super::{Draw, Lie};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::io;
use std::time::Duration;

/// What is read of an answer before it is spoilt, in octets.
pub(super) const MOST: usize = 16 * 1024 * 1024;

const SILENCE: Duration = Duration::from_secs(30);
const BETWEEN_DROPS: Duration = Duration::from_millis(20);
const NESTING: usize = 100_000;

pub(super) async fn spoil(mut draw: Draw, path: &str, response: Response) -> Response {
    let status = response.status();
    let headers = response.headers().clone();
    let body = axum::body::to_bytes(response.into_body(), MOST).await.unwrap_or_default();
    match draw.lie {
        Lie::Silence => {
            tokio::time::sleep(SILENCE).await;
            rebuilt(status, headers, body)
        }
        Lie::Html => {
            (StatusCode::OK, [(CONTENT_TYPE, "text/html")], "<!doctype html><title>Sign in</title>").into_response()
        }
        Lie::Empty => rebuilt(status, headers, Bytes::new()),
        Lie::Truncated => {
            let half = body.slice(..body.len() / 2);
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            streamed(status, headers, Body::from_stream(stream::iter([Ok(half), Err(broken)])))
        }
        Lie::Endless => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let endless = stream::repeat_with(move || Ok::<_, io::Error>(piece.clone()));
            streamed(status, headers, Body::from_stream(endless))
        }
        Lie::Drip => {
            let drops = stream::unfold((), |()| async {
                tokio::time::sleep(BETWEEN_DROPS).await;
                Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
            });
            streamed(status, headers, Body::from_stream(drops))
        }
        Lie::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Traceback (most recent call last)").into_response(),
        Lie::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "946080000")]).into_response(),
        Lie::TooMany => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "soon; -1")]).into_response(),
        Lie::RedirectElsewhere => {
            let to = format!("{}{path}", draw.elsewhere);
            redirect(&mut draw, &to)
        }
        Lie::RedirectLoop => redirect(&mut draw, path),
        Lie::WrongContentType => {
            let mut response = rebuilt(status, headers, body);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
            response
        }
        Lie::NotUtf8 => rebuilt(status, headers, [&[0xff, 0xfe][..], &body].concat().into()),
        Lie::DeepNesting => rebuilt(status, headers, "[".repeat(NESTING).into()),
        Lie::NotAnObject => {
            let other = draw.dice.pick(&["[]", "null", "0", "\"access_token\"", "true"]).copied().unwrap_or("[]");
            rebuilt(status, headers, Bytes::from_static(other.as_bytes()))
        }
        Lie::DoubledMembers => rebuilt(status, headers, doubled(&body)),
        _ => rebuilt(status, headers, body),
    }
}

/// Each member of an object twice, first with another value.
fn doubled(body: &Bytes) -> Bytes {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(body) else { return body.clone() };
    let member = |name: &String, value: String| format!("{}:{value}", serde_json::Value::from(name.as_str()));
    let before = object.keys().map(|name| member(name, "\"another\"".to_owned()));
    let after = object.iter().map(|(name, value)| member(name, value.to_string()));
    format!("{{{}}}", before.chain(after).collect::<Vec<_>>().join(",")).into()
}

fn redirect(draw: &mut Draw, to: &str) -> Response {
    let kinds = [StatusCode::FOUND, StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
    let status = draw.dice.pick(&kinds).copied().unwrap_or(StatusCode::FOUND);
    (status, [(LOCATION, to)]).into_response()
}

/// The same answer with another body.
pub(super) fn rebuilt(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response {
    streamed(status, headers, Body::from(body))
}

fn streamed(status: StatusCode, mut headers: HeaderMap, body: Body) -> Response {
    headers.remove(CONTENT_LENGTH);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
