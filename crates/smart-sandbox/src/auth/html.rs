//! The look of the pages: plain HTML that works without scripts.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use smart_core::untrusted::html_escaped;

const STYLE: &str = "\
:root{color-scheme:light}*{box-sizing:border-box}\
body{margin:0;background:#eef3f7;color:#14242f;font:1.0625rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
header{background:#0b4f6c;color:#fff;padding:.9rem 1.25rem;font-weight:600}\
main{max-width:40rem;margin:2rem auto;background:#fff;border:1px solid #c8d5de;border-radius:.6rem;padding:1.5rem 1.75rem}\
h1{font-size:1.5rem;margin:.2rem 0 .6rem}fieldset{border:0;margin:1rem 0;padding:0}legend{font-weight:600;padding:0;margin-bottom:.4rem}\
.choice{display:flex;gap:.75rem;align-items:flex-start;padding:.55rem .7rem;border:1px solid #c8d5de;border-radius:.4rem;margin:.35rem 0}\
.choice:hover{background:#f3f8fb}.choice input{margin-top:.35rem;accent-color:#0b4f6c}.choice small{display:block;color:#43586a}\
.actions{display:flex;gap:.75rem;margin-top:1.25rem;flex-wrap:wrap}\
button{font:inherit;padding:.6rem 1.3rem;border-radius:.4rem;border:2px solid #0b4f6c;background:#0b4f6c;color:#fff;cursor:pointer}\
button.second{background:#fff;color:#0b4f6c}button:focus-visible,input:focus-visible{outline:3px solid #e08a00;outline-offset:2px}\
ul{padding-left:1.2rem}li{margin:.25rem 0}code{background:#eef3f7;padding:.1rem .3rem;border-radius:.25rem;overflow-wrap:anywhere}\
.note{color:#43586a;font-size:.95rem}input[type=search]{font:inherit;width:100%;padding:.5rem .7rem;border:1px solid #7b8fa0;border-radius:.4rem}\
@media(max-width:34rem){main{margin:0;border-radius:0;border-width:0 0 1px}.actions button{flex:1}}";

/// The stylesheet, apart from the pages so that their policy allows no inline style.
pub(crate) async fn style() -> Response {
    let mut response = STYLE.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
}

/// A whole page around `body`, which is markup: its values are escaped already.
pub(crate) fn page(status: StatusCode, title: &str, body: &str, cookie: Option<&str>) -> Response {
    let title = html_escaped(title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} – SMART sandbox</title><link rel=\"stylesheet\" href=\"/auth/style.css\"></head>\
         <body><header>SMART sandbox – nothing here is real</header><main><h1>{title}</h1>\n{body}\n</main></body></html>\n"
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // No form-action: after consent the form's answer redirects to the app, which browsers count as its target.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    );
    if let Some(Ok(value)) =
        cookie.map(|c| HeaderValue::from_str(&format!("sandbox={c}; Path=/auth; HttpOnly; SameSite=Lax")))
    {
        headers.insert(SET_COOKIE, value);
    }
    response
}

/// A page that says what is wrong, for requests that must not be answered with a redirect.
pub(crate) fn error_page(status: StatusCode, what: &str) -> Response {
    page(
        status,
        "This sign-in cannot go on",
        &format!("<p>{}</p><p class=\"note\">Close this window and begin again from the app.</p>", html_escaped(what)),
        None,
    )
}
