//! The folders of the exports, each named after the time at which it began.

use smart_on_fhir::fhir::bulk::BulkError;
use smart_on_fhir::fhir::bulk::download::{Destination, DownloadOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What a folder that nobody goes on with is called further.
const GIVEN_UP: &str = "given-up";

/// A folder for an export that begins now.
pub(crate) fn new(out: &Path) -> PathBuf {
    out.join(jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// The folder of an export that was begun and is not whole: the newest one, if there are several.
pub(crate) fn unfinished(out: &Path) -> Result<Option<PathBuf>, BulkError> {
    let failed =
        |error: io::Error| BulkError::Destination { place: out.display().to_string(), reason: error.to_string() };
    let entries = match std::fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    folders.retain(|folder| folder.extension().is_none_or(|extension| extension != GIVEN_UP));
    folders.sort();
    for folder in folders.into_iter().rev() {
        let is_begun = Destination::folder(&folder).job(&DownloadOptions::default())?.is_some();
        // It is written once all files are there.
        if is_begun && !folder.join("export.json").exists() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Leaves an export as it is, for people to look at.
pub(crate) fn give_up(folder: &Path) -> io::Result<()> {
    std::fs::rename(folder, folder.with_extension(GIVEN_UP))
}
