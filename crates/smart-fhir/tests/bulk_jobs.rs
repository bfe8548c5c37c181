//! Bulk exports: kick-off, status, cancelling, and where the token goes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Value, json};
use smart_fhir::bulk::{
    BulkClient, BulkError, BulkVersion, ExportJob, ExportRequest, ExportStatus, JobRecord, Manifest, PollPolicy,
};
use smart_http::mock::{MockTimer, MockTransport};
use smart_http::{ConnectFailure, Endpoint, HttpError};
use std::time::Duration;
use support::{Tokens, authorizations, client_with, tokens, urls};
use url::Url;

const STATUS: &str = "https://ehr.example/bulk/1";

fn bulk() -> (MockTransport, MockTimer, BulkClient) {
    let (transport, timer, client) = client_with(tokens());
    (transport, timer, client.bulk())
}

/// A job that was started, and what is asked for after that.
async fn started(client: &BulkClient, transport: &MockTransport) -> ExportJob {
    transport.respond_with(202, &[("content-location", STATUS)], "");
    client.start(ExportRequest::system()).await.unwrap()
}

fn manifest(token: bool, files: &[&str]) -> Value {
    let output: Vec<Value> = files.iter().map(|url| json!({"type": "Patient", "url": url})).collect();
    json!({"transactionTime": "2026-01-31T08:00:00Z", "requiresAccessToken": token, "output": output})
}

fn parsed(token: bool, files: &[&str]) -> Vec<Manifest> {
    vec![Manifest::parse(manifest(token, files).to_string().as_bytes(), &Url::parse(STATUS).unwrap()).unwrap()]
}

fn outcome(code: &str) -> String {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}).to_string()
}

/// BK-15 (Bulk Data 3.0, response - success): 202 with the place of the status, absolute or relative; anything else is an error.
#[tokio::test]
async fn a_kick_off_tells_where_the_status_is() {
    for (location, status) in [
        (STATUS, STATUS),
        ("/bulk/1", STATUS),
        ("$status/1", "https://ehr.example/t1/r4/$status/1"),
        (" https://status.example/1", "https://status.example/1"),
    ] {
        let (transport, _, client) = bulk();
        transport.respond_with(202, &[("content-location", location)], "");
        assert_eq!(client.start(ExportRequest::system()).await.unwrap().record().status_url.as_str(), status);
    }
    for (code, headers) in [
        (202, &[][..]),
        (202, &[("content-location", "https://[")]),
        (202, &[("content-location", "ftp://ehr.example/1")]),
        (200, &[("content-location", STATUS)]),
        (204, &[]),
    ] {
        let (transport, _, client) = bulk();
        transport.respond_with(code, headers, "");
        let error = client.start(ExportRequest::system()).await.unwrap_err();
        assert!(matches!(error, BulkError::Protocol { .. }), "{code} {headers:?}: {error}");
        assert_eq!(urls(&transport).len(), 1, "it is not asked for twice");
    }
}

/// BK-49 (Bulk Data 3.0, privacy and security): a status that is not behind TLS is not asked for; nor is any file by the transport
/// that this workspace has.
#[tokio::test]
async fn nothing_is_asked_for_without_tls() {
    let (transport, _, client) = bulk();
    transport.respond_with(202, &[("content-location", "http://ehr.example/bulk/1")], "");
    assert!(matches!(client.start(ExportRequest::system()).await, Err(BulkError::Protocol { .. })));

    let http = smart_http::HttpClient::new(smart_http::HyperTransport::new());
    let plain = smart_fhir::FhirClient::new(support::base(), http, std::sync::Arc::new(tokens()));
    let job = plain.bulk().resume(started(&client, &transport).await.record().clone()).unwrap();
    let mut resources = job.resources(&parsed(false, &["http://files.example/1"]));
    let error = resources.try_next().await.unwrap_err();
    assert!(matches!(error, BulkError::Http(HttpError::InvalidUrl { .. })), "{error}");
}

