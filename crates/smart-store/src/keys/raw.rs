//! A key that the caller brings.

use super::{DataKey, KeyError, KeyRing, KeySource};
use crate::store::BoxFuture;

/// Keys that the caller holds, for one who has a safe place of their own.
///
/// To change the key: make a source of the new key [with the old one](Self::with_older), open the store with it, and
/// call `reseal`. When it has finished, the old key is no longer needed.
///
/// With several processes: first all get the new key as an older one, which opens; then all get it as the one that seals, with
/// the old one beside it; then one calls `reseal`; then the old key is left out. While some seal with the one and some with the
/// other, writes take longer.
pub struct RawKey(KeyRing);

impl RawKey {
    /// A source of this one key.
    pub fn new(key: DataKey) -> Self {
        Self(KeyRing::of(key))
    }

    /// The same with keys that records may still be sealed with.
    pub fn with_older(self, keys: impl IntoIterator<Item = DataKey>) -> Self {
        Self(self.0.with_older(keys))
    }
}

impl KeySource for RawKey {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn save<'a>(&'a self, _keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(async { Err(KeyError::Fixed { place: self.place() }) })
    }

    fn place(&self) -> String {
        "the key given by the application".to_owned()
    }
}

impl std::fmt::Debug for RawKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RawKey").field(&self.0).finish()
    }
}
