//! A key in a file of its own.

use super::private_file::PrivateFile;
use super::{KeyError, KeyRing, KeySource};
use crate::store::BoxFuture;
use std::path::PathBuf;

/// Data keys in a file that only its owner may read (mode 0600; one that others may read is refused).
///
/// What it is good for: a copy or backup of the records that leaves the key file out is useless to its finder. What it
/// is not: whoever can read both, as any program of the same user can, reads the records. Keep the key file out of the
/// store's folder and out of its backups, or use the credential store (`CredentialStore`) or a
/// [`Passphrase`](crate::Passphrase).
#[derive(Debug)]
pub struct KeyFile(PrivateFile);

impl KeyFile {
    /// The keys in the file at `path`, which is made at first use.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(PrivateFile::new(path.into()))
    }
}

impl KeySource for KeyFile {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async {
            let text = self.0.read(true).await?;
            text.map(|text| KeyRing::from_secret_text(&text, &self.place())).transpose()
        })
    }

    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(self.0.write(keys.to_secret_text()))
    }

    fn place(&self) -> String {
        self.0.place()
    }
}
