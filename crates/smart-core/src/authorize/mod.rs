//! The authorization request and its answer (SMART App Launch 2.2, obtain authorization code; RFC 6749, section 4.1).
//!
//! [`AuthorizationBuilder`] makes an [`AuthorizationRequest`] for the browser and a [`PendingAuthorization`] to keep
//! in the user's own session. The [`Callback`] consumes the latter and leaves a
//! [`CodeExchange`](crate::token::CodeExchange), which can be sent once. A server answers by an
//! [`AuthorizationResponse`].

mod builder;
mod callback;
mod error_code;
mod pending;
mod request;
mod response;
mod server;

pub use builder::{AuthorizationBuilder, AuthorizationError};
pub use callback::{Callback, CallbackError, CallbackOutcome};
pub use error_code::AuthorizationErrorCode;
pub use pending::PendingAuthorization;
pub(crate) use pending::PendingParts;
pub use request::{AuthorizationRequest, Method};
pub use response::AuthorizationResponse;
pub use server::AuthorizationServer;
