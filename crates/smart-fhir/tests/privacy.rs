//! Health data stays out of the logs, over a real connection.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use serde_json::{Value, json};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::secret::AccessToken;
use smart_core::url_policy::UrlPolicy;
use smart_fhir::{FhirClient, SearchQuery};
use smart_http::{HttpClient, HyperTransport, StaticBearer};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A FHIR server that answers searches with a page, and everything else with 404 and an OperationOutcome.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 8192];
                while let Ok(length @ 1..) = stream.read(&mut request).await {
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    assert!(request.to_lowercase().contains("authorization: bearer t0ken-secret"), "{request}");
                    let (status, body) = if request.starts_with("GET /fhir/Patient?") {
                        let entry = json!({"resource": {"resourceType": "Patient", "id": "1", "name": "Zaphod"}});
                        ("200 OK", json!({"resourceType": "Bundle", "entry": [entry]}))
                    } else {
                        let issue = json!({"severity": "error", "code": "not-found", "diagnostics": "no Zaphod"});
                        ("404 Not Found", json!({"resourceType": "OperationOutcome", "issue": [issue]}))
                    };
                    let (body, kind) = (body.to_string(), "application/fhir+json");
                    let reply = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(reply.as_bytes()).await.unwrap();
                }
            });
        }
    });
    base
}

/// FR-23 (SMART, App protection): with every log line of every crate on, neither token nor search criteria nor body
/// is in the log; the endpoint is.
#[tokio::test]
async fn logs_hold_no_health_data_and_no_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let base = server().await;
    let _guard = tracing::subscriber::set_default(subscriber);
    let base = FhirBaseUrl::parse_with(&base, UrlPolicy::AllowLoopbackHttp).unwrap();
    let bearer = StaticBearer::new(base.clone(), &AccessToken::new("t0ken-secret")).unwrap();
    let client = FhirClient::new(base, HttpClient::new(HyperTransport::new()), Arc::new(bearer));
    let found = client.search(SearchQuery::new("Patient").param("name", "Zaphod")).collect_all().await.unwrap();
    assert_eq!(found[0]["name"], "Zaphod");
    let error = client.read::<Value>("Patient", "2").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().outcome().unwrap().issues()[0].diagnostics(), Some("no Zaphod"));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/fhir/Patient"), "nothing was logged: {log}");
    assert!(log.contains("hyper"), "the lines of the HTTP library are missing: {log}");
    for secret in ["Zaphod", "t0ken-secret", "name="] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
