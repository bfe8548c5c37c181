//! Files in a folder.

use super::super::BulkError;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The folder for what is under way.
pub(super) const WORK: &str = ".smart-export";

/// A folder that files are downloaded to.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn work(&self) -> PathBuf {
        self.0.join(WORK)
    }

    fn part(&self, name: &str) -> PathBuf {
        self.work().join(format!("{name}.part"))
    }

    /// Makes the folders.
    pub(super) fn prepare(&self) -> Result<(), BulkError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(self.work()).map_err(|error| self.failed(&error))
    }

    /// Opens what is there of a file that is under way, or begins it.
    pub(super) fn open_part(&self, name: &str) -> Result<File, BulkError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options.open(self.part(name)).map_err(|error| self.failed(&error))
    }

    /// Puts a file that is whole and flushed to its place.
    pub(super) fn put_in_place(&self, name: &str) -> Result<(), BulkError> {
        let put = std::fs::rename(self.part(name), self.0.join(name)).and_then(|()| sync_folder(&self.0));
        put.map_err(|error| self.failed(&error))
    }

    /// Whether a file that was whole is still there with this size. One that was not put to its place any more is put there now.
    pub(super) fn is_there(&self, name: &str, octets: u64) -> Result<bool, BulkError> {
        let size = |path: PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.len());
        if size(self.0.join(name)) == Some(octets) {
            return Ok(true);
        }
        if size(self.part(name)) == Some(octets) {
            self.put_in_place(name)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes a small file as a whole or not at all.
    pub(super) fn write_whole(&self, name: &str, text: &[u8]) -> Result<(), BulkError> {
        let mut part = self.open_part(name)?;
        let written =
            part.set_len(0).and_then(|()| std::io::Write::write_all(&mut part, text)).and_then(|()| part.sync_all());
        written.map_err(|error| self.failed(&error))?;
        drop(part);
        self.put_in_place(name)
    }

    pub(super) fn failed(&self, error: &std::io::Error) -> BulkError {
        BulkError::Destination { place: self.0.display().to_string(), reason: error.to_string() }
    }
}

/// Reads the first `octets` of a file, piece by piece; false when there are not so many.
pub(super) fn read_beginning(file: &mut File, octets: u64, mut each: impl FnMut(&[u8])) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 256 * 1024];
    let mut left = octets;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Ok(false);
        }
        each(buffer.get(..read).unwrap_or_default());
        left -= u64::try_from(read).unwrap_or(left).min(left);
    }
    Ok(true)
}

/// Flushes the names in a folder to the disk.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(())
    }
}
