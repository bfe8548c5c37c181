//! The files of one chain.

use super::line::Line;
use super::lines::{Lines, Piece};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// How many digits a closed file's name ends with.
const DIGITS: usize = 20;

/// The name of a file that is closed with this line: the numbers sort like the files.
pub(crate) fn closed_name(path: &Path, last: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{last:0DIGITS$}"));
    PathBuf::from(name)
}

/// The files that were closed when `path` grew too large, the oldest first.
///
/// # Errors
/// Those of reading the folder; a folder that does not exist has no files.
pub fn closed_files(path: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let path = path.as_ref();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name() else { return Ok(Vec::new()) };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut closed: Vec<OsString> = Vec::new();
    for entry in entries {
        let found = entry?.file_name();
        let suffix = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes()).unwrap_or_default();
        let digits = suffix.strip_prefix(b".").unwrap_or_default();
        if digits.len() == DIGITS && digits.iter().all(u8::is_ascii_digit) {
            closed.push(found);
        }
    }
    closed.sort();
    Ok(closed.into_iter().map(|name| path.with_file_name(name)).collect())
}

/// The number that puts a file in its place among those of its chain: for a closed one that of its last line, by its name,
/// which holds when its lines were changed; for another that of its first line, where it has the form of one.
pub(crate) fn order(path: &Path) -> io::Result<Option<u64>> {
    let number = path
        .extension()
        .and_then(|digits| digits.to_str())
        .filter(|digits| digits.len() == DIGITS && digits.bytes().all(|c| c.is_ascii_digit()));
    if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
        return Ok(Some(number));
    }
    let mut lines = Lines::new(BufReader::new(File::open(path)?));
    Ok(match lines.next()? {
        Some(Piece::Ended(line)) => line.strip_suffix(b"\n").and_then(Line::read).map(|line| line.sequence),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-94: closed files are found by their names, in their order, and nothing else is taken for one.
    #[test]
    fn closed_files_are_found_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for name in [
            "audit.jsonl",
            "audit.jsonl.lock",
            "audit.jsonl.1",
            "other.jsonl.00000000000000000001",
            "audit.jsonl.0000000000000000000x",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        for last in [1000, 9, 200] {
            std::fs::write(closed_name(&path, last), "").unwrap();
        }
        let expected: Vec<_> = [9, 200, 1000].map(|last| closed_name(&path, last)).into();
        assert_eq!(closed_files(&path).unwrap(), expected);
        assert!(closed_files(folder.path().join("none/audit.jsonl")).unwrap().is_empty());
    }
}
