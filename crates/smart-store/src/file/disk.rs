//! The few things that are done to the disk, each whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

/// One thing that is done to the disk, for tests that stop there.
#[cfg_attr(not(feature = "contract"), expect(unreachable_pub, reason = "public for tests alone"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskStep {
    /// A temporary file is about to be made.
    Create,
    /// Its first half is about to be written.
    WriteFirstHalf,
    /// Its second half is about to be written.
    WriteSecondHalf,
    /// It is about to be forced to the disk.
    SyncFile,
    /// It is about to take the place of the file.
    Rename,
    /// The folder is about to be forced to the disk.
    SyncFolder,
    /// A file is about to be removed.
    Remove,
    /// The call's last step is done.
    Done,
}

/// What a test does at a step: nothing, an error such as that of a full disk, or the end of the process.
pub(crate) type Hook = dyn Fn(DiskStep) -> io::Result<()> + Send + Sync;

/// Suffix of files that are being written.
pub(super) const TEMPORARY: &str = ".tmp";

/// Writes private files.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// Whether to leave it to the system when octets reach the disk.
    pub(super) lazy: bool,
    pub(super) hook: Option<Arc<Hook>>,
}

impl Disk {
    fn step(&self, step: DiskStep) -> io::Result<()> {
        self.hook.as_ref().map_or(Ok(()), |hook| hook(step))
    }

    /// Puts `content` under `folder/name`, readable by the owner alone. Whoever reads the name gets the old content or
    /// the new, also after a crash. The caller keeps others from writing the same name.
    pub(crate) fn replace(&self, folder: &Path, name: &str, content: &[u8], lasting: bool) -> io::Result<()> {
        let temporary = folder.join(format!("{name}{TEMPORARY}"));
        let lasting = lasting && !self.lazy;
        let written = self.write_new(&temporary, content, lasting).and_then(|()| {
            self.step(DiskStep::Rename)?;
            fs::rename(&temporary, folder.join(name))
        });
        if let Err(error) = written {
            // What is left over is overwritten by the next write of this name and swept at the next opening.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        self.sync_folder(folder, lasting)?;
        self.step(DiskStep::Done)
    }

    fn write_new(&self, path: &Path, content: &[u8], lasting: bool) -> io::Result<()> {
        self.step(DiskStep::Create)?;
        let mut file = create_private(path).or_else(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                fs::remove_file(path)?;
                create_private(path)
            } else {
                Err(error)
            }
        })?;
        if self.hook.is_some() {
            let (first, second) = content.split_at(content.len() / 2);
            self.step(DiskStep::WriteFirstHalf)?;
            file.write_all(first)?;
            self.step(DiskStep::WriteSecondHalf)?;
            file.write_all(second)?;
        } else {
            file.write_all(content)?;
        }
        if lasting {
            self.step(DiskStep::SyncFile)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Removes a file. Gives whether there was one.
    pub(super) fn remove(&self, folder: &Path, name: &str, lasting: bool) -> io::Result<bool> {
        self.step(DiskStep::Remove)?;
        match fs::remove_file(folder.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        self.sync_folder(folder, lasting && !self.lazy)?;
        self.step(DiskStep::Done)?;
        Ok(true)
    }

    /// Moves a file out of one folder into another, over what is there.
    pub(super) fn set_aside(&self, from: &Path, to: &Path, name: &str) -> io::Result<()> {
        self.step(DiskStep::Rename)?;
        fs::rename(from.join(name), to.join(name))?;
        self.sync_folder(to, !self.lazy)?;
        self.sync_folder(from, !self.lazy)
    }

    fn sync_folder(&self, folder: &Path, lasting: bool) -> io::Result<()> {
        if !lasting {
            return Ok(());
        }
        self.step(DiskStep::SyncFolder)?;
        // Elsewhere a folder cannot be opened as a file; there the file system's journal has to do.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// Reads the first octets of a file. `None`: there is none.
pub(super) fn read_beginning(path: &Path, count: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    read_up_to(file, count).map(Some)
}

/// Reads a file of at most `limit` octets. `None`: there is none.
pub(crate) fn read_limited(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {limit} octets")));
    }
    // A file is put in place whole: it does not grow, and its end need not be looked for.
    read_up_to(file, length).map(Some)
}

fn read_up_to(file: File, count: u64) -> io::Result<Vec<u8>> {
    // Full size from the start: growing would leave copies behind that are not overwritten.
    let mut content = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    file.take(count).read_to_end(&mut content)?;
    Ok(content)
}

fn create_private(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// The same options, for a file of the owner's alone if it is made.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a folder of the owner's alone, with those above it, and takes others' rights from one that exists.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
        builder.mode(0o700).create(path)?;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(path)
}
