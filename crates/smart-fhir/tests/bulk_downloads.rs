//! Downloads of exports to a folder: whole, broken, resumed, checked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use proptest::prelude::*;
use serde_json::{Value, json};
use smart_fhir::FhirClient;
use smart_fhir::bulk::download::{Destination, DownloadEvent, DownloadOptions, DownloadReport, resume};
use smart_fhir::bulk::{BulkClient, BulkError, ExportRequest, FileKind};
use smart_http::mock::MockTimer;
use smart_http::{Body, BoxFuture, Endpoint, HttpClient, HttpError, Limits, Phase, Transport};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use support::{NOW, base, tokens};
use tempfile::TempDir;

const CHUNK: usize = 1000;

/// A server of one export, whose troubles are set by the test.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Files by the name in their URL.
    files: BTreeMap<String, Vec<u8>>,
    manifest: Value,
    /// No ETag and no parts.
    no_ranges: bool,
    /// After how many octets each of the next responses breaks off.
    cuts: Vec<usize>,
    /// Links with another key are refused.
    key: Option<String>,
    /// Answers before the file is given out.
    refusals: Vec<(u16, &'static str)>,
    /// `name from` for each response with a file.
    given: Vec<(String, usize)>,
    polls: u32,
    deletes: u32,
    gzip: bool,
}

impl Server {
    fn new(files: &[(&str, &str, String)]) -> Self {
        let server = Self::default();
        {
            let mut state = server.state();
            let mut output = Vec::new();
            for (name, resource_type, text) in files {
                state.files.insert((*name).to_owned(), text.clone().into_bytes());
                output.push(json!({"type": resource_type, "url": format!("https://ehr.example/f/{name}"), "count": text.lines().count()}));
            }
            state.manifest =
                json!({"transactionTime": "2026-01-31T08:00:00.5Z", "requiresAccessToken": true, "output": output});
        }
        server
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn client(&self) -> BulkClient {
        let http = HttpClient::with_timer(self.clone(), MockTimer::at(NOW));
        FhirClient::new(base(), http, Arc::new(tokens())).bulk()
    }

    fn given(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.state().given)
    }
}

impl Transport for Server {
    fn send(&self, request: Request<Bytes>, _: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        let response = self.state().answer(&request);
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Body> {
        let path = request.uri().path();
        let plain =
            |status: u16, body: String| Response::builder().status(status).body(Body::from_bytes(body)).unwrap();
        if path.ends_with("/$export") {
            return Response::builder()
                .status(202)
                .header("content-location", "/bulk/1")
                .body(Body::from_bytes(""))
                .unwrap();
        }
        if request.method() == "DELETE" {
            self.deletes += 1;
            return plain(202, String::new());
        }
        if path == "/bulk/1" {
            self.polls += 1;
            let key = self.key.clone().map(|key| format!("?key={key}")).unwrap_or_default();
            let mut manifest = self.manifest.clone();
            for list in ["output", "error", "deleted"] {
                for file in manifest.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    let url = format!("{}{key}", file["url"].as_str().unwrap());
                    file["url"] = url.into();
                }
            }
            return plain(200, manifest.to_string());
        }
        let name = path.strip_prefix("/f/").unwrap().to_owned();
        if let Some(key) = &self.key
            && request.uri().query() != Some(format!("key={key}").as_str())
        {
            return plain(403, "<html>expired".to_owned());
        }
        if !self.refusals.is_empty() {
            let (status, after) = self.refusals.remove(0);
            return Response::builder().status(status).header("retry-after", after).body(Body::from_bytes("")).unwrap();
        }
        let whole = self.files[&name].clone();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let tag = format!("\"{name}-{}\"", whole.len());
        let mut from = 0;
        let mut response = Response::builder();
        if self.gzip && header("accept-encoding").as_deref() == Some("gzip") {
            use std::io::Write as _;
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(&whole).unwrap();
            self.given.push((name, 0));
            let octets = packer.finish().unwrap();
            return response
                .header("content-encoding", "gzip")
                .header("etag", "\"packed\"")
                .body(self.body(&octets))
                .unwrap();
        }
        if !self.no_ranges {
            response = response.header("etag", &tag);
            if let (Some(range), Some(version)) = (header("range"), header("if-range"))
                && version == tag
            {
                from = range["bytes=".len()..].trim_end_matches('-').parse().unwrap();
                response = response
                    .status(206)
                    .header("content-range", format!("bytes {from}-{}/{}", whole.len() - 1, whole.len()));
            }
        }
        self.given.push((name, from));
        let body = self.body(&whole[from..]);
        response.body(body).unwrap()
    }

