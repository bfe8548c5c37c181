//! A transport that does not reach into private networks.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use bytes::Bytes;
use http::Request;
use smart_http::{ConnectFailure, HttpClient, HttpError, HyperTransport};
use std::time::Duration;

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

/// LA-03 (SSRF; RFC 9700, 4.9.1): a transport that refuses private addresses connects to none, by address or by name.
#[tokio::test]
async fn private_addresses_are_refused_as_they_are_resolved() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = HttpClient::new(HyperTransport::builder().refuse_private_addresses().build());
    for host in ["127.0.0.1", "localhost"] {
        for scheme in ["http", "https"] {
            let error = client.fetch(get(&format!("{scheme}://{host}:{port}/fhir"))).await.unwrap_err();
            let refused = matches!(error, HttpError::Connect { kind: ConnectFailure::PrivateAddress, .. });
            assert!(refused && !error.is_retryable(), "{scheme} {host}: {error}");
        }
    }
    let touched = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(touched.is_err(), "somebody connected");
}
