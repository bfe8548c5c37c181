//! `smart export`: whole populations as files.

use crate::api::FhirSession as _;
use crate::api::bulk::download::{Destination, DownloadOptions, DownloadReport, resume};
use crate::api::bulk::{
    AssociatedData, BulkClient, BulkVersion, ExportRequest, FhirInstant, FileKind, JobRecord, KickOffMethod,
};
use crate::cli_error::CliError;
use crate::connect::http;
use crate::exit_code::ExitCode;
use crate::export_progress::ExportProgress;
use crate::export_since::LastExport;
use crate::library_error::again;
use crate::opened::{at_its_server, client_of, restored};
use crate::output::{Output, print_json, print_lines};
use crate::session_choice::SessionChoice;
use crate::session_store::{KeepOptions, Saved};
use crate::style::Colour;
use crate::text::one_line;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// Export whole populations as NDJSON files (Bulk Data), to a folder or an object store, with a stored session
///
/// It can be stopped at any point: the same place with --resume goes on, and nothing is lost or there twice. Without --system or
/// --group all patients are exported.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Export {
    /// The folder, or the URL of an object store: s3://bucket/path, gs://bucket/path, az://container/path
    place: String,

    #[command(flatten)]
    what: What,

    /// Go on with the export at this place
    #[arg(long, conflicts_with = "What")]
    resume: bool,

    /// Tell the server that the export at this place is not needed any more
    #[arg(long, conflicts_with_all = ["What", "resume", "delete"])]
    cancel: bool,

    /// Tell the server that the files are not needed any more, once all are here
    #[arg(long)]
    delete: bool,

    /// How many files are downloaded at once
    #[arg(long, value_name = "FILES", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,

    /// Do not ask for compressed files
    #[arg(long)]
    no_gzip: bool,

    /// Keep lines that are no resources, and report them
    #[arg(long)]
    keep_bad_lines: bool,

    /// Send the token to this origin too, where the server says that its files need one; may be given more than once
    #[arg(long, value_name = "URL")]
    token_for: Vec<Url>,

    /// Where the journal is, in place of the folder .smart-export of the place or, for an object store, the data folder
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    choice: SessionChoice,

    #[command(flatten)]
    keep: KeepOptions,
}

/// What is exported.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct What {
    /// Export everything that the server has, in place of all patients
    #[arg(long, conflicts_with_all = ["group", "patient"])]
    system: bool,

    /// Export the members of this group
    #[arg(long, value_name = "ID")]
    group: Option<String>,

    /// Only these resource types, separated by commas; may be given more than once
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,

    /// Of one type only what matches, such as 'Observation?category=laboratory'; may be given more than once
    #[arg(long, value_name = "SEARCH")]
    type_filter: Vec<String>,

    /// Only these root elements, such as id,Patient.birthDate
    #[arg(long, value_name = "ELEMENTS", value_delimiter = ',')]
    elements: Vec<String>,

    /// Only this patient; may be given more than once
    #[arg(long, value_name = "ID")]
    patient: Vec<String>,

    /// Only what has changed since this instant, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "since_last")]
    since: Option<String>,

    /// Only what had changed until this instant
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Only what has changed since the last such export that was finished here; everything the first time
    #[arg(long)]
    since_last: bool,

    /// What else comes along, such as LatestProvenanceResources
    #[arg(long, value_name = "DATA")]
    include: Vec<String>,

    /// Organise the files by the resources of this type
    #[arg(long, value_name = "TYPE")]
    organize_by: Option<String>,

    /// Let the server spread the files over several manifests
    #[arg(long)]
    partial_manifests: bool,

    /// Let the server pass over what it does not support
    #[arg(long)]
    lenient: bool,

    /// The version of Bulk Data that the server speaks, 1 to 4
    #[arg(long, value_name = "VERSION", default_value = "3", value_parser = ["1", "2", "3", "4"])]
    bulk_version: String,

    /// Ask by POST
    #[arg(long)]
    post: bool,
}

impl What {
    /// The request, without the time that it begins at.
    fn request(&self) -> Result<ExportRequest, CliError> {
        let mut request = match &self.group {
            _ if self.system => ExportRequest::system(),
            Some(id) => ExportRequest::group(id.as_str()),
            None => ExportRequest::patients_of_all(),
        };
        request = request
            .version(BulkVersion::of(&self.bulk_version).unwrap_or_default())
            .types(self.types.iter().cloned())
            .elements(self.elements.iter().cloned())
            .patients(self.patient.iter().cloned())
            .allow_partial_manifests(self.partial_manifests)
            .lenient(self.lenient);
        for filter in &self.type_filter {
            request = request.type_filter(filter.as_str());
        }
        for data in &self.include {
            request = request.include_associated_data(match data.as_str() {
                "LatestProvenanceResources" => AssociatedData::LatestProvenanceResources,
                "RelevantProvenanceResources" => AssociatedData::RelevantProvenanceResources,
                custom => AssociatedData::Custom(custom.to_owned()),
            });
        }
        if let Some(resource_type) = &self.organize_by {
            request = request.organize_output_by(resource_type.as_str());
        }
        if let Some(until) = &self.until {
            request = request.until(FhirInstant::parse(until)?);
        }
        Ok(if self.post { request.method(KickOffMethod::Post) } else { request })
    }
}