    fn body(&mut self, octets: &[u8]) -> Body {
        let cut = if self.cuts.is_empty() { usize::MAX } else { self.cuts.remove(0) };
        let mut chunks: Vec<Result<Bytes, HttpError>> =
            octets[..cut.min(octets.len())].chunks(CHUNK).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        if cut < octets.len() {
            let endpoint = Endpoint::of(&http::Uri::from_static("https://ehr.example/f"));
            chunks.push(Err(HttpError::Interrupted { endpoint, phase: Phase::Body, reason: "cut".to_owned() }));
        }
        Body::from_stream(Box::pin(stream::iter(chunks)))
    }
}

fn lines(resource_type: &str, count: usize) -> String {
    let line = |id: usize| json!({"resourceType": resource_type, "id": id.to_string(), "x": "y".repeat(id % 90)});
    (0..count).fold(String::new(), |text, id| text + &line(id).to_string() + "\n")
}

fn server() -> Server {
    Server::new(&[
        ("a", "Patient", lines("Patient", 300)),
        ("b", "Observation", lines("Observation", 500)),
        ("c", "Patient", lines("Patient", 1)),
    ])
}

fn folder() -> (TempDir, Destination) {
    let folder = tempfile::tempdir().unwrap();
    let to = Destination::folder(folder.path().join("out"));
    (folder, to)
}

async fn export(server: &Server, to: &Destination, options: DownloadOptions) -> Result<DownloadReport, BulkError> {
    let job = server.client().start(ExportRequest::system()).await?;
    job.download(to, options).await
}

fn read(to: &Destination, name: &str) -> Vec<u8> {
    std::fs::read(to.as_folder().unwrap().join(name)).unwrap()
}

fn sha256(octets: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, octets);
    digest.as_ref().iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

/// Asserts that the folder has the server's files, octet for octet, and nothing that is under way.
fn assert_same(server: &Server, to: &Destination, report: &DownloadReport) {
    for (name, key) in [("Patient.0001.ndjson", "a"), ("Observation.0001.ndjson", "b"), ("Patient.0002.ndjson", "c")] {
        let expected = server.state().files[key].clone();
        assert!(read(to, name) == expected, "{name} differs");
        let file = report.files.iter().find(|file| file.name == name).unwrap();
        assert_eq!((file.octets, &file.sha256), (u64::try_from(expected.len()).unwrap(), &sha256(&expected)));
        assert_eq!(file.lines, u64::try_from(expected.split(|octet| *octet == b'\n').count() - 1).unwrap());
    }
    let left = std::fs::read_dir(to.as_folder().unwrap().join(".smart-export")).unwrap();
    let left: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["journal"]);
}

/// F-109, BK-39: files come as they are, with size, lines, types and digest of each, and a summary beside them.
#[tokio::test]
async fn files_come_as_they_are() {
    let (server, (_folder, to)) = (server(), folder());
    let report = export(&server, &to, DownloadOptions::default()).await.unwrap();
    assert_same(&server, &to, &report);
    assert_eq!((report.resources(), report.transaction_time.as_str()), (801, "2026-01-31T08:00:00.5Z"));
    assert!(report.files.iter().all(|file| file.warnings.is_empty() && file.types.len() == 1));
    let summary: DownloadReport = serde_json::from_slice(&read(&to, "export.json")).unwrap();
    assert_eq!(summary, report);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&to.as_folder().unwrap().join("Patient.0001.ndjson")), 0o600);
        assert_eq!(mode(&to.as_folder().unwrap().join(".smart-export")), 0o700);
    }
}

/// BK-46, F-109 (RFC 9110, 13.1.5, 14.2): a connection that breaks is gone on with from where it broke, where the server gives out
/// parts of the same version; nothing is lost or doubled.
#[tokio::test]
async fn a_broken_connection_is_gone_on_with() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().cuts = vec![5000, 7000, 1, 999];
    let report = export(&server, &to, DownloadOptions::default().parallel(1)).await.unwrap();
    assert_same(&server, &to, &report);
    let given = server.given();
    assert_eq!(given[..3], [("a".to_owned(), 0), ("a".to_owned(), 5000), ("a".to_owned(), 12_000)]);
}

/// BK-46: where there are no parts, or the file has changed meanwhile, it comes from its start.
#[tokio::test]
async fn without_parts_a_file_comes_from_its_start() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().no_ranges = true;
    server.state().cuts = vec![5000, 6000];
    let report = export(&server, &to, DownloadOptions::default().parallel(1)).await.unwrap();
    assert_same(&server, &to, &report);
    assert!(server.given().iter().all(|(_, from)| *from == 0));
}

