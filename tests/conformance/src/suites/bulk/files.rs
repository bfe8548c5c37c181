//! What comes of an export: its files.

use super::steps::{begun, manifest, manifests, special, status_without_token};
use crate::check::{Check, Outcome, Stop, ensure};
use crate::suites::check;
use crate::target::Target;
use http::StatusCode;
use smart_fhir::bulk::download::{Destination, DownloadOptions};
use smart_fhir::bulk::{ExportJob, FileKind, Manifest, deletions};
use smart_sandbox::BulkMode;
use std::collections::BTreeMap;

/// Reads every resource, and compares each file with what the manifest says of it. Gives the number of resources.
pub(super) async fn count(job: &ExportJob, manifests: &[Manifest]) -> Result<u64, Stop> {
    let files: Vec<_> = manifests.iter().flat_map(Manifest::output_in_order).collect();
    let mut lines = BTreeMap::<usize, u64>::new();
    let mut resources = job.resources(manifests);
    while let Some(item) = resources.try_next().await? {
        if item.kind != FileKind::Output {
            continue;
        }
        *lines.entry(item.file).or_default() += 1;
        let stated = files.get(item.file).and_then(|file| file.resource_type.as_ref()).map(ToString::to_string);
        let name = item.resource.get("resourceType").and_then(serde_json::Value::as_str);
        ensure(stated.is_none() || stated.as_deref() == name, format!("a file of {stated:?} has {name:?}"))?;
    }
    for (number, file) in files.iter().enumerate() {
        let read = lines.get(&number).copied().unwrap_or_default();
        ensure(file.count.is_none_or(|count| count == read), format!("{:?} is not {read}", file.count))?;
    }
    Ok(lines.values().sum())
}

/// Downloads an export that is special in this way to a folder: nothing of it is lost.
async fn downloaded(target: &dyn Target, mode: BulkMode) -> Outcome {
    let other = special(target, &[mode]).await?;
    let job = begun(&*other).await?;
    let manifest = manifest(&job).await?;
    let expected: Option<u64> = manifest.output().map(|file| file.count).sum();
    let folder = tempfile::tempdir()?;
    let to = Destination::folder(folder.path().join("out"));
    let report = job.download(&to, DownloadOptions::default().gzip(true)).await?;
    let warnings: Vec<&String> = report.files.iter().flat_map(|file| &file.warnings).collect();
    ensure(warnings.is_empty(), format!("{warnings:?}"))?;
    let lines: u64 = report.of_kind(FileKind::Output).map(|file| file.lines).sum();
    ensure(expected.is_none_or(|expected| expected == lines), format!("{lines} came of {expected:?}"))?;
    for file in &report.files {
        let there = std::fs::metadata(folder.path().join("out").join(&file.name))?.len();
        ensure(there == file.octets, format!("{} has {there} octets of {}", file.name, file.octets))?;
    }
    Ok(())
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        check!("files that need the token come with it", ["BK-33", "BK-37", "BK-39"], |target| {
            let job = begun(target).await?;
            let manifests = manifests(&job).await?;
            if !manifests.iter().all(|manifest| manifest.requires_access_token) {
                return Err(Stop::skipped("the files of this server need no token"));
            }
            ensure(count(&job, &manifests).await? > 0, "nothing came")?;
            for file in manifests.iter().flat_map(|manifest| &manifest.files) {
                let status = status_without_token(target, &file.url).await?;
                let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                ensure(refused, format!("without the token it is {status}"))?;
            }
            Ok(())
        }),
        check!("files that need no token get none", ["BK-34"], |target| {
            // It refuses whoever brings one.
            let other = special(target, &[BulkMode::OtherOrigin]).await?;
            let job = begun(&*other).await?;
            let manifests = manifests(&job).await?;
            ensure(manifests.iter().all(|manifest| !manifest.requires_access_token), "they need one")?;
            ensure(count(&job, &manifests).await? > 0, "nothing came")
        }),
        check!("what went wrong in an export that went through is told", ["BK-28"], |target| {
            let other = special(target, &[BulkMode::Errors]).await?;
            let job = begun(&*other).await?;
            let manifest = manifest(&job).await?;
            ensure(manifest.errors().next().is_some(), "there is no file of errors")?;
            let (mut resources, mut outcomes) = (job.resources(&[manifest]), 0);
            while let Some(item) = resources.try_next().await? {
                if item.kind == FileKind::Error {
                    let name = item.resource.get("resourceType").and_then(serde_json::Value::as_str);
                    ensure(name == Some("OperationOutcome"), format!("it is told by {name:?}"))?;
                    outcomes += 1;
                }
            }
            ensure(outcomes > 0, "nothing is told")
        }),
        check!("what was deleted is told", ["BK-30"], |target| {
            let other = special(target, &[BulkMode::Deleted]).await?;
            let job = begun(&*other).await?;
            let manifest = manifest(&job).await?;
            ensure(manifest.deleted().next().is_some(), "there is no file of deletions")?;
            let (mut resources, mut deleted) = (job.resources(&[manifest]), 0);
            while let Some(item) = resources.try_next().await? {
                if item.kind == FileKind::Deleted {
                    deleted +=
                        deletions(&item.resource).ok_or_else(|| Stop::failed("it is no bundle of deletions"))?.len();
                }
            }
            ensure(deleted > 0, "nothing is told")
        }),
        check!("files that are compressed come out again", ["BK-36"], |target| {
            downloaded(target, BulkMode::Gzip).await
        }),
        check!("files that break off come whole", ["BK-39"], |target| { downloaded(target, BulkMode::Cut).await }),
        check!("links that have expired are had anew", ["BK-41"], |target| {
            downloaded(target, BulkMode::Expiring).await
        }),
    ]
}
