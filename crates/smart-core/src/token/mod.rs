//! Messages of the token endpoint (SMART App Launch 2.2, obtain and refresh access token; RFC 6749, sections 4 to 6).

mod authentication;
mod authorization_details;
mod client_credentials;
mod code_exchange;
mod error;
mod refresh;
mod response;
mod server;

pub use authentication::{BasicEncoding, ClientAuthentication, ClientIdInBody, MessageError, RequestingClient};
pub use authorization_details::AuthorizationDetails;
pub use client_credentials::{BackendScopeError, BackendScopes, ClientCredentialsExchange};
pub use code_exchange::{CodeExchange, ExpectedToken};
pub use error::{TokenError, TokenErrorCode, TokenErrorResponse};
pub use refresh::{RefreshError, RefreshExchange, RefreshScope};
pub use response::TokenResponse;

pub(crate) use authentication::{FormRequest, sensitive};
pub(crate) use error::{endpoint_shown, success_object};