/// BK-36: compressed files are expanded, digests are of what is in them; one that breaks comes from its start.
#[tokio::test]
async fn compressed_files_are_expanded() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().gzip = true;
    server.state().cuts = vec![500];
    let report = export(&server, &to, DownloadOptions::default().parallel(1)).await.unwrap();
    assert_same(&server, &to, &report);
    assert_eq!(server.given()[..2], [("a".to_owned(), 0), ("a".to_owned(), 0)]);
    let (_other, plain) = folder();
    let report = export(&server, &plain, DownloadOptions::default().gzip(false)).await.unwrap();
    assert_same(&server, &plain, &report);
}

/// BK-47 (RFC 9110, 10.2.3): a file server that is overloaded is asked again after the wait that it names.
#[tokio::test]
async fn an_overloaded_file_server_is_asked_again() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().refusals = vec![(429, "20"), (503, "5"), (502, "0")];
    let waits: Arc<Mutex<Vec<u64>>> = Arc::default();
    let seen = waits.clone();
    let options = DownloadOptions::default().parallel(1).on_event(move |event| {
        if let DownloadEvent::Retrying { wait, .. } = event {
            seen.lock().unwrap().push(wait.as_secs());
        }
    });
    let report = export(&server, &to, options).await.unwrap();
    assert_same(&server, &to, &report);
    let waits = waits.lock().unwrap();
    assert!(waits.len() == 3 && waits[0] >= 20 && waits[1] >= 5, "{waits:?}");
}

/// BK-41 (Bulk Data 3.0, output file request): where links have expired the manifest is asked for again, once for all files.
#[tokio::test]
async fn expired_links_are_renewed() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().key = Some("one".to_owned());
    let expiring = server.clone();
    let options = DownloadOptions::default().parallel(1).on_event(move |event| {
        if let DownloadEvent::Listed { .. } = event {
            expiring.state().key = Some("two".to_owned());
        }
    });
    let report = export(&server, &to, options).await.unwrap();
    assert_same(&server, &to, &report);
    assert_eq!(server.state().polls, 2);

    let (_other, to) = folder();
    let gone = server.clone();
    let options = DownloadOptions::default().on_event(move |event| {
        if let DownloadEvent::Listed { .. } = event {
            let mut state = gone.state();
            state.key = Some("three".to_owned());
            state.manifest["output"].as_array_mut().unwrap().pop();
        }
    });
    let error = export(&server, &to, options).await.unwrap_err();
    assert!(matches!(error, BulkError::ManifestChanged { .. }), "files of two exports are not mixed: {error}");
}

/// BK-41: a file that is refused with new links too is an error; the others are there, and come not again when it is resumed.
#[tokio::test]
async fn a_file_that_is_never_given_out_is_an_error() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().refusals = vec![(404, ""); 4];
    let error = export(&server, &to, DownloadOptions::default().parallel(1)).await.unwrap_err();
    let BulkError::FileRefused { file, refusal } = error else { panic!("{error}") };
    assert_eq!((file.as_str(), refusal.status()), ("Patient.0001.ndjson", 404));
    assert_eq!(server.given().len(), 2);
    let report = resume(&server.client(), &to, DownloadOptions::default()).await.unwrap();
    assert_same(&server, &to, &report);
    assert_eq!(server.given().len(), 1);
    let again = resume(&server.client(), &to, DownloadOptions::default()).await.unwrap();
    assert!(again == report && server.given().is_empty(), "what is done is only reported");
}

/// BK-37, BK-38: a line that is no resource is an error with its number; kept on request, and told.
#[tokio::test]
async fn bad_lines_are_told_by_their_number() {
    let text = format!("{}<html>\n{}", lines("Patient", 3), lines("Patient", 2));
    let server = Server::new(&[("a", "Patient", text.clone())]);
    let (_folder, to) = folder();
    let error = export(&server, &to, DownloadOptions::default()).await.unwrap_err();
    assert!(
        matches!(error, BulkError::Line { ref file, error } if file == "Patient.0001.ndjson" && error.line == 4),
        "{error}"
    );
    assert!(!to.as_folder().unwrap().join("Patient.0001.ndjson").exists(), "what is not whole is not at its place");

    let report = resume(&server.client(), &to, DownloadOptions::default().keep_bad_lines(true)).await.unwrap();
    assert_eq!(read(&to, "Patient.0001.ndjson"), text.as_bytes());
    assert!(report.files[0].warnings[0].contains("line 4"), "{:?}", report.files[0].warnings);

    let (_other, to) = folder();
    let error = export(&server, &to, DownloadOptions::default().max_line(10)).await.unwrap_err();
    assert!(matches!(error, BulkError::Line { error, .. } if error.line == 1));
    let (_other, to) = folder();
    assert!(matches!(
        export(&server, &to, DownloadOptions::default().max_file(50)).await,
        Err(BulkError::Destination { .. })
    ));
}