/// BK-16 (Bulk Data 3.0, response - error): what the server says is told, and nothing is sent again.
#[tokio::test]
async fn a_refused_kick_off_tells_what_the_server_says() {
    for (status, code) in [
        (400, "not-supported"),
        (401, "login"),
        (403, "forbidden"),
        (404, "not-found"),
        (422, "invalid"),
        (500, "exception"),
    ] {
        let (transport, _, client) = client_with(Tokens { can_renew: false, ..tokens() });
        transport.respond_with(status, &[], outcome(code));
        let error = client.bulk().start(ExportRequest::system().types(["Patient"])).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert!(matches!(error, BulkError::NotStarted(_)));
        assert_eq!((refusal.status(), refusal.outcome().unwrap().issues()[0].code()), (status, code));
        assert_eq!(error.needs_reauthorization(), status == 401);
        assert_eq!(urls(&transport).len(), 1);
    }
    let (transport, _, client) = bulk();
    let interrupted = HttpError::Interrupted {
        endpoint: Endpoint::of(&http::Uri::from_static("https://ehr.example/")),
        phase: smart_http::Phase::Headers,
        reason: "reset".to_owned(),
    };
    transport.fail(interrupted).respond_with(202, &[("content-location", STATUS)], "");
    assert!(client.start(ExportRequest::system()).await.unwrap_err().is_retryable());
    assert_eq!(transport.remaining(), 1, "the export may have been started: it is not sent again");
    assert!(matches!(client.start(ExportRequest::group("a/b")).await, Err(BulkError::InvalidRequest { .. })));
    assert_eq!(transport.remaining(), 1, "what cannot be asked for is not sent");
}

/// BK-17 (Bulk Data 3.0, response - error): while another export runs it is waited for as long as the server says, then asked again.
#[tokio::test]
async fn a_turn_is_waited_for() {
    let (transport, timer, client) = bulk();
    transport.respond_with(429, &[("retry-after", "120")], outcome("throttled"));
    transport.respond_with(429, &[], "");
    transport.respond_with(202, &[("content-location", STATUS)], "");
    client.start(ExportRequest::system()).await.unwrap();
    let sleeps = timer.sleeps();
    assert!(sleeps[0] >= Duration::from_secs(120) && sleeps[0] <= Duration::from_secs(121), "{sleeps:?}");
    assert_eq!(sleeps.len(), 2);

    transport.respond_with(429, &[("retry-after", "86400")], outcome("throttled"));
    let error = client.start(ExportRequest::system()).await.unwrap_err();
    assert!(matches!(error, BulkError::NotStarted(_)) && error.is_retryable(), "a wait of a day is left to the caller");
    assert_eq!(timer.sleeps().len(), 2);
}

/// BK-02, BK-12 (Bulk Data 2.0 and 4.0): what needs POST is posted.
#[tokio::test]
async fn what_needs_post_is_posted() {
    let (transport, _, client) = bulk();
    for request in [ExportRequest::group("1").patients(["p1"]), ExportRequest::system().version(BulkVersion::V4)] {
        transport.respond_with(202, &[("content-location", STATUS)], "");
        client.start(request).await.unwrap();
    }
    assert!(transport.requests().iter().all(|request| request.method() == "POST"));
    assert!(String::from_utf8_lossy(transport.requests()[0].body()).contains("Patient/p1"));
}

/// BK-18, BK-20, BK-25 (Bulk Data 3.0, status request): polls are GETs for JSON with the token, until the manifest comes.
#[tokio::test]
async fn a_job_is_polled_until_its_manifest_comes() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    transport.respond_with(202, &[("x-progress", "10%"), ("retry-after", "3")], "");
    transport.respond_with(202, &[("x-progress", "90%")], "");
    transport.respond_with(200, &[("expires", "never")], manifest(true, &["https://ehr.example/f/1"]).to_string());
    let mut seen = Vec::new();
    let manifests = job.wait_telling(|progress| {
        let Some(ExportStatus::InProgress { progress: Some(text), .. }) = progress.status else { panic!() };
        seen.push((text.clone(), progress.polls));
    });
    let manifests = manifests.await.unwrap();
    assert_eq!(seen, [("10%".to_owned(), 1), ("90%".to_owned(), 2)]);
    assert_eq!(manifests[0].expires.as_deref(), Some("never"));
    for poll in &transport.requests()[1..] {
        assert_eq!((poll.method().as_str(), poll.uri().to_string().as_str()), ("GET", STATUS));
        assert_eq!(poll.headers()["accept"], "application/json");
        assert_eq!(poll.headers()["authorization"], "Bearer token-1");
    }
}

