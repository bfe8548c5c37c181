//! SMART App Launch messages and rules, without I/O: scopes, launch, PKCE, discovery, authorization, tokens and
//! launch context.

pub mod authorize;
pub mod client_id;
pub mod context;
pub mod discovery;
pub mod error;
pub mod fhir_base;
pub mod introspection;
pub mod issuer;
pub mod json;
pub mod launch;
pub mod leniency;
mod open_codes;
pub mod pkce;
pub mod random;
pub mod redirect_uri;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod state;
pub mod time;
pub mod token;
pub mod untrusted;
pub mod url_policy;

#[cfg(test)]
mod test_random;
