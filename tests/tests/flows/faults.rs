//! The fault table of the token endpoint: each row a test. Whatever goes wrong, the refresh token is kept unless the server
//! refuses it, is not presented twice where the first try may have arrived, and a token that is still good goes on being used.

use crate::world::World;
use smart_core::discovery::{Endpoint, EndpointOverrides};
use smart_core::token::TokenError;
use smart_flows::{App, EndReason, Error, Session, SmartClient};
use smart_http::{HttpClient, HttpError, HyperTransport, Limits, RetryPolicy};
use smart_jwt::IdTokenError;
use smart_sandbox::browser::Person;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one request.
#[derive(Clone)]
enum Fault {
    /// No answer.
    Hang,
    /// These octets, and the connection is reset.
    Reset(&'static str),
    /// An answer.
    Answer(String),
}

fn answer(status: &str, content_type: &str, headers: &str, body: &str) -> Fault {
    let length = body.len();
    Fault::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    ))
}

/// Stands before the sandbox's token endpoint: faults first, then what the sandbox says.
struct Gate {
    address: std::net::SocketAddr,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gate {
    async fn before(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (faults, requests) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(AtomicUsize::new(0)));
        let (sandbox, queue, counter) = (world.sandbox.address(), faults.clone(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (queue, counter) = (queue.clone(), counter.clone());
                tokio::spawn(async move { serve(stream, sandbox, &queue, &counter).await });
            }
        });
        Self { address, faults, requests, task }
    }

    fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    sandbox: std::net::SocketAddr,
    faults: &Mutex<VecDeque<Fault>>,
    requests: &AtomicUsize,
) {
    let Some(request) = read_request(&mut stream).await else { return };
    requests.fetch_add(1, Ordering::SeqCst);
    let fault = faults.lock().unwrap().pop_front();
    match fault {
        Some(Fault::Hang) => tokio::time::sleep(Duration::from_secs(60)).await,
        Some(Fault::Reset(octets)) => {
            stream.write_all(octets.as_bytes()).await.unwrap();
            // A connection that is dropped without being read to its end is reset.
            let _ = stream.set_zero_linger();
        }
        Some(Fault::Answer(answer)) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        None => {
            let mut upstream = TcpStream::connect(sandbox).await.unwrap();
            upstream.write_all(&request).await.unwrap();
            let mut answer = Vec::new();
            let closing = String::from_utf8_lossy(&request).contains("connection: close");
            assert!(closing, "the gate asks for one answer a connection");
            upstream.read_to_end(&mut answer).await.unwrap();
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    }
}

/// Head and body of one request, with `connection: close` put in.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.ok()?;
        if length == 0 {
            return None;
        }
        read.extend_from_slice(&chunk[..length]);
    };
    let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
    let length: usize =
        text.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.trim().parse().unwrap());
    while read.len() < head + length {
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk).await.ok()?;
        read.extend_from_slice(&chunk[..got]);
    }
    let mut request = read[..head - 2].to_vec();
    request.extend_from_slice(b"connection: close\r\n\r\n");
    request.extend_from_slice(&read[head..]);
    Some(request)
}

fn http() -> HttpClient {
    let limits =
        Limits { total: Duration::from_millis(1500), headers: Duration::from_millis(800), ..Limits::default() };
    HttpClient::new(HyperTransport::new()).with_limits(limits)
}

fn quick() -> RetryPolicy {
    RetryPolicy::default().with_backoff(Duration::from_millis(5), Duration::from_millis(20))
}

/// A client whose token requests go to `token_endpoint`.
fn client_through(world: &World, token_endpoint: &str, app: App) -> SmartClient {
    let overrides = EndpointOverrides::new().endpoint(Endpoint::Token, token_endpoint.parse().unwrap());
    world.builder(app).http(http()).endpoint_overrides(overrides).token_retries(quick()).build()
}

/// A session whose token endpoint is behind a gate; the login itself goes through it unharmed.
async fn gated() -> (World, Gate, Session) {
    let world = World::new(None).await;
    let gate = Gate::before(&world).await;
    let client = client_through(&world, &format!("http://{}/auth/token", gate.address), World::app());
    let session = world.login_of(&client, Person::default()).await.unwrap();
    assert_eq!(gate.requests(), 1);
    (world, gate, session)
}

/// The row: near its end the token is still used, an explicit refresh tells the error, the server sees one request for each,
/// and later all is well.
async fn row(fault: Fault, expected: impl Fn(&Error) -> bool, later: i64) {
    let (world, gate, session) = gated().await;
    let before = session.access_token().await.unwrap();
    world.clock.advance(250);
    gate.next([fault.clone()]);
    assert_eq!(session.access_token().await.unwrap(), before, "still good for 50 seconds");
    assert_eq!(gate.requests(), 2, "presented once");
    world.clock.advance(later);
    gate.next([fault]);
    let error = session.refresh().await.unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert!(!error.needs_reauthorization(), "{error}");
    assert_eq!(gate.requests(), 3, "not repeated by itself");
    world.clock.advance(later);
    assert_ne!(session.access_token().await.unwrap(), before);
    assert_eq!(gate.requests(), 4);
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
}

