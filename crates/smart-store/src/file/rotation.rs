//! A new data key, and all records sealed with it.
//!
//! The order makes it safe to stop anywhere: the new key is kept beside the old ones, then named as the one that seals,
//! then each record is sealed anew on its own, and only when none is left are the old keys dropped. A writer looks up the
//! name under the lock of its record; one that comes after the rotation has passed sees the new name.

use super::folder::FileName;
use super::records::{self, Outcome, Refused};
use super::{EncryptedFileStore, KeyError, KeyRing, StoreError};
use std::sync::Arc;

/// Looks at the folder until none is left: a listing may miss a file that is replaced meanwhile.
const MAX_PASSES: usize = 10;

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// Records that were sealed anew.
    pub resealed: usize,
    /// Files that cannot be read, and stay as they are.
    pub unreadable: usize,
}

impl EncryptedFileStore {
    /// Makes a new data key and seals all records with it. Other tasks and processes may go on meanwhile.
    ///
    /// It may be stopped at any point: all stays readable, and [`reseal`](Self::reseal) or the next rotation goes on.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] with [`KeyError::Fixed`] where the source keeps no new key (see [`RawKey`](crate::RawKey)),
    /// or another when it fails; [`StoreError::Unavailable`] when a record cannot be written.
    pub async fn rotate_key(&self) -> Result<Resealed, StoreError> {
        // What an earlier rotation left undone comes first, so that old keys do not pile up.
        if !self.keys().await?.older().is_empty() {
            self.reseal().await?;
        }
        self.renew_keys().await?;
        self.reseal().await
    }

    /// Seals all records that an older key seals with the current one, then lets the source drop the older keys.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] or [`StoreError::Unavailable`]. Call it again to go on.
    pub async fn reseal(&self) -> Result<Resealed, StoreError> {
        let mut done = Resealed::default();
        for _ in 0..MAX_PASSES {
            let keys = self.keys().await?;
            let names = self.read_all(|folder, _| Ok(folder.names_in(&folder.records())?)).await?;
            let before = done.resealed;
            done.unreadable = 0;
            for name in names {
                match self.reseal_one(name).await? {
                    Outcome::Resealed => done.resealed = done.resealed.saturating_add(1),
                    Outcome::Unreadable => done.unreadable = done.unreadable.saturating_add(1),
                    Outcome::AlreadyCurrent => {}
                }
            }
            if done.resealed == before && self.drop_older_keys(&keys).await? {
                return Ok(done);
            }
        }
        Err(StoreError::Unavailable {
            place: self.folder.place(),
            reason: "its data key is changed again and again".to_owned(),
            retryable: true,
        })
    }

    async fn reseal_one(&self, name: FileName) -> Result<Outcome, StoreError> {
        let stripe = name.clone();
        self.change_one(&stripe, move |folder, keys| -> Result<Outcome, Refused> {
            records::reseal(folder, keys, &name)
        })
        .await
    }

    /// Makes a new key, keeps it in front of the others and names it as the one that seals.
    async fn renew_keys(&self) -> Result<(), StoreError> {
        let _loading = self.loading.lock().await;
        let _lock = self.run(super::Folder::lock_keys).await?;
        let kept = self.loaded().await?;
        let renewed = kept.renewed(&self.keys.place()).map_err(|error| self.sealed(error))?;
        self.keys.save(&renewed).await.map_err(|error| self.sealed(error))?;
        let current = renewed.current().id();
        self.run(move |folder| folder.set_current_key(current)).await?;
        self.remember_keys(renewed);
        Ok(())
    }

    /// Drops the older keys, if the pass that found nothing to do had the keys as they are kept now. Else another rotation
    /// has begun since, and gives `false`.
    async fn drop_older_keys(&self, of_pass: &Arc<KeyRing>) -> Result<bool, StoreError> {
        let dropped = {
            let _loading = self.loading.lock().await;
            let _lock = self.run(super::Folder::lock_keys).await?;
            let kept = self.loaded().await?;
            if kept.current().id() == of_pass.current().id() { Some(self.keep_only_current(kept).await?) } else { None }
        };
        if dropped.is_none() {
            self.load_keys(Some(of_pass)).await?;
        }
        Ok(dropped.is_some())
    }

    async fn keep_only_current(&self, kept: KeyRing) -> Result<(), StoreError> {
        if kept.older().is_empty() {
            return Ok(());
        }
        let only = KeyRing::of(kept.current().clone());
        match self.keys.save(&only).await {
            Ok(()) => {
                self.remember_keys(only);
                Ok(())
            }
            // The caller holds these keys, and drops the old ones when it likes.
            Err(KeyError::Fixed { .. }) => Ok(()),
            Err(error) => Err(self.sealed(error)),
        }
    }

    async fn loaded(&self) -> Result<KeyRing, StoreError> {
        let missing = || KeyError::Missing { place: self.keys.place(), wanted: "in use".to_owned() };
        self.keys.load().await.and_then(|keys| keys.ok_or_else(missing)).map_err(|error| self.sealed(error))
    }
}
