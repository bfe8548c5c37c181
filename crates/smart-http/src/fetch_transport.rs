//! The transport for pages and workers: the browser's `fetch`.

use crate::{Body, BoxFuture, BrowserTimer, ConnectFailure, Endpoint, HttpError, Limits, Phase, Timer as _, Transport};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use js_sys::{Reflect, Uint8Array};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect,
};

#[wasm_bindgen]
extern "C" {
    // Of the global object: a page's and a worker's alike.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch_url(url: &str, init: &RequestInit) -> js_sys::Promise;
}

/// HTTP by the browser's `fetch` (WHATWG Fetch), which verifies certificates and pools connections.
///
/// No cookie and no `Referer` goes along, nothing comes out of or into the browser's cache. https only, and http on loopback
/// hosts. What a browser does otherwise than other transports:
///
/// - It asks the server of another origin first (CORS). One that does not answer so cannot be used: the error is
///   [`HttpError::Connect`], as a browser does not tell that from a host that cannot be reached.
/// - Of the response's headers only those show that the server exposes (`Access-Control-Expose-Headers`): a FHIR server
///   should expose `ETag`, `Location`, `Content-Location`, `Last-Modified`, `Retry-After` and `Link`.
/// - It shows no redirect. One that a request meets is [`HttpError::Connect`] as well, so that none is followed, in line
///   with the contract of [`Transport`].
/// - Connecting and waiting for the head of the response are one to it, with the sum of both limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct FetchTransport;

impl FetchTransport {
    /// The transport of this page or worker.
    pub fn new() -> Self {
        Self
    }
}

impl Transport for FetchTransport {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(exchange(request, limits))
    }
}

/// Ends the exchange in the browser when it is dropped before its end.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn exchange(request: Request<Bytes>, limits: Limits) -> Result<Response<Body>, HttpError> {
    let endpoint = Endpoint::of(request.uri());
    let url = allowed_url(&request, &endpoint)?;
    let failed = |error: &JsValue| HttpError::Connect {
        endpoint: endpoint.clone(),
        kind: ConnectFailure::Unreachable,
        reason: reason(error),
    };
    let abort = Abort(AbortController::new().map_err(|error| failed(&error))?);
    let init = init(&request, &abort.0).map_err(|error| failed(&error))?;
    let started = js_sys::Date::now();
    let limit = limits.connect.saturating_add(limits.headers).min(limits.total);
    let fetched = match within(limit, JsFuture::from(fetch_url(&url, &init))).await {
        Some(Ok(response)) => response,
        // Whether the request was sent the browser does not say: it may have been.
        Some(Err(error)) if request.method().is_safe() => return Err(failed(&error)),
        Some(Err(error)) => {
            return Err(HttpError::Interrupted { endpoint, phase: Phase::Headers, reason: reason(&error) });
        }
        None => return Err(HttpError::Timeout { endpoint, phase: Phase::Headers, limit }),
    };
    let fetched: web_sys::Response = fetched.dyn_into().map_err(|error| failed(&error))?;
    let status = StatusCode::from_u16(fetched.status()).map_err(|_| HttpError::Interrupted {
        endpoint: endpoint.clone(),
        phase: Phase::Headers,
        reason: "the browser shows no status".to_owned(),
    })?;
    let mut response = Response::builder().status(status);
    if let Some(headers) = response.headers_mut() {
        copy_headers(&fetched.headers(), headers);
    }
    let announced = content_length(response.headers_ref()).unwrap_or(0);
    // What is announced as too large is not read at all.
    if announced > limits.max_body && request.method() != Method::HEAD {
        return Err(HttpError::BodyTooLarge { endpoint, limit: limits.max_body });
    }
    let body = match fetched.body() {
        None => Body::from_bytes(Bytes::new()),
        Some(stream) => {
            let reader = stream.get_reader().unchecked_into();
            Body::from_stream(Box::pin(chunks(Chunks { reader, abort, endpoint: endpoint.clone(), limits, started })))
        }
    };
    response.body(body.announcing(announced)).map_err(|_| HttpError::Interrupted {
        endpoint,
        phase: Phase::Headers,
        reason: "the response has no head".to_owned(),
    })
}

