//! How a record is sealed: AES-256-GCM, with its name and version as associated data.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | `smst` |
//! | 1 | format: 1 |
//! | 16 | id of the data key |
//! | 8 | version of the record |
//! | 12 | nonce of the name |
//! | 12 | nonce of the value |
//! | 4 | length of the sealed name |
//! | that | the name, sealed: kind, server, user, id |
//! | rest | the value, sealed |
//!
//! Numbers are big-endian. The value is bound to all before it and to the name in the clear, the name to all before
//! it: no octet can be altered, and no record can be put in the place of another, unnoticed.

use crate::keys::{DataKey, DataKeyId};
use crate::record::{SecretBytes, Version};
use crate::{Key, Kind};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::SecureRandom as _;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"smst";
const FORMAT: u8 = 1;
const TAG: usize = 16;
const HEADER: usize = 4 + 1 + DataKeyId::LENGTH + 8 + 2 * NONCE_LEN + 4;

/// Where a sealed record has the id of its data key and its version, counted from 1 as SQL does.
#[cfg(feature = "postgres")]
pub(crate) const KEY_ID_AT: usize = 6;
#[cfg(feature = "postgres")]
pub(crate) const VERSION_AT: usize = KEY_ID_AT + DataKeyId::LENGTH;

/// Octets that a value may have.
pub(crate) const MAX_VALUE: usize = 16 << 20;
/// Octets that a sealed record may have: the value, and names of any sane length.
#[cfg(feature = "file")]
pub(crate) const MAX_SEALED: u64 = (MAX_VALUE + (1 << 20)) as u64;
/// Octets of a sealed record that have its version.
#[cfg(feature = "file")]
pub(crate) const VERSION_WITHIN: u64 = 4 + 1 + DataKeyId::LENGTH as u64 + 8;

/// Why a record could not be sealed: the random generator or the cipher failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealFailed;

impl SealFailed {
    pub(crate) const REASON: &str = "the record could not be sealed: the random generator gave no octets";
}

/// Why a record cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Cut,
    NotARecord,
    NewerFormat(u8),
    Altered,
    OtherKey(DataKeyId),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cut => f.write_str("it is cut short"),
            Self::NotARecord => f.write_str("it is not a record of this store"),
            Self::NewerFormat(format) => write!(f, "it has format {format}, of a newer version of this program"),
            Self::Altered => f.write_str("it was altered, or belongs elsewhere"),
            Self::OtherKey(id) => write!(f, "it is sealed with the data key {id}, which is not at hand"),
        }
    }
}

/// A version that no write had before: random, so that none comes again after a removal, without anything that would
/// have to outlive the record. That a given old version comes back has a chance of 2^-64 a write.
pub(crate) fn new_version() -> Result<Version, SealFailed> {
    let mut octets = [0; 8];
    ring::rand::SystemRandom::new().fill(&mut octets).map_err(|_| SealFailed)?;
    Ok(Version::from_number(u64::from_be_bytes(octets)))
}

/// A record's name for file systems and tables: a hash, the same for all data keys. It hides nothing from one who can
/// guess the name.
#[cfg(any(feature = "file", test))]
pub(crate) fn public_name(key: &Key) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(b"smart-store record name 1");
    context.update(&name_octets(key));
    let mut name = [0; 32];
    for (to, from) in name.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    name
}

/// Seals a record.
pub(crate) fn seal(with: &DataKey, key: &Key, version: Version, value: &[u8]) -> Result<Vec<u8>, SealFailed> {
    seal_named(with, &name_octets(key), version, value)
}

