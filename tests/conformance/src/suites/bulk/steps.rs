//! What the checks of exports begin with.

use crate::check::Stop;
use crate::suites::steps::app;
use crate::target::{Registration, Target};
use bytes::Bytes;
use http::{Request, StatusCode};
use smart_fhir::bulk::{BulkClient, BulkError, BulkSupport, ExportJob, ExportRequest, Manifest, PollPolicy};
use smart_on_fhir::FhirSession as _;
use smart_sandbox::BulkMode;
use std::time::Duration;
use url::Url;

const NO_DATA: &str = "this server has no data to export";
/// How long a check waits for an export, of which it may have two. A server may take days; a check may not.
const WAIT: Duration = Duration::from_secs(25);
/// The first and the longest wait between polls, where the server names none.
const POLLS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// The exports of a server that has some.
pub(super) async fn bulk(target: &dyn Target) -> Result<(BulkClient, BulkSupport), Stop> {
    if !target.has_fhir_data() {
        return Err(Stop::skipped(NO_DATA));
    }
    let client = target.client(app(target, Registration::Backend)?);
    let session = client.backend(&target.fhir_base(), &target.backend_scopes()).await?;
    let polling = PollPolicy::default().with_backoff(POLLS.0, POLLS.1).with_max_total(WAIT);
    let bulk = session.fhir().bulk().with_polling(polling);
    let support = bulk.detect().await?;
    if support.system || support.patient || support.group {
        Ok((bulk, support))
    } else {
        Err(Stop::skipped("this server does not say that it has exports"))
    }
}

/// The same server, with exports that are special in these ways.
pub(super) async fn special(target: &dyn Target, modes: &[BulkMode]) -> Result<Box<dyn Target>, Stop> {
    if !target.has_fhir_data() {
        return Err(Stop::skipped(NO_DATA));
    }
    match target.exporting(modes) {
        Some(other) => other.await,
        None => Err(Stop::skipped("the exports of this server cannot be told to be so")),
    }
}

/// An export of patients, at the level that the server offers.
pub(super) fn request(support: BulkSupport) -> Result<ExportRequest, Stop> {
    match (support.patient, support.system) {
        (true, _) => Ok(ExportRequest::patients_of_all()),
        (false, true) => Ok(ExportRequest::system()),
        (false, false) => Err(Stop::skipped("this server exports groups alone")),
    }
}

/// An export that was begun at a server.
pub(super) async fn begun(target: &dyn Target) -> Result<ExportJob, Stop> {
    let (bulk, support) = bulk(target).await?;
    Ok(bulk.start(request(support)?).await?)
}

/// The manifests of an export.
pub(super) async fn manifests(job: &ExportJob) -> Result<Vec<Manifest>, Stop> {
    match job.wait().await {
        Ok(manifests) => Ok(manifests),
        Err(BulkError::TooLong { .. }) => {
            // It is not needed any more. Whether the server takes that is another check's matter.
            let _ = job.cancel().await;
            Err(Stop::skipped(format!("the export takes longer than {} s", WAIT.as_secs())))
        }
        Err(error) => Err(error.into()),
    }
}

/// The one manifest of an export.
pub(super) async fn manifest(job: &ExportJob) -> Result<Manifest, Stop> {
    let mut all = manifests(job).await?;
    match (all.pop(), all.is_empty()) {
        (Some(manifest), true) => Ok(manifest),
        _ => Err(Stop::failed("there is more than one manifest, and nobody allowed that")),
    }
}

/// The status of a request without a token.
pub(super) async fn status_without_token(target: &dyn Target, url: &Url) -> Result<StatusCode, Stop> {
    Ok(target.http().fetch(Request::get(url.as_str()).body(Bytes::new())?).await?.status())
}

/// The values of a parameter in the request as the server understood it. `None`: the manifest does not repeat it.
pub(super) fn understood(manifest: &Manifest, name: &str) -> Option<Vec<String>> {
    let url = Url::parse(manifest.request.as_deref()?).ok()?;
    url.query()?;
    Some(url.query_pairs().filter(|(other, _)| other == name).map(|(_, value)| value.into_owned()).collect())
}