/// TK-17, F-98, SE-08: the token endpoint hangs.
#[tokio::test]
async fn hang() {
    row(Fault::Hang, |e| matches!(e, Error::Http(HttpError::Timeout { .. })) && e.is_retryable(), 61).await;
}

/// TK-17 (RFC 6749, 10.5): the connection is reset in the middle of the body.
#[tokio::test]
async fn reset_in_the_body() {
    let half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"access_token\":\"x";
    row(Fault::Reset(half), |e| matches!(e, Error::Http(HttpError::Interrupted { .. })) && e.is_retryable(), 61).await;
}

/// TK-11: the JSON ends too early.
#[tokio::test]
async fn truncated_json() {
    let fault = answer("200 OK", "application/json", "", "{\"access_token\":\"x\",\"token_type\":\"Bear");
    // What the server did nobody knows; but nothing says that the grant is gone.
    row(fault, |e| matches!(e, Error::Token(TokenError::Json { .. })), 61).await;
}

/// TK-11: a maintenance page with status 200.
#[tokio::test]
async fn html_with_200() {
    let fault = answer("200 OK", "text/html", "", "<!DOCTYPE html><html><body>Maintenance</body></html>");
    row(fault, |e| matches!(e, Error::Token(TokenError::Json { .. })), 61).await;
}

/// TK-12 (RFC 9700, 4.12): a redirect is not followed with a refresh token in it.
#[tokio::test]
async fn redirect_from_the_token_endpoint() {
    let fault = answer("307 Temporary Redirect", "text/plain", "Location: https://evil.example/token\r\n", "");
    row(fault, |e| matches!(e, Error::Token(TokenError::Redirect { status: 307, .. })), 61).await;
}

/// SE-08 (RFC 8725, 3.10): a body over the limit is not read.
#[tokio::test]
async fn body_over_the_limit() {
    let fault = answer("200 OK", "application/json", "", &"x".repeat(2 * 1024 * 1024));
    row(fault, |e| matches!(e, Error::Http(HttpError::BodyTooLarge { .. })), 61).await;
}

/// RF-09 (RFC 6749, 5.2): a server error passes; the refresh token is kept.
#[tokio::test]
async fn status_500_then_fine() {
    let fault = answer("500 Internal Server Error", "text/plain", "", "oops");
    row(fault, |e| matches!(e, Error::Token(TokenError::Status { status: 500, .. })) && e.is_retryable(), 61).await;
}

/// FR-19, F-97 (RFC 9110, 10.2.3): a server that asks to be left alone is, in seconds and by a date.
#[tokio::test]
async fn status_429_with_both_forms_of_retry_after() {
    let seconds = |_: &World| "Retry-After: 30\r\n".to_owned();
    let date = |world: &World| {
        let until =
            std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(world.now().as_unix_seconds()).unwrap() + 280);
        format!("Retry-After: {}\r\n", httpdate::fmt_http_date(until))
    };
    for header in [&seconds as &dyn Fn(&World) -> String, &date] {
        let (world, gate, session) = gated().await;
        gate.next([answer("429 Too Many Requests", "text/plain", &header(&world), "")]);
        let first = session.access_token().await.unwrap();
        world.clock.advance(250);
        assert_eq!(session.access_token().await.unwrap(), first);
        assert_eq!(gate.requests(), 2);
        for _ in 0..50 {
            assert_eq!(session.access_token().await.unwrap(), first);
        }
        let delayed = session.refresh().await.unwrap_err();
        assert!(matches!(delayed, Error::RenewalDelayed { seconds: 30, .. }) && delayed.is_retryable(), "{delayed}");
        assert_eq!(gate.requests(), 2, "left alone");
        world.clock.advance(30);
        assert_ne!(session.access_token().await.unwrap(), first);
        assert_eq!(gate.requests(), 3);
    }
}

/// RF-09, F-72, D-17 (RFC 6749, 5.2): `invalid_grant` ends the session.
#[tokio::test]
async fn invalid_grant() {
    let (world, gate, session) = gated().await;
    world.clock.advance(400);
    gate.next([answer("400 Bad Request", "application/json", "", "{\"error\":\"invalid_grant\"}")]);
    assert!(session.access_token().await.unwrap_err().needs_reauthorization());
    assert_eq!(session.end_reason(), Some(EndReason::RefreshRefused));
    assert_eq!(gate.requests(), 2);
    assert!(matches!(session.access_token().await, Err(Error::SessionOver { .. })));
    assert_eq!(gate.requests(), 2, "a dead token is not presented again");
    assert!(world.client().sessions(None).await.unwrap().is_empty());
}

