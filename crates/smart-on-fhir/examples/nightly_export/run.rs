//! One export, from its beginning or from where the last run was stopped.

use crate::place;
use smart_on_fhir::fhir::bulk::download::{Destination, DownloadEvent, DownloadOptions, DownloadReport, resume};
use smart_on_fhir::fhir::bulk::{BulkError, ExportRequest};
use smart_on_fhir::prelude::*;
use std::path::PathBuf;

/// What is exported, and whereto.
pub(crate) struct Service {
    pub(crate) smart: SmartClient,
    pub(crate) issuer: String,
    pub(crate) scopes: String,
    pub(crate) request: ExportRequest,
    pub(crate) out: PathBuf,
}

/// What came of a run.
pub(crate) enum Outcome {
    /// Everything is there.
    Whole,
    /// The server told of errors: a part is there.
    Partial,
    /// It failed in a way that passes.
    TryAgain(String),
    /// It failed, and would fail again.
    Failed(String),
}

impl Outcome {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Whole => 0,
            Self::Failed(_) => 1,
            Self::Partial => 3,
            // EX_TEMPFAIL of sysexits.h.
            Self::TryAgain(_) => 75,
        }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        if error.is_retryable() { Self::TryAgain(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

impl Service {
    /// Exports.
    pub(crate) async fn run(&self) -> Outcome {
        self.export().await.unwrap_or_else(|outcome| outcome)
    }

    async fn export(&self) -> Result<Outcome, Outcome> {
        let session = self.smart.backend(&self.issuer, &self.scopes).await?;
        let comparison = session.scope_comparison()?;
        if !comparison.is_complete() {
            eprintln!("nightly_export: the server grants less than was asked for: {}", session.granted_scopes()?);
        }
        let bulk = session.fhir().bulk();
        let unfinished = place::unfinished(&self.out).map_err(failed)?;
        let is_begun = unfinished.is_some();
        let folder = unfinished.unwrap_or_else(|| place::new(&self.out));
        let to = Destination::folder(&folder);
        let done = if is_begun {
            println!("Resuming {}", folder.display());
            resume(&bulk, &to, options()).await
        } else {
            println!("Exporting to {}", folder.display());
            match bulk.start(self.request.clone()).await {
                Ok(job) => job.download(&to, options()).await,
                Err(error) => Err(error),
            }
        };
        match done {
            Ok(report) => Ok(told(&report)),
            // The server has forgotten the export, or made another one of it: only a new one will do.
            Err(error @ (BulkError::Gone { .. } | BulkError::ManifestChanged { .. } | BulkError::Failed(_)))
                if is_begun =>
            {
                place::give_up(&folder).map_err(failed)?;
                Err(Outcome::TryAgain(error.to_string()))
            }
            Err(error) if error.is_retryable() => Err(Outcome::TryAgain(error.to_string())),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Outcome {
    Outcome::Failed(error.to_string())
}

/// Checkpoints every MiB, and each file that is whole on a line.
fn options() -> DownloadOptions {
    DownloadOptions::default().checkpoint_every(1024 * 1024).on_event(|event| match event {
        DownloadEvent::Listed { files } => println!("The server has {} files", files.len()),
        DownloadEvent::Finished { report, .. } => println!("{}: {} resources", report.name, report.lines),
        _ => {}
    })
}

fn told(report: &DownloadReport) -> Outcome {
    println!("{} resources in {} files, as of {}", report.resources(), report.files.len(), report.transaction_time);
    for file in &report.files {
        for warning in &file.warnings {
            eprintln!("nightly_export: {}: {warning}", file.name);
        }
    }
    if report.is_partial() { Outcome::Partial } else { Outcome::Whole }
}
