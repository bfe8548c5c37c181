//! The seam: one HTTP exchange.

use crate::{Body, BoxFuture, HttpError, Limits};
use bytes::Bytes;
use std::sync::Arc;

/// One HTTP exchange. Implement it to bring your own HTTP stack, proxy or certificate pinning.
///
/// An implementation sends the request once, verifies the server's certificate and name (requirement SE-01), follows
/// no redirect, keeps no cookie, caches nothing, and keeps to the time limits, also while the body is read. It may
/// repeat a request only where the first try certainly did not leave this machine. [`HttpClient`](crate::HttpClient)
/// keeps to the body limit itself. Errors name the endpoint through [`Endpoint`](crate::Endpoint), which hides the
/// query.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request`, whose URL is absolute, and gives the response as soon as its head is there.
    ///
    /// # Errors
    /// [`HttpError`] when there is no response. A response with an error status is a response.
    fn send(
        &self,
        request: http::Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>> {
        (**self).send(request, limits)
    }
}
