//! The few things that are done to the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// The same options, for a file of the owner's alone if it is made.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Opens a file to be read and appended to, which is made if need be.
pub(super) fn open_append(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().read(true).append(true).create(true)).open(path)
}

/// Forces a file's folder to the disk, so that a new or renamed file is there after a power cut.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file; there the file system's journal has to do.
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// The length of the file under `path`, if it is still the one that is open.
#[cfg(unix)]
pub(super) fn length_if_same(open: &File, path: &Path) -> io::Result<Option<u64>> {
    use std::os::unix::fs::MetadataExt as _;
    let there = match std::fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let ours = open.metadata()?;
    Ok((ours.dev() == there.dev() && ours.ino() == there.ino()).then_some(ours.len()))
}

/// Where two files cannot be told apart cheaply, the end is read anew each time.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on unix it can fail")]
pub(super) fn length_if_same(_: &File, _: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}
