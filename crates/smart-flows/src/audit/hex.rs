//! Octets as lower-case hexadecimal digits.

/// The digits.
pub(crate) fn encode(octets: &[u8]) -> String {
    octets.iter().flat_map(|octet| [octet >> 4, octet & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// The octets of an even number of digits, in either case.
pub(crate) fn decode_all(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// The 32 octets of a hash, whose digits have to be in lower case: there is one way only to write it.
pub(crate) fn decode_hash(digits: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(digits).ok()?;
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    decode_all(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-94: a hash is written in one way only.
    #[test]
    fn a_hash_is_written_in_one_way() {
        let digits = encode(&[0xab; 32]);
        assert_eq!(decode_hash(digits.as_bytes()), Some([0xab; 32]));
        assert_eq!(decode_hash(digits.to_uppercase().as_bytes()), None);
        assert_eq!(decode_hash(&digits.as_bytes()[1..]), None);
        assert_eq!(decode_hash("+b".repeat(32).as_bytes()), None);
        assert_eq!(decode_all("0F1"), None);
        assert_eq!(decode_all("0F"), Some(vec![15]));
    }
}
