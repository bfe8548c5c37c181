//! Since when the next export has to bring what has changed.

use crate::api::bulk::{ExportRequest, FhirInstant};
use crate::cli_error::CliError;
use crate::private_file;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where the server's time of the last export like this one is kept: same server, same level, types and filters.
#[derive(Debug, Clone)]
pub(crate) struct LastExport {
    path: PathBuf,
    server: String,
}

impl LastExport {
    /// For an export that is asked for without a time.
    pub(crate) fn of(folder: &Path, server: &str, request: &ExportRequest) -> Self {
        // A request without its time is the same each time.
        let asked = serde_json::to_string(request).unwrap_or_default();
        let digest = ring::digest::digest(&ring::digest::SHA256, format!("{server} {asked}").as_bytes());
        let name = digest.as_ref().iter().take(16).fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        });
        Self { path: folder.join("exports").join(format!("{name}.json")), server: server.to_owned() }
    }

    /// The journal of an export to a place that cannot hold it.
    pub(crate) fn journal(folder: &Path, place: &str) -> PathBuf {
        Self::of(folder, place, &ExportRequest::system()).path.with_extension("journal")
    }

    /// The server's time of the last one. None where there was none.
    ///
    /// # Errors
    /// Usage, when it cannot be read.
    pub(crate) fn time(&self) -> Result<Option<FhirInstant>, CliError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let text = private_file::read(&self.path, "the time of the last export")?;
        let kept: Value = serde_json::from_str(&text).unwrap_or_default();
        let time = kept.get("transaction_time").and_then(Value::as_str);
        Ok(time.and_then(|time| FhirInstant::parse(time).ok()))
    }

    /// Keeps the server's time of an export that is finished.
    ///
    /// # Errors
    /// Internal, when it cannot be written.
    pub(crate) fn keep(&self, time: &FhirInstant) -> Result<(), CliError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| CliError::output(&error))?;
        }
        let text = json!({"server": self.server, "transaction_time": time.as_str()});
        private_file::write(&self.path, &format!("{text}\n"), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BK-31 (Bulk Data 3.0, group membership request pattern): the server's own time is kept letter by letter, for the same
    /// export at the same server.
    #[test]
    fn the_server_s_time_is_kept_for_the_same_export() {
        let folder = tempfile::tempdir().unwrap();
        let request = ExportRequest::group("g1").types(["Patient"]);
        let last = LastExport::of(folder.path(), "https://ehr.example/fhir", &request);
        assert_eq!(last.time().unwrap(), None);
        let time = FhirInstant::parse("2026-01-31T08:00:00.123+01:00").unwrap();
        last.keep(&time).unwrap();
        assert_eq!(last.time().unwrap(), Some(time));
        for other in [
            LastExport::of(folder.path(), "https://other.example/fhir", &request),
            LastExport::of(folder.path(), "https://ehr.example/fhir", &request.clone().types(["Group"])),
            LastExport::of(folder.path(), "https://ehr.example/fhir", &ExportRequest::group("g2").types(["Patient"])),
        ] {
            assert_eq!(other.time().unwrap(), None);
        }
    }
}
