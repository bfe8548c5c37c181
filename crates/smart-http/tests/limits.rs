//! Time and size limits against a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use smart_http::{HttpError, Phase, Transport as _};
use std::time::{Duration, Instant};
use support::{Server, Step, client, get, reply, send, short_limits};

async fn failure(steps: Vec<Step>) -> (HttpError, Duration) {
    let server = Server::start(move |_| steps.clone()).await;
    let started = Instant::now();
    let error = client().with_limits(short_limits()).fetch(get(&server.url("/fhir?name=Smith"))).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Smith"), "{error:?}");
    assert!(error.to_string().contains(&server.url("/fhir")), "{error}");
    (error, started.elapsed())
}

fn timeout(error: &HttpError) -> (Phase, Duration) {
    match error {
        HttpError::Timeout { phase, limit, .. } => (*phase, *limit),
        other => panic!("no timeout: {other:?}"),
    }
}

/// SE-08 (RFC 8725, 3.10): a server that never answers is given up in the phase `Headers`.
#[tokio::test]
async fn a_hang_before_the_head_ends_in_time() {
    let limits = short_limits();
    for steps in [vec![Step::Hang], vec![send("HTTP/1.1 200 OK\r\nX: "), Step::Hang]] {
        let (error, elapsed) = failure(steps).await;
        assert_eq!(timeout(&error), (Phase::Headers, limits.headers));
        assert!(elapsed >= limits.headers && elapsed < limits.total, "{elapsed:?}");
        assert!(error.may_have_reached_server() && error.is_retryable());
    }
}

/// SE-08 (RFC 8725, 3.10): a body that stops coming is given up in the phase `Body`.
#[tokio::test]
async fn a_hang_in_the_body_ends_in_time() {
    let (error, elapsed) = failure(vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Step::Hang]).await;
    assert_eq!(timeout(&error), (Phase::Body, short_limits().idle));
    assert!(elapsed < short_limits().total, "{elapsed:?}");
}

/// SE-08 (RFC 8725, 3.10): a body that drips just fast enough is given up when the whole exchange takes too long.
#[tokio::test]
async fn a_slow_drip_ends_in_time() {
    let mut steps = vec![send("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")];
    for _ in 0..90 {
        steps.extend([Step::Wait(Duration::from_millis(100)), send("x")]);
    }
    let (error, elapsed) = failure(steps).await;
    assert_eq!(timeout(&error), (Phase::Body, short_limits().total));
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
}

/// SE-08: a body that never ends is given up when the whole exchange takes too long, even if it never pauses.
#[tokio::test]
async fn a_flood_ends_in_time() {
    let chunk = send(&format!("1000\r\n{}\r\n", "x".repeat(0x1000)));
    let mut steps = vec![send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")];
    steps.extend(std::iter::repeat_n(chunk, 1000));
    let server = Server::start(move |_| steps.clone()).await;
    // A machine that is busy with other things may pause before the head or between two chunks.
    let long = Duration::from_secs(3);
    let limits = smart_http::Limits { max_body: u64::MAX, headers: long, idle: long, ..short_limits() };
    let mut body = client().with_limits(limits).stream(get(&server.url("/"))).await.unwrap().into_body();
    let started = Instant::now();
    let error = loop {
        // A reader so slow that there is always a chunk for it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        match body.chunk().await.unwrap() {
            Ok(_) => assert!(started.elapsed() < Duration::from_secs(3)),
            Err(error) => break error,
        }
    };
    assert_eq!(timeout(&error), (Phase::Body, limits.total));
}

/// SE-08: a server that takes the connection and never begins TLS is given up, and nothing was sent to it.
#[tokio::test]
async fn a_hang_in_the_tls_handshake_did_not_reach_the_server() {
    let server = Server::start(|_| vec![Step::Hang]).await;
    let url = server.url("/").replace("http://", "https://");
    let error = client().with_limits(short_limits()).fetch(get(&url)).await.unwrap_err();
    assert_eq!(timeout(&error), (Phase::Connect, short_limits().connect));
    assert!(!error.may_have_reached_server());
    assert!(server.requests().is_empty());
}

