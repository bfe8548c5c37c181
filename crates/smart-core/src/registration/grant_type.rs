//! The grants that a client may use.

use crate::open_codes::open_codes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

open_codes! {
    /// A grant of the token endpoint (RFC 7591, section 2). The set is open: unknown ones are kept.
    GrantType {
        /// A person authorizes the app.
        AuthorizationCode = "authorization_code",
        /// A refresh token is presented.
        RefreshToken = "refresh_token",
        /// A backend service authenticates by itself.
        ClientCredentials = "client_credentials",
    }
}

impl Serialize for GrantType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for GrantType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}
