//! Files that hold a secret, and how they are read and written.

use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest file that is read, in octets: more than any key or set of keys has.
const LONGEST: u64 = 256 * 1024;

/// The text of a file that holds a secret.
///
/// # Errors
/// Usage, when it cannot be read or is no text; `what` says what it should be.
pub(crate) fn read(path: &Path, what: &str) -> Result<Zeroizing<String>, CliError> {
    let failed = |reason: String| {
        CliError::new(ExitCode::Usage, format!("{what} {} cannot be read: {reason}", path.display()))
            .with_next_step("Check the path, and your rights to the file.")
    };
    let file = File::open(path).map_err(|e| failed(e.to_string()))?;
    let length = file.metadata().map_err(|e| failed(e.to_string()))?.len();
    // Room for all of it at once: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(length.min(LONGEST)).unwrap_or(0) + 1));
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|e| failed(e.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(failed(format!("it is longer than {LONGEST} octets")));
    }
    Ok(text)
}

/// Whether others than its owner may read a file.
pub(crate) fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Writes a file that its owner alone may read. An existing one is left as it is, unless it is to be replaced.
///
/// # Errors
/// Usage, when there is such a file already; internal, when it cannot be written.
pub(crate) fn write(path: &Path, text: &str, replace: bool) -> Result<(), CliError> {
    if replace {
        return replace_with(path, text, true);
    }
    let written =
        create(path, true).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            CliError::new(ExitCode::Usage, format!("{} exists already; nothing was written", path.display()))
                .with_next_step("Choose another --out, or replace the file with --force: a key in it is lost then.")
        }
        _ => unwritable(path, &error),
    })
}

/// Writes a file that everybody may read, in place of one that there may be: at no time it is there in part.
///
/// # Errors
/// Internal, when it cannot be written.
pub(crate) fn publish(path: &Path, text: &str) -> Result<(), CliError> {
    replace_with(path, text, false)
}

fn replace_with(path: &Path, text: &str, private: bool) -> Result<(), CliError> {
    let beside = beside(path);
    let write = || {
        let mut file = create(&beside, private)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        // It may not have got so far as to be there.
        let _ = std::fs::remove_file(&beside);
        unwritable(path, &error)
    })
}

/// A new file.
fn create(path: &Path, private: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if private { 0o600 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(ExitCode::Internal, format!("{} cannot be written: {error}", path.display()))
        .with_next_step("Check the path, and your rights to the folder.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-03, CA-17: a file with a key is its owner's alone, is not replaced unless that is asked for, and leaves nothing beside it.
    #[test]
    fn private_files_are_private_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write(&path, "one", false).unwrap();
        assert_eq!(write(&path, "two", false).unwrap_err().code, ExitCode::Usage);
        assert_eq!(read(&path, "the key").unwrap().as_str(), "one");
        assert!(!is_readable_by_others(&path));
        publish(&path, "public").unwrap();
        #[cfg(unix)]
        assert!(is_readable_by_others(&path));
        write(&path, "two", true).unwrap();
        assert!(!is_readable_by_others(&path), "the new file does not take the rights of the old one");
        assert_eq!(read(&path, "the key").unwrap().as_str(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(write(&folder.path().join("none/key"), "x", true).unwrap_err().code, ExitCode::Internal);
    }

    /// A file that is missing, too long or no text is told.
    #[test]
    fn unreadable_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path, "the key").unwrap_err().code, ExitCode::Usage);
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path, "the key").is_err());
        std::fs::write(&path, vec![b'a'; 256 * 1024 + 1]).unwrap();
        assert!(read(&path, "the key").unwrap_err().message.contains("longer"));
    }
}
