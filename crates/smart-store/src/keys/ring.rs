//! The keys of a store: one that seals, and those that still open.

use super::{DataKey, DataKeyId, KeyError};
use crate::record::SecretBytes;
use zeroize::Zeroizing;

const FIRST_LINE: &str = "smart-store keys 1";
/// Tells a whole text from one that was cut between two lines.
const LAST_LINE: &str = "end";

/// The current data key, and older ones that some records may still be sealed with.
#[derive(Clone)]
pub struct KeyRing {
    current: DataKey,
    older: Vec<DataKey>,
}

impl KeyRing {
    /// Older keys that a ring holds at most. A finished rotation leaves none.
    pub const MAX_OLDER: usize = 8;

    /// A ring of one key.
    pub fn of(current: DataKey) -> Self {
        Self { current, older: Vec::new() }
    }

    /// The same ring with more keys that open.
    pub fn with_older(mut self, keys: impl IntoIterator<Item = DataKey>) -> Self {
        for key in keys {
            if !self.contains(key.id()) {
                self.older.push(key);
            }
        }
        self
    }

    /// The key that seals.
    pub fn current(&self) -> &DataKey {
        &self.current
    }

    /// The keys that only open.
    pub fn older(&self) -> &[DataKey] {
        &self.older
    }

    /// The key of this name.
    pub fn find(&self, id: DataKeyId) -> Option<&DataKey> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id() == id)
    }

    /// Whether the key of this name is here.
    pub fn contains(&self, id: DataKeyId) -> bool {
        self.find(id).is_some()
    }

    /// A new key in front of all those of this ring.
    pub(crate) fn renewed(&self, place: &str) -> Result<Self, KeyError> {
        if self.older.len() >= Self::MAX_OLDER {
            return Err(KeyError::TooManyKeys { place: place.to_owned(), count: self.older.len() });
        }
        let older = std::iter::once(&self.current).chain(&self.older).cloned();
        Ok(Self::of(DataKey::generate()?).with_older(older))
    }

    /// The ring as text, for a source that keeps it somewhere safe. It is secret, and shorter than 1,000 octets with
    /// [all the keys it may hold](Self::MAX_OLDER): credential stores take no more than 2,560 on some platforms.
    pub fn to_secret_text(&self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut *self.secret_text()).into_bytes())
    }

    pub(crate) fn secret_text(&self) -> Zeroizing<String> {
        // Full size from the start: growing would leave copies behind that are not overwritten.
        let mut text = Zeroizing::new(String::with_capacity(1_024));
        text.push_str(FIRST_LINE);
        for key in std::iter::once(&self.current).chain(&self.older) {
            text.push('\n');
            text.push_str(&key.id().to_string());
            text.push(' ');
            text.push_str(&Zeroizing::new(crate::hex::encode(key.expose_secret())));
        }
        text.push('\n');
        text.push_str(LAST_LINE);
        text
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote. `place` is named in the error.
    ///
    /// # Errors
    /// [`KeyError::Damaged`]. The text is not in it.
    pub fn from_secret_text(text: &[u8], place: &str) -> Result<Self, KeyError> {
        let damaged = |reason: &str| KeyError::Damaged { place: place.to_owned(), reason: reason.to_owned() };
        let text = std::str::from_utf8(text).map_err(|_| damaged("it is not text"))?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(damaged("it does not begin as a key file of this version does"));
        }
        if lines.next_back() != Some(LAST_LINE) {
            return Err(damaged("its end is missing"));
        }
        let mut keys = lines.map(|line| {
            let (id, key) = line.split_once(' ').ok_or_else(|| damaged("a line is incomplete"))?;
            let key = crate::hex::decode(key).map(Zeroizing::new).ok_or_else(|| damaged("a key is incomplete"))?;
            let key = DataKey::from_octets(&key);
            if crate::hex::decode(id).map(DataKeyId::from_octets) == Some(key.id()) {
                Ok(key)
            } else {
                Err(damaged("a key was altered"))
            }
        });
        let current = keys.next().ok_or_else(|| damaged("it has no key"))??;
        let older = keys.collect::<Result<Vec<_>, _>>()?;
        if older.len() > Self::MAX_OLDER {
            return Err(damaged("it has too many keys"));
        }
        Ok(Self::of(current).with_older(older))
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let older: Vec<_> = self.older.iter().map(DataKey::id).collect();
        f.debug_struct("KeyRing").field("current", &self.current.id()).field("older", &older).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> KeyRing {
        let mut ring = KeyRing::of(DataKey::generate().unwrap());
        for _ in 0..KeyRing::MAX_OLDER {
            ring = ring.renewed("test").unwrap();
        }
        ring
    }

    /// F-83: the fullest ring fits into the smallest credential store, that of Windows with 2,560 octets of UTF-16.
    #[test]
    fn a_full_ring_fits_every_credential_store() {
        let ring = full();
        assert!(matches!(ring.renewed("test"), Err(KeyError::TooManyKeys { .. })));
        let text = ring.secret_text();
        assert!(text.len() < 1_000, "{}", text.len());
        let back = KeyRing::from_secret_text(text.as_bytes(), "test").unwrap();
        assert_eq!(format!("{back:?}"), format!("{ring:?}"));
        assert!(back.current().expose_secret() == ring.current().expose_secret());
    }

    /// F-84: one altered octet anywhere in the keys is noticed, and a cut at any place too.
    #[test]
    fn altered_keys_are_noticed() {
        let text = full().secret_text();
        for at in 0..text.len() {
            let mut altered = text.as_bytes().to_vec();
            altered[at] ^= 1;
            for bad in [altered.as_slice(), &text.as_bytes()[..at]] {
                let read = KeyRing::from_secret_text(bad, "test");
                assert!(matches!(read, Err(KeyError::Damaged { .. })), "octet {at}");
            }
        }
    }

    /// SE-05, F-85: a ring shows the names of its keys in Debug, never a key.
    #[test]
    fn debug_shows_no_key() {
        let ring = full();
        let shown = format!("{ring:?}");
        assert!(shown.contains(&ring.current().id().to_string()));
        assert!(!shown.contains(&crate::hex::encode(ring.current().expose_secret())));
    }
}
