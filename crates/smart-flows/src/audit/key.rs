//! The key of an audit trail, and the hashes made with and without one.

use super::error::AuditError;
use ring::{digest as sha, hmac};
use smart_core::random::SecureRandom;
use std::path::Path;
use zeroize::Zeroizing;

/// The shortest key, in octets: as long as the hash (RFC 2104, section 3).
const SHORTEST: usize = 32;
/// The longest file that is read as a key.
const LONGEST_FILE: u64 = 4096;

/// A secret key for HMAC-SHA-256: who does not have it cannot write lines that fit a chain, nor guess users by their
/// names.
///
/// Keep it where who can write the audit file cannot read it: on the machine that verifies, and in the app's process.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// A key of at least 32 octets.
    ///
    /// # Errors
    /// [`AuditError::Key`] when it is shorter.
    pub fn from_octets(octets: &[u8]) -> Result<Self, AuditError> {
        if octets.len() < SHORTEST {
            return Err(AuditError::Key { place: String::new(), reason: "it has less than 32 octets" });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, octets)))
    }

    /// A key as hexadecimal digits, at least 64 of them; white space around them is passed over.
    ///
    /// # Errors
    /// [`AuditError::Key`] when it is something else.
    pub fn from_hex(text: &str) -> Result<Self, AuditError> {
        let wrong = || AuditError::Key { place: String::new(), reason: "it is not a row of hexadecimal digits" };
        let octets = Zeroizing::new(super::hex::decode_all(text.trim()).ok_or_else(wrong)?);
        Self::from_octets(&octets)
    }

    /// A fresh key, in a new file of the owner's alone: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`AuditError::Io`] when there is such a file already, or it cannot be written; [`AuditError::Key`] when no randomness
    /// can be had.
    pub fn create_file(path: impl AsRef<Path>, random: &dyn SecureRandom) -> Result<Self, AuditError> {
        use std::io::Write as _;
        let path = path.as_ref();
        let mut octets = Zeroizing::new([0_u8; SHORTEST]);
        random.fill(octets.as_mut_slice()).map_err(|_| AuditError::Key {
            place: path.display().to_string(),
            reason: "the random source gave no octets for it",
        })?;
        let digits = Zeroizing::new(super::hex::encode(octets.as_slice()));
        let written = super::jsonl::private(std::fs::OpenOptions::new().write(true).create_new(true))
            .open(path)
            .and_then(|mut file| file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|error| AuditError::io(path, "the key cannot be written", &error))?;
        Self::from_octets(octets.as_slice())
    }

    /// The key in a file: hexadecimal digits, as `openssl rand -hex 32` makes them. On Unix the file has to be the
    /// owner's alone.
    ///
    /// # Errors
    /// [`AuditError::Key`] when others may read the file or it holds no key; [`AuditError::Io`].
    pub fn read_file(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        use std::io::Read as _;
        let path = path.as_ref();
        let place = || path.display().to_string();
        let io = |error: std::io::Error| AuditError::io(path, "the key cannot be read", &error);
        let file = std::fs::File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if readable_by_others(&about) {
            return Err(AuditError::Key {
                place: place(),
                reason: "others may read it; take their rights (chmod 600)",
            });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST_FILE).read_to_string(&mut text).map_err(io)?;
        Self::from_hex(&text).map_err(|error| match error {
            AuditError::Key { reason, .. } => AuditError::Key { place: place(), reason },
            other => other,
        })
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        array(context.sign().as_ref())
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(***)")
    }
}

/// The SHA-256 of the parts, one after the other.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Digest::new();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

/// A SHA-256 in the making.
#[derive(Clone)]
pub(crate) struct Digest(sha::Context);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(sha::Context::new(&sha::SHA256))
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        array(self.0.finish().as_ref())
    }
}

fn array(octets: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    array
}

#[cfg(unix)]
fn readable_by_others(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-94 (RFC 4231, 4.7): the keyed hash is HMAC-SHA-256, the other SHA-256.
    #[test]
    fn hashes_are_those_of_the_standards() {
        // RFC 4231, test case 6: a key longer than a block.
        let key = AuditKey::from_octets(&[0xaa; 131]).unwrap();
        assert_eq!(
            crate::audit::hex::encode(&key.sign(&[b"Test Using Larger Than Block-Size Key ", b"- Hash Key First"])),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
        assert_eq!(
            crate::audit::hex::encode(&digest(&[b"a", b"bc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    /// F-94: a key that is too short, or is no key, is refused, and no key shows itself.
    #[test]
    fn only_keys_are_keys() {
        assert!(AuditKey::from_octets(&[1; 31]).is_err());
        let digits = "0f".repeat(32);
        assert_eq!(format!("{:?}", AuditKey::from_hex(&format!(" {digits}\n")).unwrap()), "AuditKey(***)");
        for wrong in ["", "0f", &"0g".repeat(32), &digits[1..]] {
            let error = AuditKey::from_hex(wrong).unwrap_err();
            assert!(matches!(error, AuditError::Key { .. }), "{wrong}");
        }
    }

    /// F-94: a key that is made is in a private file, and a file of it is read only where it is private.
    #[cfg(unix)]
    #[test]
    fn a_key_file_has_to_be_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let key = AuditKey::create_file(&path, &crate::SystemRandom::new()).unwrap();
        let digits = std::fs::read_to_string(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(AuditKey::read_file(&path).unwrap().sign(&[b"x"]), key.sign(&[b"x"]));
        assert_eq!(AuditKey::from_hex(&digits).unwrap().sign(&[b"x"]), key.sign(&[b"x"]));

        // Nobody's key is written over.
        assert!(AuditKey::create_file(&path, &crate::SystemRandom::new()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), digits);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = AuditKey::read_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600") && !error.to_string().contains(&digits), "{error}");
        assert!(matches!(AuditKey::read_file(folder.path().join("none")), Err(AuditError::Io { .. })));
    }
}