/// BK-19 (SMART, backend services; Bulk Data, security): the token is asked for at each poll, and renewed when it is refused.
#[tokio::test]
async fn a_token_that_ends_meanwhile_is_renewed() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    transport.respond_with(202, &[], "");
    transport.respond_with(401, &[], "").respond_with(202, &[], "");
    transport.respond_with(401, &[], "").respond_with(200, &[], manifest(true, &[]).to_string());
    job.wait().await.unwrap();
    let sent: Vec<String> = authorizations(&transport).into_iter().map(Option::unwrap).collect();
    assert_eq!(sent, ["1", "1", "1", "2", "2", "3"].map(|number| format!("Bearer token-{number}")));
}

/// BK-21 (Bulk Data 3.0, status request): the next poll comes when the server says, in seconds or at a date; else the wait
/// doubles up to a cap, and begins anew with news.
#[tokio::test]
async fn polls_are_timed_by_the_server_or_a_back_off() {
    let (transport, timer, client) = bulk();
    let policy = PollPolicy::default()
        .with_backoff(Duration::from_secs(4), Duration::from_secs(16))
        .with_longest_asked(Duration::from_secs(600));
    let job = started(&client.with_polling(policy), &transport).await;
    for after in ["7", "Sun, 06 Nov 1994 08:51:37 GMT", "999999"] {
        transport.respond_with(202, &[("retry-after", after), ("x-progress", "a")], "");
    }
    for _ in 0..6 {
        transport.respond_with(202, &[("x-progress", "b")], "");
    }
    transport.respond_with(200, &[], manifest(true, &[]).to_string());
    job.wait().await.unwrap();
    let seconds: Vec<f64> = timer.sleeps().iter().map(Duration::as_secs_f64).collect();
    let is_about = |value: f64, least: f64, most: f64| assert!(value >= least && value <= most, "{seconds:?}");
    is_about(seconds[0], 7.0, 8.0);
    is_about(seconds[1], 112.0, 121.0);
    is_about(seconds[2], 600.0, 601.0);
    for (wait, most) in seconds[3..].iter().zip([4.0, 8.0, 16.0, 16.0, 16.0, 16.0]) {
        is_about(*wait, most / 2.0, most);
    }
}

/// BK-22 (Bulk Data 3.0, status request): being asked too often slows down; being told so on and on is an error of its own.
#[tokio::test]
async fn being_told_to_slow_down_is_heeded_and_bounded() {
    let (transport, timer, client) = bulk();
    let job = started(&client.with_polling(PollPolicy::default().with_max_throttled(3)), &transport).await;
    transport.respond_with(429, &[("retry-after", "60")], "");
    transport.respond_with(202, &[], "");
    for _ in 0..4 {
        transport.respond_with(429, &[("retry-after", "60")], outcome("throttled"));
    }
    let error = job.wait().await.unwrap_err();
    assert!(matches!(error, BulkError::Throttled { times: 4, .. }) && error.is_retryable(), "{error}");
    assert!(timer.sleeps()[0] >= Duration::from_secs(60));
}

/// BK-23 (Bulk Data 3.0, error status): faults that pass are waited out, within a bound; a failure of the export ends it.
#[tokio::test]
async fn faults_are_waited_out_within_a_bound() {
    let refused = || HttpError::Connect {
        endpoint: Endpoint::of(&http::Uri::from_static("https://ehr.example/")),
        kind: ConnectFailure::Refused,
        reason: "refused".to_owned(),
    };
    let (transport, _, client) = bulk();
    let job = started(&client.with_polling(PollPolicy::default().with_max_faults(2)), &transport).await;
    transport.respond_with(502, &[("content-type", "text/html")], "<html>");
    transport.fail(refused());
    transport.respond_with(202, &[], "");
    transport.respond_with(500, &[], outcome("transient"));
    transport.respond_with(200, &[], manifest(true, &[]).to_string());
    job.wait().await.unwrap();

    for _ in 0..3 {
        transport.respond_with(503, &[], outcome("timeout"));
    }
    assert!(matches!(job.wait().await, Err(BulkError::Failed(_))));
    transport.fail(refused()).fail(refused()).fail(refused());
    assert!(matches!(job.wait().await, Err(BulkError::Http(_))));
    transport.respond_with(500, &[], outcome("processing"));
    assert!(matches!(job.wait().await, Err(BulkError::Failed(refusal)) if refusal.status() == 500));
    assert_eq!(transport.remaining(), 0);
}