/// BK-39 (Bulk Data 3.0, manifest): other numbers or types than the manifest says are warnings.
#[tokio::test]
async fn what_differs_from_the_manifest_is_a_warning() {
    let server = Server::new(&[("a", "Patient", lines("Patient", 3) + &lines("Basic", 2))]);
    server.state().manifest["output"][0]["count"] = 7.into();
    server.state().manifest["output"][0]["fileSize"] = 1.into();
    let (_folder, to) = folder();
    let report = export(&server, &to, DownloadOptions::default()).await.unwrap();
    let warnings = &report.files[0].warnings;
    assert!(
        warnings.len() == 3 && warnings[0].contains("7 resources; there are 5") && warnings[2].contains("another type"),
        "{warnings:?}"
    );
    assert_eq!(report.files[0].types, BTreeMap::from([("Basic".to_owned(), 2), ("Patient".to_owned(), 3)]));
}

/// BK-28, BK-30, BK-40, BK-10: files of errors, deletes and organised output have names of their own; grave issues make the export
/// a partial one; filters that may have been passed over are remembered.
#[tokio::test]
async fn other_files_have_names_of_their_own() {
    let server = Server::new(&[]);
    let issue = |severity: &str| json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "not-found", "diagnostics": "Smith"}]});
    let url = |name: &str| format!("https://ehr.example/f/{name}");
    {
        let mut state = server.state();
        let header = json!({"resourceType": "Parameters", "parameter": [{"name": "header", "valueReference": {"reference": "Patient/1"}}]});
        state.files.insert("o1".to_owned(), format!("{header}\n{}", lines("Patient", 1)).into());
        state.files.insert("o2".to_owned(), format!("{header}\n{}", lines("Basic", 1)).into());
        state.files.insert("e".to_owned(), format!("{}\n{}\n", issue("error"), issue("information")).into());
        state.files.insert("d".to_owned(), json!({"resourceType": "Bundle", "type": "transaction"}).to_string().into());
        state.manifest = json!({"transactionTime": "2026-01-31T08:00:00Z", "requiresAccessToken": false, "outputOrganizedBy": "Patient",
            "output": [{"url": url("o1"), "continuesInFile": url("o2")}, {"url": url("o2")}],
            "outcome": [{"url": url("e")}], "deleted": [{"type": "Bundle", "url": url("d")}]});
    }
    let (_folder, to) = folder();
    let request = ExportRequest::group("1").organize_output_by("Patient").type_filter("Patient?gender=male");
    let job = server.client().start(request).await.unwrap();
    let report = job.download(&to, DownloadOptions::default().delete_when_done(true)).await.unwrap();
    let names: Vec<&str> = report.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        ["all-types.0001.ndjson", "all-types.0002.ndjson", "export-errors.0001.ndjson", "export-deleted.0001.ndjson"]
    );
    assert_eq!(report.files[0].continues_in.as_deref(), Some("all-types.0002.ndjson"));
    assert!(report.is_partial() && report.filters_asked_for && report.organized_by.as_deref() == Some("Patient"));
    let issues = &report.of_kind(FileKind::Error).next().unwrap().issues;
    assert_eq!(*issues, BTreeMap::from([("error not-found".to_owned(), 1), ("information not-found".to_owned(), 1)]));
    assert!(!format!("{report:?}").contains("Smith"), "the server's texts stay in the file");
    assert_eq!(server.state().deletes, 1, "BK-45: deleted once all is there, as asked");
}

/// BK-46: a folder holds one export; a journal holds neither token nor links.
#[tokio::test]
async fn a_folder_holds_one_export() {
    let (server, (_folder, to)) = (server(), folder());
    server.state().key = Some("s3cret".to_owned());
    export(&server, &to, DownloadOptions::default()).await.unwrap();
    let error = export(&server, &to, DownloadOptions::default()).await.unwrap_err();
    assert!(matches!(error, BulkError::Occupied { .. }), "{error}");
    let journal = String::from_utf8(read(&to, ".smart-export/journal")).unwrap();
    assert!(!journal.contains("token-1") && !journal.contains("s3cret") && journal.contains("/bulk/1"));
    assert_eq!(to.job(&DownloadOptions::default()).unwrap().unwrap().server, base().as_str());
    let (_other, empty) = folder();
    assert_eq!(empty.job(&DownloadOptions::default()).unwrap(), None);
    assert!(matches!(
        resume(&server.client(), &empty, DownloadOptions::default()).await,
        Err(BulkError::Journal { .. })
    ));
}

