//! One line of a chain.
//!
//! ```text
//! {"v":1,"n":17,"prev":"<hash of line 16>","alg":"sha-256","event":{..},"hash":"<hash>"}
//! ```
//!
//! The hash is over the octets of the line up to `,"hash":`. It is taken of what is written, not of what it means, so that
//! there is nothing to be read in two ways: one octet more, less or other is another line.

use super::anchor::Anchor;
use super::seal::{Algorithm, Seal};
use crate::audit::hex;
use serde::{Deserialize, Serialize};

/// The longest line that is written and read, in octets, without its end.
pub(crate) const LONGEST_LINE: usize = 64 << 10;

/// How each line begins.
pub(crate) const HEAD: &[u8] = br#"{"v":1,"n":"#;
const PREVIOUS: &[u8] = br#","prev":""#;
const ALGORITHM: &[u8] = br#"","alg":""#;
const PAYLOAD: &[u8] = br#"",""#;
const HASH: &[u8] = br#","hash":""#;
const END: &[u8] = br#""}"#;

/// What a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// An event.
    Event,
    /// Before this line lies what a killed process had begun to write.
    Torn,
    /// Earlier files of the chain were removed because they were too many.
    Pruned,
}

impl Content {
    const ALL: [Self; 3] = [Self::Event, Self::Torn, Self::Pruned];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Torn => "torn",
            Self::Pruned => "pruned",
        }
    }
}

/// What lies between two lines and is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Torn {
    /// How many octets, line ends included.
    pub(crate) octets: u64,
    /// Their SHA-256.
    pub(crate) sha256: String,
}

/// Up to where lines were removed with their files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pruned {
    /// The last removed line.
    pub(crate) through: u64,
    /// Its hash.
    pub(crate) hash: String,
}

impl Pruned {
    pub(crate) fn anchor(&self) -> Option<Anchor> {
        Some(Anchor { sequence: self.through, hash: hex::decode_hash(self.hash.as_bytes())? })
    }
}

/// A line with its end, and the point of the chain that it is.
pub(crate) fn write(seal: &Seal, after: Anchor, content: Content, payload: &[u8]) -> Option<(Vec<u8>, Anchor)> {
    let sequence = after.sequence.checked_add(1)?;
    let head = format!(
        r#"{{"v":1,"n":{sequence},"prev":"{}","alg":"{}","{}":"#,
        hex::encode(&after.hash),
        seal.algorithm().as_str(),
        content.as_str()
    );
    let mut line = head.into_bytes();
    line.extend_from_slice(payload);
    let hash = seal.hash(&line);
    line.extend_from_slice(HASH);
    line.extend_from_slice(hex::encode(&hash).as_bytes());
    line.extend_from_slice(END);
    if line.len() > LONGEST_LINE {
        return None;
    }
    line.push(b'\n');
    Some((line, Anchor { sequence, hash }))
}

/// A line that has the form of one. Whether its hash fits is another matter: [`Line::fits`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Its number.
    pub(crate) sequence: u64,
    /// The hash of the line before.
    pub(crate) previous: [u8; 32],
    /// How it says it was hashed.
    pub(crate) algorithm: Algorithm,
    /// What it holds.
    pub(crate) content: Content,
    /// The JSON of it.
    pub(crate) payload: &'a [u8],
    body: &'a [u8],
    hash: [u8; 32],
}

