//! Values by key, each made once for however many ask for it at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A bounded number of slots. Who holds a slot's lock makes its value; who waits for the lock finds it made.
pub(crate) struct Slots<K, V> {
    by_key: Mutex<HashMap<K, Arc<Slot<V>>>>,
    most: usize,
    uses: AtomicU64,
}

/// The place of one value.
pub(crate) struct Slot<V> {
    /// Held while the value is made, so that it is made once.
    pub(crate) value: tokio::sync::Mutex<V>,
    last_use: AtomicU64,
}

impl<K: Eq + Hash + Clone, V: Default> Slots<K, V> {
    /// With room for `most` values; the one that was not used for the longest time gives way.
    pub(crate) fn new(most: usize) -> Self {
        Self { by_key: Mutex::default(), most, uses: AtomicU64::new(0) }
    }

    /// The slot of a key.
    pub(crate) fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let use_number = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            slot.last_use.store(use_number, Ordering::Relaxed);
            return slot.clone();
        }
        if slots.len() >= self.most {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.last_use.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                slots.remove(&oldest);
            }
        }
        let slot =
            Arc::new(Slot { value: tokio::sync::Mutex::new(V::default()), last_use: AtomicU64::new(use_number) });
        slots.insert(key.clone(), slot.clone());
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-08 (bounds): the slots do not grow without end, and the one used last stays.
    #[tokio::test]
    async fn number_of_slots_is_bounded() {
        let slots: Slots<u32, Option<u32>> = Slots::new(3);
        *slots.slot(&1).value.lock().await = Some(1);
        for key in 2..50 {
            *slots.slot(&key).value.lock().await = Some(key);
            assert_eq!(*slots.slot(&1).value.lock().await, Some(1), "{key}");
        }
        assert_eq!(slots.by_key.lock().unwrap().len(), 3);
        assert_eq!(*slots.slot(&2).value.lock().await, None);
    }
}
