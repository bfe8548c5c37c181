//! The trait that every backend implements.

use crate::error::StoreError;
use crate::key::{Filter, Key};
use crate::lease::{Holder, LeaseOutcome};
use crate::record::{Expected, Record, SecretBytes, Version};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A boxed future. It is `Send`, except on wasm32, where there is one thread and the browser's futures are not.
#[cfg(target_arch = "wasm32")]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A boxed future. It is `Send`, except on wasm32, where there is one thread and the browser's futures are not.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps records. Small on purpose: all else is built on top.
///
/// Every call is cancel-safe: when its future is dropped, the record is either as before or as asked for, never in
/// between, and the next read tells which.
pub trait Store: Send + Sync + 'static {
    /// Reads a record. `None`: there is none.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] or [`StoreError::Unavailable`].
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Writes a record if `expected` is right, and gives the new version. When it returns, the record is durable as
    /// far as the backend is durable at all.
    ///
    /// A record that [cannot be read](StoreError::Unreadable) counts as absent here, so that damage does not block a
    /// key for ever: [`Expected::Absent`] and [`Expected::Any`] replace it. With [`Expected::Version`] the caller
    /// believes that there is more, and is told, unless the damage has left the version alone: then the caller has seen
    /// what was there, and replaces it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when `expected` is wrong: nothing has changed. [`StoreError::Unreadable`] with
    /// [`Expected::Version`] when the version of a damaged record cannot be told: put it again with
    /// [`Expected::Absent`].
    /// [`StoreError::TooLarge`]. [`StoreError::Unavailable`]: read again to learn whether it was written.
    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>>;

    /// Removes a record if `expected` is right. Gives whether there was one.
    ///
    /// With [`Expected::Version`], of several callers exactly one gets `true`: that is how a pending login is consumed
    /// once. With [`Expected::Any`] a damaged record goes as well.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another version is stored. [`StoreError::Unreadable`] when a version was expected
    /// and that of a damaged record cannot be told. [`StoreError::Unavailable`].
    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The keys that pass the filter, sorted. Records whose name cannot be read are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>>;

    /// Asks for the right to work on a key for `duration` (rounded up to whole seconds), across tasks and processes.
    /// The holder that has it gets it prolonged. It needs no record, and does not keep anybody from reading or writing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>>;

    /// Gives a lease back early. Nothing happens when `holder` does not have it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>>;

    /// What kind of backend it is, for audits: `memory`, `encrypted-file`, `database`, or `other`, the default.
    fn backend(&self) -> &'static str {
        "other"
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
                (**self).get(key)
            }

            fn put<'a>(
                &'a self,
                key: &'a Key,
                value: SecretBytes,
                expected: Expected,
            ) -> BoxFuture<'a, Result<Version, StoreError>> {
                (**self).put(key, value, expected)
            }

            fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
                (**self).remove(key, expected)
            }

            fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
                (**self).list(filter)
            }

            fn lease<'a>(
                &'a self,
                key: &'a Key,
                holder: &'a Holder,
                duration: Duration,
            ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
                (**self).lease(key, holder, duration)
            }

            fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
                (**self).release(key, holder)
            }

            fn backend(&self) -> &'static str {
                (**self).backend()
            }
        }
    };
}

forward!(Arc);
forward!(Box);
