//! TLS against real servers with certificates made for the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use smart_http::{CertificateError, ConnectFailure, HttpClient, HttpError, HyperTransport};
use std::sync::Arc;
use support::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, crypto, version};

/// The settings of a TLS server for one host name, and its certificate as PEM.
fn server_config(host: &str, versions: &[&'static SupportedProtocolVersion]) -> (ServerConfig, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (config, cert.pem())
}

/// A TLS server for one host name. Returns its port and its certificate as PEM.
async fn server(host: &str, versions: &[&'static SupportedProtocolVersion]) -> (u16, String) {
    let (config, pem) = server_config(host, versions);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let version = format!("{:?}", stream.get_ref().1.protocol_version().unwrap());
            let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{version}", version.len());
            let _ = stream.write_all(reply.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, pem)
}

fn trusting(pem: &str) -> HttpClient {
    HttpClient::new(HyperTransport::builder().add_root_certificate_pem(pem.as_bytes()).unwrap().build())
}

async fn tls_failure(client: HttpClient, url: &str) -> String {
    let error = client.fetch(get(url)).await.unwrap_err();
    let HttpError::Connect { kind: ConnectFailure::Tls, reason, .. } = &error else { panic!("{error:?}") };
    assert!(!error.may_have_reached_server() && !error.is_retryable());
    assert!(error.to_string().contains("check the server's certificate"), "{error}");
    reason.clone()
}

/// SE-01 (SMART, App protection): a certificate of nobody's authority is refused.
#[tokio::test]
async fn self_signed_certificate_is_refused() {
    let (port, _) = server("localhost", &[&version::TLS13]).await;
    // A root of its own, so that the test does not depend on those of the machine.
    let (_, unrelated) = server("localhost", &[&version::TLS13]).await;
    let reason = tls_failure(trusting(&unrelated), &format!("https://localhost:{port}/")).await;
    assert!(reason.contains("certificate"), "{reason}");
}

/// SE-01 (SMART, App protection): a trusted certificate for another host is refused.
#[tokio::test]
async fn certificate_for_another_host_is_refused() {
    let (port, pem) = server("other.example", &[&version::TLS13]).await;
    for host in ["localhost", "127.0.0.1"] {
        let reason = tls_failure(trusting(&pem), &format!("https://{host}:{port}/")).await;
        assert!(reason.contains("not valid for name"), "{reason}");
    }
}

/// SE-01: a root that the caller adds is trusted, over TLS 1.2 and 1.3.
#[tokio::test]
async fn added_root_is_trusted_over_tls_1_2_and_1_3() {
    for (version, name) in [(&version::TLS12, "TLSv1_2"), (&version::TLS13, "TLSv1_3")] {
        let (port, pem) = server("localhost", &[version]).await;
        let response = trusting(&pem).fetch(get(&format!("https://localhost:{port}/"))).await.unwrap();
        assert_eq!(response.body(), name);
    }
}

/// SE-01 (SMART, App protection): a server that answers with TLS 1.1 is refused.
#[tokio::test]
async fn tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            // ServerHello: version 3.2, 32 octets of randomness, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
            let mut hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
            hello.extend([7; 32]);
            hello.extend([0, 0, 0x2f, 0]);
            let _ = stream.write_all(&hello).await;
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    let (_, pem) = server("localhost", &[&version::TLS13]).await;
    let reason = tls_failure(trusting(&pem), &format!("https://localhost:{port}/")).await;
    assert!(reason.contains("ServerDoesNotSupportTls12Or13"), "{reason}");
}

/// TK-17: a connection that breaks while TLS is agreed on is no fault of TLS: it may pass, and nothing was sent.
#[tokio::test]
async fn a_connection_that_breaks_in_the_handshake_is_retryable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let (_, pem) = server("localhost", &[&version::TLS13]).await;
    let error = trusting(&pem).fetch(get(&format!("https://localhost:{port}/"))).await.unwrap_err();
    assert!(matches!(error, HttpError::Connect { kind: ConnectFailure::Unreachable, .. }), "{error:?}");
    assert!(error.is_retryable() && !error.may_have_reached_server());
}

/// SE-01: a server that speaks plain http at an https URL is refused.
#[tokio::test]
async fn plain_http_behind_an_https_url_is_refused() {
    let (_, pem) = server("localhost", &[&version::TLS13]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    tls_failure(trusting(&pem), &format!("https://localhost:{port}/")).await;
}

/// SE-01: a server that offers HTTP/2 by ALPN is spoken to in HTTP/2, all requests on one connection.
#[tokio::test]
async fn http_2_is_spoken_where_offered() {
    let (mut config, pem) = server_config("localhost", &[&version::TLS13]);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Only one connection is served.
        drop(listener);
        let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
            let text = format!("{:?} {}", request.version(), request.uri().path());
            Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from(text))))
        });
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    });
    let client = trusting(&pem);
    for path in ["/a", "/b", "/c"] {
        let response = client.fetch(get(&format!("https://localhost:{port}{path}"))).await.unwrap();
        assert_eq!(response.body(), &format!("HTTP/2.0 {path}"));
    }
}

/// SE-01: on a machine without trusted roots an https exchange fails with the way out, and nothing panics. The test
/// runs itself again in a process that finds no roots.
#[tokio::test]
async fn a_machine_without_roots_gets_a_clear_error() {
    const NOWHERE: &str = "/nonexistent/roots";
    if std::env::var("SSL_CERT_FILE").as_deref() != Ok(NOWHERE) {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_machine_without_roots_gets_a_clear_error"])
            .env("SSL_CERT_FILE", NOWHERE)
            .env("SSL_CERT_DIR", NOWHERE)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        return;
    }
    if cfg!(not(all(unix, not(target_vendor = "apple")))) {
        return;
    }
    let error = support::client().fetch(get("https://localhost:1/")).await.unwrap_err();
    assert!(matches!(error, HttpError::Connect { kind: ConnectFailure::NoTrustedRoots, .. }), "{error:?}");
    assert!(error.to_string().contains("ca-certificates"), "{error}");
    // A root of the caller's is enough, and plain http to loopback works all the same.
    let (port, pem) = server("localhost", &[&version::TLS13]).await;
    assert!(trusting(&pem).fetch(get(&format!("https://localhost:{port}/"))).await.is_ok());
    let plain = support::Server::start(|_| support::reply("200 OK", "", "{}")).await;
    assert!(support::client().fetch(get(&plain.url("/"))).await.is_ok());
}

/// SE-01: a text that holds no certificate is refused when it is added.
#[test]
fn a_text_without_a_certificate_is_refused() {
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = HyperTransport::builder().add_root_certificate_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error, CertificateError);
    }
}