/// The URL, if it may be asked for: https, or http on loopback; and no user name in it.
fn allowed_url(request: &Request<Bytes>, endpoint: &Endpoint) -> Result<String, HttpError> {
    let invalid = |reason| HttpError::InvalidUrl { endpoint: endpoint.clone(), reason };
    let text = request.uri().to_string();
    let url = url::Url::parse(&text).map_err(|_| invalid("it is no absolute URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it holds a user name or password"));
    }
    match url.scheme() {
        "https" => Ok(text),
        "http" if smart_core::url_policy::is_loopback(&url) => Ok(text),
        "http" => Err(invalid("plain http is allowed on loopback hosts only; use https")),
        _ => Err(invalid("its scheme is not https")),
    }
}

fn init(request: &Request<Bytes>, abort: &AbortController) -> Result<RequestInit, JsValue> {
    let init = RequestInit::new();
    init.set_method(request.method().as_str());
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::Omit);
    init.set_redirect(RequestRedirect::Error);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    init.set_signal(Some(&abort.signal()));
    let headers = Headers::new()?;
    for (name, value) in request.headers() {
        // A browser fills these in itself, and refuses to be told.
        if *name == http::header::HOST || *name == http::header::CONTENT_LENGTH {
            continue;
        }
        let value = value.to_str().map_err(|_| JsValue::from_str("a header has other characters than ASCII"))?;
        headers.append(name.as_str(), value)?;
    }
    init.set_headers(&headers);
    if !request.body().is_empty() {
        init.set_body(&Uint8Array::from(request.body().as_ref()));
    }
    Ok(init)
}

/// Takes over the headers that the browser shows.
fn copy_headers(from: &Headers, to: &mut http::HeaderMap) {
    for entry in from.entries().into_iter().flatten() {
        let part = |index| Reflect::get_u32(&entry, index).ok().and_then(|part| part.as_string());
        let (Some(name), Some(value)) = (part(0), part(1)) else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            to.append(name, value);
        }
    }
}

/// The length that the body will have. Unknown where the browser unpacks it.
fn content_length(headers: Option<&http::HeaderMap>) -> Option<u64> {
    let headers = headers?;
    if headers.contains_key(http::header::CONTENT_ENCODING) {
        return None;
    }
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

struct Chunks {
    reader: ReadableStreamDefaultReader,
    abort: Abort,
    endpoint: Endpoint,
    limits: Limits,
    /// In milliseconds since 1970.
    started: f64,
}

impl Chunks {
    /// The next chunk; `None` at the end.
    async fn next(&self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let left = self.left();
            let limit = self.limits.idle.min(left);
            let timeout = || {
                let limit = if limit == left { self.limits.total } else { self.limits.idle };
                HttpError::Timeout { endpoint: self.endpoint.clone(), phase: Phase::Body, limit }
            };
            if left.is_zero() {
                return Err(timeout());
            }
            let read = within(limit, JsFuture::from(self.reader.read())).await.ok_or_else(timeout)?;
            let read = read.map_err(|error| self.interrupted(reason(&error)))?;
            let member = |name| Reflect::get(&read, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
            if member("done").is_truthy() {
                return Ok(None);
            }
            let chunk: Uint8Array =
                member("value").dyn_into().map_err(|_| self.interrupted("a chunk is no octets".to_owned()))?;
            // An empty chunk is no end.
            if chunk.length() > 0 {
                return Ok(Some(Bytes::from(chunk.to_vec())));
            }
        }
    }

    /// What is left of the time for the whole exchange.
    fn left(&self) -> Duration {
        let passed = Duration::try_from_secs_f64((js_sys::Date::now() - self.started) / 1000.0).unwrap_or_default();
        self.limits.total.saturating_sub(passed)
    }

    fn interrupted(&self, reason: String) -> HttpError {
        HttpError::Interrupted { endpoint: self.endpoint.clone(), phase: Phase::Body, reason }
    }
}

/// The chunks as a stream that ends with the first error.
fn chunks(chunks: Chunks) -> impl futures_core::Stream<Item = Result<Bytes, HttpError>> {
    futures_util::stream::unfold(Some(chunks), |chunks| async move {
        let chunks = chunks?;
        match chunks.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(chunks))),
            Ok(None) => None,
            Err(error) => {
                drop(chunks.abort);
                Some((Err(error), None))
            }
        }
    })
}

/// The outcome, unless it takes longer than `limit`.
async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    match select(pin!(work), BrowserTimer.sleep(limit)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}

/// What the browser says of a failure: its own words, which hold nothing of the request.
fn reason(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsValue::from_str("message")).ok().and_then(|message| message.as_string());
    let hint = "the browser says no more; the server may be away, may not allow this origin (CORS), or may redirect";
    match message {
        Some(message) => format!("{} ({hint})", smart_core::untrusted::shown(&message, 200)),
        None => hint.to_owned(),
    }
}
