//! How requests reach the server: once, on kept-alive connections, with the errors of each way to fail told apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use smart_http::{ConnectFailure, HttpClient, HttpError, HyperTransport, TokioTimer};
use support::{Server, Step, client, get, post, reply};

fn connect_failure(error: &HttpError) -> ConnectFailure {
    match error {
        HttpError::Connect { kind, .. } => *kind,
        other => panic!("no connect error: {other:?}"),
    }
}

/// F-125 (one client everywhere): requests one after the other share one connection.
#[tokio::test]
async fn connections_are_kept_alive() {
    let server = Server::start(|_| reply("200 OK", "", "{}")).await;
    let client = client();
    for _ in 0..20 {
        assert_eq!(client.clone().fetch(get(&server.url("/"))).await.unwrap().body(), "{}");
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 20));
}

/// TK-17 (RFC 6749, 10.5): a POST on a connection that the server closes is sent once and fails.
#[tokio::test]
async fn a_post_is_sent_once() {
    let server = Server::start(
        |request| {
            if request.starts_with("POST") { vec![Step::Close] } else { reply("200 OK", "", "{}") }
        },
    )
    .await;
    let client = client();
    client.fetch(get(&server.url("/"))).await.unwrap();
    let error = client.fetch(post(&server.url("/token"))).await.unwrap_err();
    assert!(error.may_have_reached_server(), "{error:?}");
    let posts = server.requests().iter().filter(|r| r.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

/// DI-20 (RFC 9110, 5.1; FHIR-41819): header names of responses are found in any case.
#[tokio::test]
async fn header_names_compare_in_any_case() {
    let server = Server::start(|_| reply("200 OK", "cOnTeNt-TyPe: application/json\r\nETAG: W/\"1\"\r\n", "{}")).await;
    let response = client().fetch(get(&server.url("/"))).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()[http::header::ETAG], "W/\"1\"");
}

/// TK-13 (RFC 6749, 5.1): nothing is cached, even where the server would allow it, and no cookie is kept.
#[tokio::test]
async fn nothing_is_cached() {
    let headers = "Cache-Control: public, max-age=3600\r\nETag: \"x\"\r\nSet-Cookie: a=b\r\n";
    let server = Server::start(move |_| reply("200 OK", headers, "{}")).await;
    let client = client();
    for _ in 0..3 {
        client.fetch(get(&server.url("/token"))).await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let request = request.to_lowercase();
        assert!(!request.contains("cookie") && !request.contains("if-none-match"), "{request}");
    }
}

/// TK-17: a refused connection and an unknown host are told apart, and neither reached the server.
#[tokio::test]
async fn refusal_and_name_lookup_are_told_apart() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = client().fetch(get(&format!("http://127.0.0.1:{port}/token"))).await.unwrap_err();
    assert_eq!(connect_failure(&refused), ConnectFailure::Refused);
    let unknown = client().fetch(get("https://no-such-host.invalid/token?code=s3cret")).await.unwrap_err();
    assert_eq!(connect_failure(&unknown), ConnectFailure::Dns);
    for error in [refused, unknown] {
        assert!(!error.may_have_reached_server() && error.is_retryable());
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

/// SE-02 (RFC 8252, 7.3): plain http goes to loopback hosts only, and not even there when it is switched off.
#[tokio::test]
async fn plain_http_is_for_loopback_only() {
    let server = Server::start(|_| reply("200 OK", "", "{}")).await;
    let strict = HttpClient::new(HyperTransport::builder().https_only(true).build());
    let by_name = server.url("/").replace("127.0.0.1", "localhost");
    assert!(client().fetch(get(&by_name)).await.is_ok());
    for (client, url) in [
        (strict, server.url("/")),
        (client(), "http://ehr.example/token".to_owned()),
        (client(), "http://127.0.0.1.ehr.example/token".to_owned()),
        (client(), "ftp://127.0.0.1/x".to_owned()),
        (client(), "/relative".to_owned()),
        (client(), server.url("/").replace("http://", "http://bob:s3cret@")),
    ] {
        let error = client.fetch(get(&url)).await.unwrap_err();
        assert!(matches!(error, HttpError::InvalidUrl { .. }), "{url}: {error:?}");
        assert!(!error.may_have_reached_server() && !format!("{error:?}").contains("s3cret"));
    }
    assert_eq!(server.requests().len(), 1);
}

/// SE-05: Debug of a client and of a body shows settings, and never what was sent or came.
#[tokio::test]
async fn debug_shows_settings_only() {
    let client = HttpClient::with_timer(HyperTransport::new(), TokioTimer);
    assert!(format!("{client:?}").starts_with("HttpClient { limits"));
    let server = Server::start(|_| reply("200 OK", "", "s3cret")).await;
    let response = client.stream(get(&server.url("/"))).await.unwrap();
    assert!(!format!("{:?}", response.body()).contains("s3cret"));
}