type Snapshot = BTreeMap<std::path::PathBuf, Vec<u8>>;

/// Everything in a folder, by path.
fn snapshot(folder: &Path) -> Snapshot {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else if let Ok(octets) = std::fs::read(&path) {
            // What is moved meanwhile is a state too: a file that is not there.
            found.insert(path.clone(), octets);
        }
    }
    found
}

/// BK-46, F-109: wherever the program ended, the export is resumed to the same octets. Each state that the disk can be in after the
/// events of a download is tried: they are gathered at each event, with the files that are under way cut or longer at their end.
#[test]
fn an_export_is_resumed_from_any_point() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = || DownloadOptions::default().parallel(2).checkpoint_every(4000);
    let server = server();
    server.state().cuts = vec![9000, 20_000];
    let (kept, to) = folder();
    let states: Arc<Mutex<Vec<Snapshot>>> = Arc::default();
    let (seen, watched) = (states.clone(), kept.path().to_owned());
    let gather = options().on_event(move |_| seen.lock().unwrap().push(snapshot(&watched)));
    let undisturbed = runtime.block_on(export(&server, &to, gather)).unwrap();
    assert_same(&server, &to, &undisturbed);
    let states = std::mem::take(&mut *states.lock().unwrap());
    assert!(
        states.len() > 10
            && states.iter().any(|state| state.keys().any(|path| path.extension().is_some_and(|end| end == "part")))
    );

    let mut gone_on = 0;
    for (number, state) in states.iter().enumerate() {
        for change in 0_usize..4 {
            let (disturbed, to) = folder();
            for (path, octets) in state {
                let path = disturbed.path().join(path.strip_prefix(kept.path()).unwrap());
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let mut octets = octets.clone();
                let is_part = path.extension().is_some_and(|end| end == "part");
                let is_journal = path.file_name().is_some_and(|name| name == "journal");
                match change {
                    1 if is_part => octets.truncate(octets.len() * 2 / 3),
                    2 if is_part => octets.extend_from_slice(b"{\"resourceType\":\"Patient\"}\nhalf"),
                    3 if is_journal => octets.truncate(octets.len() - 1),
                    _ => {}
                }
                std::fs::write(path, octets).unwrap();
            }
            server.given();
            let resumed = match runtime.block_on(resume(&server.client(), &to, options())) {
                // The very first line may have been cut: then nothing had begun.
                Err(BulkError::Journal { reason, .. }) if change == 3 && reason.contains("does not begin") => continue,
                resumed => resumed.unwrap_or_else(|error| panic!("state {number}, change {change}: {error}")),
            };
            assert_eq!(resumed, undisturbed, "state {number}, change {change}");
            assert_same(&server, &to, &resumed);
            gone_on += server.given().iter().filter(|(_, from)| *from > 0).count();
        }
    }
    assert!(gone_on > 0, "files were gone on with from a checkpoint");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// BK-46: a download that is aborted at any time, again and again, comes to the same octets.
    #[test]
    fn an_export_that_is_aborted_at_any_time_is_resumed(aborts in proptest::collection::vec(1_usize..60, 1..4), cuts in proptest::collection::vec(1_usize..20_000, 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = server();
        server.state().cuts = cuts;
        let (_kept, to) = folder();
        let options = || DownloadOptions::default().parallel(2).checkpoint_every(3000);
        let report = runtime.block_on(async {
            let job = server.client().start(ExportRequest::system()).await.unwrap();
            let mut begun = false;
            for after in aborts {
                let client = server.client();
                let work = async {
                    if begun { resume(&client, &to, options()).await } else { job.download(&to, options()).await }
                };
                let mut work = Box::pin(work);
                let mut polls = 0;
                let ended = std::future::poll_fn(|cx| {
                    polls += 1;
                    if polls > after {
                        return std::task::Poll::Ready(None);
                    }
                    work.as_mut().poll(cx).map(Some)
                })
                .await;
                drop(work);
                begun = to.job(&options()).is_ok_and(|job| job.is_some());
                if let Some(Ok(report)) = ended {
                    return report;
                }
                // What blocks is let end: a process that is killed would have ended it too.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            begun = to.job(&options()).is_ok_and(|job| job.is_some());
            if begun { resume(&server.client(), &to, options()).await.unwrap() } else { job.download(&to, options()).await.unwrap() }
        });
        assert_same(&server, &to, &report);
    }
}
