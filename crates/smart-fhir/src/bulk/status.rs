//! What the answer to a poll means.

use super::client::applied_separate_status;
use super::{BulkError, Manifest};
use crate::Refusal;
use bytes::Bytes;
use http::header::EXPIRES;
use http::{HeaderMap, Response, StatusCode};
use smart_core::time::Timestamp;
use smart_core::untrusted::shown;
use smart_http::Endpoint;
use std::time::Duration;
use url::Url;

/// Issue codes that tell of a fault of the poll and not of the export (FHIR, value set issue-type, below `transient`).
const TRANSIENT: [&str; 7] = ["transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"];
/// How much of `X-Progress` is shown; the specification has 100 characters.
const MAX_PROGRESS: usize = 100;

/// How an export stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ExportStatus {
    /// It goes on.
    InProgress {
        /// What the server says of its progress, in its own words: for people to read, 100 characters at most.
        progress: Option<String>,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// The files that are there already, where partial manifests were allowed.
        partial: Option<Box<Manifest>>,
    },
    /// It is done.
    Complete(Box<Manifest>),
    /// The server is asked too often.
    Throttled {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The poll failed in a way that passes; the export goes on.
    Fault {
        /// The refusal.
        refusal: Box<Refusal>,
    },
}

/// Reads the answer of the status endpoint at `url`.
pub(super) fn read(
    url: &Url,
    response: Response<Bytes>,
    separate_status: bool,
    now: Timestamp,
) -> Result<ExportStatus, BulkError> {
    let endpoint = || Endpoint::from(url);
    let retry_after = smart_http::retry_after(response.headers(), now);
    let separate = separate_status || applied_separate_status(&response);
    let stated = response.headers().get("x-export-status").filter(|_| separate && response.status() == StatusCode::OK);
    let status = match stated {
        None => response.status(),
        Some(stated) => {
            let wrong = || BulkError::Protocol { endpoint: endpoint(), reason: "its X-Export-Status is no status" };
            stated.to_str().ok().and_then(leading_status).ok_or_else(wrong)?
        }
    };
    match status {
        StatusCode::ACCEPTED => Ok(ExportStatus::InProgress {
            progress: progress(response.headers()),
            retry_after,
            partial: Manifest::parse(response.body(), url).ok().map(Box::new),
        }),
        StatusCode::OK => {
            let expires = response.headers().get(EXPIRES).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let manifest = Manifest::parse(response.body(), url);
            let manifest = manifest.map_err(|error| BulkError::Manifest { endpoint: endpoint(), error })?;
            Ok(ExportStatus::Complete(Box::new(Manifest { expires, ..manifest })))
        }
        status if status.is_success() || status.is_redirection() => {
            Err(BulkError::Protocol { endpoint: endpoint(), reason: "its status is neither done nor in progress" })
        }
        StatusCode::TOO_MANY_REQUESTS => Ok(ExportStatus::Throttled { retry_after }),
        status => {
            // With a status apart, what the poll itself came to says nothing of the export.
            let is_of_the_poll = separate && stated.is_none();
            let (mut head, body) = response.into_parts();
            head.status = status;
            let refusal = Box::new(Refusal::read(endpoint(), head, body, now));
            let is_transient = refusal
                .outcome()
                .is_some_and(|outcome| outcome.issues().iter().any(|issue| TRANSIENT.contains(&issue.code())));
            let has_no_outcome = refusal.outcome().is_none();
            match status {
                _ if is_transient => Ok(ExportStatus::Fault { refusal }),
                StatusCode::NOT_FOUND | StatusCode::GONE => Err(BulkError::Gone { endpoint: endpoint() }),
                StatusCode::UNAUTHORIZED => Err(BulkError::Failed(refusal)),
                _ if is_of_the_poll && status.is_server_error() => Ok(ExportStatus::Fault { refusal }),
                // A gateway in between speaks no FHIR; the export knows nothing of its troubles.
                _ if has_no_outcome && refusal.is_retryable() => Ok(ExportStatus::Fault { refusal }),
                _ => Err(BulkError::Failed(refusal)),
            }
        }
    }
}

/// The number that `202 Accepted` begins with.
fn leading_status(text: &str) -> Option<StatusCode> {
    let number = text.trim().split(|c: char| !c.is_ascii_digit()).next()?;
    StatusCode::from_bytes(number.as_bytes()).ok()
}