/// SE-08: a body that announces too much is not read; one that does not say is cut off at the limit.
#[tokio::test]
async fn a_huge_body_is_refused() {
    let announced = send("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\nabc");
    let (error, elapsed) = failure(vec![announced, Step::Hang]).await;
    assert!(matches!(error, HttpError::BodyTooLarge { limit: 1000, .. }), "{error:?}");
    assert!(elapsed < short_limits().headers, "{elapsed:?}");

    let mut chunked = vec![send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")];
    chunked.extend((0..11).map(|_| send(&format!("64\r\n{}\r\n", "x".repeat(100)))));
    chunked.push(Step::Hang);
    let (error, _) = failure(chunked).await;
    assert!(matches!(error, HttpError::BodyTooLarge { limit: 1000, .. }), "{error:?}");
}

/// SE-08: a body of just the limit passes, one octet more does not; the answer to HEAD has none.
#[tokio::test]
async fn the_body_limit_is_exact() {
    let server = Server::start(|request| {
        let length = if request.contains("/more") { 1001 } else { 1000 };
        if request.starts_with("HEAD") {
            return vec![send("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")];
        }
        reply("200 OK", "", &"x".repeat(length))
    })
    .await;
    let client = client().with_limits(short_limits());
    assert_eq!(client.fetch(get(&server.url("/"))).await.unwrap().body().len(), 1000);
    assert!(client.fetch(get(&server.url("/more"))).await.is_err());
    let head = http::Request::head(server.url("/")).body(bytes::Bytes::new()).unwrap();
    assert!(client.fetch(head).await.unwrap().body().is_empty());
}

/// SE-08: a connection that breaks in the body, by a reset or an early end, is an error and never a short body.
#[tokio::test]
async fn a_broken_body_is_an_error() {
    for ending in [Step::Reset, Step::Close] {
        for head in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
            let steps = vec![
                send(&format!("HTTP/1.1 200 OK\r\n{head}")),
                Step::Wait(Duration::from_millis(30)),
                ending.clone(),
            ];
            let (error, _) = failure(steps).await;
            assert!(matches!(error, HttpError::Interrupted { phase: Phase::Body, .. }), "{error:?}");
            assert!(error.may_have_reached_server() && error.is_retryable());
        }
    }
}

/// SE-08: a connection that breaks before the head, and an answer that is no HTTP, are errors.
#[tokio::test]
async fn a_broken_head_is_an_error() {
    for steps in [vec![Step::Reset], vec![Step::Close], vec![send("SSH-2.0-x\r\n\r\n")]] {
        let (error, _) = failure(steps).await;
        assert!(matches!(error, HttpError::Interrupted { phase: Phase::Headers, .. }), "{error:?}");
        assert!(error.may_have_reached_server());
    }
}

/// SE-08: a streamed body gives its chunks as they come, then the error; after that there is nothing more.
#[tokio::test]
async fn a_stream_ends_with_the_error() {
    let steps = vec![
        send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        Step::Wait(Duration::from_millis(30)),
        Step::Close,
    ];
    let server = Server::start(move |_| steps.clone()).await;
    let mut body = client().stream(get(&server.url("/"))).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "abc");
    assert!(body.chunk().await.unwrap().is_err());
    assert!(body.chunk().await.is_none());
}

/// SE-08: the transport alone keeps to the limits that it is given, whoever calls it.
#[tokio::test]
async fn the_transport_alone_keeps_to_its_limits() {
    let server = Server::start(|_| reply("200 OK", "", &"x".repeat(2000))).await;
    let transport = smart_http::HyperTransport::new();
    let response = transport.send(get(&server.url("/")), short_limits()).await;
    assert!(matches!(response, Err(HttpError::BodyTooLarge { .. })));
    let response = transport.send(get(&server.url("/")), smart_http::Limits::default()).await.unwrap();
    assert!(response.into_body().collect(1999).await.is_err());
}