/// Seals what is no record, under a name that no record can have: its octets are not those of a key.
pub(crate) fn seal_named(with: &DataKey, name: &[u8], version: Version, value: &[u8]) -> Result<Vec<u8>, SealFailed> {
    let mut nonces = [0; 2 * NONCE_LEN];
    ring::rand::SystemRandom::new().fill(&mut nonces).map_err(|_| SealFailed)?;
    let sealed_name_length = u32::try_from(name.len().saturating_add(TAG)).map_err(|_| SealFailed)?;

    let mut record = Vec::with_capacity(HEADER + name.len() + value.len() + 2 * TAG);
    record.extend_from_slice(MAGIC);
    record.push(FORMAT);
    record.extend_from_slice(with.id().as_octets());
    record.extend_from_slice(&version.number().to_be_bytes());
    record.extend_from_slice(&nonces);
    record.extend_from_slice(&sealed_name_length.to_be_bytes());

    let cipher = with.cipher().ok_or(SealFailed)?;
    let (name_nonce, value_nonce) = nonces.split_at(NONCE_LEN);
    let aad = associated(b"name", &record, &[]);
    append_sealed(&cipher, name_nonce, &aad, name, &mut record)?;
    let aad = associated(b"value", &record, name);
    append_sealed(&cipher, value_nonce, &aad, value, &mut record)?;
    Ok(record)
}

fn append_sealed(
    cipher: &ring::aead::LessSafeKey,
    nonce: &[u8],
    aad: &[u8],
    plain: &[u8],
    record: &mut Vec<u8>,
) -> Result<(), SealFailed> {
    let start = record.len();
    record.extend_from_slice(plain);
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealFailed)?;
    let in_place = record.get_mut(start..).ok_or(SealFailed)?;
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(aad), in_place).map_err(|_| SealFailed)?;
    record.extend_from_slice(tag.as_ref());
    Ok(())
}

/// A sealed record, taken apart. Nothing of it is to be believed before it is opened.
pub(crate) struct Sealed<'a> {
    before_name: &'a [u8],
    before_value: &'a [u8],
    key_id: DataKeyId,
    version: Version,
    name_nonce: &'a [u8],
    value_nonce: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Sealed<'a> {
    pub(crate) fn parse(record: &'a [u8]) -> Result<Self, Damage> {
        let sealed = Self::parts(record)?;
        if sealed.value.len() < TAG { Err(Damage::Cut) } else { Ok(sealed) }
    }

    /// A record without its value: enough to open the name.
    #[cfg(feature = "postgres")]
    pub(crate) fn parse_head(head: &'a [u8]) -> Result<Self, Damage> {
        let sealed = Self::parts(head)?;
        if sealed.value.is_empty() { Ok(sealed) } else { Err(Damage::NotARecord) }
    }

    fn parts(record: &'a [u8]) -> Result<Self, Damage> {
        let (magic, rest) = record.split_first_chunk::<4>().ok_or(Damage::Cut)?;
        if magic != MAGIC {
            return Err(Damage::NotARecord);
        }
        let (&format, rest) = rest.split_first().ok_or(Damage::Cut)?;
        if format != FORMAT {
            return Err(Damage::NewerFormat(format));
        }
        let (key_id, rest) = rest.split_first_chunk().ok_or(Damage::Cut)?;
        let (version, rest) = rest.split_first_chunk().ok_or(Damage::Cut)?;
        let (name_nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Damage::Cut)?;
        let (value_nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Damage::Cut)?;
        let (name_length, rest) = rest.split_first_chunk().ok_or(Damage::Cut)?;
        let name_length = usize::try_from(u32::from_be_bytes(*name_length)).map_err(|_| Damage::Cut)?;
        let (name, value) = rest.split_at_checked(name_length).ok_or(Damage::Cut)?;
        if name.len() < TAG {
            return Err(Damage::Cut);
        }
        let before_name = record.get(..HEADER).ok_or(Damage::Cut)?;
        let before_value = record.get(..HEADER.saturating_add(name_length)).ok_or(Damage::Cut)?;
        Ok(Self {
            before_name,
            before_value,
            key_id: DataKeyId::from_octets(*key_id),
            version: Version::from_number(u64::from_be_bytes(*version)),
            name_nonce,
            value_nonce,
            name,
            value,
        })
    }

    /// The data key to open it with.
    pub(crate) fn key_id(&self) -> DataKeyId {
        self.key_id
    }

    /// The version that it says it is. True once it is opened.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The name, opened.
    pub(crate) fn open_name(&self, with: &DataKey) -> Result<Key, Damage> {
        let name = open(with, self.name_nonce, &associated(b"name", self.before_name, &[]), self.name)?;
        name_from(&name).ok_or(Damage::NotARecord)
    }

    /// The value, opened, if the record is the one of `key`.
    pub(crate) fn open_value(&self, with: &DataKey, key: &Key) -> Result<SecretBytes, Damage> {
        self.open_named(with, &name_octets(key))
    }

    /// The value, opened, if it was sealed under this name.
    pub(crate) fn open_named(&self, with: &DataKey, name: &[u8]) -> Result<SecretBytes, Damage> {
        let aad = associated(b"value", self.before_value, name);
        open(with, self.value_nonce, &aad, self.value).map(SecretBytes::from_zeroizing)
    }

    /// The version that the first octets of a record say it is, where they are those of a record at all.
    #[cfg(feature = "file")]
    pub(crate) fn version_at_head(head: &[u8]) -> Option<Version> {
        let (magic, rest) = head.split_first_chunk::<4>()?;
        let (&format, rest) = rest.split_first()?;
        let (_, rest) = rest.split_first_chunk::<{ DataKeyId::LENGTH }>()?;
        let version = rest.first_chunk()?;
        (magic == MAGIC && format == FORMAT).then_some(Version::from_number(u64::from_be_bytes(*version)))
    }

    /// All but the value, and the value.
    #[cfg(feature = "postgres")]
    pub(crate) fn split(&self) -> (&'a [u8], &'a [u8]) {
        (self.before_value, self.value)
    }
}

