//! The id of an event.

use crate::audit::key::digest;
use serde::{Serialize, Serializer};
use smart_core::random::SecureRandom;
use smart_core::time::Timestamp;

/// The id of an event: a UUID (RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// A random one (version 4). Where no randomness can be had, one of the time and the sequence number (version 8): an
    /// event without a random id is better than none.
    pub(crate) fn new(random: &dyn SecureRandom, time: Timestamp, sequence: u64) -> Self {
        let mut octets = [0; 16];
        if random.fill(&mut octets).is_ok() {
            return Self::of_version(octets, 4);
        }
        let text = format!("smart audit event {} {sequence} {}", time.as_unix_seconds(), std::process::id());
        octets.iter_mut().zip(digest(&[text.as_bytes()])).for_each(|(to, from)| *to = from);
        Self::of_version(octets, 8)
    }

    fn of_version(mut octets: [u8; 16], version: u8) -> Self {
        let [_, _, _, _, _, _, with_version, _, with_variant, ..] = &mut octets;
        *with_version = *with_version & 0x0f | version << 4;
        *with_variant = *with_variant & 0x3f | 0x80;
        Self(octets)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, octet) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart_core::random::RandomError;

    struct Sevens;
    impl SecureRandom for Sevens {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
            buffer.fill(0xff);
            Ok(())
        }
    }

    struct Broken;
    impl SecureRandom for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }

    /// The ids are UUIDs of version 4.
    #[test]
    fn ids_are_uuids_of_version_4() {
        let id = EventId::new(&Sevens, Timestamp::from_unix_seconds(0), 1);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    /// Without randomness events still have ids of their own.
    #[test]
    fn without_randomness_ids_still_differ() {
        let at = Timestamp::from_unix_seconds(0);
        let (one, two) = (EventId::new(&Broken, at, 1), EventId::new(&Broken, at, 2));
        assert_ne!(one, two);
        assert_eq!(one.to_string().as_bytes()[14], b'8');
    }
}
