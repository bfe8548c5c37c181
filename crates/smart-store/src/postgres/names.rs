//! What rows are called: keyed hashes, so that who reads the tables cannot even guess whose they are.
//!
//! The key of the names is random and stays for the store's life, so that names do not change when data keys do. It lies
//! in the database, sealed with the current data key.

use crate::key::Key;
use crate::keys::{DataKey, KeyRing};
use crate::record::Version;
use crate::seal::{self, Damage, SealFailed, Sealed};
use ring::hmac;
use ring::rand::SecureRandom as _;
use zeroize::Zeroizing;

/// No record can have this name: that begins with the length of a kind.
const NAME_OF_THE_KEY: &[u8] = b"smart-store key of names 1";
/// Octets of the hash of an issuer or user.
const GROUP: usize = 16;

/// A record's row and what it is found by.
#[derive(Clone, Copy)]
pub(super) struct RowName {
    /// Of the whole key.
    pub(super) name: [u8; 32],
    /// Of the server.
    pub(super) issuer: [u8; GROUP],
    /// Of the user.
    pub(super) owner: [u8; GROUP],
}

impl RowName {
    /// Which lock between tasks guards it.
    pub(super) fn stripe(&self) -> usize {
        self.name.first().copied().map_or(0, usize::from)
    }
}

/// The key of the names.
pub(super) struct NameKey {
    octets: Zeroizing<[u8; 32]>,
    mac: hmac::Key,
}

impl NameKey {
    pub(super) fn generate() -> Result<Self, SealFailed> {
        let mut octets = Zeroizing::new([0; 32]);
        ring::rand::SystemRandom::new().fill(octets.as_mut_slice()).map_err(|_| SealFailed)?;
        Ok(Self::of(octets))
    }

    fn of(octets: Zeroizing<[u8; 32]>) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, octets.as_slice());
        Self { octets, mac }
    }

    /// Tells the key of this store's names from that of tables that were made anew. It tells nothing about the key.
    pub(super) fn id(&self) -> [u8; GROUP] {
        self.hash(b"id", &[])
    }

    pub(super) fn of_key(&self, key: &Key) -> RowName {
        RowName {
            name: self.hash(b"name", &seal::name_octets(key)),
            issuer: self.of_issuer(key.issuer()),
            owner: self.of_user(key.user()),
        }
    }

    pub(super) fn of_issuer(&self, issuer: &str) -> [u8; GROUP] {
        self.hash(b"issuer", issuer.as_bytes())
    }

    pub(super) fn of_user(&self, user: &str) -> [u8; GROUP] {
        self.hash(b"user", user.as_bytes())
    }

    fn hash<const N: usize>(&self, purpose: &[u8], octets: &[u8]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(purpose);
        context.update(b"\0");
        context.update(octets);
        let mut hash = [0; N];
        for (to, from) in hash.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        hash
    }

    pub(super) fn seal(&self, with: &DataKey) -> Result<Vec<u8>, SealFailed> {
        seal::seal_named(with, NAME_OF_THE_KEY, Version::from_number(1), self.octets.as_slice())
    }

    pub(super) fn open(sealed: &[u8], keys: &KeyRing) -> Result<Self, Damage> {
        let sealed = Sealed::parse(sealed)?;
        let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
        let octets = sealed.open_named(with, NAME_OF_THE_KEY)?;
        let octets = octets.expose_secret().try_into().map_err(|_| Damage::NotARecord)?;
        Ok(Self::of(Zeroizing::new(octets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    /// F-79, F-82: the key of the names comes back from its seal, and neither a record nor another store's seal is one.
    #[test]
    fn the_key_of_the_names_is_sealed() {
        let keys = KeyRing::of(DataKey::from_octets(&[7; 32]));
        let names = NameKey::generate().unwrap();
        let sealed = names.seal(keys.current()).unwrap();
        assert!(!sealed.windows(32).any(|window| window == names.octets.as_slice()));
        assert_eq!(NameKey::open(&sealed, &keys).unwrap().id(), names.id());
        let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1");
        let record = seal::seal(keys.current(), &key, Version::from_number(1), &[9; 32]).unwrap();
        assert!(NameKey::open(&record, &keys).is_err());
        let other = KeyRing::of(DataKey::from_octets(&[8; 32]));
        assert!(matches!(NameKey::open(&sealed, &other), Err(Damage::OtherKey(_))));
    }

    /// F-82, D-15: names differ in each part of a key, by store, and a user's hash is not that of a server of this name.
    #[test]
    fn names_do_not_collide() {
        let (names, others) = (NameKey::generate().unwrap(), NameKey::generate().unwrap());
        let key = |issuer: &str, user: &str, id: &str| Key::new(Kind::Session, issuer, user, id);
        let all = [key("a", "b", "c"), key("ab", "", "c"), key("a", "c", "b"), Key::new(Kind::Pending, "a", "b", "c")];
        let hashes: std::collections::BTreeSet<_> =
            all.iter().flat_map(|key| [names.of_key(key).name, others.of_key(key).name]).collect();
        assert_eq!(hashes.len(), 8);
        assert_ne!(names.of_issuer("a"), names.of_user("a"));
    }
}
