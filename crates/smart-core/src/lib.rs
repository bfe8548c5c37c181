//! SMART App Launch messages and rules, without I/O: scopes, launch, PKCE, discovery, authorization, tokens and
//! launch context.

pub mod client_id;
pub mod fhir_base;
pub mod issuer;
pub mod json;
pub mod launch;
pub mod leniency;
mod open_codes;
pub mod pkce;
pub mod random;
pub mod redirect_uri;
pub mod scope;
pub mod secret;
pub mod state;
pub mod time;
pub mod untrusted;
pub mod url_policy;

#[cfg(test)]
mod test_random;
