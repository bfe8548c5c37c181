//! Keys in files: PEM, a JWK, or a set of them.

use crate::api::{Jwk, KeyError, SigningKey};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::private_file;
use serde_json::{Map, Value};
use std::path::Path;

/// The private key of a file.
///
/// `kid` is the id that it is registered under: it picks among the keys of a set, and names any other.
///
/// # Errors
/// Usage, when the file holds no key that signs.
pub(crate) fn signing_key(path: &Path, kid: Option<&str>) -> Result<SigningKey, CliError> {
    let text = private_file::read(path, "the key file")?;
    let failed = |error| unusable(path, &error);
    if !text.trim_start().starts_with('{') {
        let key = SigningKey::from_pem(&text).map_err(failed)?;
        return named(key, kid).map_err(failed);
    }
    if members(path, &text)?.contains_key("keys") {
        return SigningKey::from_jwks(text.as_bytes(), kid).map_err(failed);
    }
    let key = SigningKey::from_jwk(members(path, &text)?).map_err(failed)?;
    named(key, kid).map_err(failed)
}

/// The public keys of a file, whether it holds private ones or public ones.
///
/// # Errors
/// Usage, when the file holds no key, or one of its keys is of no use.
pub(crate) fn public_keys(path: &Path, kid: Option<&str>) -> Result<Vec<Jwk>, CliError> {
    let text = private_file::read(path, "the key file")?;
    if !text.trim_start().starts_with('{') {
        return Ok(vec![signing_key(path, kid)?.public_jwk().clone()]);
    }
    let mut document = members(path, &text)?;
    let entries = match document.remove("keys") {
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(unusable(path, &KeyError::NoKeys)),
        None => vec![Value::Object(document)],
    };
    let mut keys: Vec<Jwk> = Vec::new();
    for entry in entries {
        let key = public_half(entry, kid).map_err(|error| unusable(path, &error))?;
        // Sets for signing hold both halves of a key under one id.
        if !keys.iter().any(|known| known.kid() == key.kid() && known.thumbprint() == key.thumbprint()) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Err(unusable(path, &KeyError::NoKeys));
    }
    Ok(keys)
}

/// The public half of an entry, with an id.
fn public_half(entry: Value, kid: Option<&str>) -> Result<Jwk, KeyError> {
    let Value::Object(mut members) = entry else { return Err(KeyError::NoKeys) };
    if members.contains_key("d") {
        let key = SigningKey::from_jwk(members)?;
        return Ok(named(key, kid)?.public_jwk().clone());
    }
    let thumbprint = Jwk::from_members(&members)?.thumbprint();
    if let Some(kid) = kid {
        members.insert("kid".to_owned(), kid.into());
    }
    members.entry("kid").or_insert_with(|| thumbprint.into());
    Jwk::from_members(&members)
}

fn named(key: SigningKey, kid: Option<&str>) -> Result<SigningKey, KeyError> {
    match kid {
        Some(kid) => key.with_kid(kid),
        None => Ok(key),
    }
}

fn members(path: &Path, text: &str) -> Result<Map<String, Value>, CliError> {
    serde_json::from_str(text).map_err(|_| {
        CliError::new(ExitCode::Usage, format!("{} is neither PEM nor a JSON object", path.display()))
            .with_next_step("Give a private key in PEM, a JWK, or a JWK set; `smart keygen` makes one.")
    })
}

fn unusable(path: &Path, error: &KeyError) -> CliError {
    let step = match error {
        KeyError::Encrypted => "Decrypt the key first, as the message says.",
        KeyError::SigningKeys { .. } => "Say with --kid which key of the set is meant.",
        KeyError::PublicOnly => "Give the file with the private key.",
        _ => "Give a private key (RSA of 2048 bits or more, P-256 or P-384) in PEM, a JWK, or a JWK set.",
    };
    CliError::new(ExitCode::Usage, format!("the key file {} is of no use: {error}", path.display()))
        .with_next_step(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Jwks, KeyKind};
    use serde_json::json;

    fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// CA-15, CA-17: of each form of key file the private key signs, and the public half alone is given out.
    #[test]
    fn each_form_of_key_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(KeyKind::EcP384).unwrap().with_kid("k1").unwrap();
        let jwk: Value = serde_json::from_str(key.to_jwk().expose_secret()).unwrap();
        let d = jwk["d"].as_str().unwrap().to_owned();
        let set = json!({"keys": [key.public_jwk().to_json(), jwk]});
        for (name, text, id) in [
            ("key.pem", key.to_pem().expose_secret().to_owned(), key.public_jwk().thumbprint()),
            ("key.jwk", jwk.to_string(), "k1".to_owned()),
            ("keys.json", set.to_string(), "k1".to_owned()),
        ] {
            let path = write(folder.path(), name, &text);
            assert_eq!(signing_key(&path, None).unwrap().key_id(), id, "{name}");
            let keys = public_keys(&path, None).unwrap();
            assert_eq!((keys.len(), keys[0].thumbprint()), (1, key.public_jwk().thumbprint()), "{name}");
            let shown = Jwks::from_keys(keys).unwrap().to_json().to_string();
            assert!(!shown.contains(&d) && !shown.contains("\"d\""), "{name}: {shown}");
            if name != "keys.json" {
                assert_eq!(signing_key(&path, Some("other")).unwrap().key_id(), "other", "{name}");
                assert_eq!(public_keys(&path, Some("other")).unwrap()[0].kid(), Some("other"), "{name}");
            }
        }
    }

    /// A public key without an id is published under its thumbprint; a file that holds none is told.
    #[test]
    fn public_keys_get_an_id() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(KeyKind::EcP256).unwrap();
        let mut public = key.public_jwk().to_json();
        public.as_object_mut().unwrap().remove("kid");
        let path = write(folder.path(), "public.json", &public.to_string());
        assert_eq!(public_keys(&path, None).unwrap()[0].kid(), Some(key.public_jwk().thumbprint().as_str()));
        assert_eq!(signing_key(&path, None).unwrap_err().code, ExitCode::Usage);
        for text in ["", "nonsense", "{}", "{\"keys\": 7}", "{\"keys\": []}", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "[1]"]
        {
            let path = write(folder.path(), "broken", text);
            let error = public_keys(&path, None).unwrap_err();
            assert!(error.code == ExitCode::Usage && !error.message.contains("AAAA"), "{text}: {error:?}");
            assert_eq!(signing_key(&path, None).unwrap_err().code, ExitCode::Usage, "{text}");
        }
    }
}
