//! Exchanges with limits, redirects and retries, over any transport.

use crate::{Body, Endpoint, HttpError, Limits, RedirectPolicy, Repeat, RetryPolicy, Timer, Transport};
use bytes::Bytes;
use http::{HeaderName, Request, Response, Uri};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// An HTTP client over a [`Transport`]. Clones are cheap and share the transport, so its connections too.
///
/// It caches nothing and keeps no cookie (requirement TK-13). Header names compare in any case (requirement DI-20).
#[derive(Clone)]
pub struct HttpClient {
    transport: Arc<dyn Transport>,
    timer: Arc<dyn Timer>,
    limits: Limits,
}

impl HttpClient {
    /// A client with the default limits, which waits by the tokio runtime's timer.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(transport: impl Transport) -> Self {
        Self::with_timer(transport, crate::TokioTimer)
    }

    /// A client with the default limits, which waits by the page's timer.
    #[cfg(target_arch = "wasm32")]
    pub fn new(transport: impl Transport) -> Self {
        Self::with_timer(transport, crate::BrowserTimer)
    }

    /// A client with the default limits and a timer of the caller's.
    pub fn with_timer(transport: impl Transport, timer: impl Timer) -> Self {
        Self { transport: Arc::new(transport), timer: Arc::new(timer), limits: Limits::default() }
    }

    /// The same client with other limits for each exchange.
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// The limits of each exchange.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The timer.
    pub fn timer(&self) -> &dyn Timer {
        &*self.timer
    }

    /// Sends a request and gives the body as it comes, within the limits. No redirect is followed.
    ///
    /// # Errors
    /// [`HttpError`] when there is no response; the body has errors of its own.
    pub async fn stream(&self, request: Request<Bytes>) -> Result<Response<Body>, HttpError> {
        let endpoint = Endpoint::of(request.uri());
        let method = request.method().clone();
        let outcome = self.transport.send(request, self.limits).await;
        match outcome {
            Ok(response) => {
                tracing::debug!(%method, %endpoint, status = response.status().as_u16(), "HTTP exchange");
                Ok(response.map(|body| body.limited(self.limits.max_body, endpoint)))
            }
            Err(error) => {
                tracing::debug!(%method, %endpoint, %error, "HTTP exchange failed");
                Err(error)
            }
        }
    }

    /// Sends a request and collects the body. No redirect is followed: the caller gets the 3xx response
    /// (requirement TK-12).
    ///
    /// # Errors
    /// [`HttpError`] when there is no response or its body cannot be read to its end within the limits.
    pub async fn fetch(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = self.stream(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect(self.limits.max_body).await?))
    }

    /// Like [`fetch`](Self::fetch), following redirects by the policy. The same headers are sent on each hop.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch), and [`HttpError::CrossOriginRedirect`], [`HttpError::TooManyRedirects`],
    /// [`HttpError::InvalidRedirect`].
    pub async fn fetch_following(
        &self,
        request: Request<Bytes>,
        policy: RedirectPolicy,
    ) -> Result<Response<Bytes>, HttpError> {
        self.follow(request, policy, &RetryPolicy::none()).await
    }

    /// Like [`fetch`](Self::fetch), repeating a safe request (GET, HEAD, OPTIONS) while the server is overloaded
    /// (429, 502, 503, 504) or the exchange failed in a way that may pass. Any other request is sent once.
    ///
    /// When the tries are used up, or the server asks for a longer wait than the policy allows, the caller gets the
    /// last response or error.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch).
    pub async fn fetch_retrying(
        &self,
        request: Request<Bytes>,
        policy: &RetryPolicy,
    ) -> Result<Response<Bytes>, HttpError> {
        let repeat = Repeat::safe_only(request.method());
        self.fetch_repeating(request, policy, repeat).await
    }

    /// Like [`fetch`](Self::fetch), sending the request again where `repeat` lets it and `policy` has a try left.
    ///
    /// When the tries are used up, or the server asks for a longer wait than the policy allows, the caller gets the
    /// last response or error.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch).
    pub async fn fetch_repeating(
        &self,
        request: Request<Bytes>,
        policy: &RetryPolicy,
        repeat: Repeat,
    ) -> Result<Response<Bytes>, HttpError> {
        if repeat == Repeat::Never {
            return self.fetch(request).await;
        }
        let mut budget = policy.budget(repeat);
        loop {
            let outcome = self.fetch(request.clone()).await;
            let Some(wait) = budget.wait_after(&outcome, self.timer.now()) else { return outcome };
            tracing::debug!(endpoint = %Endpoint::of(request.uri()), ?wait, "trying again later");
            self.timer.sleep(wait).await;
        }
    }

    /// Both [`fetch_following`](Self::fetch_following) and [`fetch_retrying`](Self::fetch_retrying): each hop has the
    /// policy's tries.
    ///
    /// # Errors
    /// As for both.
    pub async fn follow(
        &self,
        mut request: Request<Bytes>,
        redirects: RedirectPolicy,
        retries: &RetryPolicy,
    ) -> Result<Response<Bytes>, HttpError> {
        if redirects == RedirectPolicy::None {
            return self.fetch_retrying(request, retries).await;
        }
        let mut url = Url::parse(&request.uri().to_string()).map_err(|_| HttpError::InvalidUrl {
            endpoint: Endpoint::of(request.uri()),
            reason: "it is no absolute URL",
        })?;
        for hops in 0.. {
            let response = self.fetch_retrying(request.clone(), retries).await?;
            let next = redirects.next(request.method(), &url, response.status(), response.headers(), hops)?;
            let Some(target) = next else { return Ok(response) };
            *request.uri_mut() = uri_of(&target)?;
            request.headers_mut().remove(http::header::HOST);
            url = target;
        }
        Err(HttpError::InvalidRedirect { endpoint: Endpoint::from(&url) })
    }
}

impl HttpClient {
    /// A GET request for `url` with an `Accept` header, to be sent with one of the other methods.
    ///
    /// # Errors
    /// [`HttpError::InvalidUrl`].
    pub fn get_request(url: &Url, accept: &'static str) -> Result<Request<Bytes>, HttpError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(url)?;
        let accept = http::HeaderValue::from_static(accept);
        request.headers_mut().insert(HeaderName::from_static("accept"), accept);
        Ok(request)
    }
}

/// The URL as the `http` crate has it, without its fragment, which is never sent.
///
/// # Errors
/// [`HttpError::InvalidUrl`] when no HTTP request may have it.
pub fn uri_of(url: &Url) -> Result<Uri, HttpError> {
    let sent = url.as_str().split('#').next().unwrap_or_default();
    Uri::try_from(sent).map_err(|_| HttpError::InvalidUrl {
        endpoint: Endpoint::from(url),
        reason: "it has characters that no HTTP request may have",
    })
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}
