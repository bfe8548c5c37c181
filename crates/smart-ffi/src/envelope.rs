//! What is in a blob of the app's store: a record with its key and version, or a lease.

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use smart_on_fhir::store::{Key, Kind, Record, SecretBytes, Version};
use std::fmt::Write as _;

/// The form of blobs. A reader takes those it does not know for damaged.
const FORM: u8 = 1;
/// The longest header that is read: a key has a URL, a client and a user.
const MAX_HEADER: usize = 64 * 1024;

/// What lies before a record's value.
#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    issuer: String,
    user: String,
    id: String,
    version: u64,
}

/// The name of a record's blob. It tells the kind and no more.
pub(crate) fn record_name(key: &Key) -> String {
    named(key.kind().as_str(), key)
}

/// The name of a lease's blob.
pub(crate) fn lease_name(key: &Key) -> String {
    named("lease", key)
}

/// Whether a blob may hold a record of this kind, going by its name.
pub(crate) fn may_be_of_kind(name: &str, kind: Option<Kind>) -> bool {
    let is = |kind: &Kind| name.strip_prefix(kind.as_str()).is_some_and(|rest| rest.starts_with('-'));
    kind.as_ref().map_or_else(|| Kind::ALL.iter().any(is), is)
}

fn named(prefix: &str, key: &Key) -> String {
    let mut context = Context::new(&SHA256);
    for part in [key.kind().as_str(), key.issuer(), key.user(), key.id()] {
        // The length parts them, so that no two keys have the same octets.
        context.update(&part.len().to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut name = format!("{prefix}-");
    for octet in context.finish().as_ref() {
        let _ = write!(name, "{octet:02x}");
    }
    name
}

/// A record as a blob: the form, the length of the header, the header, the value.
pub(crate) fn seal(key: &Key, version: Version, value: &SecretBytes) -> Option<Vec<u8>> {
    let header = Header {
        kind: key.kind().as_str().to_owned(),
        issuer: key.issuer().to_owned(),
        user: key.user().to_owned(),
        id: key.id().to_owned(),
        version: version.number(),
    };
    let header = serde_json::to_vec(&header).ok().filter(|header| header.len() <= MAX_HEADER)?;
    let length = u32::try_from(header.len()).ok()?;
    let mut blob = Vec::with_capacity(5 + header.len() + value.expose_secret().len());
    blob.push(FORM);
    blob.extend(length.to_be_bytes());
    blob.extend(header);
    blob.extend(value.expose_secret());
    Some(blob)
}

/// What a blob holds. `None`: no record that this version of the library has written.
pub(crate) fn open(blob: &[u8]) -> Option<(Key, Record)> {
    let rest = blob.strip_prefix(&[FORM])?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= MAX_HEADER)?;
    let (header, value) = rest.split_at_checked(length)?;
    let header: Header = serde_json::from_slice(header).ok()?;
    let kind = Kind::from_name(&header.kind)?;
    let key = Key::new(kind, header.issuer, header.user, header.id);
    let record = Record { version: Version::from_number(header.version), value: SecretBytes::new(value.to_vec()) };
    Some((key, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(issuer: &str, user: &str) -> Key {
        Key::new(Kind::Session, issuer, user, "1")
    }

    #[test]
    fn names_give_nothing_away_and_do_not_collide() {
        let name = record_name(&key("https://ehr.example", "smith"));
        assert!(name.len() <= 80 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
        assert_ne!(record_name(&key("ab", "c")), record_name(&key("a", "bc")));
        assert_ne!(record_name(&key("a", "b")), lease_name(&key("a", "b")));
        assert!(may_be_of_kind(&name, None) && may_be_of_kind(&name, Some(Kind::Session)));
        assert!(!may_be_of_kind(&name, Some(Kind::Pending)) && !may_be_of_kind(&lease_name(&key("a", "b")), None));
    }

    #[test]
    fn what_is_cut_or_altered_is_no_record() {
        let value = SecretBytes::new(b"value".to_vec());
        let blob = seal(&key("a", "b"), Version::from_number(7), &value).unwrap();
        let (found, record) = open(&blob).unwrap();
        assert_eq!((found, record), (key("a", "b"), Record { version: Version::from_number(7), value }));
        let header_ends = blob.len() - 5;
        assert!((0..header_ends).all(|end| open(&blob[..end]).is_none()));
        assert!(open(&[b"\x02", &blob[1..]].concat()).is_none());
    }
}
