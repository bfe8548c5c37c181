//! Keys that a key management service wraps, in a file.

use super::private_file::PrivateFile;
use super::{KeyError, KeyManagement, KeyRing, KeySource};
use crate::record::SecretBytes;
use crate::store::BoxFuture;
use std::path::PathBuf;

/// Data keys in a file, wrapped by a [`KeyManagement`] service. The file may lie beside the records.
pub struct WrappedKeys<K> {
    service: K,
    file: PrivateFile,
}

impl<K: KeyManagement> WrappedKeys<K> {
    /// Keys that `service` wraps, in the file at `path`, which is made at first use.
    pub fn new(service: K, path: impl Into<PathBuf>) -> Self {
        Self { service, file: PrivateFile::new(path.into()) }
    }
}

impl<K: KeyManagement> KeySource for WrappedKeys<K> {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async {
            let Some(wrapped) = self.file.read(false).await? else { return Ok(None) };
            let text = self.service.unwrap_key(&wrapped).await?;
            KeyRing::from_secret_text(text.expose_secret(), &self.place()).map(Some)
        })
    }

    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(async {
            let text = keys.to_secret_text();
            let wrapped = self.service.wrap_key(&text).await?;
            self.file.write(SecretBytes::new(wrapped)).await
        })
    }

    fn place(&self) -> String {
        format!("{} (wrapped by {})", self.file.place(), self.service.place())
    }
}

impl<K: KeyManagement> std::fmt::Debug for WrappedKeys<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WrappedKeys").field("place", &self.place()).finish_non_exhaustive()
    }
}
