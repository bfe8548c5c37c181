//! How a client may authenticate at the token endpoint.

use crate::open_codes::open_codes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

open_codes! {
    /// A client authentication method of a token endpoint (SMART App Launch 2.2, conformance, Metadata; RFC 7591,
    /// section 2). The set is open: unknown ones are kept.
    AuthMethod {
        /// Id and secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// Id and secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A signed assertion.
        PrivateKeyJwt = "private_key_jwt",
        /// No authentication: a public client.
        None = "none",
    }
}

impl Serialize for AuthMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AuthMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}
