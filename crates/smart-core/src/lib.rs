//! SMART App Launch messages and rules, without I/O: scopes, launch, PKCE, discovery, registration, authorization, tokens,
//! launch context, app state and brands.
//!
//! Nothing here opens a connection, reads a clock or draws a random number: messages are `http::Request<Bytes>` and
//! bytes, time is a [`Timestamp`](time::Timestamp), randomness a [`SecureRandom`](random::SecureRandom). An application
//! with an HTTP stack of its own can use this crate and smart-jwt alone. Servers write their documents and answers with
//! the same types that clients read.
//!
//! ```
//! use smart_core::authorize::{AuthorizationBuilder, AuthorizationServer, Callback};
//! use smart_core::fhir_base::FhirBaseUrl;
//! use smart_core::random::{RandomError, SecureRandom};
//! use smart_core::redirect_uri::RedirectUri;
//! use smart_core::time::Timestamp;
//! use smart_core::token::{ClientAuthentication, ClientIdInBody};
//!
//! # struct Fixed;
//! # impl SecureRandom for Fixed {
//! #     fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> { buffer.fill(7); Ok(()) }
//! # }
//! # let random = Fixed;
//! # let server = AuthorizationServer {
//! #     fhir_base: FhirBaseUrl::parse("https://ehr.example/r4")?, issuer: None,
//! #     authorization_endpoint: "https://ehr.example/authorize".parse()?, token_endpoint: "https://ehr.example/token".parse()?,
//! #     authorize_post: false, iss_parameter_supported: false,
//! # };
//! # let now = Timestamp::from_unix_seconds(1_800_000_000);
//! // `server` comes from discovery, `random` and `now` from the caller.
//! let redirect_uri = RedirectUri::parse("https://app.example/callback")?;
//! let builder = AuthorizationBuilder::standalone(server, "my-app".into(), redirect_uri, "launch/patient patient/*.rs".parse()?)?;
//! let (request, pending) = builder.build(&random, now)?;
//! # let state = request.url().query_pairs().find(|(n, _)| n == "state").unwrap().1.into_owned();
//! // Send the browser to `request.url()`; it comes back with a query.
//! let callback = Callback::from_query(&format!("code=abc&state={state}"))?;
//! let exchange = pending.complete(callback, now)?;
//! let (token_request, expected) = exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified)?;
//! assert_eq!(token_request.uri().path(), "/token");
//! // Send it, and read the answer.
//! let body = br#"{"access_token":"t","token_type":"Bearer","scope":"launch/patient patient/*.rs","patient":"123"}"#;
//! let token = expected.parse(200, body, now)?;
//! assert_eq!(token.context.patient.as_deref(), Some("123"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod app_state;
pub mod authorize;
pub mod brands;
pub mod client_id;
pub mod context;
pub mod discovery;
pub mod entity_tag;
pub mod error;
pub mod fhir_base;
mod fhir_json;
pub mod introspection;
pub mod issuer;
pub mod json;
pub mod launch;
pub mod leniency;
mod message;
mod open_codes;
pub mod pkce;
pub mod profile;
pub mod random;
pub mod redirect_uri;
pub mod registration;
pub mod revocation;
pub mod sanitized;
pub mod scope;
pub mod secret;
pub mod state;
pub mod style;
pub mod time;
pub mod token;
pub mod untrusted;
pub mod url_policy;
pub mod userinfo;

#[cfg(test)]
mod test_random;
