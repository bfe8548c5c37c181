//! What a client shows who it is by.

use crate::error::SmartError;
use smart_on_fhir::core::secret::ClientSecret;
use smart_on_fhir::jwt::SigningKey;
use smart_on_fhir::settings;
use std::sync::{Arc, Mutex, PoisonError};

/// What a confidential client shows who it is by. A public client has none, and an app that people install can keep none.
///
/// It is handed to one [`SmartClient`](crate::SmartClient), and gone from here then.
#[derive(uniffi::Object)]
pub struct Credential(Mutex<Option<settings::Credential>>);

impl Credential {
    fn new(credential: settings::Credential) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(credential))))
    }

    pub(crate) fn take(&self) -> Result<settings::Credential, SmartError> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| {
            SmartError::invalid("credential-used", "the credential was handed to another client; make one for each")
        })
    }
}

#[uniffi::export]
impl Credential {
    /// A client secret.
    #[uniffi::constructor]
    pub fn secret(secret: String) -> Arc<Self> {
        Self::new(settings::Credential::Secret(ClientSecret::new(secret)))
    }

    /// A private key: PEM text (PKCS #8, or SEC 1 for EC keys), with the id under which the server knows its public half.
    ///
    /// # Errors
    /// [`SmartError`] with the code `binding/key`: it cannot be read, or is none for RS384 or ES384.
    #[uniffi::constructor]
    pub fn private_key_pem(pem: &str, key_id: &str) -> Result<Arc<Self>, SmartError> {
        let key = SigningKey::from_pem(pem).and_then(|key| key.with_kid(key_id));
        let key = key.map_err(|error| SmartError::invalid("key", error.to_string()))?;
        Ok(Self::new(settings::Credential::key(key)))
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(***)")
    }
}