impl Export {
    /// Exports.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        if let Some(server) = &self.choice.server {
            crate::connect::check_base(server)?;
        }
        let place = Destination::parse(&self.place)?;
        let folder = self.keep.folder()?;
        let options = self.options(&place, &folder);
        // What cannot be asked for, or has no place, is told before anything is sent.
        let request = self.what.request()?;
        let since = self.what.since.as_deref().map(FhirInstant::parse).transpose()?;
        let begun = place.job(&options)?;
        self.check_place(begun.as_ref())?;
        let sessions = self.keep.open()?;
        let mut choice = self.choice.clone();
        if let (None, Some(job)) = (&choice.server, &begun) {
            choice.server = Some(job.server.clone());
        }
        let saved = sessions.find(&choice).await?;
        let registration = sessions.registration(&saved.key).await?;
        let client = client_of(&saved, &registration, &sessions, &http())?;
        let session = restored(&client, &saved).await?;
        session.touch().await.map_err(|error| at_its_server(again(&error), &saved))?;
        session.access_token().await.map(drop).map_err(|error| at_its_server(again(&error), &saved))?;
        let bulk = self.token_for.iter().fold(session.fhir().bulk(), |bulk, url| bulk.with_token_origin(url));
        if let (true, Some(job)) = (self.cancel, begun) {
            return self.cancel(&bulk, job, &saved, output).await;
        }
        let last = LastExport::of(&folder, &saved.server, &request);
        let request = match since {
            Some(since) => request.since(since),
            None if self.what.since_last => {
                if let Some(time) = last.time()? {
                    request.since(time)
                } else {
                    output.note("There was no such export before: everything is exported.");
                    request
                }
            }
            None => request,
        };
        let progress = Arc::new(ExportProgress::new(output));
        let shown = progress.clone();
        let options = options.on_event(move |event| shown.show(event));
        let done = if self.resume {
            resume(&bulk, &place, options).await
        } else {
            match bulk.start(request).await {
                Ok(job) => job.download(&place, options).await,
                Err(error) => Err(error),
            }
        };
        progress.clear();
        let report = done.map_err(|error| at_its_server(error.into(), &saved))?;
        // With --resume the request is the one of the journal.
        let last = match place.job(&self.options(&place, &folder))? {
            Some(job) => LastExport::of(&folder, &saved.server, &job.request.without_since()),
            None => last,
        };
        last.keep(&report.transaction_time)?;
        if !report.is_partial() {
            return print(&report, &place, output);
        }
        let error = CliError::new(ExitCode::PartialExport, "the server could not export everything that was asked for");
        if output.json {
            return Err(error.with("export", as_json(&report, &place)));
        }
        print(&report, &place, output)?;
        Err(error)
    }

    fn options(&self, place: &Destination, folder: &std::path::Path) -> DownloadOptions {
        let options = DownloadOptions::default()
            .parallel(usize::from(self.parallel))
            .gzip(!self.no_gzip)
            .keep_bad_lines(self.keep_bad_lines)
            .delete_when_done(self.delete);
        match (&self.journal, place.as_folder()) {
            (Some(path), _) => options.journal(path),
            (None, Some(_)) => options,
            (None, None) => options.journal(LastExport::journal(folder, &place.to_string())),
        }
    }

    /// A place holds one export.
    fn check_place(&self, begun: Option<&JobRecord>) -> Result<(), CliError> {
        let usage = |message: &str, step: &str| {
            Err(CliError::new(ExitCode::Usage, format!("{} {message}", self.place)).with_next_step(step))
        };
        match (begun, self.resume || self.cancel) {
            (Some(_), false) => {
                usage("holds an export already", "Go on with it with --resume, or choose another place.")
            }
            (None, true) => usage("holds no export", "Check the place, or leave --resume away to begin one."),
            _ => Ok(()),
        }
    }

    async fn cancel(&self, bulk: &BulkClient, job: JobRecord, saved: &Saved, output: &Output) -> Result<(), CliError> {
        let cancelled = async { bulk.resume(job)?.cancel().await };
        cancelled.await.map_err(|error| at_its_server(error.into(), saved))?;
        if output.json {
            return print_json(&json!({"cancelled": true, "destination": self.place}));
        }
        print_lines(["The server was told that the export is not needed any more. What is here stays."])
    }
}

/// The report, and what it comes to.
fn as_json(report: &DownloadReport, place: &Destination) -> Value {
    let mut shown = serde_json::to_value(report).unwrap_or_default();
    if let Some(members) = shown.as_object_mut() {
        members.insert("destination".to_owned(), place.to_string().into());
        members.insert("resources".to_owned(), report.resources().into());
        members.insert("octets".to_owned(), report.octets().into());
        members.insert("partial".to_owned(), report.is_partial().into());
    }
    shown
}

fn print(report: &DownloadReport, place: &Destination, output: &Output) -> Result<(), CliError> {
    if output.json {
        return print_json(&as_json(report, place));
    }
    let style = &output.style;
    let mut lines = Vec::new();
    for file in &report.files {
        lines.push(format!("{}  {} resources, {} octets", file.name, file.lines, file.octets));
        lines.push(format!("  SHA-256 {}", file.sha256));
        for (issue, count) in &file.issues {
            lines.push(format!("  {count} x {}", one_line(issue)));
        }
        for warning in &file.warnings {
            lines.push(format!("  {} {}", style.paint(Colour::Bad, "warning:"), one_line(warning)));
        }
    }
    let deleted: u64 = report.of_kind(FileKind::Deleted).map(|file| file.lines).sum();
    if deleted > 0 {
        lines.push(format!("{deleted} bundles say what was deleted: see export-deleted.*.ndjson."));
    }
    if report.filters_asked_for {
        lines.push("Filters were asked for; a server may pass them over without a word: look at what came.".to_owned());
    }
    lines.push(format!(
        "{} {} resources in {} files, as of {}, at {}",
        style.paint(Colour::Head, "Exported:"),
        report.resources(),
        report.files.len(),
        report.transaction_time,
        one_line(&place.to_string())
    ));
    print_lines(lines)
}
