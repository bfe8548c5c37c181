//! Where data keys come from.

use super::{KeyError, KeyRing};
use crate::store::BoxFuture;
use std::sync::Arc;

/// A place that gives a store its data keys.
///
/// It is one store's: a rotation drops the keys that this store needs no more, and another that had the same source could not
/// be read any longer.
///
/// The store makes the first key itself when [`load`](Self::load) gives none and there is no sealed data yet, and
/// [saves](Self::save) it. Calls of one folder's stores do not overlap, across processes too.
pub trait KeySource: Send + Sync + 'static {
    /// The keys as they are now. `None`: none has been made yet.
    ///
    /// # Errors
    /// Any [`KeyError`] that tells why they cannot be had.
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>>;

    /// Keeps these keys in place of those before, all or nothing: when it is interrupted, [`load`](Self::load) gives
    /// the ones or the others.
    ///
    /// # Errors
    /// [`KeyError::Fixed`] from a source that keeps nothing; others as they come.
    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>>;

    /// What to call the place in errors. No secret in it.
    fn place(&self) -> String;
}

impl<K: KeySource + ?Sized> KeySource for Arc<K> {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        (**self).load()
    }

    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        (**self).save(keys)
    }

    fn place(&self) -> String {
        (**self).place()
    }
}
