//! Keys that a passphrase seals.
//!
//! The file is text, one item a line: what it is, the cost (memory in KiB, passes, lanes), the salt, the nonce, the
//! sealed keys, and a checksum of all these. The checksum tells damage from a wrong passphrase: with the right sum, only
//! a wrong passphrase fails to open the seal.

use super::data_key::KEY_LENGTH;
use super::private_file::PrivateFile;
use super::{DataKey, KeyError, KeyRing, KeySource};
use crate::blocking::blocking;
use crate::record::SecretBytes;
use crate::store::BoxFuture;
use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::SecureRandom as _;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

const FIRST_LINE: &str = "smart-store passphrase 1 argon2id";
const SALT: usize = 16;

/// What one guess of a passphrase costs (RFC 9106, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseCost {
    /// 64 MiB, 3 passes, 4 lanes: the second recommended option of RFC 9106, section 4. About a fifth of a second.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 4 };
    /// 19 MiB, 2 passes, 1 lane: for small machines, and the least that is in use.
    pub const SMALL: Self = Self { memory_kib: 19 << 10, passes: 2, lanes: 1 };

    /// A cost between [`SMALL`](Self::SMALL) and 4 GiB, 64 passes, 64 lanes. `None`: it is outside, and a file with it is
    /// not read either, so that an altered one can neither weaken the seal nor eat the memory.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let least = Self::SMALL;
        let within = (least.memory_kib..=4 << 20).contains(&memory_kib)
            && (least.passes..=64).contains(&passes)
            && (least.lanes..=64).contains(&lanes);
        within.then_some(Self { memory_kib, passes, lanes })
    }
}

impl Default for PassphraseCost {
    fn default() -> Self {
        Self::RECOMMENDED
    }
}

/// Data keys sealed by a passphrase (Argon2id), in a file that may lie beside the records.
///
/// The passphrase seals the data keys, not the records: changing it is quick, and rotating the data keys does not need
/// a new one. A wrong passphrase is [told apart](KeyError::WrongPassphrase) from a damaged file.
pub struct Passphrase {
    file: PrivateFile,
    words: Arc<Zeroizing<String>>,
    cost: PassphraseCost,
}

impl Passphrase {
    /// The keys in `folder`, which is commonly the store's own, sealed by `passphrase`.
    pub fn new(folder: impl Into<PathBuf>, passphrase: impl Into<String>) -> Self {
        Self {
            file: PrivateFile::new(folder.into().join("passphrase.keys")),
            words: Arc::new(Zeroizing::new(passphrase.into())),
            cost: PassphraseCost::default(),
        }
    }

    /// The same with another cost for what is sealed from now on. What is sealed keeps its own.
    pub fn with_cost(self, cost: PassphraseCost) -> Self {
        Self { cost, ..self }
    }

    /// Seals the keys with another passphrase. The old one is of no use afterwards, except with an old copy of the file.
    ///
    /// A store that is open with the old one goes on reading and writing; it cannot rotate its data key any more, and is to
    /// be opened anew for that.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`] and others when the keys cannot be opened with the present one;
    /// [`KeyError::Unavailable`] when they cannot be written: the old passphrase still holds.
    pub async fn change(&mut self, passphrase: impl Into<String>) -> Result<(), KeyError> {
        let words = Arc::new(Zeroizing::new(passphrase.into()));
        // Nobody rotates between the two: the new data key would be lost.
        let lock = self.file.lock().await?;
        if let Some(keys) = self.load().await? {
            self.write(&keys, words.clone()).await?;
        }
        drop(lock);
        self.words = words;
        Ok(())
    }

    async fn write(&self, keys: &KeyRing, words: Arc<Zeroizing<String>>) -> Result<(), KeyError> {
        let (place, cost, keys) = (self.place(), self.cost, keys.secret_text());
        let file = blocking(move || seal(&keys, &words, cost, &place))
            .await
            .unwrap_or_else(|stopped| Err(self.file.stopped(stopped)))?;
        self.file.write(SecretBytes::new(file.into_bytes())).await
    }
}

impl KeySource for Passphrase {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async {
            let Some(file) = self.file.read(false).await? else { return Ok(None) };
            let (place, passphrase) = (self.place(), self.words.clone());
            blocking(move || open(&file, &passphrase, &place).map(Some))
                .await
                .unwrap_or_else(|stopped| Err(self.file.stopped(stopped)))
        })
    }

    /// What is there must still open with this passphrase: one that has been changed meanwhile is not changed back.
    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(async {
            let _lock = self.file.lock().await?;
            self.load().await?;
            self.write(keys, self.words.clone()).await
        })
    }

    fn place(&self) -> String {
        self.file.place()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passphrase").field("file", &self.file).field("cost", &self.cost).finish_non_exhaustive()
    }
}

fn seal(keys: &str, passphrase: &str, cost: PassphraseCost, place: &str) -> Result<String, KeyError> {
    let failed = |reason: &str| unavailable(place, reason);
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE_LEN]);
    let random = ring::rand::SystemRandom::new();
    random.fill(&mut salt).and_then(|()| random.fill(&mut nonce)).map_err(|_| failed("no random octets"))?;

    let PassphraseCost { memory_kib, passes, lanes } = cost;
    let head = format!("{FIRST_LINE}\n{memory_kib} {passes} {lanes}\n{}\n", crate::hex::encode(&salt));
    let cipher = stretch(passphrase, &salt, cost, place)?.cipher().ok_or_else(|| failed("the cipher failed"))?;
    let mut sealed = Zeroizing::new(Vec::with_capacity(keys.len().saturating_add(64)));
    sealed.extend_from_slice(keys.as_bytes());
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(head.as_bytes()), &mut *sealed)
        .map_err(|_| failed("the cipher failed"))?;
    let body = format!("{head}{}\n{}\n", crate::hex::encode(&nonce), crate::hex::encode(&sealed));
    let sum = checksum(&body);
    Ok(format!("{body}{sum}\n"))
}

