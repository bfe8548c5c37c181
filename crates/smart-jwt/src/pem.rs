//! PEM (RFC 7468, and the older form with headers): finds the one private or public key of a file.

use crate::der::Octets;
use crate::error::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The longest file that is read, in characters: an RSA key of 8192 bits with its certificate chain fits.
const MAX_LENGTH: usize = 128 * 1024;

/// What the private key is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Pkcs8,
    Pkcs1,
    Sec1,
}

/// What a public key is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicWrapping {
    Spki,
    Pkcs1,
}

/// The private key of a PEM file. Parameters, public keys and certificates beside it are passed over.
pub(crate) fn private_key(pem: &str) -> Result<(Wrapping, Octets), KeyError> {
    let mut found = None;
    let mut public = false;
    for_each_block(pem, KeyError::NotPem, |label, body| {
        let wrapping = match label {
            "PRIVATE KEY" => Wrapping::Pkcs8,
            "RSA PRIVATE KEY" => Wrapping::Pkcs1,
            "EC PRIVATE KEY" => Wrapping::Sec1,
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => {
                public = true;
                return Ok(());
            }
            other if other.ends_with("PRIVATE KEY") => return Err(KeyError::Unsupported),
            _ => return Ok(()),
        };
        match found.replace((wrapping, decoded(body, KeyError::NotPem)?)) {
            None => Ok(()),
            Some(_) => Err(KeyError::SeveralPrivateKeys),
        }
    })?;
    found.ok_or(if public { KeyError::PublicOnly } else { KeyError::NotPem })
}

/// The public key of a PEM file. A private key beside it is a slip that is told, not passed over.
pub(crate) fn public_key(pem: &str) -> Result<(PublicWrapping, Octets), KeyError> {
    let malformed = || KeyError::PublicPem { found: 0 };
    let mut found = Vec::new();
    for_each_block(pem, malformed(), |label, body| {
        let wrapping = match label {
            "PUBLIC KEY" => PublicWrapping::Spki,
            "RSA PUBLIC KEY" => PublicWrapping::Pkcs1,
            other if other.ends_with("PRIVATE KEY") => return Err(KeyError::PrivateInPublicSet),
            _ => return Ok(()),
        };
        found.push((wrapping, decoded(body, malformed())?));
        Ok(())
    })?;
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (last, before) => Err(KeyError::PublicPem { found: usize::from(last.is_some()) + before }),
    }
}

/// Hands over each block, label and body. A block without its end is `malformed`.
fn for_each_block(
    pem: &str,
    malformed: KeyError,
    mut look: impl FnMut(&str, &str) -> Result<(), KeyError>,
) -> Result<(), KeyError> {
    if pem.len() > MAX_LENGTH {
        return Err(KeyError::TooLong { length: pem.len(), limit: MAX_LENGTH });
    }
    let mut lines = pem.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = label(line, "-----BEGIN ") else { continue };
        // As much as there can be: a growing string would leave copies of secrets behind.
        let mut body = Zeroizing::new(String::with_capacity(pem.len() + 1));
        let mut closed = false;
        for line in lines.by_ref() {
            if let Some(end) = self::label(line, "-----END ") {
                closed = end == label;
                break;
            }
            body.push_str(line);
            body.push('\n');
        }
        if !closed {
            return Err(malformed);
        }
        look(label, &body)?;
    }
    Ok(())
}

/// Writes a PKCS#8 file, 64 characters a line.
pub(crate) fn pkcs8(der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut pem = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / 64 + 64));
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for (at, character) in encoded.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    pem
}

fn label<'l>(line: &'l str, start: &str) -> Option<&'l str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

fn decoded(body: &str, malformed: KeyError) -> Result<Octets, KeyError> {
    // RFC 1421: headers come before the data, `Proc-Type` and `DEK-Info` where the data is encrypted.
    if body.lines().any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED")) {
        return Err(KeyError::Encrypted);
    }
    let mut data = Zeroizing::new(String::with_capacity(body.len()));
    body.lines().for_each(|line| data.push_str(line));
    STANDARD.decode(&*data).map(Zeroizing::new).map_err(|_| malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// CA-17: a key that is written is read again.
        #[test]
        fn written_keys_are_read_again(der in prop::collection::vec(any::<u8>(), 1..400)) {
            let (wrapping, read) = private_key(&pkcs8(&der)).unwrap();
            prop_assert_eq!(wrapping, Wrapping::Pkcs8);
            prop_assert_eq!(&*read, &der);
        }

        /// CA-17: whatever comes, a file is read or refused without panic.
        #[test]
        fn any_text_is_read_without_panic(text in "(-----(BEGIN|END) (EC |RSA )?PRIVATE KEY-----|[A-Za-z=:]{0,9}|\\PC|\n){0,12}") {
            let _ = private_key(&text);
        }
    }
}
