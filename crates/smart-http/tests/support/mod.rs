//! A loopback server that answers byte by byte as a test says, well or badly.
#![allow(dead_code, reason = "each test file uses its own part")]

use bytes::Bytes;
use smart_http::{HttpClient, HyperTransport, Limits};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One thing that the server does for a request.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    Hang,
    Close,
    Reset,
}

/// A whole response with a body.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes())]
}

pub(crate) fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

pub(crate) struct Server {
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server on a free port; `answer` gives the steps for each request text.
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(answer);
        let server = Self { origin, requests: Arc::clone(&requests), connections: Arc::clone(&connections) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                tokio::spawn(async move { serve(stream, &*answer, &requests).await });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&str) -> Vec<Step> + Send + Sync),
    requests: &Mutex<Vec<String>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        requests.lock().unwrap().push(request.clone());
        for step in answer(&request) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Hang => tokio::time::sleep(Duration::from_mins(5)).await,
                Step::Close => return,
                Step::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let end = text.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |l| l.trim().parse().unwrap());
            if text.len() >= end + length {
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => text.extend_from_slice(&chunk[..n]),
        }
    }
}

pub(crate) fn client() -> HttpClient {
    HttpClient::new(HyperTransport::new())
}

/// Limits so short that a test which waits for one is quick, each of its own length.
pub(crate) fn short_limits() -> Limits {
    Limits {
        connect: Duration::from_millis(150),
        headers: Duration::from_millis(200),
        idle: Duration::from_millis(250),
        total: Duration::from_millis(900),
        max_body: 1000,
    }
}

pub(crate) fn get(url: &str) -> http::Request<Bytes> {
    http::Request::get(url).body(Bytes::new()).unwrap()
}

pub(crate) fn post(url: &str) -> http::Request<Bytes> {
    http::Request::post(url).body(Bytes::from_static(b"code=s3cret")).unwrap()
}