fn open(file: &[u8], passphrase: &str, place: &str) -> Result<KeyRing, KeyError> {
    let damaged = |reason: &str| KeyError::Damaged { place: place.to_owned(), reason: reason.to_owned() };
    let text = std::str::from_utf8(file).map_err(|_| damaged("it is not text"))?;
    let text = text.strip_suffix('\n').ok_or_else(|| damaged("its end is missing"))?;
    let (body, sum) = text.rsplit_once('\n').ok_or_else(|| damaged("its end is missing"))?;
    // The line end belongs to the part that is summed.
    let body = text.get(..=body.len()).ok_or_else(|| damaged("its end is missing"))?;
    if checksum(body) != sum {
        return Err(damaged("it was altered or cut short"));
    }
    let lines: Vec<&str> = body.lines().collect();
    let [FIRST_LINE, cost, salt, nonce, sealed] = *lines.as_slice() else {
        return Err(damaged("it is not a key file of this version"));
    };
    let cost = parse_cost(cost).ok_or_else(|| damaged("its cost is out of bounds"))?;
    let salt: [u8; SALT] = crate::hex::decode(salt).ok_or_else(|| damaged("its salt is incomplete"))?;
    let nonce: [u8; NONCE_LEN] = crate::hex::decode(nonce).ok_or_else(|| damaged("its nonce is incomplete"))?;
    let sealed = crate::hex::decode_all(sealed).ok_or_else(|| damaged("its keys are incomplete"))?;
    let mut sealed = Zeroizing::new(sealed);
    let head = body.match_indices('\n').nth(2).and_then(|(end, _)| body.get(..=end)).unwrap_or_default();

    let cipher =
        stretch(passphrase, &salt, cost, place)?.cipher().ok_or_else(|| unavailable(place, "the cipher failed"))?;
    let keys = cipher
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(head.as_bytes()), &mut sealed)
        .map_err(|_| KeyError::WrongPassphrase { place: place.to_owned() })?;
    KeyRing::from_secret_text(keys, place)
}

fn parse_cost(line: &str) -> Option<PassphraseCost> {
    let mut numbers = line.split(' ').map(str::parse::<u32>);
    let cost = PassphraseCost::new(numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?)?;
    numbers.next().is_none().then_some(cost)
}

/// The key that seals the data keys.
fn stretch(passphrase: &str, salt: &[u8], cost: PassphraseCost, place: &str) -> Result<DataKey, KeyError> {
    let failed = |error: argon2::Error| unavailable(place, &error.to_string());
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LENGTH)).map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(failed)?;
    Ok(DataKey::from_octets(&key))
}

fn checksum(body: &str) -> String {
    crate::hex::encode(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()).as_ref())
}

fn unavailable(place: &str, reason: &str) -> KeyError {
    KeyError::Unavailable { place: place.to_owned(), reason: reason.to_owned(), retryable: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (KeyRing, String) {
        let keys = KeyRing::of(DataKey::generate().unwrap());
        let file = seal(&keys.secret_text(), "correct horse", PassphraseCost::SMALL, "test").unwrap();
        (keys, file)
    }

    /// F-79: the right passphrase opens the keys, a wrong one is told apart, and an empty one is just another.
    #[test]
    fn a_wrong_passphrase_is_told_apart() {
        let (keys, file) = sealed();
        let opened = open(file.as_bytes(), "correct horse", "test").unwrap();
        assert_eq!(opened.current().id(), keys.current().id());
        for wrong in ["correct horse ", "Correct horse", ""] {
            let error = open(file.as_bytes(), wrong, "test").unwrap_err();
            assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
        }
    }

    /// F-84: damage anywhere in the sealed keys is never taken for a wrong passphrase.
    #[test]
    fn damage_is_not_a_wrong_passphrase() {
        let (_, file) = sealed();
        for at in 0..file.len() {
            let mut altered = file.clone().into_bytes();
            altered[at] ^= 1;
            for bad in [altered.as_slice(), &file.as_bytes()[..at]] {
                let error = open(bad, "correct horse", "test").unwrap_err();
                assert!(matches!(error, KeyError::Damaged { .. }), "octet {at}: {error}");
            }
        }
    }

    /// F-79 (RFC 9106, section 4): a file cannot ask for a cost that is too weak or that eats the memory.
    #[test]
    fn costs_out_of_bounds_are_refused() {
        let (_, file) = sealed();
        for cost in ["8 1 1", "4294967295 2 1", "19456 2 4294967295", "19456 2", "19456 2 1 1", "-1 2 1"] {
            let body = file.replace("19456 2 1", cost);
            let body = &body[..=body.trim_end().rfind('\n').unwrap()];
            let error = open(format!("{body}{}\n", checksum(body)).as_bytes(), "correct horse", "test").unwrap_err();
            assert!(matches!(error, KeyError::Damaged { .. }), "{cost}: {error}");
        }
        assert!(PassphraseCost::new(64 << 10, 3, 4) == Some(PassphraseCost::RECOMMENDED));
        assert!(PassphraseCost::new(19 << 10, 2, 1) == Some(PassphraseCost::SMALL));
    }
}
