//! One file, from the server to its place.

use super::super::exchange::Token;
use super::super::file_body::{Decoder, FileBody, FileRequest, FileResponse};
use super::super::{BulkError, ExportJob};
use super::destination::Place;
use super::journal::{Checkpoint, Entry, Journal};
use super::listing::{Link, ListedFile, Listing};
use super::options::{DownloadEvent, DownloadOptions};
use super::pipeline::{Pipeline, Summary};
use super::report::FileReport;
use super::sink::Sink;
use bytes::Bytes;
use smart_http::{HttpClient, RetryPolicy};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How much is taken from the network before it is worked on.
const BATCH: usize = 256 * 1024;
/// The same for what comes compressed and is held in memory when it is expanded.
#[cfg(feature = "object-store")]
const SMALL_BATCH: usize = 16 * 1024;
/// How often new links are asked for, for one file.
const MAX_RENEWALS: u32 = 3;

/// What the transfers of one export share.
pub(super) struct Shared {
    pub(super) job: ExportJob,
    pub(super) http: HttpClient,
    pub(super) options: DownloadOptions,
    pub(super) place: Place,
    pub(super) journal: Journal,
    pub(super) files: Vec<ListedFile>,
    pub(super) checkpoints: HashMap<usize, Checkpoint>,
    pub(super) links: Mutex<Links>,
    pub(super) transaction_time: super::super::FhirInstant,
}

/// Where the files are at present, and how often that has changed.
pub(super) struct Links {
    pub(super) generation: u64,
    pub(super) links: Vec<Link>,
}

/// A file that is under way. `None` in between means that it has to begin anew.
struct Under {
    work: Option<Work>,
    /// The version that the octets are of, where the server can go on from a place in it.
    version: Option<String>,
    noted: u64,
    renewals: u32,
}

struct Work {
    pipeline: Pipeline,
    sink: Sink,
}

/// Why a try did not bring the file.
enum Setback {
    Final(BulkError),
    /// It may work a little later.
    Again {
        error: BulkError,
        asked: Option<Duration>,
        came_further: bool,
    },
    /// The link may have expired.
    Expired {
        error: BulkError,
        generation: u64,
    },
}

impl From<BulkError> for Setback {
    fn from(error: BulkError) -> Self {
        if error.is_retryable() { Self::Again { error, asked: None, came_further: false } } else { Self::Final(error) }
    }
}

/// Does what blocks where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BulkError> + Send + 'static,
) -> Result<T, BulkError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(BulkError::Destination { place: "the download".to_owned(), reason: error.to_string() }),
    }
}

/// Downloads a file. When it returns, the file is at its place and noted down.
pub(super) async fn transfer(shared: Arc<Shared>, index: usize) -> Result<FileReport, BulkError> {
    let Some(file) = shared.files.get(index).cloned() else {
        return Err(BulkError::InvalidRequest { reason: "there is no such file" });
    };
    let policy = RetryPolicy::default()
        .with_max_retries(8)
        .with_max_wait(Duration::from_mins(10))
        .with_backoff(Duration::from_millis(500), Duration::from_secs(30));
    let checkpoint = shared.checkpoints.get(&index).cloned();
    let mut under = Under { work: None, version: None, noted: 0, renewals: 0 };
    if let Some(checkpoint) = checkpoint {
        under.work = Some(open(&shared, &file, Some(checkpoint.clone())).await?);
        under.noted = checkpoint.octets;
        under.version = Some(checkpoint.version);
    }
    let mut tries = 0;
    loop {
        let setback = match attempt(&shared, index, &file, &mut under).await {
            Ok(report) => return Ok(report),
            Err(setback) => setback,
        };
        match setback {
            Setback::Final(error) => return Err(give_up(under, error).await),
            Setback::Expired { error, generation } => {
                under.renewals += 1;
                if under.renewals > MAX_RENEWALS {
                    return Err(give_up(under, error).await);
                }
                if let Err(error) = shared.renew_links(generation).await {
                    return Err(give_up(under, error).await);
                }
            }
            Setback::Again { error, asked, came_further } => {
                tries = if came_further { 0 } else { tries };
                let Some(wait) = policy.delay(tries, asked) else { return Err(give_up(under, error).await) };
                tracing::debug!(file = %file.name, %error, ?wait, "asking for a file again");
                (shared.options.tell)(&DownloadEvent::Retrying { file: index, wait });
                shared.http.timer().sleep(wait).await;
                tries += 1;
            }
        }
    }
}

async fn give_up(under: Under, error: BulkError) -> BulkError {
    if let Some(work) = under.work {
        work.sink.discard().await;
    }
    error
}

async fn open(shared: &Arc<Shared>, file: &ListedFile, checkpoint: Option<Checkpoint>) -> Result<Work, BulkError> {
    let (shared, name, kind) = (shared.clone(), file.name.clone(), file.kind);
    blocking(move || {
        let max_line = shared.options.max_line;
        let opened = Sink::open(&shared.place, &name, checkpoint.as_ref(), || Pipeline::new(kind, max_line));
        opened.map(|(sink, pipeline)| Work { pipeline, sink })
    })
    .await
}

