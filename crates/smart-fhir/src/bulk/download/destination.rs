//! Where the files of an export go.

use super::super::{BulkError, JobRecord};
use super::folder::{Folder, WORK};
use super::journal::Journal;
use super::options::DownloadOptions;
use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// A folder, or a place in an object store.
#[derive(Clone)]
pub struct Destination(pub(super) Place);

#[derive(Clone)]
pub(super) enum Place {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Objects(super::objects::Objects),
}

impl Destination {
    /// A path, or a URL: `file:`, and with the feature `object-store` `s3:` (and what is compatible), `gs:`, `az:`, each with bucket
    /// and path. How an object store is reached, and with which credentials, is read from the environment as the tools of its
    /// vendor do: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`,
    /// `AZURE_STORAGE_ACCOUNT_NAME` and their like.
    ///
    /// # Errors
    /// [`BulkError::Destination`] when there is no such kind of place, or it cannot be reached for want of settings.
    pub fn parse(text: &str) -> Result<Self, BulkError> {
        let failed = |reason: &str| BulkError::Destination { place: shown(text), reason: reason.to_owned() };
        let Some((scheme, _)) = text.split_once("://") else { return Ok(Self::folder(text)) };
        if scheme == "file" {
            let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            return Ok(Self::folder(path.ok_or_else(|| failed("it is no path of this machine"))?));
        }
        #[cfg(feature = "object-store")]
        {
            let url = Url::parse(text).map_err(|_| failed("it is no URL"))?;
            let objects = super::objects::Objects::at(&url).map_err(|reason| failed(&reason))?;
            Ok(Self(Place::Objects(objects)))
        }
        #[cfg(not(feature = "object-store"))]
        Err(failed("this program was built without object stores"))
    }

    /// A folder. It is made where it is not there, for its owner alone.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(Folder(path.into())))
    }

    /// The folder, where it is one.
    pub fn as_folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(folder) => Some(&folder.0),
            #[cfg(feature = "object-store")]
            Place::Objects(_) => None,
        }
    }

    /// Where the journal is.
    pub(super) fn journal(&self, options: &DownloadOptions) -> Result<PathBuf, BulkError> {
        match (&options.journal, self.as_folder()) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(folder)) => Ok(folder.join(WORK).join("journal")),
            (None, None) => {
                Err(BulkError::InvalidRequest { reason: "a download to an object store needs a place for its journal" })
            }
        }
    }

    /// The export that was begun here, finished or not. None where none was.
    ///
    /// # Errors
    /// [`BulkError::Journal`] when its journal cannot be read.
    pub fn job(&self, options: &DownloadOptions) -> Result<Option<JobRecord>, BulkError> {
        let path = self.journal(options)?;
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Journal::look(&path)?.job))
    }
}

/// The place without what may be secret.
fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
            format!("{scheme}://{}/{path}", authority.rsplit('@').next().unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(folder) => write!(f, "{}", folder.0.display()),
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => f.write_str(&shown(objects.url())),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05: what may be secret in a place is not shown.
    #[test]
    fn places_are_shown_without_secrets() {
        assert_eq!(shown("s3://key:s3cret@bucket/path?token=s3cret"), "s3://bucket/path");
        assert_eq!(shown("s3://bucket"), "s3://bucket/");
        assert_eq!(shown("out/files"), "out/files");
        let error = Destination::parse("ftp://key:s3cret@host/x").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    /// A path and a `file:` URL are folders.
    #[test]
    #[cfg(unix)]
    fn paths_are_folders() {
        assert_eq!(Destination::parse("out").unwrap().as_folder(), Some(Path::new("out")));
        assert_eq!(Destination::parse("file:///tmp/x").unwrap().as_folder(), Some(Path::new("/tmp/x")));
        assert!(Destination::parse("file://host/x").is_err());
    }
}
