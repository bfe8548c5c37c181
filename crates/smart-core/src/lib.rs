//! SMART App Launch messages and rules, without I/O: scopes, launch, PKCE, discovery, authorization, tokens and
//! launch context.

pub mod client_id;
pub mod fhir_base;
pub mod issuer;
pub mod random;
pub mod scope;
pub mod secret;
pub mod time;
pub mod url_policy;
