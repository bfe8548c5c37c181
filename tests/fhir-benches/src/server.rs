//! A FHIR server of one patient, in a process of its own: what it takes is on nobody's account.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Error};
use std::process::{Child, Command, Stdio};

/// The argument that makes the bench this server.
pub const SERVE: &str = "serve";

/// A patient as servers have them, of some 1,500 octets.
pub const PATIENT: &str = include_str!("patient.json");

/// Serves until the process is killed, after saying the port.
///
/// # Errors
/// When there is no runtime or no port.
pub fn serve() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let (ended, parent) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            // The parent holds the other end of standard input: when it is gone, so is this process.
            let _ = std::io::stdin().lock().read_line(&mut String::new());
            drop(ended);
            std::process::exit(0);
        });
        drop(parent);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = service_fn(|_| async {
                let response = Response::builder()
                    .header("content-type", "application/fhir+json;charset=utf-8")
                    .header("etag", "W/\"1\"")
                    .body(Full::new(Bytes::from_static(PATIENT.as_bytes())));
                Ok::<_, Infallible>(response.unwrap_or_default())
            });
            tokio::spawn(async move { drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await) });
        }
    })
}

/// The server in a process of its own; it ends with this value.
pub struct Server {
    child: Child,
    /// Its FHIR base.
    pub base: String,
}

impl Server {
    /// Starts this very program as the server.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut port)?;
        }
        Ok(Self { child, base: format!("http://127.0.0.1:{}/fhir", port.trim()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
