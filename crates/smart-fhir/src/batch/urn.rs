//! Names for what has no id yet.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A random UUID (RFC 9562, version 4). It only has to differ from others in one Bundle, so it need not be secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Uuid(u128);

impl Uuid {
    pub(super) fn random() -> Self {
        let half = || u128::from(RandomState::new().build_hasher().finish());
        let bits = half() << 64 | half();
        Self(bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let mut rest = hex.as_str();
        for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            f.write_str(if at == 0 { "" } else { "-" })?;
            f.write_str(part)?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-108 (RFC 9562, 5.4): names are UUIDs of version 4, and differ.
    #[test]
    fn names_are_random_uuids() {
        let all: std::collections::HashSet<String> = (0..1000).map(|_| Uuid::random().to_string()).collect();
        assert_eq!(all.len(), 1000);
        for uuid in all {
            let parts: Vec<&str> = uuid.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uuid}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
            assert!(uuid.bytes().all(|c| c == b'-' || c.is_ascii_digit() || (b'a'..=b'f').contains(&c)), "{uuid}");
        }
    }
}
