//! The download of an export as a whole.

use super::super::resources::file_client;
use super::super::{BulkClient, BulkError, ExportJob};
use super::destination::{Destination, Place};
use super::journal::{Entry, Journal, Replayed};
use super::listing::Listing;
use super::options::{DownloadEvent, DownloadOptions};
use super::report::{DownloadReport, FileReport};
use super::transfer::{Links, Shared, blocking, transfer};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// The name of the summary beside the files.
const SUMMARY: &str = "export.json";

impl ExportJob {
    /// Waits until the export is done, and downloads its files.
    ///
    /// The job is noted down before anything else, so that [`resume`] can take it up from any point on. When one file fails, the
    /// others are downloaded nevertheless, and the first failure is the error. Dropping the future stops the work; it can be
    /// resumed. Beside the files there is `export.json` with what is reported here.
    ///
    /// # Errors
    /// [`BulkError::Occupied`] when another export is there; those of [`wait`](Self::wait);
    /// [`BulkError::FileRefused`], [`BulkError::Line`], [`BulkError::Truncated`] for a file; [`BulkError::Destination`],
    /// [`BulkError::Journal`].
    pub async fn download(&self, to: &Destination, options: DownloadOptions) -> Result<DownloadReport, BulkError> {
        let path = to.journal(&options)?;
        let (place, record) = (to.0.clone(), self.record.clone());
        let journal = blocking(move || {
            prepare(&place)?;
            Journal::begin(&path, &record)
        })
        .await?;
        let replayed = Replayed {
            job: self.record.clone(),
            listed: None,
            checkpoints: HashMap::new(),
            whole: HashMap::new(),
            is_done: false,
        };
        run(self.clone(), journal, replayed, to, options).await
    }
}

/// Goes on with a download that was begun at this destination, in this process or another one, however it ended. One that is
/// finished is only reported again.
///
/// # Errors
/// [`BulkError::Journal`] when none was begun here or its journal is damaged; [`BulkError::Occupied`] while another process is at
/// it; [`BulkError::InvalidRequest`] when the export is of another server than `client`'s; [`BulkError::Gone`] when the server
/// knows nothing of the export any more; [`BulkError::ManifestChanged`]; else as for [`ExportJob::download`].
pub async fn resume(
    client: &BulkClient,
    to: &Destination,
    options: DownloadOptions,
) -> Result<DownloadReport, BulkError> {
    let path = to.journal(&options)?;
    let place = to.0.clone();
    let (journal, replayed) = blocking(move || {
        let begun = Journal::go_on(&path)?;
        prepare(&place)?;
        Ok(begun)
    })
    .await?;
    let job = client.resume(replayed.job.clone())?;
    run(job, journal, replayed, to, options).await
}

fn prepare(place: &Place) -> Result<(), BulkError> {
    match place {
        Place::Folder(folder) => folder.prepare(),
        #[cfg(feature = "object-store")]
        Place::Objects(_) => Ok(()),
    }
}

