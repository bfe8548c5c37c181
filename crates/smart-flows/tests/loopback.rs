//! The loopback receiver of redirects.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking, its helpers too")]

use smart_core::authorize::CallbackError;
use smart_flows::{LoopbackError, LoopbackListener};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(10);

async fn send(address: SocketAddr, request: String) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    tokio::time::timeout(LIMIT, stream.read_to_string(&mut answer)).await.ok()?.ok()?;
    Some(answer)
}

fn get(address: SocketAddr, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

/// CB-11, RG-06, F-110 (RFC 8252 7.3, 8.3): bound to a loopback address only, one callback, then closed.
#[tokio::test]
async fn one_callback_and_the_port_closes() {
    let listener = LoopbackListener::bind().await.unwrap();
    let address = listener.address().unwrap();
    assert!(address.ip().is_loopback());
    assert_eq!(listener.redirect_uri().as_str(), format!("http://{address}/callback"));
    let waiting = tokio::spawn(listener.receive(LIMIT));
    let page = send(address, get(address, "/callback?code=abc&state=s1")).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("close this window"), "{page}");
    let callback = waiting.await.unwrap().unwrap();
    assert_eq!(callback.state().unwrap().expose_secret(), "s1");
    assert!(send(address, get(address, "/callback?code=abc&state=s1")).await.is_none(), "the port is closed");
}

/// CB-11 (RFC 8252 8.3): other paths, methods and host names are not the browser's return, nor is what a page elsewhere fetches.
#[tokio::test]
async fn other_requests_are_passed_over() {
    let listener = LoopbackListener::bind().await.unwrap();
    let address = listener.address().unwrap();
    let waiting = tokio::spawn(listener.receive(LIMIT));
    for (request, status) in [
        (get(address, "/favicon.ico"), "404"),
        (get(address, "/callback2?code=a&state=b"), "404"),
        ("GET /callback?code=a&state=b HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), "404"),
        (format!("GET /callback?code=a&state=b HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Mode: no-cors\r\n\r\n"), "404"),
        (format!("POST /callback?code=a&state=b HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n"), "405"),
    ] {
        let answer = send(address, request).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    // A connection that says nothing does not hold up the next.
    let _silent = TcpStream::connect(address).await.unwrap();
    let denied = "GET /callback?error=access_denied&state=s2 HTTP/1.1";
    send(address, format!("{denied}\r\nHost: {address}\r\nSec-Fetch-Mode: navigate\r\n\r\n")).await.unwrap();
    assert!(waiting.await.unwrap().unwrap().is_error());
}

/// CB-10, CB-08 (RFC 9700 4.2.4, 4.3.1): the page leaks nothing onward and repeats nothing of the request.
#[tokio::test]
async fn page_repeats_nothing_and_sends_no_referrer() {
    let listener = LoopbackListener::bind().await.unwrap();
    let address = listener.address().unwrap();
    let waiting = tokio::spawn(listener.receive(LIMIT));
    let page =
        send(address, get(address, "/callback?error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=sss"))
            .await
            .unwrap();
    assert!(!page.contains("alert(1)") && !page.contains("sss"), "{page}");
    let head = page.to_lowercase();
    for header in [
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "default-src 'none'",
        "x-content-type-options: nosniff",
    ] {
        assert!(head.contains(header), "{header}");
    }
    waiting.await.unwrap().unwrap();
}

/// CB-06, SE-08, F-113: a malformed callback is a typed error, and nobody coming is one too.
#[tokio::test]
async fn malformed_callbacks_and_silence_are_typed() {
    let listener = LoopbackListener::bind().await.unwrap();
    let address = listener.address().unwrap();
    let waiting = tokio::spawn(listener.receive(LIMIT));
    send(address, get(address, "/callback?code=a&code=b&state=s")).await.unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, LoopbackError::Callback(CallbackError::Repeated { .. })), "{error}");
    let silence = LoopbackListener::bind().await.unwrap().receive(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(silence, LoopbackError::Timeout(_)), "{silence}");
}

/// RG-06 (SMART 2.1, FHIR-35954): a fixed port where the server compares it; a taken one is a clear error.
#[tokio::test]
async fn fixed_port_can_be_asked_for() {
    let first = LoopbackListener::bind().await.unwrap();
    let port = first.address().unwrap().port();
    let error = LoopbackListener::bind_port(port).await.unwrap_err();
    assert!(matches!(error, LoopbackError::Bind { .. }), "{error}");
    drop(first);
    let fixed = LoopbackListener::bind_port(port).await.unwrap();
    assert_eq!(fixed.redirect_uri().as_str(), format!("http://127.0.0.1:{port}/callback"));
}
