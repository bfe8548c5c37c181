//! Where it happened, as far as may be told.

use serde::{Serialize, Serializer};
use url::Url;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// The name in audit lines. It does not change from version to version.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(super) use names;

names! {
    /// What an endpoint is for.
    EndpointRole {
        /// Discovery: `.well-known/smart-configuration`.
        SmartConfiguration = "smart-configuration",
        /// Discovery: the CapabilityStatement at `metadata`.
        Metadata = "metadata",
        /// The issuer's OpenID configuration.
        OpenIdConfiguration = "openid-configuration",
        /// The issuer's keys.
        Jwks = "jwks",
        /// Where the person authorizes.
        Authorization = "authorization",
        /// Where tokens are issued.
        Token = "token",
        /// Where tokens are examined.
        Introspection = "introspection",
        /// Where tokens are revoked.
        Revocation = "revocation",
        /// Where clients are registered.
        Registration = "registration",
        /// Who the user is.
        UserInfo = "userinfo",
        /// The FHIR API.
        Fhir = "fhir",
        /// Where bulk files lie.
        BulkFile = "bulk-file",
    }
}

names! {
    /// What kind of launch it is.
    LaunchKind {
        /// Standalone: the person began it.
        Standalone = "standalone",
        /// The EHR began it.
        Ehr = "ehr",
        /// A backend service, without a person.
        Backend = "backend",
    }
}

names! {
    /// What kind of store sessions are kept in.
    StoreKind {
        /// In memory.
        Memory = "memory",
        /// In sealed files.
        EncryptedFile = "encrypted-file",
        /// In the platform's credential store.
        CredentialStore = "credential-store",
        /// In a database.
        Database = "database",
        /// Elsewhere.
        Other = "other",
    }
}

/// An endpoint as an event shows it: what it is for, and the scheme, host and port. Paths stay out, as they can hold ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct AuditEndpoint {
    role: EndpointRole,
    origin: String,
}

impl AuditEndpoint {
    /// The endpoint at a URL.
    pub fn new(role: EndpointRole, url: &Url) -> Self {
        Self { role, origin: origin(url) }
    }

    /// What it is for.
    pub fn role(&self) -> EndpointRole {
        self.role
    }

    /// Scheme, host and port, such as `https://login.ehr.example`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// Scheme, host and port of a URL; `null` for one that has no host.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05, FR-23 (SMART, App protection): of a URL only the origin is kept.
    #[test]
    fn an_endpoint_is_its_origin() {
        let url = Url::parse("https://u:hunter2@ehr.example:8443/fhir/Patient/p-1?name=Ada#x").unwrap();
        let endpoint = AuditEndpoint::new(EndpointRole::Fhir, &url);
        assert_eq!(endpoint.origin(), "https://ehr.example:8443");
        let json = serde_json::to_string(&endpoint).unwrap();
        assert_eq!(json, r#"{"role":"fhir","origin":"https://ehr.example:8443"}"#);
        assert_eq!(origin(&Url::parse("data:text/plain,Ada").unwrap()), "null");
    }
}