/// TK-17 (RFC 6749, 10.5): what certainly did not reach the server is tried again: a host name that does not resolve.
#[tokio::test]
async fn dns_failure() {
    let world = World::new(None).await;
    let session = move_token_endpoint(&world, "https://no-such-host.invalid/token").await;
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(&error, Error::Http(e) if !e.may_have_reached_server()) && error.is_retryable(), "{error:?}");
    assert!(session.end_reason().is_none());
}

/// SE-01 (TLS): a server without a certificate that can be trusted gets nothing, and is not tried again.
#[tokio::test]
async fn tls_failure() {
    let world = World::new(None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let session = move_token_endpoint(&world, &url).await;
    let error = session.refresh().await.unwrap_err();
    assert!(matches!(&error, Error::Http(HttpError::Connect { .. })) && !error.is_retryable(), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    task.abort();
}

/// A session that logged in at the sandbox and whose token endpoint is elsewhere since.
async fn move_token_endpoint(world: &World, url: &str) -> Session {
    use smart_store::{Expected, SecretBytes, Store as _};
    let key = world.login().await.unwrap().key().clone();
    let stored = world.store.get(&key).await.unwrap().unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(stored.value.expose_secret()).unwrap();
    record["endpoints"]["token"] = url.into();
    let bytes = SecretBytes::new(record.to_string().into_bytes());
    world.store.put(&key, bytes, Expected::Version(stored.version)).await.unwrap();
    let client = world.builder(World::app()).http(http()).token_retries(quick()).build();
    client.restore(&key).await.unwrap().unwrap()
}

/// SE-09, ID-15, ID-16, TK-10: clocks that differ by ten minutes: an ID token is refused for what is wrong, and a token is used
/// by when it came, not by whose clock is right.
#[tokio::test]
async fn clock_ten_minutes_off() {
    for (ahead, expected) in [(600, IdTokenError::Expired), (-600, IdTokenError::IssuedInFuture)] {
        let world = World::new(None).await;
        let off = crate::world::Moved::new();
        off.advance(ahead);
        let client = world.builder(World::app()).clock(off.clone()).build();
        match world.login_of(&client, Person::default()).await.unwrap_err() {
            Error::IdToken { source, .. } => assert_eq!(source, expected),
            other => panic!("{other}"),
        }
        let app = App::public("demo-app").scopes("launch/patient offline_access patient/*.rs").unwrap();
        let client = world.builder(app).clock(off.clone()).build();
        let session = world.login_of(&client, Person::default()).await.unwrap();
        for _ in 0..3 {
            off.advance(250);
            world.clock.advance(250);
            assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200, "{ahead}");
        }
        assert_eq!(world.sandbox.counts().token, 5, "two logins, three renewals");
    }
}

/// SE-09, F-61: a clock that jumps in the middle of a session costs a renewal, not the session.
#[tokio::test]
async fn clock_that_jumps() {
    let world = World::new(None).await;
    let own = crate::world::Moved::new();
    let session =
        world.login_of(&world.builder(World::app()).clock(own.clone()).build(), Person::default()).await.unwrap();
    for jump in [600, -600, -86_400, 86_400] {
        own.advance(jump);
        // An ID token that comes along is dated by the server's clock.
        let status = world.fhir_status(&session, "Patient/p1001").await;
        assert_eq!(status, 200, "{jump}");
    }
}

/// CB-09, TK-17 (RFC 6749, 4.1.2): a code that may have arrived is not sent again, whatever came back.
#[tokio::test]
async fn code_is_never_sent_twice() {
    let faults = [
        Fault::Hang,
        Fault::Reset("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
        answer("503 Service Unavailable", "text/plain", "Retry-After: 0\r\n", ""),
        answer("200 OK", "text/html", "", "<html>"),
    ];
    for fault in faults {
        let world = World::new(None).await;
        let gate = Gate::before(&world).await;
        let client = client_through(&world, &format!("http://{}/auth/token", gate.address), World::app());
        gate.next([fault]);
        assert!(world.login_of(&client, Person::default()).await.is_err());
        assert_eq!(gate.requests(), 1);
        assert!(client.sessions(None).await.unwrap().is_empty());
    }
}

/// PK-08 (RFC 7636, 7.2; RFC 9700, 4.8): a server that refuses gets no second request with less protection.
#[tokio::test]
async fn nothing_is_tried_again_without_pkce() {
    let world = World::new(None).await;
    let gate = Gate::before(&world).await;
    let client = client_through(&world, &format!("http://{}/auth/token", gate.address), World::app());
    let refusal = "{\"error\":\"invalid_request\",\"error_description\":\"code_verifier is not supported\"}";
    gate.next([answer("400 Bad Request", "application/json", "", refusal)]);
    let error = world.login_of(&client, Person::default()).await.unwrap_err();
    assert!(matches!(error, Error::Token(TokenError::Refused { .. })), "{error}");
    assert_eq!((gate.requests(), world.sandbox.counts().authorize), (1, 1));
}
