//! What happens to an export until it is done, or given up.

use super::steps::{begun, bulk, manifest, manifests, request, special, status_without_token};
use crate::check::{Check, Outcome, Stop, ensure};
use crate::suites::check;
use crate::target::Target;
use http::StatusCode;
use smart_fhir::FhirError;
use smart_fhir::bulk::{BulkError, BulkVersion, ExportJob, ExportStatus, JobRecord};
use smart_sandbox::BulkMode;
use std::time::Duration;

/// Deletes an export, where the server has that.
async fn cancelled(job: &ExportJob) -> Outcome {
    match job.cancel().await {
        Ok(()) => {}
        Err(BulkError::Fhir(FhirError::Refused(refusal))) if matches!(refusal.status(), 405 | 501) => {
            return Err(Stop::skipped("this server deletes no exports"));
        }
        Err(error) => return Err(error.into()),
    }
    match job.poll().await {
        Err(BulkError::Gone { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Stop::failed("it is there still")),
    }
    // What is not there any more is what was wished for.
    Ok(job.cancel().await?)
}

/// Polls of an export that takes its time.
async fn progress(target: &dyn Target) -> Outcome {
    let other = special(target, &[BulkMode::Slow]).await?;
    let job = begun(&*other).await?;
    let (mut words, mut waits) = (Vec::new(), Vec::new());
    let manifests = job
        .wait_telling(|told| {
            if let Some(ExportStatus::InProgress { progress, retry_after, .. }) = told.status {
                words.extend(progress.clone());
                waits.extend(retry_after.map(|asked| (asked, told.wait)));
            }
        })
        .await?;
    ensure(words.len() >= 2, format!("{} polls told of progress", words.len()))?;
    ensure(words.windows(2).all(|pair| pair.first() != pair.last()), "the progress stands still")?;
    ensure(!waits.is_empty(), "the server named no wait")?;
    for (asked, wait) in waits {
        let heeded = wait >= asked && wait <= asked.saturating_add(Duration::from_secs(2));
        ensure(heeded, format!("it was waited {wait:?} where the server asked for {asked:?}"))?;
    }
    ensure(!manifests.is_empty(), "there is no manifest")
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        check!("polls wait as the server says, and show its progress", ["BK-20", "BK-21"], |target| {
            progress(target).await
        }),
        check!("the status is for those with the token, and they get it", ["BK-18"], |target| {
            let job = begun(target).await?;
            job.poll().await?;
            let status = status_without_token(target, &job.record().status_url).await?;
            ensure(matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), format!("others get {status}"))
        }),
        check!("the manifest says what there is", ["BK-25", "BK-26", "BK-27"], |target| {
            let manifest = manifest(&begun(target).await?).await?;
            ensure(manifest.output().next().is_some(), "there are no files")?;
            ensure(manifest.output().all(|file| file.resource_type.is_some()), "a file has no type")?;
            ensure(manifest.next.is_none(), "a further manifest is named, and nobody allowed that")
        }),
        check!("further manifests are followed", ["BK-14", "BK-29"], |target| {
            let other = special(target, &[BulkMode::Partial]).await?;
            let (bulk, support) = bulk(&*other).await?;
            let whole = manifest(&bulk.start(request(support)?).await?).await?;
            let partial = request(support)?.version(BulkVersion::V3).allow_partial_manifests(true);
            let parts = manifests(&bulk.start(partial).await?).await?;
            ensure(parts.len() > 1, "there is one manifest alone")?;
            let files: usize = parts.iter().map(|part| part.output().count()).sum();
            ensure(files == whole.output().count(), format!("they have {files} files together"))
        }),
        check!("faults that pass are waited out", ["BK-23"], |target| {
            let other = special(target, &[BulkMode::Faults]).await?;
            let job = begun(&*other).await?;
            let mut faults = 0;
            job.wait_telling(|told| faults += u32::from(matches!(told.status, Some(ExportStatus::Fault { .. }))))
                .await?;
            ensure(faults > 0, "there was no fault")
        }),
        check!("an export that fails is an error with the server's words", ["BK-23"], |target| {
            let other = special(target, &[BulkMode::Failing]).await?;
            match begun(&*other).await?.wait().await {
                Err(BulkError::Failed(refusal)) => ensure(refusal.outcome().is_some(), "its words are lost"),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Stop::failed("it is said to be done")),
            }
        }),
        check!("an export is taken up again after a restart", ["BK-46"], |target| {
            let (client, support) = bulk(target).await?;
            let job = client.start(request(support)?).await?;
            let record = serde_json::to_string(job.record())?;
            drop((job, client));
            let record: JobRecord = serde_json::from_str(&record)?;
            let (again, _) = bulk(target).await?;
            let manifest = manifest(&again.resume(record)?).await?;
            ensure(manifest.output().next().is_some(), "there are no files")
        }),
        check!("an export that is cancelled is gone", ["BK-44"], |target| {
            let job = begun(target).await?;
            cancelled(&job).await
        }),
        check!("an export that is done is deleted, and its files with it", ["BK-44"], |target| {
            let job = begun(target).await?;
            let manifest = manifest(&job).await?;
            cancelled(&job).await?;
            let mut resources = job.resources(&[manifest]);
            match resources.try_next().await {
                Err(BulkError::FileRefused { .. }) => Ok(()),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Stop::failed("its files are given out still")),
            }
        }),
    ]
}
