//! Giving out files.

use super::content::Content;
use super::jobs::throttled;
use super::{BulkMode, has_token};
use crate::fhir::{refuse, unauthorized};
use crate::shared::Shared;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How much is made at once.
const PIECE: usize = 64 * 1024;
/// A response that is cut has at most so much.
const CUT: u64 = 4 * 1024 * 1024;
/// For how many requests a link is good with [`BulkMode::Expiring`].
const GOOD_FOR: u64 = 3;
const PAUSE: Duration = Duration::from_millis(20);

type Place = Path<(String, u64, String)>;

/// A file, for those with a token.
pub(super) async fn file(State(shared): State<Arc<Shared>>, place: Place, headers: HeaderMap) -> Response {
    if shared.bulk.is_elsewhere() {
        return refuse(StatusCode::NOT_FOUND, "not-found", "files are elsewhere");
    }
    if !has_token(&shared, &headers) {
        return unauthorized(headers.contains_key(AUTHORIZATION));
    }
    give_out(&shared, place, &headers)
}

/// A file, for those without one: as a storage does with URLs that are signed.
pub(super) async fn file_elsewhere(State(shared): State<Arc<Shared>>, place: Place, headers: HeaderMap) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        shared.bulk.counts.misplaced_tokens.fetch_add(1, Ordering::SeqCst);
        return (StatusCode::BAD_REQUEST, "only one way of authorization is allowed").into_response();
    }
    give_out(&shared, place, &headers)
}

fn give_out(shared: &Arc<Shared>, Path((id, generation, name)): Place, headers: &HeaderMap) -> Response {
    let bulk = &shared.bulk;
    let config = &bulk.config;
    let number = bulk.counts.files.fetch_add(1, Ordering::SeqCst);
    let files = {
        let mut jobs = bulk.jobs();
        let Some(job) = jobs.get_mut(&id) else {
            return refuse(StatusCode::NOT_FOUND, "not-found", "there is no such export");
        };
        job.used += 1;
        if config.is(BulkMode::Expiring) && (generation != job.generation || job.used > GOOD_FOR) {
            return (StatusCode::FORBIDDEN, "the link has expired").into_response();
        }
        job.files.clone()
    };
    if config.is(BulkMode::Throttled) && number == 1 {
        return throttled();
    }
    let number: Option<u32> = name.parse().ok().filter(|number| files.contains(number));
    let lines = match (name.as_str(), number) {
        (_, Some(number)) => {
            let content = Content::new(config.seed, number, config.file_size);
            return generated(shared, content, headers);
        }
        ("errors", _) if config.is(BulkMode::Errors) => {
            let issue = |severity: &str, code: &str| json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": "made up"}]});
            vec![issue("error", "not-found"), issue("warning", "not-supported")]
        }
        ("deleted", _) if config.is(BulkMode::Deleted) => vec![deleted()],
        _ => return refuse(StatusCode::NOT_FOUND, "not-found", "there is no such file"),
    };
    let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    ([(CONTENT_TYPE, "application/fhir+ndjson")], text).into_response()
}

fn deleted() -> Value {
    let entry = |url: &str| json!({"request": {"method": "DELETE", "url": url}});
    json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry("Patient/p1"), entry("Observation/o1")]})
}

/// Counts a file as given out for as long as it is.
struct Given(Arc<Shared>);

impl Given {
    fn new(shared: &Arc<Shared>) -> Self {
        let counts = &shared.bulk.counts;
        let now = counts.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most_at_once.fetch_max(now, Ordering::SeqCst);
        Self(shared.clone())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.0.bulk.counts.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Giving {
    content: Content,
    at: u64,
    cut_at: Option<u64>,
    pause: bool,
    packer: Option<GzEncoder<Vec<u8>>>,
    is_over: bool,
    _given: Given,
}

fn generated(shared: &Arc<Shared>, content: Content, headers: &HeaderMap) -> Response {
    let config = &shared.bulk.config;
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let takes_gzip = text(ACCEPT_ENCODING).is_some_and(|codings| codings.contains("gzip"));
    let packed = takes_gzip && config.is(BulkMode::Gzip);
    let (size, tag) = (content.octets(), content.tag());
    let ranges = !config.is(BulkMode::NoRanges) && !packed;
    let asked = text(RANGE).filter(|_| ranges && text(IF_RANGE).is_none_or(|version| version == tag));
    let from = asked.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<u64>().ok());
    if from.is_some_and(|from| from >= size) {
        return refuse(StatusCode::RANGE_NOT_SATISFIABLE, "invalid", "the file is not so long");
    }
    let at = from.unwrap_or(0);
    let cut_at =
        config.is(BulkMode::Cut).then(|| at.saturating_add((size / 3).clamp(1, CUT))).filter(|cut| *cut < size);
    let giving = Giving {
        content,
        at,
        cut_at,
        pause: config.is(BulkMode::Slow),
        packer: packed.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        is_over: false,
        _given: Given::new(shared),
    };
    let body =
        Body::from_stream(stream::unfold(giving, |mut giving| async move { Some((giving.next().await?, giving)) }));
    let mut response = Response::new(body);
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+ndjson"));
    if packed {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return response;
    }
    answer.insert(CONTENT_LENGTH, HeaderValue::from(size - at));
    if ranges {
        answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.insert(ETAG, tag);
        }
    }
    if let Some(range) = from.and_then(|from| HeaderValue::from_str(&format!("bytes {from}-{}/{size}", size - 1)).ok())
    {
        shared.bulk.counts.parts.fetch_add(1, Ordering::SeqCst);
        response.headers_mut().insert(CONTENT_RANGE, range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

impl Giving {
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if self.is_over {
            return None;
        }
        if self.pause {
            tokio::time::sleep(PAUSE).await;
        }
        let broken = || std::io::Error::other("the connection is cut on purpose");
        if self.cut_at.is_some_and(|cut| self.at >= cut) {
            self.is_over = true;
            // What was given before has to leave this machine first, or nothing of it would.
            tokio::time::sleep(PAUSE).await;
            return Some(Err(broken()));
        }
        let most = self.cut_at.map_or(PIECE, |cut| usize::try_from(cut - self.at).unwrap_or(PIECE).min(PIECE));
        let piece = self.content.piece(self.at, most);
        self.at = self.at.saturating_add(u64::try_from(piece.len()).unwrap_or(0));
        let is_last = piece.is_empty();
        self.is_over = is_last;
        let Some(packer) = &mut self.packer else { return (!is_last).then(|| Ok(piece.into())) };
        if is_last {
            let end = std::mem::replace(packer, GzEncoder::new(Vec::new(), Compression::fast())).finish();
            return Some(end.map(Bytes::from));
        }
        if let Err(error) = packer.write_all(&piece).and_then(|()| packer.flush()) {
            return Some(Err(error));
        }
        Some(Ok(std::mem::take(packer.get_mut()).into()))
    }
}
