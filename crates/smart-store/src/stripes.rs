//! Locks between the tasks of one store.

use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Locks that records share.
pub(crate) const STRIPES: usize = 16;

/// In front of the locks between processes: tasks wait here without a thread or connection each. A call that was given up
/// holds its stripe until it is done, so that the next read sees what came of it.
#[derive(Clone, Default)]
pub(crate) struct Stripes(Arc<[Arc<RwLock<()>>; STRIPES]>);

impl Stripes {
    /// Held by readers of one record.
    pub(crate) async fn read(&self, stripe: usize) -> OwnedRwLockReadGuard<()> {
        self.of(stripe).read_owned().await
    }

    /// Held by a writer of one record.
    pub(crate) async fn write(&self, stripe: usize) -> OwnedRwLockWriteGuard<()> {
        self.of(stripe).write_owned().await
    }

    /// Held by readers of all records.
    pub(crate) async fn read_all(&self) -> Vec<OwnedRwLockReadGuard<()>> {
        let mut guards = Vec::with_capacity(STRIPES);
        for stripe in self.0.iter() {
            guards.push(stripe.clone().read_owned().await);
        }
        guards
    }

    fn of(&self, stripe: usize) -> Arc<RwLock<()>> {
        // Within bounds by the remainder; the default cannot come.
        self.0.get(stripe % STRIPES).cloned().unwrap_or_default()
    }
}
