//! Registration: what a client and an authorization server agree on beforehand (SMART App Launch 2.2, register app with
//! EHR; RFC 7591, RFC 7592).
//!
//! [`ClientConfiguration`] is what an app knows of itself afterwards, however it was registered: an id from the server,
//! fixed redirect URIs, fixed launch URLs, and exactly one [`ClientKind`]. [`RegistrationRequest`] registers over the
//! wire where a server has a `registration_endpoint`; [`ClientInformation`] is the answer, which may differ from what
//! was asked and says where. Servers read requests by [`ClientMetadata::from_request`] and answer by
//! [`ClientInformation::to_response`] or [`RegistrationErrorResponse::to_response`].
//!
//! ```
//! use smart_core::redirect_uri::RedirectUri;
//! use smart_core::registration::{ClientKind, RegistrationRequest};
//! use smart_core::url_policy::UrlPolicy;
//!
//! let request = RegistrationRequest::public_app([RedirectUri::parse("https://app.example/callback")?])?
//!     .name("Growth Charts")
//!     .scopes("launch openid fhirUser patient/*.rs".parse()?);
//! let endpoint = "https://login.ehr.example/register".parse()?;
//! let message = request.request(&endpoint)?;
//! assert_eq!(message.headers()["content-type"], "application/json");
//! // Send it, and read the answer.
//! let body = br#"{"client_id":"c-17","token_endpoint_auth_method":"none","redirect_uris":["https://app.example/callback"]}"#;
//! let registered = request.parse(&endpoint, 201, body, UrlPolicy::HttpsOnly)?;
//! let client = registered.configuration()?;
//! assert_eq!((client.id().as_str(), client.kind()), ("c-17", &ClientKind::Public));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client_configuration;
mod client_keys;
mod client_kind;
mod difference;
mod error;
mod grant_type;
mod information;
mod key_set;
mod launch_url;
mod management;
mod metadata;
mod metadata_check;
mod metadata_reader;
mod request;
mod server;

pub use client_configuration::{ClientConfiguration, ConfigurationError};
pub use client_keys::{ClientKeys, JwksUrl};
pub use client_kind::{ClientKind, SecretMethod};
pub use difference::{Difference, DifferenceKind};
pub use error::{MetadataError, RegistrationError, RegistrationErrorCode, RegistrationErrorResponse};
pub use grant_type::GrantType;
pub use information::{ClientInformation, IssuedSecret, SecretExpiry};
pub use key_set::{KeySetError, PublicKeySet};
pub use launch_url::{LaunchUrl, LaunchUrlError};
pub use management::ClientManagement;
pub use metadata::ClientMetadata;
pub use request::RegistrationRequest;
