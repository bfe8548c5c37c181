//! Bulk exports of generated data, of any size and never in memory as a whole, with the troubles that real servers have.

mod config;
mod content;
mod files;
mod jobs;

pub use config::{BulkConfig, BulkMode};

use crate::quirks::{FhirAccess, Quirks};
use crate::shared::Shared;
use axum::Router;
use axum::routing::get;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What the exports of a sandbox share.
pub(crate) struct BulkState {
    config: BulkConfig,
    jobs: Mutex<HashMap<String, jobs::Job>>,
    /// Where files are given out without a token.
    elsewhere: OnceLock<SocketAddr>,
    counts: Counters,
}

#[derive(Default)]
struct Counters {
    kick_offs: AtomicU64,
    polls: AtomicU64,
    files: AtomicU64,
    parts: AtomicU64,
    deletes: AtomicU64,
    misplaced_tokens: AtomicU64,
    at_once: AtomicU64,
    most_at_once: AtomicU64,
}

/// How often each part of an export was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkCounts {
    /// Kick-off requests.
    pub kick_offs: u64,
    /// Polls of a status.
    pub polls: u64,
    /// Requests for files.
    pub files: u64,
    /// Of these, those for a part of a file that was given out.
    pub parts: u64,
    /// Deletes of an export.
    pub deletes: u64,
    /// Requests that brought a token to where it has no business.
    pub misplaced_tokens: u64,
    /// How many files were given out at the same time, at most.
    pub most_at_once: u64,
}

impl BulkState {
    pub(crate) fn new(config: BulkConfig) -> Self {
        Self { config, jobs: Mutex::default(), elsewhere: OnceLock::new(), counts: Counters::default() }
    }

    /// Whether files are given out at another origin.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.config.is(BulkMode::OtherOrigin)
    }

    pub(crate) fn give_out_at(&self, address: SocketAddr) {
        // It is told once, when the sandbox starts.
        let _ = self.elsewhere.set(address);
    }

    pub(crate) fn counts(&self) -> BulkCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        BulkCounts {
            kick_offs: read(&self.counts.kick_offs),
            polls: read(&self.counts.polls),
            files: read(&self.counts.files),
            parts: read(&self.counts.parts),
            deletes: read(&self.counts.deletes),
            misplaced_tokens: read(&self.counts.misplaced_tokens),
            most_at_once: read(&self.counts.most_at_once),
        }
    }

    // A panic in a handler ends that request; the map it leaves is whole.
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, jobs::Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The endpoints of exports. Status and files lie beside the FHIR base, as at many servers.
pub(crate) fn router(quirks: &Quirks) -> Router<Arc<Shared>> {
    let base = &quirks.paths.fhir;
    Router::new()
        .route(&format!("{base}/$export"), get(jobs::system).post(jobs::system))
        .route(&format!("{base}/Patient/$export"), get(jobs::patients).post(jobs::patients))
        .route(&format!("{base}/Group/{{id}}/$export"), get(jobs::group).post(jobs::group))
        .route("/bulk/status/{job}", get(jobs::status).delete(jobs::delete))
        .route("/bulk/files/{job}/{generation}/{file}", get(files::file))
}

/// Files alone, for the other origin.
pub(crate) fn router_elsewhere() -> Router<Arc<Shared>> {
    Router::new().route("/bulk/files/{job}/{generation}/{file}", get(files::file_elsewhere))
}

/// Whether a request has a token that is good.
fn has_token(shared: &Shared, headers: &HeaderMap) -> bool {
    if shared.quirks.fhir == FhirAccess::Open {
        return true;
    }
    let token = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    token.is_some_and(|token| shared.access(token).is_some_and(|access| access.scopes.resources().next().is_some()))
}