async fn run(
    job: ExportJob,
    journal: Journal,
    mut replayed: Replayed,
    to: &Destination,
    options: DownloadOptions,
) -> Result<DownloadReport, BulkError> {
    let mut whole = HashMap::new();
    for (index, report) in std::mem::take(&mut replayed.whole) {
        if is_there(&to.0, &report).await? {
            whole.insert(index, report);
        }
    }
    if let (true, Some((time, organized_by, files))) = (replayed.is_done, &replayed.listed)
        && files.len() == whole.len()
    {
        return Ok(report(&job, time.clone(), organized_by.clone(), whole));
    }
    let tell = options.tell.clone();
    let manifests = job.wait_telling(|progress| {
        tell(&DownloadEvent::Polled { status: progress.status, wait: progress.wait });
    });
    let manifests = manifests.await?;
    let changed = || BulkError::ManifestChanged { endpoint: job.endpoint() };
    let listing = Listing::of(&manifests).ok_or_else(changed)?;
    let Listing { transaction_time, organized_by, files, links } = listing;
    match &replayed.listed {
        Some((time, _, known)) if *time != transaction_time || *known != files => return Err(changed()),
        Some(_) => {}
        None => {
            let (journal, files) = (journal.clone(), files.clone());
            let (transaction_time, organized_by) = (transaction_time.clone(), organized_by.clone());
            blocking(move || journal.append(&Entry::Listed { transaction_time, organized_by, files })).await?;
        }
    }
    let names: Vec<_> = files.iter().map(|file| (file.name.clone(), file.count)).collect();
    tell(&DownloadEvent::Listed { files: &names });
    for (index, report) in &whole {
        tell(&DownloadEvent::Finished { file: *index, report });
    }
    let shared = Arc::new(Shared {
        http: file_client(job.client.exchange.fhir.http()),
        place: to.0.clone(),
        journal: journal.clone(),
        checkpoints: replayed.checkpoints,
        links: Mutex::new(Links { generation: 0, links }),
        transaction_time: transaction_time.clone(),
        job: job.clone(),
        options,
        files,
    });
    let left: Vec<usize> = (0..shared.files.len()).filter(|index| !whole.contains_key(index)).collect();
    whole.extend(all(&shared, left).await?);
    let report = report(&job, transaction_time, organized_by, whole);
    write_summary(&to.0, &report).await?;
    blocking(move || journal.append(&Entry::Done)).await?;
    if shared.options.delete_when_done
        && let Err(error) = job.cancel().await
    {
        tracing::info!(%error, "the server keeps the files of the export");
    }
    Ok(report)
}

/// Downloads files, so many at once as the options say.
async fn all(shared: &Arc<Shared>, left: Vec<usize>) -> Result<HashMap<usize, FileReport>, BulkError> {
    let (mut done, mut failure) = (HashMap::new(), None);
    let mut left = left.into_iter();
    // Dropped with this future: no transfer outlives it.
    let mut running = JoinSet::new();
    loop {
        while running.len() < shared.options.parallel
            && let Some(index) = left.next()
        {
            let shared = shared.clone();
            running.spawn(async move { (index, transfer(shared, index).await) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((index, Ok(report)))) => {
                done.insert(index, report);
            }
            Some(Ok((_, Err(error)))) => {
                tracing::warn!(%error, "a file could not be downloaded");
                failure.get_or_insert(error);
            }
            Some(Err(error)) => {
                let place = "the download".to_owned();
                failure.get_or_insert(BulkError::Destination { place, reason: error.to_string() });
            }
        }
    }
    failure.map_or(Ok(done), Err)
}

fn report(
    job: &ExportJob,
    transaction_time: super::super::FhirInstant,
    organized_by: Option<String>,
    whole: HashMap<usize, FileReport>,
) -> DownloadReport {
    let mut files: Vec<(usize, FileReport)> = whole.into_iter().collect();
    files.sort_by_key(|(index, _)| *index);
    DownloadReport {
        server: job.record.server.clone(),
        transaction_time,
        organized_by,
        files: files.into_iter().map(|(_, file)| file).collect(),
        filters_asked_for: job.record.request.has_type_filters(),
    }
}

async fn is_there(place: &Place, report: &FileReport) -> Result<bool, BulkError> {
    match place {
        Place::Folder(folder) => {
            let (folder, name, octets) = (folder.clone(), report.name.clone(), report.octets);
            blocking(move || folder.is_there(&name, octets)).await
        }
        #[cfg(feature = "object-store")]
        Place::Objects(objects) => objects.is_there(&report.name, report.octets).await,
    }
}

async fn write_summary(place: &Place, report: &DownloadReport) -> Result<(), BulkError> {
    let failed =
        |error: serde_json::Error| BulkError::Destination { place: SUMMARY.to_owned(), reason: error.to_string() };
    let text = serde_json::to_vec_pretty(report).map_err(failed)?;
    match place {
        Place::Folder(folder) => {
            let folder = folder.clone();
            blocking(move || folder.write_whole(SUMMARY, &text)).await
        }
        #[cfg(feature = "object-store")]
        Place::Objects(objects) => objects.write_whole(SUMMARY, text).await,
    }
}
