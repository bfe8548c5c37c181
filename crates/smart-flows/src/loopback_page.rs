//! The pages that a loopback listener shows a person.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use smart_core::untrusted::html_escaped;

/// Takes code and state out of the address bar and the history (RFC 9700, section 4.3.1).
const SCRIPT: &str = "history.replaceState(null,'','/done')";
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    script-src 'sha256-OSlSk+Ff+azA9khlYm/0XQEUPB9sIEOZSQBQ59cax98='";

/// Nothing is at this address.
pub(crate) fn nothing_here() -> Response<Bytes> {
    page(StatusCode::NOT_FOUND, "Nothing here", "This address only waits for one sign-in.")
}

/// The method is another than GET.
pub(crate) fn not_this_way() -> Response<Bytes> {
    page(StatusCode::METHOD_NOT_ALLOWED, "Not this way", "The sign-in comes back by GET.")
}

/// The person is signed in.
pub(crate) fn signed_in() -> Response<Bytes> {
    page(StatusCode::OK, "Signed in", "You can close this window and go back to the app.")
}

/// The server answered with an error, or the person said no.
pub(crate) fn not_signed_in() -> Response<Bytes> {
    page(
        StatusCode::OK,
        "Sign-in not completed",
        "The health system did not sign you in. You can close this window; the app says more.",
    )
}

/// What came back is no answer.
pub(crate) fn no_sign_in() -> Response<Bytes> {
    page(
        StatusCode::BAD_REQUEST,
        "Sign-in not completed",
        "What came back was no sign-in. You can close this window; the app says more.",
    )
}

/// Another answer came first.
pub(crate) fn already_done() -> Response<Bytes> {
    page(StatusCode::GONE, "Already done", "This sign-in was answered before. You can close this window.")
}

/// `title` and `text` are shown as they are.
pub(crate) fn page(status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
         color:#1b2733;background:#f6f8fa}}h1{{font-size:1.5rem}}</style></head>\
         <body><main><h1>{title}</h1><p>{text}</p></main><script>{SCRIPT}</script></body></html>\n",
        title = html_escaped(title),
        text = html_escaped(text),
    );
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
