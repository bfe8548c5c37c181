//! The page of the book's chapter on platforms that hands the callback of a login to the window that opened it.

use crate::chromium::Browser;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The page as the book has it.
fn sample() -> &'static str {
    let chapter = include_str!("../../../docs/src/platforms.md");
    let (_, rest) = chapter.split_once("```html\n").expect("the chapter has a page");
    rest.split_once("```").expect("the page ends").0
}

/// A page that opens another in a window, and keeps every message that comes.
fn opener(target: &str) -> String {
    let script = format!(
        "const got = []; let popup; \
         addEventListener('message', event => got.push([event.origin, event.data])); \
         document.querySelector('button').onclick = () => {{ popup = open({}) }};",
        json!(target)
    );
    format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Opener</title><button>Sign in</button><script>{script}</script>"
    )
}

/// Serves a page at every path of an origin of its own.
async fn serve(listener: TcpListener, page: String) {
    let app = Router::new().fallback(get(async |State(page): State<String>| Html(page))).with_state(page);
    axum::serve(listener, app).await.unwrap();
}

async fn origin() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

/// F-112, CB-10 (RFC 9700, 4.17): the redirect page gives the callback to the app's own origin, whole and once, and closes; a window of another
/// origin that opens it is told nothing.
#[tokio::test]
async fn the_redirect_page_tells_its_own_app_alone() {
    let page = sample();
    assert_eq!(page.matches("\"https://app.example\"").count(), 1, "the origin is named once, where it is deployed");
    assert!(!page.contains("\"*\""), "it posts to nobody in general");
    let Some(browser) = Browser::start().await else { return };
    let ((app, app_origin), (redirect, redirect_origin)) = (origin().await, origin().await);
    let ((foreign, foreign_origin), callback) =
        (origin().await, format!("{redirect_origin}/callback?code=c-1&state=s-1"));
    tokio::spawn(serve(redirect, page.replace("https://app.example", &app_origin)));
    tokio::spawn(serve(app, opener(&callback)));
    tokio::spawn(serve(foreign, opener(&callback)));

    browser.open(&app_origin).await;
    browser.click("button").await;
    browser.wait_for("got.length > 0 && popup.closed", true).await;
    assert_eq!(
        browser.script("return got").await,
        json!([[redirect_origin, {"kind": "smart-callback", "url": callback}]])
    );

    browser.open(&foreign_origin).await;
    browser.click("button").await;
    browser.wait_for("popup.closed", true).await;
    // A message would have come before the window closed; the pause is to spare.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(browser.script("return got").await, Value::Array(Vec::new()), "nothing for another origin");
}
