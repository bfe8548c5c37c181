//! Redirects against real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use http::header::AUTHORIZATION;
use smart_http::{HttpError, RedirectPolicy};
use support::{Server, client, get, post, reply};

/// TK-12 (RFC 9700, 4.12): a POST of credentials that is redirected gives the 3xx; there is no second request.
#[tokio::test]
async fn credentials_are_never_sent_on() {
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let server = Server::start(move |_| reply(status, "Location: /elsewhere\r\n", "")).await;
        for policy in [RedirectPolicy::None, RedirectPolicy::same_origin()] {
            let response = client().fetch_following(post(&server.url("/token")), policy).await.unwrap();
            assert!(response.status().is_redirection());
        }
        let response = client().fetch(post(&server.url("/token"))).await.unwrap();
        assert!(response.status().is_redirection());
        assert_eq!(server.requests().len(), 3);
        assert!(server.requests().iter().all(|request| request.starts_with("POST /token ")));
    }
}

/// FR-04 (RFC 9110, 15.4): within the origin a redirect is followed, with the same headers.
#[tokio::test]
async fn redirects_within_the_origin_are_followed() {
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let server = Server::start(move |request| {
            if request.starts_with("GET /a?x=1 ") {
                reply(status, "Location: b?y=2\r\n", "")
            } else {
                reply("200 OK", "", "there")
            }
        })
        .await;
        let mut request = get(&server.url("/a?x=1"));
        request.headers_mut().insert(AUTHORIZATION, "Bearer t".parse().unwrap());
        let response = client().fetch_following(request.clone(), RedirectPolicy::same_origin()).await.unwrap();
        assert_eq!(response.body(), "there");
        let requests = server.requests();
        assert!(
            requests[1].starts_with("GET /b?y=2 ") && requests[1].contains("authorization: Bearer t"),
            "{requests:?}"
        );
        assert!(client().fetch_following(request, RedirectPolicy::None).await.unwrap().status().is_redirection());
    }
}

/// FR-04, ID-27 (RFC 9110, 15.4): a redirect to another port gives a typed error, and the other server sees nothing.
#[tokio::test]
async fn redirects_to_another_origin_are_refused() {
    let other = Server::start(|_| reply("200 OK", "", "stolen")).await;
    let location = other.url("/jwks?secret=1");
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let location = location.clone();
        let server = Server::start(move |_| reply(status, &format!("Location: {location}\r\n"), "")).await;
        let mut request = get(&server.url("/a?name=Smith"));
        request.headers_mut().insert(AUTHORIZATION, "Bearer t".parse().unwrap());
        let error = client().fetch_following(request, RedirectPolicy::same_origin()).await.unwrap_err();
        let HttpError::CrossOriginRedirect { from, to_origin } = &error else { panic!("{error:?}") };
        assert_eq!((from.to_string(), to_origin.as_str()), (server.url("/a"), other.origin.as_str()));
        assert!(!format!("{error} {error:?}").contains("secret") && !error.is_retryable());
    }
    assert_eq!(other.connections(), 0);
}

/// SE-08, ID-27: a server that redirects on and on is given up after the bound.
#[tokio::test]
async fn endless_redirects_are_bounded() {
    let server = Server::start(|_| reply("302 x", "Location: /again\r\n", "")).await;
    let policy = RedirectPolicy::SameOrigin { max: 4 };
    let error = client().fetch_following(get(&server.url("/")), policy).await.unwrap_err();
    assert!(matches!(error, HttpError::TooManyRedirects { limit: 4, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 5);
}
