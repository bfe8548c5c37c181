//! The little of DER (ITU-T X.690) that private keys need: read strictly, written plainly.

use crate::error::KeyError;
use zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub(crate) const CONTEXT_1: u8 = 0xa1;

/// 1.2.840.113549.1.1.1
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// Octets that are overwritten when they are dropped.
pub(crate) type Octets = Zeroizing<Vec<u8>>;

/// Reads elements one after the other.
pub(crate) struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    pub(crate) fn new(der: &'d [u8]) -> Self {
        Self(der)
    }

    /// The content of the next element, which has to have this tag.
    pub(crate) fn read(&mut self, tag: u8) -> Result<&'d [u8], KeyError> {
        let rest = self.0.strip_prefix(&[tag]).ok_or(KeyError::Encoding)?;
        let (first, rest) = rest.split_first().ok_or(KeyError::Encoding)?;
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f)).ok_or(KeyError::Encoding)?;
                let length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
                // DER has one way to write a length: the shortest.
                if octets.first() == Some(&0) || length < 0x80 {
                    return Err(KeyError::Encoding);
                }
                (length, rest)
            }
            _ => return Err(KeyError::Encoding),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(KeyError::Encoding)?;
        self.0 = rest;
        Ok(content)
    }

    /// The same when the next element has this tag.
    pub(crate) fn read_optional(&mut self, tag: u8) -> Result<Option<&'d [u8]>, KeyError> {
        if self.0.first() == Some(&tag) { self.read(tag).map(Some) } else { Ok(None) }
    }

    /// A positive or zero integer, without its sign octet.
    pub(crate) fn unsigned(&mut self) -> Result<&'d [u8], KeyError> {
        match self.read(INTEGER)? {
            [0] => Ok(&[]),
            [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Ok(rest),
            [first, ..] if *first == 0 || *first >= 0x80 => Err(KeyError::Encoding),
            [] => Err(KeyError::Encoding),
            value => Ok(value),
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), KeyError> {
        if self.0.is_empty() { Ok(()) } else { Err(KeyError::Encoding) }
    }
}

/// One element around the parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Octets {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let size = length.to_be_bytes();
    let size = size.iter().position(|octet| *octet != 0).and_then(|at| size.get(at..)).unwrap_or_default();
    let mut der = Zeroizing::new(Vec::with_capacity(length + 10));
    der.push(tag);
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        der.push(short);
    } else {
        der.push(0x80 | u8::try_from(size.len()).unwrap_or_default());
        der.extend_from_slice(size);
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

/// An unsigned integer, with a sign octet where it needs one.
pub(crate) fn unsigned(value: &[u8]) -> Octets {
    let value = without_leading_zeros(value);
    match value.first() {
        Some(first) if *first < 0x80 => element(INTEGER, &[value]),
        _ => element(INTEGER, &[&[0], value]),
    }
}

/// A number without the zeros in front.
pub(crate) fn without_leading_zeros(value: &[u8]) -> &[u8] {
    value.iter().position(|octet| *octet != 0).and_then(|at| value.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// CA-17 (X.690 10.1): lengths are read in their one form, and nothing is read past the end.
    #[test]
    fn other_forms_of_length_are_refused() {
        for der in [
            &[0x04, 0x81, 0x01, 0xff][..],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x02, 0x00],
            &[0x04],
            &[],
            &[0x04, 0x84, 0, 0, 0, 1, 0],
            &[0x02, 0x01, 0x00],
        ] {
            assert!(Reader::new(der).read(OCTET_STRING).is_err(), "{der:?}");
        }
        for integer in [&[0x02, 0x01, 0x80][..], &[0x02, 0x02, 0x00, 0x01], &[0x02, 0x00]] {
            assert!(Reader::new(integer).unsigned().is_err(), "{integer:?}");
        }
    }

    proptest! {
        /// CA-17: what is written is read as it was, whatever its length.
        #[test]
        fn integers_survive_the_round_trip(value in prop::collection::vec(any::<u8>(), 0..300)) {
            let der = unsigned(&value);
            let mut reader = Reader::new(&der);
            prop_assert_eq!(reader.unsigned().unwrap(), without_leading_zeros(&value));
            prop_assert!(reader.end().is_ok());
        }
    }
}
