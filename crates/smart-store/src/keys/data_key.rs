//! The key that seals records.

use super::KeyError;
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::rand::SecureRandom as _;
use zeroize::Zeroizing;

/// Octets of a data key: AES-256.
pub(crate) const KEY_LENGTH: usize = 32;

/// A data key: 256 random bits for AES-256-GCM. Overwritten on drop; it has no `Debug`, so that it cannot be logged.
///
/// One key may seal 2^32 times (NIST SP 800-38D, section 8.3, random nonces); a write seals twice. At ten writes a
/// second that is nearly seven years: rotate sooner.
#[derive(Clone)]
pub struct DataKey {
    octets: Zeroizing<[u8; KEY_LENGTH]>,
    id: DataKeyId,
}

impl DataKey {
    /// A new key from the platform's generator.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the generator fails.
    pub fn generate() -> Result<Self, KeyError> {
        let mut octets = Zeroizing::new([0; KEY_LENGTH]);
        ring::rand::SystemRandom::new().fill(octets.as_mut_slice()).map_err(|_| KeyError::Unavailable {
            place: "the system's random generator".to_owned(),
            reason: "it gave no octets".to_owned(),
            retryable: true,
        })?;
        Ok(Self::from_octets(&octets))
    }

    /// The key of these octets. They must be random: a passphrase goes through [`Passphrase`](crate::Passphrase).
    pub fn from_octets(octets: &[u8; KEY_LENGTH]) -> Self {
        Self { octets: Zeroizing::new(*octets), id: DataKeyId::of(octets) }
    }

    /// The octets themselves.
    pub fn expose_secret(&self) -> &[u8; KEY_LENGTH] {
        &self.octets
    }

    /// The key's name. It is derived from the key, and tells nothing about it.
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// The cipher. Made anew for each use: the expanded key that it holds is not overwritten on drop, so it is better
    /// not kept. `None` cannot come: the length is right.
    pub(crate) fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.octets.as_slice()).ok().map(LessSafeKey::new)
    }
}

/// The name of a [`DataKey`]: 128 bits, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DataKeyId([u8; Self::LENGTH]);

impl DataKeyId {
    pub(crate) const LENGTH: usize = 16;
    pub(crate) const CHECKED_LENGTH: usize = Self::LENGTH + 8;

    pub(crate) fn from_octets(octets: [u8; Self::LENGTH]) -> Self {
        Self(octets)
    }

    pub(crate) fn as_octets(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The name with a checksum, for where a store says which key seals: an altered name must not pass for that of
    /// another key, which nobody has.
    pub(crate) fn to_checked(self) -> [u8; Self::CHECKED_LENGTH] {
        let sum = ring::digest::digest(&ring::digest::SHA256, &self.0);
        let mut checked = [0; Self::CHECKED_LENGTH];
        for (to, from) in checked.iter_mut().zip(self.0.iter().chain(sum.as_ref())) {
            *to = *from;
        }
        checked
    }

    /// What [`to_checked`](Self::to_checked) gave, if it is unaltered.
    pub(crate) fn from_checked(checked: &[u8]) -> Option<Self> {
        let id = Self(*checked.first_chunk()?);
        (id.to_checked() == checked).then_some(id)
    }

    /// A MAC of a constant: only who has the key can tell that the name is its.
    fn of(octets: &[u8; KEY_LENGTH]) -> Self {
        let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, octets), b"smart-store data key id");
        let mut id = [0; Self::LENGTH];
        for (to, from) in id.iter_mut().zip(mac.as_ref()) {
            *to = *from;
        }
        Self(id)
    }
}

impl std::fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}

impl std::fmt::Debug for DataKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKeyId({self})")
    }
}