/// SE-08: an export is not waited for for ever.
#[tokio::test]
async fn waiting_ends() {
    let (transport, timer, client) = bulk();
    let job =
        started(&client.with_polling(PollPolicy::default().with_max_total(Duration::from_hours(1))), &transport).await;
    transport.handle(|_| Ok(http::Response::builder().status(202).body(bytes::Bytes::new()).unwrap()));
    let error = job.wait().await.unwrap_err();
    assert!(matches!(error, BulkError::TooLong { .. }) && error.is_retryable());
    assert!(timer.sleeps().iter().sum::<Duration>() <= Duration::from_hours(1));
}

/// BK-29 (Bulk Data 3.0, partial manifests): `next` is followed, a fault on the way to it passes, and a ring of manifests ends.
#[tokio::test]
async fn further_manifests_are_followed() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    let linking = |file: &str, next: &str| {
        let mut page = manifest(true, &[file]);
        page["link"] = json!([{"relation": "next", "url": next}]);
        page.to_string()
    };
    transport.respond_with(200, &[], linking("https://ehr.example/f/1", "/bulk/1?page=2"));
    transport.respond_with(503, &[], outcome("transient"));
    transport.respond_with(202, &[], "");
    transport.respond_with(200, &[], manifest(true, &["https://ehr.example/f/2"]).to_string());
    let manifests = job.wait().await.unwrap();
    let files: Vec<_> = manifests.iter().flat_map(Manifest::output).map(|file| file.url.path()).collect();
    assert_eq!(files, ["/f/1", "/f/2"]);

    transport.respond_with(200, &[], linking("https://ehr.example/f/1", "/bulk/1?page=2"));
    transport.respond_with(200, &[], linking("https://ehr.example/f/2", "/bulk/1"));
    assert!(matches!(job.wait().await, Err(BulkError::Protocol { .. })));
}

/// BK-44 (Bulk Data 3.0, delete request): a delete is accepted, or there is nothing to delete any more; another answer is an error.
#[tokio::test]
async fn cancelling_deletes_the_status() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    transport.respond_with(202, &[], "").respond_with(404, &[], outcome("not-found")).respond_with(
        403,
        &[],
        outcome("forbidden"),
    );
    job.cancel().await.unwrap();
    job.cancel().await.unwrap();
    assert_eq!(job.cancel().await.unwrap_err().refusal().unwrap().status(), 403);
    let sent = &transport.requests()[1];
    assert_eq!((sent.method().as_str(), sent.uri().to_string().as_str()), ("DELETE", STATUS));
    transport.respond_with(404, &[], "");
    assert!(matches!(job.poll().await, Err(BulkError::Gone { .. })));
}