/// A record's value, opened in the place of its octets, if it is the one of `key`.
#[cfg(feature = "file")]
pub(crate) fn open_in_place(record: Vec<u8>, with: &DataKey, key: &Key) -> Result<SecretBytes, Damage> {
    let mut record = Zeroizing::new(record);
    let sealed = Sealed::parse(&record)?;
    let aad = associated(b"value", sealed.before_value, &name_octets(key));
    let nonce = Nonce::try_assume_unique_for_key(sealed.value_nonce).map_err(|_| Damage::Cut)?;
    let start = sealed.before_value.len();
    let cipher = with.cipher().ok_or(Damage::Altered)?;
    let plain = cipher.open_within(nonce, Aad::from(aad), &mut record, start..).map_err(|_| Damage::Altered)?;
    let length = plain.len();
    record.truncate(length);
    Ok(SecretBytes::from_zeroizing(record))
}

fn open(with: &DataKey, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Damage> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Damage::Cut)?;
    let cipher = with.cipher().ok_or(Damage::Altered)?;
    let plain = cipher.open_in_place(nonce, Aad::from(aad), &mut buffer).map_err(|_| Damage::Altered)?;
    let length = plain.len();
    buffer.truncate(length);
    Ok(buffer)
}

fn associated(purpose: &[u8], before: &[u8], name: &[u8]) -> Vec<u8> {
    [b"smart-store ".as_slice(), purpose, b"\0", before, name].concat()
}

/// The parts of a name with their lengths, so that no two names give the same octets.
pub(crate) fn name_octets(key: &Key) -> Vec<u8> {
    let mut octets = Vec::new();
    for part in [key.kind().as_str(), key.issuer(), key.user(), key.id()] {
        octets.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        octets.extend_from_slice(part.as_bytes());
    }
    octets
}

