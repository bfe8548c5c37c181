//! How a FHIR client asks for authorization, without knowing where tokens come from.

use crate::BoxFuture;
use http::HeaderValue;
use smart_core::scope::AccessRequest;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// Gives the `Authorization` header for a URL. A session implements it; so may an application whose tokens come from
/// elsewhere.
///
/// A header goes only where its token belongs (requirements FR-03, FR-04, TK-14): for a URL outside the FHIR base it
/// was issued for, the answer is `None`. Header values are marked sensitive, so that they are not logged.
pub trait Authorize: Send + Sync {
    /// The header for a request to `url`; `None` to send the request without one.
    ///
    /// # Errors
    /// [`AuthorizeError`] when there should be a header and cannot be, such as when a refresh failed. The request is
    /// not sent then.
    fn authorization<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>>;

    /// A request with the header is about to be sent: for those who keep a record of what a token is used for. A request that
    /// is sent again after a renewal is told again; a repeat of the same request, or a redirect within the server, is not.
    ///
    /// # Errors
    /// [`AuthorizeError`] when the request must not be sent.
    fn sending(&self, method: &http::Method, url: &Url) -> Result<(), AuthorizeError> {
        let _ = (method, url);
        Ok(())
    }

    /// The server refused the header `rejected` with 401: gets another one. True when there is one, so that a request
    /// which can safely be repeated may be.
    ///
    /// The rejected header is passed so that of many requests refused at once only the first causes a refresh.
    ///
    /// # Errors
    /// [`AuthorizeError`] when another header should be had and cannot be.
    fn renew<'a>(&'a self, rejected: &'a HeaderValue) -> BoxFuture<'a, Result<bool, AuthorizeError>> {
        let _ = rejected;
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Whether what was granted permits the request, as far as can be known before it is sent. The default leaves the
    /// decision to the server.
    ///
    /// # Errors
    /// [`AuthorizeError`] whose [`is_not_permitted`](AuthorizeError::is_not_permitted) is true.
    fn permits(&self, request: &AccessRequest<'_>) -> Result<(), AuthorizeError> {
        let _ = request;
        Ok(())
    }
}

impl<T: Authorize + ?Sized> Authorize for Arc<T> {
    fn authorization<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>> {
        (**self).authorization(url)
    }

    fn sending(&self, method: &http::Method, url: &Url) -> Result<(), AuthorizeError> {
        (**self).sending(method, url)
    }

    fn renew<'a>(&'a self, rejected: &'a HeaderValue) -> BoxFuture<'a, Result<bool, AuthorizeError>> {
        (**self).renew(rejected)
    }

    fn permits(&self, request: &AccessRequest<'_>) -> Result<(), AuthorizeError> {
        (**self).permits(request)
    }
}

/// No authorization, for open servers and test data.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuthorization;

impl Authorize for NoAuthorization {
    fn authorization<'a>(&'a self, _url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Why there is no authorization. It wraps the error of whoever gives it, and says what can be done.
#[derive(Debug, Clone)]
pub struct AuthorizeError {
    kind: Kind,
    source: Arc<dyn Error + Send + Sync>,
    needed_scope: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Retryable,
    Reauthorization,
    NotPermitted,
}

impl AuthorizeError {
    /// A failure that neither time nor a login cures.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Failed, source: Arc::from(source.into()), needed_scope: None }
    }

    /// A failure that may pass, such as a token endpoint that cannot be reached.
    pub fn retryable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Retryable, ..Self::new(source) }
    }

    /// The person has to log in again.
    pub fn reauthorization(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Reauthorization, ..Self::new(source) }
    }

    /// What was granted does not permit the request.
    pub fn not_permitted(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::NotPermitted, ..Self::new(source) }
    }

    /// The same error with the scope that would permit the request.
    pub fn with_needed_scope(self, scope: impl Into<String>) -> Self {
        Self { needed_scope: Some(scope.into()), ..self }
    }

    /// The scope that would permit the request, where it is known.
    pub fn needed_scope(&self) -> Option<&str> {
        self.needed_scope.as_deref()
    }

    /// Whether the same thing may work a little later.
    pub fn is_retryable(&self) -> bool {
        self.kind == Kind::Retryable
    }

    /// Whether the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        self.kind == Kind::Reauthorization
    }

    /// Whether what was granted does not permit the request.
    pub fn is_not_permitted(&self) -> bool {
        self.kind == Kind::NotPermitted
    }
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Failed => "no authorization",
            Kind::Retryable => "no authorization at present; try again later",
            Kind::Reauthorization => "no authorization; log in again",
            Kind::NotPermitted => "what was granted does not permit this request; ask for the scope that does",
        })?;
        write!(f, ": {}", self.source)
    }
}

impl Error for AuthorizeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // Display shows the source already, so the chain goes on after it.
        self.source.source()
    }
}