/// BK-45 (Bulk Data 3.0, delete request): work that is aborted cancels its export where it was told to, and only then.
#[tokio::test]
async fn an_aborted_job_is_cancelled_where_that_is_wished() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    transport.handle(|_| Ok(http::Response::builder().status(202).body(bytes::Bytes::new()).unwrap()));
    let deletes = || transport.requests().iter().filter(|request| request.method() == "DELETE").count();
    job.cancel_on_drop().keep();
    drop(job.clone());
    tokio::task::yield_now().await;
    assert_eq!(deletes(), 0);

    let waiting = tokio::spawn(async move {
        let _guard = job.cancel_on_drop();
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(deletes(), 1);
}

/// BK-46: what is kept of a job is enough to take it up elsewhere, holds no token, and shows neither patients nor the status URL's
/// query.
#[tokio::test]
async fn a_job_is_taken_up_again() {
    let (transport, _, client) = bulk();
    transport.respond_with(202, &[("content-location", "/bulk/1?key=s3cret")], "");
    let job = client.start(ExportRequest::group("g1").patients(["p4711"])).await.unwrap();
    let kept = serde_json::to_string(job.record()).unwrap();
    assert!(!kept.contains("token-1"));
    assert!(!format!("{job:?}").contains("s3cret") && !format!("{job:?}").contains("p4711"));

    let (transport, _, other) = bulk();
    let record: JobRecord = serde_json::from_str(&kept).unwrap();
    let again = other.resume(record.clone()).unwrap();
    transport.respond_with(200, &[], manifest(true, &[]).to_string());
    again.wait().await.unwrap();
    assert_eq!(urls(&transport), ["https://ehr.example/bulk/1?key=s3cret"]);
    let elsewhere = JobRecord { server: "https://other.example/fhir".to_owned(), ..record };
    assert!(matches!(other.resume(elsewhere), Err(BulkError::InvalidRequest { .. })));
}

/// BK-33, BK-34, SE-05 (Bulk Data 3.0, output file request): files get the token where they need it, at the server's own origin or
/// one that was allowed, and never otherwise.
#[tokio::test]
async fn the_token_goes_with_files_that_need_it_only() {
    let (own, storage) = ("https://ehr.example/files/1", "https://files.example/1");
    for (needed, url, allowed, has) in [
        (true, own, false, true),
        (false, own, false, false),
        (true, storage, false, false),
        (true, storage, true, true),
        (false, storage, true, false),
    ] {
        let (transport, _, client) = bulk();
        let client =
            if allowed { client.with_token_origin(&Url::parse("https://files.example/").unwrap()) } else { client };
        let job = started(&client, &transport).await;
        transport.respond_with(200, &[], "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n");
        let mut resources = job.resources(&parsed(needed, &[url]));
        assert_eq!(resources.try_next().await.unwrap().unwrap().resource["id"], "1");
        assert!(resources.try_next().await.unwrap().is_none());
        assert_eq!(authorizations(&transport)[1].is_some(), has, "{needed} {url} {allowed}");
    }
}

/// BK-35 (FR-04): where a file is redirected to another origin, the token stays behind; https never becomes http.
#[tokio::test]
async fn a_redirect_elsewhere_loses_the_token() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    transport.respond_with(307, &[("location", "/files/2")], "");
    transport.respond_with(307, &[("location", "https://files.example/signed?s=1")], "");
    transport.respond_with(302, &[("location", "https://ehr.example/files/3")], "");
    transport.respond_with(200, &[], "{\"resourceType\":\"Patient\"}");
    let mut resources = job.resources(&parsed(true, &["https://ehr.example/files/1"]));
    assert!(resources.try_next().await.unwrap().is_some());
    let sent: Vec<bool> = authorizations(&transport)[1..].iter().map(Option::is_some).collect();
    assert_eq!(sent, [true, true, false, true]);

    transport.respond_with(307, &[("location", "http://files.example/1?s=s3cret")], "");
    let error = job.resources(&parsed(true, &["https://ehr.example/files/1"])).try_next().await.unwrap_err();
    assert!(
        matches!(error, BulkError::Http(HttpError::CrossOriginRedirect { .. }))
            && !error.to_string().contains("s3cret")
    );
    transport.handle(|_| {
        Ok(http::Response::builder().status(307).header("location", "/files/1").body(bytes::Bytes::new()).unwrap())
    });
    let error = job.resources(&parsed(true, &["https://ehr.example/files/1"])).try_next().await.unwrap_err();
    assert!(matches!(error, BulkError::Http(HttpError::TooManyRedirects { .. })));
}

