//! An export that was started: its status, its end, and how it is taken up again.

use super::client::BulkClient;
use super::status::{self, ExportStatus};
use super::{BulkError, ExportRequest, Manifest, Progress};
use crate::FhirError;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use smart_core::time::Timestamp;
use smart_http::{Endpoint, uri_of};
use std::fmt;
use std::time::Duration;
use url::Url;

/// How many manifests one export may have.
const MAX_MANIFESTS: usize = 10_000;

/// What it takes to take up an export again, in another process too. It serialises, and holds no token.
///
/// The status URL may be a capability by itself at some servers, and the request may name patients: keep it as you keep the files.
/// Debug shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The FHIR base, as it is known.
    pub server: String,
    /// What was asked for.
    pub request: ExportRequest,
    /// Where the status is.
    pub status_url: Url,
    /// Whether the status of the export is apart from that of the poll.
    pub separate_status: bool,
    /// When it was started, by this machine's clock.
    pub started_at: Timestamp,
}

impl fmt::Debug for JobRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRecord")
            .field("server", &self.server)
            .field("request", &self.request)
            .field("status", &Endpoint::from(&self.status_url))
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}

/// An export at the server. Dropping it changes nothing there: it goes on, and can be taken up again
/// ([`BulkClient::resume`]). See [`cancel_on_drop`](Self::cancel_on_drop) for the other way.
#[derive(Clone)]
pub struct ExportJob {
    pub(super) client: BulkClient,
    pub(super) record: JobRecord,
}

impl ExportJob {
    pub(super) fn new(client: BulkClient, record: JobRecord) -> Self {
        Self { client, record }
    }

    /// What it takes to take it up again.
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::from(&self.record.status_url)
    }

    /// Asks once how the export stands.
    ///
    /// # Errors
    /// [`BulkError::Failed`] when it failed for good, [`BulkError::Gone`] when the server knows nothing of it (any more),
    /// [`BulkError::Manifest`] when it is done and its manifest cannot be used; those of the exchange.
    pub async fn poll(&self) -> Result<ExportStatus, BulkError> {
        self.poll_at(&self.record.status_url).await
    }

    async fn poll_at(&self, url: &Url) -> Result<ExportStatus, BulkError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(url)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = self.client.exchange.fetch(request).await?;
        let now = self.client.exchange.fhir.http().timer().now();
        status::read(url, response, self.record.separate_status, now)
    }

    /// Waits until the export is done, and gives its manifests: one, or more where partial manifests were allowed.
    ///
    /// # Errors
    /// As for [`poll`](Self::poll) once a failure is final, and [`BulkError::Throttled`], [`BulkError::TooLong`].
    pub async fn wait(&self) -> Result<Vec<Manifest>, BulkError> {
        self.wait_telling(|_| {}).await
    }

    /// The same, telling after each poll how the export stands.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub async fn wait_telling(&self, mut tell: impl FnMut(&Progress<'_>) + Send) -> Result<Vec<Manifest>, BulkError> {
        let mut manifests: Vec<Manifest> = Vec::new();
        let mut seen = Vec::new();
        let mut next = Some(self.record.status_url.clone());
        while let Some(url) = next.take() {
            if seen.contains(&url) || seen.len() >= MAX_MANIFESTS {
                let reason = "its manifests go round in a loop, or never end";
                return Err(BulkError::Protocol { endpoint: self.endpoint(), reason });
            }
            let manifest = self.wait_at(&url, &mut tell).await?;
            seen.push(url);
            next.clone_from(&manifest.next);
            manifests.push(manifest);
        }
        Ok(manifests)
    }

    async fn wait_at(&self, url: &Url, tell: &mut (impl FnMut(&Progress<'_>) + Send)) -> Result<Manifest, BulkError> {
        let (policy, timer) = (&self.client.polling, self.client.exchange.fhir.http().timer());
        let (mut waited, mut polls, mut quiet) = (Duration::ZERO, 0_u32, 0_u32);
        let (mut faults, mut throttled) = (0_u32, 0_u32);
        let mut last_progress = None;
        loop {
            let outcome = self.poll_at(url).await;
            polls = polls.saturating_add(1);
            let status = match outcome {
                Ok(ExportStatus::Complete(manifest)) => return Ok(*manifest),
                Ok(status) => Some(status),
                Err(error) if error.is_retryable() => {
                    faults += 1;
                    if faults > policy.max_faults() {
                        return Err(error);
                    }
                    None
                }
                Err(error) => return Err(error),
            };
            let mut asked = None;
            match &status {
                Some(ExportStatus::InProgress { progress, retry_after, .. }) => {
                    (faults, throttled, asked) = (0, 0, *retry_after);
                    // News are a reason to look again sooner.
                    if *progress != last_progress {
                        (quiet, last_progress) = (0, progress.clone());
                    }
                }
                Some(ExportStatus::Throttled { retry_after }) => {
                    (throttled, asked) = (throttled + 1, *retry_after);
                    if throttled > policy.max_throttled() {
                        return Err(BulkError::Throttled { endpoint: Endpoint::from(url), times: throttled });
                    }
                }
                Some(ExportStatus::Fault { refusal }) => {
                    (faults, asked) = (faults + 1, refusal.retry_after());
                    if faults > policy.max_faults() {
                        return Err(BulkError::Failed(refusal.clone()));
                    }
                }
                Some(ExportStatus::Complete(_)) | None => {}
            }
            let wait = policy.wait(quiet, asked);
            quiet = quiet.saturating_add(1);
            waited = waited.saturating_add(wait);
            tell(&Progress { status: status.as_ref(), wait, polls });
            if waited > policy.max_total() {
                return Err(BulkError::TooLong { endpoint: Endpoint::from(url) });
            }
            timer.sleep(wait).await;
        }
    }

    /// Tells the server that the export, or its files, are not needed any more (Bulk Data, delete request). An export that the
    /// server does not know (any more) is what was wished for.
    ///
    /// # Errors
    /// [`BulkError::Fhir`] with the refusal, when the server does not take it; those of the exchange.
    pub async fn cancel(&self) -> Result<(), BulkError> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = uri_of(&self.record.status_url)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/fhir+json"));
        let response = self.client.exchange.fetch(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
            status if status.is_success() => Ok(()),
            _ => {
                let refusal = self.client.exchange.refused(&self.record.status_url, response);
                Err(FhirError::Refused(Box::new(refusal)).into())
            }
        }
    }

    /// A guard that cancels the export at the server when it is dropped, unless it is [kept](CancelOnDrop::keep): for work that
    /// may be aborted and is not taken up again. Best effort: it takes a tokio runtime that goes on.
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Some(self.clone()))
    }
}

/// Cancels an export when it is dropped. See [`ExportJob::cancel_on_drop`].
#[derive(Debug)]
#[must_use = "it cancels the export when it is dropped"]
pub struct CancelOnDrop(Option<ExportJob>);

impl CancelOnDrop {
    /// Lets the export go on.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        #[cfg(not(target_arch = "wasm32"))]
        if let (Some(job), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = job.cancel().await {
                    tracing::info!(%error, "an export could not be cancelled");
                }
            });
        }
    }
}

impl fmt::Debug for ExportJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExportJob").field(&self.record).finish()
    }
}
