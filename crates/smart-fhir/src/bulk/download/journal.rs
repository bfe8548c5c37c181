//! The journal: what is done, so that it need not be done again.
//!
//! Lines of a checksum and a JSON object, appended and flushed to the disk one by one. A line that the end of the program cut is
//! as if it had not been begun; any other damage is an error. It holds no token, and no URL of a file: such a URL may be all that
//! it takes to read the file, and the manifest can be asked for again.

use super::super::{BulkError, FhirInstant, JobRecord};
use super::listing::ListedFile;
use super::pipeline::hex;
use super::report::FileReport;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    /// The export was started.
    Begun { format: u32, job: Box<JobRecord> },
    /// These are its files.
    Listed { transaction_time: FhirInstant, organized_by: Option<String>, files: Vec<ListedFile> },
    /// So much of a file is on the disk.
    Checkpoint { file: usize, octets: u64, sha256: String, version: String },
    /// A file is on the disk as a whole.
    Whole { file: usize, report: Box<FileReport> },
    /// All files are.
    Done,
}

/// The form of the journal.
pub(super) const FORMAT: u32 = 1;
/// A journal is small; what is larger is none.
const MAX_JOURNAL: u64 = 1 << 30;
const SUM: usize = 16;

/// How far a file came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checkpoint {
    pub(super) octets: u64,
    pub(super) sha256: String,
    pub(super) version: String,
}

/// What a journal tells, taken together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replayed {
    pub(super) job: JobRecord,
    pub(super) listed: Option<(FhirInstant, Option<String>, Vec<ListedFile>)>,
    pub(super) checkpoints: HashMap<usize, Checkpoint>,
    pub(super) whole: HashMap<usize, FileReport>,
    pub(super) is_done: bool,
}

/// A journal that is written to. Its lock keeps others out until it is dropped. Clones share it.
#[derive(Clone)]
pub(super) struct Journal(Arc<Mutex<File>>, Arc<PathBuf>);

impl Journal {
    /// Begins a journal where there is none.
    pub(super) fn begin(path: &Path, job: &JobRecord) -> Result<Self, BulkError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(path, &error))?;
        }
        let (mut file, journal) = open(path, true)?;
        let length = file.metadata().map_err(|error| failed(path, &error))?.len();
        if length > 0 && !read_entries(path, &mut file)?.0.is_empty() {
            let place = path.display().to_string();
            return Err(BulkError::Occupied {
                place,
                reason: "is of another export; resume that, or choose another place",
            });
        }
        file.set_len(0).map_err(|error| failed(path, &error))?;
        let journal = journal(file);
        journal.append(&Entry::Begun { format: FORMAT, job: Box::new(job.clone()) })?;
        if let Some(folder) = path.parent() {
            super::folder::sync_folder(folder).map_err(|error| failed(path, &error))?;
        }
        Ok(journal)
    }

    /// Goes on with a journal.
    pub(super) fn go_on(path: &Path) -> Result<(Self, Replayed), BulkError> {
        let (mut file, journal) = open(path, false)?;
        let (entries, good) = read_entries(path, &mut file)?;
        let replayed = replay(path, entries)?;
        // What was cut is taken away, so that the next line begins at its own place.
        file.set_len(good).map_err(|error| failed(path, &error))?;
        Ok((journal(file), replayed))
    }

    /// Looks into a journal without writing to it.
    pub(super) fn look(path: &Path) -> Result<Replayed, BulkError> {
        let mut file = File::open(path).map_err(|error| failed(path, &error))?;
        let (entries, _) = read_entries(path, &mut file)?;
        replay(path, entries)
    }

    /// Appends a line, and returns when it is on the disk. It blocks.
    pub(super) fn append(&self, entry: &Entry) -> Result<(), BulkError> {
        let json = serde_json::to_string(entry).map_err(|error| damaged(&self.1, &error.to_string()))?;
        let line = format!("{} {json}\n", checksum(json.as_bytes()));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written =
            file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(line.as_bytes())).and_then(|()| file.sync_data());
        written.map_err(|error| failed(&self.1, &error))
    }
}

fn open(path: &Path, create: bool) -> Result<(File, impl FnOnce(File) -> Journal + use<>), BulkError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(|error| failed(path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let place = path.display().to_string();
            return Err(BulkError::Occupied { place, reason: "is in use by another process" });
        }
        Err(TryLockError::Error(error)) => return Err(failed(path, &error)),
    }
    let path = Arc::new(path.to_owned());
    Ok((file, move |file| Journal(Arc::new(Mutex::new(file)), path)))
}

/// The whole lines, and where the last of them ends.
fn read_entries(path: &Path, file: &mut File) -> Result<(Vec<Entry>, u64), BulkError> {
    let mut text = Vec::new();
    file.take(MAX_JOURNAL).read_to_end(&mut text).map_err(|error| failed(path, &error))?;
    parse(&text).map_err(|reason| damaged(path, &reason))
}

/// A line counts once its line feed is there. The last one that does not check is one that was cut.
fn parse(text: &[u8]) -> Result<(Vec<Entry>, u64), String> {
    let (mut entries, mut good) = (Vec::new(), 0_usize);
    let mut rest = text;
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        match entry(line) {
            Some(entry) => entries.push(entry),
            None if rest.is_empty() => return Ok((entries, u64::try_from(good).unwrap_or(0))),
            None => return Err(format!("its line {} is damaged", entries.len() + 1)),
        }
        good += end + 1;
    }
    Ok((entries, u64::try_from(good).unwrap_or(0)))
}