/// BK-36, BK-37 (Bulk Data 3.0, output file request): files are asked for as NDJSON, compressed where the server likes; whatever
/// content type it has, a line is a resource or an error with its number, and those after it come.
#[tokio::test]
async fn lines_count_and_not_the_content_type() {
    let text =
        b"{\"resourceType\":\"Patient\",\"id\":\"1\"}\r\n\r\n<html>\n{\"resourceType\":\"Patient\",\"id\":\"2\"}";
    let packed = {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    };
    for kind in [
        "application/fhir+ndjson",
        "application/ndjson",
        "application/x-ndjson",
        "application/octet-stream",
        "text/html",
    ] {
        for (coding, body) in [("identity", text.to_vec()), ("gzip", packed.clone())] {
            let (transport, _, client) = bulk();
            let job = started(&client, &transport).await;
            transport.respond_with(200, &[("content-type", kind), ("content-encoding", coding)], body);
            let mut resources = job.resources(&parsed(true, &["https://ehr.example/files/1"]));
            let first = resources.try_next().await.unwrap().unwrap();
            assert_eq!((first.resource["id"].as_str(), first.line, first.file), (Some("1"), 1, 0));
            let BulkError::Line { error, .. } = resources.try_next().await.unwrap_err() else { panic!() };
            assert_eq!(error.line, 3);
            let second = resources.try_next().await.unwrap().unwrap();
            assert_eq!((second.resource["id"].as_str(), second.line), (Some("2"), 4));
            assert!(resources.try_next().await.unwrap().is_none());
            let sent = &transport.requests()[1];
            assert_eq!(
                (&sent.headers()["accept"], &sent.headers()["accept-encoding"]),
                (&"application/fhir+ndjson".parse().unwrap(), &"gzip".parse().unwrap())
            );
            assert!(!format!("{first:?}").contains("Patient"));
        }
    }
}

/// BK-28, BK-30 (Bulk Data 3.0, manifest): errors and deletes come with the resources, told apart.
#[tokio::test]
async fn errors_and_deletes_come_too() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    let mut value = manifest(true, &["https://ehr.example/f/1"]);
    value["error"] = json!([{"type": "OperationOutcome", "url": "https://ehr.example/f/e"}]);
    value["deleted"] = json!([{"type": "Bundle", "url": "https://ehr.example/f/d"}]);
    let manifests = [Manifest::parse(value.to_string().as_bytes(), &Url::parse(STATUS).unwrap()).unwrap()];
    let deletes = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "DELETE", "url": "Patient/9"}}]});
    transport.respond_with(200, &[], "{\"resourceType\":\"Patient\"}");
    transport.respond_with(200, &[], outcome("processing")).respond_with(200, &[], deletes.to_string());
    let mut resources = job.resources(&manifests);
    let mut kinds = Vec::new();
    while let Some(item) = resources.try_next().await.unwrap() {
        if let Some(deletions) = smart_fhir::bulk::deletions(&item.resource) {
            assert_eq!(deletions[0].id.as_str(), "9");
        }
        kinds.push((item.file, serde_json::to_value(item.kind).unwrap()));
    }
    assert_eq!(kinds, [(0, json!("output")), (1, json!("error")), (2, json!("deleted"))]);
}

/// BK-42 (Bulk Data 3.0, attachments): an attachment has an absolute URL, and gets the token as files do.
#[tokio::test]
async fn attachments_get_the_token_as_files_do() {
    let (transport, _, client) = bulk();
    let job = started(&client, &transport).await;
    for needed in [true, false] {
        transport.respond_with(200, &[], "pdf");
        let got = job.attachment(&parsed(needed, &[])[0], "https://ehr.example/fhir/Binary/1").await.unwrap();
        assert_eq!(got, "pdf");
        assert_eq!(authorizations(&transport).last().unwrap().is_some(), needed);
    }
    let before = urls(&transport).len();
    for url in ["Binary/1", "http://ehr.example/1", "file:///etc/passwd"] {
        assert!(matches!(job.attachment(&parsed(true, &[])[0], url).await, Err(BulkError::InvalidRequest { .. })));
    }
    assert_eq!(urls(&transport).len(), before);
    transport.respond_with(404, &[], "");
    assert!(matches!(
        job.attachment(&parsed(true, &[])[0], "https://ehr.example/1").await,
        Err(BulkError::FileRefused { .. })
    ));
}

/// BK-48 (Bulk Data 3.0, group export): groups are found by a search.
#[tokio::test]
async fn groups_are_found() {
    let (transport, _, client) = bulk();
    let group = json!({"resourceType": "Group", "id": "g1", "name": "Diabetes", "quantity": 12});
    transport.respond_fhir(
        json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": group}]}).to_string(),
    );
    let groups = client.groups().await.unwrap();
    assert_eq!(
        (groups[0].id.as_str(), groups[0].name.as_deref(), groups[0].quantity),
        ("g1", Some("Diabetes"), Some(12))
    );
    assert_eq!(urls(&transport), ["https://ehr.example/t1/r4/Group"]);
}
