//! The keys that a client signs with.

use smart_jwt::{KeySet, Signer};
use std::sync::{Arc, PoisonError, RwLock};

/// The keys that a client may sign its assertions with, in order of preference (SMART, client-confidential-asymmetric).
///
/// One [`Signer`] is enough. Several serve servers that accept different algorithms: the first one that a server accepts
/// signs. A [`KeySet`] behind a lock lets keys rotate while the program runs.
pub trait ClientKeys: Send + Sync + 'static {
    /// The signers that may be used now. Asked for each assertion.
    fn signers(&self) -> Vec<Arc<dyn Signer>>;
}

/// Signers that stay the same.
impl ClientKeys for Vec<Arc<dyn Signer>> {
    fn signers(&self) -> Vec<Arc<dyn Signer>> {
        self.clone()
    }
}

impl ClientKeys for RwLock<KeySet> {
    /// The current key of the set.
    fn signers(&self) -> Vec<Arc<dyn Signer>> {
        vec![self.read().unwrap_or_else(PoisonError::into_inner).current().clone()]
    }
}

impl<T: ClientKeys + ?Sized> ClientKeys for Arc<T> {
    fn signers(&self) -> Vec<Arc<dyn Signer>> {
        (**self).signers()
    }
}
