//! A point of a chain, to be kept elsewhere.

use crate::audit::hex;
use std::fmt;
use std::str::FromStr;

/// A point of a chain: the number of a line and its hash. Kept where who can write the file cannot, it shows later that
/// the lines up to it are still there and are the same.
///
/// As text it is `17:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Anchor {
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
}

impl Anchor {
    /// Before the first line.
    pub(crate) const START: Self = Self { sequence: 0, hash: [0; 32] };

    /// The number of the line; 0 before the first one.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The hash of the line.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex::encode(&self.hash))
    }
}

/// The text is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is a number, a colon and 64 hexadecimal digits, as in `17:0a1b..`")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (sequence, hash) = text.trim().split_once(':').ok_or(AnchorError)?;
        if !sequence.bytes().all(|c| c.is_ascii_digit()) {
            return Err(AnchorError);
        }
        let hash = hex::decode_hash(hash.to_ascii_lowercase().as_bytes()).ok_or(AnchorError)?;
        Ok(Self { sequence: sequence.parse().map_err(|_| AnchorError)?, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-94: an anchor is text that is read back, and nothing else is one.
    #[test]
    fn an_anchor_is_read_back() {
        let anchor = Anchor { sequence: 17, hash: [0xab; 32] };
        assert_eq!(anchor.to_string().parse(), Ok(anchor));
        assert_eq!(anchor.to_string().to_uppercase().parse(), Ok(anchor));
        for wrong in ["", "17", "17:", ":ab", "+17:00", "17:0g", "99999999999999999999999:00"] {
            let text = wrong.replace("00", &"00".repeat(32));
            assert_eq!(text.parse::<Anchor>(), Err(AnchorError), "{text}");
        }
    }
}