impl<'a> Line<'a> {
    /// Reads a line without its end.
    pub(crate) fn read(line: &'a [u8]) -> Option<Self> {
        let (rest, end) = line.split_at_checked(line.len().checked_sub(END.len())?)?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
        let body = rest.strip_suffix(HASH)?;
        let hash = hex::decode_hash(hash).filter(|_| end == END)?;
        let rest = body.strip_prefix(HEAD)?;
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = rest.split_at_checked(digits)?;
        let sequence: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        if sequence == 0 || digits.starts_with(b"0") {
            return None;
        }
        let (previous, rest) = rest.strip_prefix(PREVIOUS)?.split_at_checked(64)?;
        let rest = rest.strip_prefix(ALGORITHM)?;
        let (algorithm, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'"')?)?;
        let rest = rest.strip_prefix(PAYLOAD)?;
        let (content, payload) = Content::ALL.into_iter().find_map(|content| {
            let rest = rest.strip_prefix(content.as_str().as_bytes())?;
            Some((content, rest.strip_prefix(br#"":"#)?))
        })?;
        Some(Self {
            sequence,
            previous: hex::decode_hash(previous)?,
            algorithm: Algorithm::from_name(algorithm)?,
            content,
            payload,
            body,
            hash,
        })
    }

    /// Whether its own hash is right, and it is JSON.
    pub(crate) fn fits(&self, seal: &Seal) -> bool {
        // It is no secret that a hash is wrong: what is compared against was read from the same file.
        self.algorithm == seal.algorithm()
            && seal.hash(self.body) == self.hash
            && serde_json::from_slice::<serde::de::IgnoredAny>(self.payload).is_ok()
    }

    /// The point of the chain that it is.
    pub(crate) fn anchor(&self) -> Anchor {
        Anchor { sequence: self.sequence, hash: self.hash }
    }

    /// The point of the chain that it says it follows.
    pub(crate) fn after(&self) -> Anchor {
        Anchor { sequence: self.sequence.saturating_sub(1), hash: self.previous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditKey;

    fn seals() -> [Seal; 2] {
        [Seal::Plain, Seal::Keyed(AuditKey::from_octets(&[7; 32]).unwrap())]
    }

    /// F-94: a line that is written is read back, is one JSON object, and follows the point that it was written after.
    #[test]
    fn a_line_is_read_back() {
        for seal in seals() {
            let after = Anchor { sequence: 41, hash: [9; 32] };
            let (line, anchor) = write(&seal, after, Content::Event, br#"{"kind":"token-issued"}"#).unwrap();
            let read = Line::read(line.strip_suffix(b"\n").unwrap()).unwrap();
            assert!(read.fits(&seal));
            assert_eq!((read.after(), read.anchor(), read.content), (after, anchor, Content::Event));
            assert_eq!(anchor.sequence(), 42);
            let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
            assert_eq!((&json["n"], &json["event"]["kind"]), (&42.into(), &"token-issued".into()));
        }
    }

    /// F-94: a line of another key, or of none, does not fit.
    #[test]
    fn a_line_fits_its_key_alone() {
        let [plain, keyed] = seals();
        let other = Seal::Keyed(AuditKey::from_octets(&[8; 32]).unwrap());
        for (made, fits, not) in [(&plain, &plain, [&keyed, &other]), (&keyed, &keyed, [&plain, &other])] {
            let (line, _) = write(made, Anchor::START, Content::Event, b"{}").unwrap();
            let read = Line::read(&line[..line.len() - 1]).unwrap();
            assert!(read.fits(fits) && not.iter().all(|seal| !read.fits(seal)));
        }
    }

    /// F-94: no octet of a line can be another one.
    #[test]
    fn every_octet_counts() {
        for seal in seals() {
            let (line, _) = write(&seal, Anchor::START, Content::Event, br#"{"a":[1,2]}"#).unwrap();
            let line = &line[..line.len() - 1];
            for at in 0..line.len() {
                for change in 1..=255_u8 {
                    let mut changed = line.to_vec();
                    changed[at] ^= change;
                    assert!(!Line::read(&changed).is_some_and(|read| read.fits(&seal)), "{at} {change}");
                }
            }
        }
    }

    /// A line that is too long to be read again is not written.
    #[test]
    fn a_line_that_is_too_long_is_not_written() {
        let payload = format!("\"{}\"", "x".repeat(LONGEST_LINE));
        assert!(write(&Seal::Plain, Anchor::START, Content::Event, payload.as_bytes()).is_none());
        let last = Anchor { sequence: u64::MAX, hash: [0; 32] };
        assert!(write(&Seal::Plain, last, Content::Event, b"{}").is_none());
    }
}
