//! The HTTP seam of smart-on-fhir: one small transport trait and its hyper and rustls implementation, with limits and
//! retries.
//!
//! [`Transport`] is one exchange. [`HttpClient`] puts limits, redirects within one origin, and retries of safe requests
//! on top of any transport. [`HyperTransport`] is the transport for servers, desktops and phones; on wasm32 there is
//! `FetchTransport` in its place, over the browser's `fetch`. [`Authorize`] is how a FHIR client asks for the bearer token of a
//! URL without knowing where tokens come from.
//!
//! Nothing is cached, no cookie is kept, no redirect is followed unless asked for, and no request but a safe one is
//! ever sent twice, unless [`Repeat`] says that it may be.
//!
//! ```no_run
//! # #[cfg(not(target_arch = "wasm32"))]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use smart_http::{HttpClient, HyperTransport, RedirectPolicy};
//!
//! let http = HttpClient::new(HyperTransport::new());
//! let request = http::Request::get("https://ehr.example/fhir/metadata")
//!     .header(http::header::ACCEPT, "application/fhir+json")
//!     .body(bytes::Bytes::new())?;
//! let response = http.fetch_following(request, RedirectPolicy::same_origin()).await?;
//! println!("{} with {} octets", response.status(), response.body().len());
//! # Ok(())
//! # }
//! ```

mod authorize;
mod body;
mod client;
mod endpoint;
mod error;
#[cfg(target_arch = "wasm32")]
mod fetch_transport;
mod future;
#[cfg(not(target_arch = "wasm32"))]
mod hyper_transport;
mod limits;
mod link_header;
#[cfg(any(test, feature = "test-util"))]
pub mod mock;
mod rate_limit;
#[cfg(test)]
mod rate_limit_tests;
mod redirect;
mod repeat;
mod retry;
mod retry_after;
#[cfg(test)]
mod retry_tests;
mod static_bearer;
mod timer;
mod transport;
pub mod www_authenticate;

pub use authorize::{Authorize, AuthorizeError, NoAuthorization};
pub use body::Body;
pub use client::{HttpClient, uri_of};
pub use endpoint::Endpoint;
pub use error::{ConnectFailure, HttpError, Phase};
#[cfg(target_arch = "wasm32")]
pub use fetch_transport::FetchTransport;
pub use future::{BoxFuture, BoxStream};
#[cfg(not(target_arch = "wasm32"))]
pub use hyper_transport::{CertificateError, HyperTransport, HyperTransportBuilder};
pub use limits::Limits;
pub use link_header::{Link, links};
pub use rate_limit::{RateLimit, RateLimited, WhenLimited};
pub use redirect::RedirectPolicy;
pub use repeat::Repeat;
pub use retry::RetryPolicy;
pub use retry_after::retry_after;
pub use static_bearer::StaticBearer;
#[cfg(target_arch = "wasm32")]
pub use timer::BrowserTimer;
pub use timer::Timer;
#[cfg(not(target_arch = "wasm32"))]
pub use timer::TokioTimer;
pub use transport::Transport;
