//! The keys of a client that signs, over time: the next one is published before it signs, the last one after.

use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::jwks::Jwks;
use crate::signer::Signer;
use smart_core::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How long verifiers may go on with the set that they fetched: the default of [`KeySet::with_overlap`].
const DEFAULT_OVERLAP: Duration = Duration::from_hours(24);

/// Keys in rotation (SMART, client authentication, JWK set): what is [`published`](Self::published) always holds the key
/// that signs, the one that will, and those that did a short while ago.
///
/// 1. [`publish_next`](Self::publish_next) puts the successor into the set.
/// 2. After the overlap, when every verifier has fetched it, [`rotate`](Self::rotate) lets it sign.
/// 3. After another overlap, `rotate` or [`forget_retired`](Self::forget_retired) drops the old one.
///
/// ```
/// use smart_core::time::Timestamp;
/// use smart_jwt::{KeyKind, KeySet, SigningKey};
/// use std::time::Duration;
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut keys = KeySet::new(SigningKey::generate(KeyKind::EcP384)?.with_kid("2026-11")?)?;
/// keys.publish_next(SigningKey::generate(KeyKind::EcP384)?.with_kid("2026-12")?, now)?;
///
/// // What the web server answers at the registered URL:
/// let document = keys.document()?;
/// assert!(document.body().contains("2026-12"));
/// assert!(document.headers().contains(&("content-type", "application/json".to_owned())));
///
/// // A day later every verifier has fetched the new key.
/// keys.rotate(now.saturating_add(Duration::from_hours(24)))?;
/// assert_eq!(keys.current().key_id(), "2026-12");
/// # Ok::<(), smart_jwt::KeyError>(())
/// ```
///
/// A program that starts anew rebuilds the set from what it kept: [`new`](Self::new) with the key that signed,
/// [`publish_next`](Self::publish_next) with the time of then, [`restore_retired`](Self::restore_retired).
pub struct KeySet {
    current: Arc<dyn Signer>,
    next: Option<(Arc<dyn Signer>, Timestamp)>,
    retired: Vec<(Jwk, Timestamp)>,
    overlap: Duration,
}

impl KeySet {
    /// A set of one key.
    ///
    /// # Errors
    /// [`KeyError::Member`] when the public key's `kid` is not the signer's key id.
    pub fn new(current: impl Signer + 'static) -> Result<Self, KeyError> {
        named(&current)?;
        Ok(Self { current: Arc::new(current), next: None, retired: Vec::new(), overlap: DEFAULT_OVERLAP })
    }

    /// How long two keys overlap: at least the time that verifiers cache the set. Default: 24 hours.
    pub fn with_overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// How long two keys overlap.
    pub fn overlap(&self) -> Duration {
        self.overlap
    }

    /// Publishes the successor, in place of one published before that did not sign yet.
    ///
    /// # Errors
    /// [`KeyError::DuplicateId`] when a key of the set has its id: a verifier fails when two keys match.
    pub fn publish_next(&mut self, next: impl Signer + 'static, now: Timestamp) -> Result<(), KeyError> {
        named(&next)?;
        let kid = next.key_id();
        if self.current.key_id() == kid || self.retired.iter().any(|(key, _)| key.kid() == Some(kid)) {
            return Err(KeyError::DuplicateId { kid: kid.to_owned() });
        }
        self.next = Some((Arc::new(next), now));
        Ok(())
    }

    /// The key that signs now.
    pub fn current(&self) -> &Arc<dyn Signer> {
        &self.current
    }

    /// The key that will sign.
    pub fn next(&self) -> Option<&Arc<dyn Signer>> {
        self.next.as_ref().map(|(key, _)| key)
    }

    /// The keys that signed, with the time since when they do not. They are public keys, so they can be kept anywhere.
    pub fn retired(&self) -> impl Iterator<Item = (&Jwk, Timestamp)> {
        self.retired.iter().map(|(key, since)| (key, *since))
    }

    /// Publishes a key that signed before this program started.
    ///
    /// # Errors
    /// [`KeyError::Member`] for a key without an id, [`KeyError::DuplicateId`] when a key of the set has its id.
    pub fn restore_retired(&mut self, key: Jwk, since: Timestamp) -> Result<(), KeyError> {
        let kid = key.kid().ok_or(KeyError::Member { member: "kid" })?;
        if self.published()?.keys().iter().any(|other| other.kid() == Some(kid)) {
            return Err(KeyError::DuplicateId { kid: kid.to_owned() });
        }
        self.retired.push((key, since));
        Ok(())
    }

    /// The set to publish: next, current and retired keys.
    ///
    /// # Errors
    /// [`KeyError::DuplicateId`]: not for sets that were built by these methods.
    pub fn published(&self) -> Result<Jwks, KeyError> {
        let signing = std::iter::once(&self.current).chain(self.next()).map(|key| key.public_jwk().clone());
        Jwks::from_keys(signing.chain(self.retired.iter().map(|(key, _)| key.clone())).collect())
    }

    /// Lets the next key sign and keeps the current one published; drops keys that retired longer ago than the overlap.
    ///
    /// # Errors
    /// [`KeyError::NoNextKey`]; [`KeyError::NextKeyTooNew`] when the next key was published for less than the overlap.
    /// The set is unchanged then.
    pub fn rotate(&mut self, now: Timestamp) -> Result<(), KeyError> {
        let ready_at = match &self.next {
            Some((_, published)) => published.saturating_add(self.overlap),
            None => return Err(KeyError::NoNextKey),
        };
        if now < ready_at {
            return Err(KeyError::NextKeyTooNew { ready_at: ready_at.as_unix_seconds() });
        }
        self.forget_retired(now);
        let old = self.switch()?;
        self.retired.push((old, now));
        Ok(())
    }

    /// Lets the next key sign at once and stops publishing the current one: for a key that leaked. Verifiers that have
    /// not fetched the next key refuse it until they do.
    ///
    /// # Errors
    /// [`KeyError::NoNextKey`].
    pub fn replace_compromised(&mut self) -> Result<(), KeyError> {
        self.switch().map(drop)
    }

    /// Drops the keys that retired longer ago than the overlap.
    pub fn forget_retired(&mut self, now: Timestamp) {
        let overlap = self.overlap;
        self.retired.retain(|(_, since)| now < since.saturating_add(overlap));
    }

    fn switch(&mut self) -> Result<Jwk, KeyError> {
        let (next, _) = self.next.take().ok_or(KeyError::NoNextKey)?;
        Ok(std::mem::replace(&mut self.current, next).public_jwk().clone())
    }
}

fn named(signer: &dyn Signer) -> Result<(), KeyError> {
    if signer.public_jwk().kid() == Some(signer.key_id()) { Ok(()) } else { Err(KeyError::Member { member: "kid" }) }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet")
            .field("current", &self.current.key_id())
            .field("next", &self.next().map(Signer::key_id))
            .field("retired", &self.retired.len())
            .finish_non_exhaustive()
    }
}