fn name_from(octets: &[u8]) -> Option<Key> {
    fn part(octets: &[u8]) -> Option<(&str, &[u8])> {
        let (length, rest) = octets.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        Some((std::str::from_utf8(text).ok()?, rest))
    }
    let (kind, rest) = part(octets)?;
    let (issuer, rest) = part(rest)?;
    let (user, rest) = part(rest)?;
    let (id, rest) = part(rest)?;
    rest.is_empty().then(|| Some(Key::new(Kind::from_name(kind)?, issuer, user, id)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data_key() -> DataKey {
        DataKey::from_octets(&[7; 32])
    }

    fn key() -> Key {
        Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1")
    }

    fn sealed() -> Vec<u8> {
        seal(&data_key(), &key(), Version::from_number(42), b"refresh token").unwrap()
    }

    fn open_all(record: &[u8], name: &Key) -> Result<(Version, SecretBytes), Damage> {
        let sealed = Sealed::parse(record)?;
        if sealed.key_id() != data_key().id() {
            return Err(Damage::OtherKey(sealed.key_id()));
        }
        Ok((sealed.version(), sealed.open_value(&data_key(), name)?))
    }

    /// F-79, SE-06 (SMART, App protection): a sealed record opens again, and its name is neither readable nor lost.
    #[test]
    fn sealed_and_opened() {
        let record = sealed();
        let (version, value) = open_all(&record, &key()).unwrap();
        assert_eq!((version.number(), value.expose_secret()), (42, b"refresh token".as_slice()));
        assert_eq!(Sealed::parse(&record).unwrap().open_name(&data_key()).unwrap(), key());
        for secret in ["refresh", "ehr.example", "dr-lee"] {
            assert!(!String::from_utf8_lossy(&record).contains(secret));
        }
    }

    /// F-79, F-84: whichever bit is flipped, whatever is cut off or added, the record does not open.
    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let record = sealed();
        for at in 0..record.len() {
            assert!(open_all(&record[..at], &key()).is_err(), "cut at {at}");
            assert!(open_in_place(record[..at].to_vec(), &data_key(), &key()).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut altered = record.clone();
                altered[at] ^= 1 << bit;
                assert!(open_all(&altered, &key()).is_err(), "bit {bit} of octet {at}");
                // The id of the data key is among what the value is bound to.
                assert!(open_in_place(altered, &data_key(), &key()).is_err(), "bit {bit} of octet {at}");
            }
        }
        assert!(open_all(&[record.as_slice(), b"x"].concat(), &key()).is_err());
    }

    /// F-82, D-15: a record opens only under its own server, client, user, id and kind.
    #[test]
    fn a_record_is_bound_to_its_name() {
        let record = sealed();
        for other in [
            Key::new(Kind::Pending, "https://ehr.example/r4", "dr-lee", "1"),
            Key::new(Kind::Session, "https://evil.example/r4", "dr-lee", "1"),
            Key::new(Kind::Session, "https://ehr.example/r4", "dr-fox", "1"),
            Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "2"),
            Key::new(Kind::Session, "https://ehr.example/r4d", "r-lee", "1"),
        ] {
            assert_eq!(open_all(&record, &other).unwrap_err(), Damage::Altered);
            assert_ne!(public_name(&other), public_name(&key()));
        }
    }

    /// F-79: nonces are fresh for each write, and the two of one write differ.
    #[test]
    fn nonces_are_never_repeated() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..500 {
            let record = sealed();
            let parsed = Sealed::parse(&record).unwrap();
            assert!(seen.insert(parsed.name_nonce.to_vec()));
            assert!(seen.insert(parsed.value_nonce.to_vec()));
        }
    }

    proptest! {
        /// F-84: no octets whatever make the parser panic, or open.
        #[test]
        fn arbitrary_octets_do_not_open(octets in prop::collection::vec(any::<u8>(), 0..200), valid_start: bool) {
            let record = if valid_start { [b"smst\x01".as_slice(), &octets].concat() } else { octets };
            prop_assert!(open_all(&record, &key()).is_err());
        }

        /// F-79: any name and any value come back, whatever characters they have.
        #[test]
        fn any_record_comes_back(
            issuer: String, user: String, id: String, value in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let key = Key::new(Kind::Pending, issuer, user, id);
            let record = seal(&data_key(), &key, Version::from_number(1), &value).unwrap();
            let sealed = Sealed::parse(&record).unwrap();
            prop_assert_eq!(&sealed.open_name(&data_key()).unwrap(), &key);
            let opened = sealed.open_value(&data_key(), &key).unwrap();
            prop_assert_eq!(opened.expose_secret(), value.as_slice());
            prop_assert_eq!(Sealed::version_at_head(&record[..29]), Some(Version::from_number(1)));
            prop_assert_eq!(Sealed::version_at_head(&record[..28]), None);
            let opened = open_in_place(record, &data_key(), &key).unwrap();
            prop_assert_eq!(opened.expose_secret(), value.as_slice());
        }
    }
}
