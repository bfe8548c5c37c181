//! Strings that must not leak: tokens, codes, verifiers, states and client secrets.
//!
//! Each kind is a type of its own, so that an access token cannot be sent where a refresh token belongs. None of
//! them implements `Display` or `Serialize`; `Debug` prints the type's name alone; comparison takes the same time
//! wherever the strings differ. Clones share one piece of memory, which is overwritten when the last of them goes.

use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What every secret string offers.
pub trait Secret: Sized {
    /// Wraps the secret.
    fn from_exposed(value: String) -> Self;
    /// The secret itself. Keep it out of logs, errors and URLs.
    fn expose_secret(&self) -> &str;
}

/// Shared storage of the secret newtypes. A clone copies no secret, and costs no allocation.
#[derive(Clone)]
pub(crate) struct SecretText(Arc<Zeroizing<String>>);

impl SecretText {
    pub(crate) fn new(value: String) -> Self {
        Self(Arc::new(Zeroizing::new(value)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn ct_eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

macro_rules! secret_types {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretText);

        impl $name {
            /// Wraps the secret.
            pub fn new(value: impl Into<String>) -> Self {
                Self(SecretText::new(value.into()))
            }

            /// The secret itself. Keep it out of logs, errors and URLs.
            pub fn expose_secret(&self) -> &str {
                self.0.as_str()
            }
        }

        impl Secret for $name {
            fn from_exposed(value: String) -> Self {
                Self(SecretText::new(value))
            }

            fn expose_secret(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }
        }

        impl Eq for $name {}
    )+};
}

secret_types! {
    /// An OAuth 2.0 access token (RFC 6749, section 1.4). Opaque: it is never parsed.
    AccessToken;
    /// An OAuth 2.0 refresh token (RFC 6749, section 1.5).
    RefreshToken;
    /// An authorization code (RFC 6749, section 4.1.2). It is redeemed once.
    AuthorizationCode;
    /// The shared secret of a confidential client (SMART, client-confidential-symmetric).
    ClientSecret;
    /// An ID token as it came over the wire, not validated (OpenID Connect Core, section 2).
    RawIdToken;
    /// A signed client assertion (RFC 7523): good for one request.
    ClientAssertion;
    /// The opaque `launch` value of an EHR launch (SMART, EHR launch). It is passed on unchanged.
    LaunchId;
    /// A registration access token or initial access token (RFC 7591).
    RegistrationToken;
}

/// Serialises a secret in the clear, for a field that is itself sealed or sent: `#[serde(with = "exposed")]`.
///
/// Naming this module on a field is the only way to serialise a secret, so each place can be found by a search.
pub mod exposed {
    use super::Secret;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes the secret in the clear.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Secret, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.expose_secret())
    }

    /// Reads the secret.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Secret, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer).map(T::from_exposed)
    }

    /// The same for an optional field.
    pub mod option {
        use super::Secret;
        use serde::{Deserialize as _, Deserializer, Serializer};

        /// Writes the secret in the clear, or nothing.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<T: Secret, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(secret) => serializer.serialize_some(secret.expose_secret()),
                None => serializer.serialize_none(),
            }
        }

        /// Reads the secret where there is one.
        ///
        /// # Errors
        /// Those of the deserializer.
        pub fn deserialize<'de, T: Secret, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(T::from_exposed))
        }
    }
}

pub(crate) use secret_types;

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05 (SMART, App protection): a secret does not show in Debug output.
    #[test]
    fn debug_shows_only_the_type() {
        assert_eq!(format!("{:?}", AccessToken::new("abc")), "AccessToken(***)");
    }

    /// ST-06: secrets compare by value, in constant time.
    #[test]
    fn equality_is_by_value() {
        assert_eq!(RefreshToken::new("a"), RefreshToken::new("a"));
        assert_ne!(RefreshToken::new("a"), RefreshToken::new("b"));
        assert_ne!(RefreshToken::new("a"), RefreshToken::new("aa"));
    }
}