async fn attempt(
    shared: &Arc<Shared>,
    index: usize,
    file: &ListedFile,
    under: &mut Under,
) -> Result<FileReport, Setback> {
    let (link, generation) = shared
        .link(index)
        .await
        .ok_or(Setback::Final(BulkError::InvalidRequest { reason: "there is no such file" }))?;
    let at = under.work.as_ref().map_or(0, |work| work.pipeline.octets());
    let version = under.version.clone();
    let from = version.as_deref().filter(|_| at > 0).map(|version| (at, version));
    let request = FileRequest { url: &link.url, token: link.token, gzip: shared.options.gzip, from };
    let body = match shared.job.client.exchange.open_file(&shared.http, &request).await? {
        FileResponse::Body(body) => body,
        FileResponse::Refused(refusal) => {
            let (status, asked) = (refusal.status(), refusal.retry_after());
            let may_have_expired =
                matches!(status, 400 | 403 | 404 | 410) || (status == 401 && link.token == Token::Never);
            // The part that is asked for is not there: it is another file by now.
            let is_other = status == 416;
            let is_retryable = refusal.is_retryable();
            let error = BulkError::FileRefused { file: file.name.clone(), refusal };
            if is_other && from.is_some() {
                restart(under).await;
                return Err(Setback::Again { error, asked, came_further: false });
            }
            return Err(match () {
                () if is_retryable => Setback::Again { error, asked, came_further: false },
                () if may_have_expired => Setback::Expired { error, generation },
                () => Setback::Final(error),
            });
        }
    };
    if body.from != at || under.work.is_none() {
        restart(under).await;
        under.work = Some(open(shared, file, None).await?);
        under.noted = 0;
    }
    under.version.clone_from(&body.version);
    let announced =
        body.announced.filter(|_| body.decoder.is_plain()).map(|announced| announced.saturating_add(body.from));
    (shared.options.tell)(&DownloadEvent::Began { file: index, from: body.from, announced });
    receive(shared, index, file, under, body).await
}

async fn restart(under: &mut Under) {
    under.version = None;
    if let Some(work) = under.work.take() {
        work.sink.discard().await;
    }
}

/// Takes the body to its end.
async fn receive(
    shared: &Arc<Shared>,
    index: usize,
    file: &ListedFile,
    under: &mut Under,
    body: FileBody,
) -> Result<FileReport, Setback> {
    let FileBody { from, mut decoder, mut body, .. } = body;
    let is_plain = decoder.is_plain();
    #[cfg(feature = "object-store")]
    let batch = if is_plain || matches!(shared.place, Place::Folder(_)) { BATCH } else { SMALL_BATCH };
    #[cfg(not(feature = "object-store"))]
    let batch = BATCH;
    loop {
        let (mut chunks, mut size, mut end) = (Vec::new(), 0, None);
        while size < batch && end.is_none() {
            match body.chunk().await {
                Some(Ok(chunk)) => {
                    size += chunk.len();
                    chunks.push(chunk);
                }
                Some(Err(error)) => end = Some(Err(error)),
                None => end = Some(Ok(())),
            }
        }
        let Some(work) = under.work.take() else {
            return Err(Setback::Final(BulkError::InvalidRequest { reason: "the file is not open" }));
        };
        let step = Step {
            shared: shared.clone(),
            index,
            name: file.name.clone(),
            chunks,
            is_last: matches!(end, Some(Ok(()))),
            version: under.version.clone(),
            noted: under.noted,
        };
        let (done, back, summary) = blocking(move || Ok(step.run(work, decoder))).await?;
        let Done { work, decoder: given_back, noted } = done;
        under.work = Some(work);
        decoder = given_back;
        under.noted = noted;
        let summary = match summary {
            Ok(summary) => summary,
            Err(error) => {
                // What comes damaged may come whole the next time, from the start.
                let is_damaged = matches!(error, BulkError::Truncated { .. });
                if is_damaged {
                    restart(under).await;
                }
                return Err(error.into());
            }
        };
        drop(back);
        let Some(work) = &mut under.work else { continue };
        work.sink.flush().await?;
        let octets = work.pipeline.octets();
        (shared.options.tell)(&DownloadEvent::Advanced { file: index, octets });
        match (end, summary) {
            (Some(Ok(())), Some(summary)) => {
                return finish(shared, index, file, under, summary).await.map_err(Setback::from);
            }
            (Some(Err(error)), _) => {
                let can_go_on = is_plain && under.version.is_some();
                let came_further = can_go_on && octets > from;
                if !can_go_on {
                    restart(under).await;
                }
                let error = BulkError::from(error);
                return Err(if error.is_retryable() {
                    Setback::Again { error, asked: None, came_further }
                } else {
                    Setback::Final(error)
                });
            }
            _ => {}
        }
    }
}

/// What is done with a batch where it may block.
struct Step {
    shared: Arc<Shared>,
    index: usize,
    name: String,
    chunks: Vec<Bytes>,
    is_last: bool,
    version: Option<String>,
    noted: u64,
}

struct Done {
    work: Work,
    decoder: Decoder,
    noted: u64,
}