fn progress(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-progress")?.as_bytes();
    Some(shown(String::from_utf8_lossy(text).trim(), MAX_PROGRESS)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url() -> Url {
        Url::parse("https://ehr.example/bulk/1?job=s3cret").unwrap()
    }

    fn status_of(
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
        separate: bool,
    ) -> Result<ExportStatus, BulkError> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        read(&url(), response.body(body.into()).unwrap(), separate, Timestamp::from_unix_seconds(0))
    }

    fn manifest() -> String {
        json!({"transactionTime": "2026-01-31T08:00:00Z", "requiresAccessToken": true}).to_string()
    }

    fn outcome(code: &str) -> String {
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}).to_string()
    }

    /// BK-20 (Bulk Data 3.0, in-progress status): 202 goes on; progress is text for people, bounded, and may be missing.
    #[test]
    fn accepted_is_in_progress() {
        let status = status_of(202, &[("x-progress", "70% of Patient"), ("retry-after", "7")], "", false).unwrap();
        let ExportStatus::InProgress { progress, retry_after, partial } = status else { panic!() };
        assert_eq!((progress.as_deref(), retry_after), (Some("70% of Patient"), Some(Duration::from_secs(7))));
        assert!(partial.is_none());
        let long = "x".repeat(1000);
        let Ok(ExportStatus::InProgress { progress, .. }) = status_of(202, &[("x-progress", &long)], "", false) else {
            panic!()
        };
        assert!(progress.unwrap().chars().count() <= MAX_PROGRESS + 3);
        let Ok(ExportStatus::InProgress { progress, .. }) = status_of(202, &[], "accepted", false) else { panic!() };
        assert_eq!(progress, None);
    }

    /// BK-25 (Bulk Data 3.0, complete status): 200 has the manifest, and until when it is good.
    #[test]
    fn done_brings_the_manifest() {
        let expires = "Sat, 31 Jan 2026 09:00:00 GMT";
        let Ok(ExportStatus::Complete(done)) = status_of(200, &[("expires", expires)], manifest(), false) else {
            panic!()
        };
        assert!(done.requires_access_token && done.expires.as_deref() == Some(expires));
        assert!(matches!(status_of(200, &[], "<html>", false), Err(BulkError::Manifest { .. })));
        assert!(matches!(status_of(204, &[], "", false), Err(BulkError::Protocol { .. })));
    }

    /// BK-29 (Bulk Data 3.0, partial manifests): a 202 may bring the files that are there already.
    #[test]
    fn an_export_in_progress_may_have_files() {
        let Ok(ExportStatus::InProgress { partial, .. }) = status_of(202, &[], manifest(), false) else { panic!() };
        assert!(partial.is_some());
    }

    /// BK-23 (Bulk Data 3.0, error status; FHIR, issue-type): faults that pass are told from an export that failed, whatever the
    /// status and also where a gateway answers in HTML.
    #[test]
    fn faults_of_the_poll_are_not_those_of_the_export() {
        for status in [400, 404, 500, 503] {
            for code in TRANSIENT {
                let read = status_of(status, &[], outcome(code), false);
                assert!(matches!(read, Ok(ExportStatus::Fault { .. })), "{status} {code}: {read:?}");
            }
        }
        for status in [502, 503, 504] {
            let read = status_of(status, &[("content-type", "text/html")], "<html>bad gateway", false);
            assert!(matches!(read, Ok(ExportStatus::Fault { .. })), "{status}: {read:?}");
        }
        for (status, code) in
            [(400, "invalid"), (500, "processing"), (503, "not-supported"), (403, "forbidden"), (422, "too-costly")]
        {
            let read = status_of(status, &[], outcome(code), false);
            let Err(BulkError::Failed(refusal)) = &read else { panic!("{status} {code}: {read:?}") };
            assert_eq!(refusal.outcome().unwrap().issues()[0].code(), code);
        }
        assert!(matches!(status_of(500, &[], "<html>", false), Err(BulkError::Failed(_))));
    }

    /// BK-44 (Bulk Data 3.0, delete request): 404 is an export that is no more.
    #[test]
    fn not_found_is_gone() {
        for status in [404, 410] {
            let error = status_of(status, &[], outcome("not-found"), false).unwrap_err();
            assert!(matches!(error, BulkError::Gone { .. }) && !error.to_string().contains("s3cret"));
        }
    }

    /// BK-22: 429 is a wait, not a failure.
    #[test]
    fn too_often_is_a_wait() {
        let read = status_of(429, &[("retry-after", "120")], outcome("throttled"), false);
        assert!(matches!(read, Ok(ExportStatus::Throttled { retry_after: Some(wait) }) if wait.as_secs() == 120));
    }

    /// BK-04, BK-24 (Bulk Data 3.0, separate status): the status of the export is in its own header where the server says that it
    /// did so, and nowhere else.
    #[test]
    fn a_separate_status_counts_where_it_was_agreed_on() {
        let applied = ("preference-applied", "respond-async, separate-export-status");
        for separate in [true, false] {
            let headers = |status| {
                if separate { vec![("x-export-status", status)] } else { vec![applied, ("x-export-status", status)] }
            };
            let going = status_of(200, &headers("202 Accepted"), "", separate);
            assert!(matches!(going, Ok(ExportStatus::InProgress { .. })), "{going:?}");
            let done = status_of(200, &headers("200 OK"), manifest(), separate);
            assert!(matches!(done, Ok(ExportStatus::Complete(_))), "{done:?}");
            let Err(BulkError::Failed(failed)) =
                status_of(200, &headers("500 Server Error"), outcome("processing"), separate)
            else {
                panic!()
            };
            assert_eq!(failed.status(), 500);
            let odd = status_of(200, &headers("done"), manifest(), separate);
            assert!(matches!(odd, Err(BulkError::Protocol { .. })), "{odd:?}");
        }
        let alone = status_of(200, &[("x-export-status", "202 Accepted")], manifest(), false);
        assert!(matches!(alone, Ok(ExportStatus::Complete(_))), "not agreed on: {alone:?}");
        let poll = status_of(500, &[], outcome("processing"), true);
        assert!(matches!(poll, Ok(ExportStatus::Fault { .. })), "the poll failed, not the export: {poll:?}");
    }

    /// BK-04: the preference may be one of several, in one header or in more.
    #[test]
    fn applied_preferences_are_read_in_all_forms() {
        for (headers, applied) in [
            (&["separate-export-status"][..], true),
            (&["respond-async,separate-export-status"], true),
            (&["respond-async", "Separate-Export-Status"], true),
            (&["respond-async"], false),
            (&["no-separate-export-status"], false),
            (&[], false),
        ] {
            let mut response = Response::builder();
            for value in headers {
                response = response.header("preference-applied", *value);
            }
            assert_eq!(applied_separate_status(&response.body(()).unwrap()), applied, "{headers:?}");
        }
    }
}