fn entry(line: &[u8]) -> Option<Entry> {
    let (sum, json) = (line.get(..SUM)?, line.get(SUM + 1..)?);
    (checksum(json).as_bytes() == sum && line.get(SUM) == Some(&b' ')).then(|| serde_json::from_slice(json).ok())?
}

fn checksum(json: &[u8]) -> String {
    hex(digest(&SHA256, json).as_ref().get(..SUM / 2).unwrap_or_default())
}

fn replay(path: &Path, entries: Vec<Entry>) -> Result<Replayed, BulkError> {
    let mut entries = entries.into_iter();
    let job = match entries.next() {
        Some(Entry::Begun { format: FORMAT, job }) => *job,
        Some(Entry::Begun { .. }) => return Err(damaged(path, "it is of another version of this program")),
        _ => return Err(damaged(path, "it does not begin with the start of an export")),
    };
    let mut replayed =
        Replayed { job, listed: None, checkpoints: HashMap::new(), whole: HashMap::new(), is_done: false };
    for entry in entries {
        match entry {
            Entry::Begun { .. } => return Err(damaged(path, "it begins twice")),
            Entry::Listed { transaction_time, organized_by, files } => {
                replayed.listed = Some((transaction_time, organized_by, files));
            }
            Entry::Checkpoint { file, octets, sha256, version } => {
                replayed.checkpoints.insert(file, Checkpoint { octets, sha256, version });
            }
            Entry::Whole { file, report } => {
                replayed.whole.insert(file, *report);
            }
            Entry::Done => replayed.is_done = true,
        }
    }
    Ok(replayed)
}

fn failed(path: &Path, error: &std::io::Error) -> BulkError {
    damaged(path, &error.to_string())
}

fn damaged(path: &Path, reason: &str) -> BulkError {
    BulkError::Journal { path: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::super::ExportRequest;
    use super::*;
    use proptest::prelude::*;
    use smart_core::time::Timestamp;

    fn job() -> JobRecord {
        JobRecord {
            server: "https://ehr.example/fhir".to_owned(),
            request: ExportRequest::group("g1").types(["Patient"]),
            status_url: "https://ehr.example/status/1".parse().unwrap(),
            separate_status: false,
            started_at: Timestamp::from_unix_seconds(1),
        }
    }

    fn entries() -> Vec<Entry> {
        let checkpoint =
            |octets| Entry::Checkpoint { file: 0, octets, sha256: "00".to_owned(), version: "\"v1\"".to_owned() };
        let listed = Entry::Listed {
            transaction_time: FhirInstant::parse("2026-01-31T08:00:00Z").unwrap(),
            organized_by: None,
            files: Vec::new(),
        };
        vec![Entry::Begun { format: FORMAT, job: Box::new(job()) }, listed, checkpoint(10), checkpoint(20), Entry::Done]
    }

    fn written(entries: &[Entry]) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/journal");
        let journal = Journal::begin(&path, &job()).unwrap();
        entries.iter().skip(1).for_each(|entry| journal.append(entry).unwrap());
        let text = std::fs::read(&path).unwrap();
        (folder, path, text)
    }

    /// BK-46: wherever a write was cut, what came before counts, and the next line begins at its own place.
    #[test]
    fn a_journal_that_is_cut_anywhere_tells_what_came_before() {
        let (_folder, path, text) = written(&entries());
        let first = text.iter().position(|octet| *octet == b'\n').unwrap() + 1;
        for end in first..=text.len() {
            std::fs::write(&path, &text[..end]).unwrap();
            let whole = text[..end].split(|octet| *octet == b'\n').count() - 1;
            let (journal, replayed) = Journal::go_on(&path).unwrap();
            assert_eq!(replayed, replay(&path, entries()[..whole].to_vec()).unwrap(), "cut at {end}");
            journal.append(&Entry::Done).unwrap();
            drop(journal);
            assert!(Journal::look(&path).unwrap().is_done, "cut at {end}");
        }
        assert!(Journal::look(&path.with_file_name("none")).is_err());
    }

    /// BK-46: a changed octet is never believed.
    #[test]
    fn a_damaged_journal_is_not_believed() {
        let (_folder, path, text) = written(&entries());
        let last = text[..text.len() - 1].iter().rposition(|octet| *octet == b'\n').unwrap();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 0x20;
            match parse(&changed)
                .map_err(|reason| damaged(&path, &reason))
                .and_then(|(entries, _)| replay(&path, entries))
            {
                // The last line may as well be one that was cut.
                Ok(replayed) => assert!(at >= last && !replayed.is_done, "changed at {at}"),
                Err(error) => assert!(matches!(error, BulkError::Journal { .. }), "changed at {at}: {error}"),
            }
        }
    }

    /// BK-46: a journal is of one export and one process.
    #[test]
    fn a_journal_is_of_one_export_and_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::begin(&path, &job()).unwrap();
        assert!(matches!(
            Journal::go_on(&path),
            Err(BulkError::Occupied { reason: "is in use by another process", .. })
        ));
        drop(journal);
        assert!(matches!(Journal::begin(&path, &job()), Err(BulkError::Occupied { .. })));
        assert!(Journal::go_on(&path).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    proptest! {
        /// BK-46: any octets are a journal or not, without a panic.
        #[test]
        fn any_octets_are_decided(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&text);
        }
    }
}