impl Step {
    fn run(self, mut work: Work, mut decoder: Decoder) -> (Done, Vec<Bytes>, Result<Option<Summary>, BulkError>) {
        let mut noted = self.noted;
        let outcome = self.process(&mut work, &mut decoder, &mut noted);
        (Done { work, decoder, noted }, self.chunks, outcome)
    }

    fn process(&self, work: &mut Work, decoder: &mut Decoder, noted: &mut u64) -> Result<Option<Summary>, BulkError> {
        let Work { pipeline, sink } = work;
        let max_file = self.shared.options.max_file;
        let mut each = |piece: &[u8]| {
            pipeline.push(piece);
            if pipeline.octets() > max_file {
                return Err(BulkError::Destination {
                    place: self.name.clone(),
                    reason: "the file is larger than allowed".to_owned(),
                });
            }
            sink.write(piece)
        };
        let damaged = || BulkError::Truncated { file: self.name.clone(), reason: "its compression is damaged or cut" };
        for chunk in &self.chunks {
            decoder.feed(chunk, &mut each, damaged)?;
        }
        if self.is_last {
            decoder.finish(&mut each, damaged)?;
        }
        let summary = self.is_last.then(|| pipeline.finish());
        if let (Some(error), false) = (pipeline.first_bad_line(), self.shared.options.bad_lines) {
            return Err(BulkError::Line { file: self.name.clone(), error });
        }
        let octets = pipeline.octets();
        if let Some(version) = &self.version
            && summary.is_none()
            && sink.can_checkpoint()
            && octets.saturating_sub(*noted) >= self.shared.options.checkpoint
        {
            sink.sync()?;
            let sha256 = pipeline.digest();
            self.shared.journal.append(&Entry::Checkpoint {
                file: self.index,
                octets,
                sha256,
                version: version.clone(),
            })?;
            *noted = octets;
        }
        Ok(summary)
    }
}

/// Flushes the file, notes down that it is whole, and puts it to its place: in this order, so that what is noted down is there.
async fn finish(
    shared: &Arc<Shared>,
    index: usize,
    file: &ListedFile,
    under: &mut Under,
    summary: Summary,
) -> Result<FileReport, BulkError> {
    let report = file.report(summary);
    let Some(Work { sink, .. }) = under.work.take() else {
        return Err(BulkError::InvalidRequest { reason: "the file is not open" });
    };
    let (journal, entry) = (shared.journal.clone(), Entry::Whole { file: index, report: Box::new(report.clone()) });
    match sink {
        Sink::Disk { folder, file } => {
            let name = report.name.clone();
            blocking(move || {
                file.sync_all().map_err(|error| folder.failed(&error))?;
                drop(file);
                journal.append(&entry)?;
                folder.put_in_place(&name)
            })
            .await?;
        }
        #[cfg(feature = "object-store")]
        Sink::Object(upload) => {
            upload.complete().await?;
            blocking(move || journal.append(&entry)).await?;
        }
    }
    (shared.options.tell)(&DownloadEvent::Finished { file: index, report: &report });
    Ok(report)
}

impl ListedFile {
    /// Compares what came with what the manifest says (requirement BK-39).
    fn report(&self, summary: Summary) -> FileReport {
        let mut warnings: Vec<String> = summary.bad_lines.into_iter().collect();
        if let Some(count) = self.count.filter(|count| *count != summary.lines) {
            warnings.push(format!("the manifest says {count} resources; there are {}", summary.lines));
        }
        if let Some(size) = self.size.filter(|size| *size != summary.octets) {
            warnings.push(format!("the manifest says {size} octets; there are {}", summary.octets));
        }
        if let Some(expected) = &self.resource_type {
            let others: u64 =
                summary.types.iter().filter(|(name, _)| *name != expected).map(|(_, number)| number).sum();
            if others > 0 {
                warnings.push(format!("{others} resources are of another type than {expected}"));
            }
        }
        FileReport {
            name: self.name.clone(),
            kind: self.kind,
            resource_type: self.resource_type.clone(),
            octets: summary.octets,
            lines: summary.lines,
            sha256: summary.sha256,
            types: summary.types,
            issues: summary.issues,
            warnings,
            continues_in: self.continues_in.clone(),
        }
    }
}

impl Shared {
    async fn link(&self, index: usize) -> Option<(Link, u64)> {
        let links = self.links.lock().await;
        Some((links.links.get(index)?.clone(), links.generation))
    }

    /// Asks for the manifest again, unless another transfer did so meanwhile (requirement BK-41).
    async fn renew_links(&self, generation: u64) -> Result<(), BulkError> {
        let mut links = self.links.lock().await;
        if links.generation != generation {
            return Ok(());
        }
        let manifests = self.job.wait().await?;
        let changed = || BulkError::ManifestChanged { endpoint: self.job.endpoint() };
        let listing = Listing::of(&manifests).ok_or_else(changed)?;
        if listing.files != self.files || listing.transaction_time != self.transaction_time {
            return Err(changed());
        }
        *links = Links { generation: generation + 1, links: listing.links };
        drop(links);
        (self.options.tell)(&DownloadEvent::LinksRenewed);
        Ok(())
    }
}
