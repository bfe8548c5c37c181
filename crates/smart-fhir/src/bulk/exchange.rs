//! The requests of an export: where the token goes, and where it does not.

use super::BulkError;
use crate::{FhirClient, Refusal};
use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode};
use smart_core::url_policy::same_origin;
use smart_http::{Body, Endpoint, HttpClient, HttpError, uri_of};
use url::{Origin, Url};

/// How many redirects are followed for one request.
const MAX_REDIRECTS: u32 = 5;

/// A client of one server's exports, and the origins beside its own that may have its token.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) fhir: FhirClient,
    pub(super) token_origins: Vec<Origin>,
}

/// Whether a request carries the token, where its place allows that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// It does.
    Needed,
    /// It must not (requirement BK-34).
    Never,
}

/// Where redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    /// Nowhere.
    None,
    /// Within the origin.
    Within,
    /// Anywhere, without the token outside the origins that may have it (requirement BK-35).
    Anywhere,
}

impl Exchange {
    /// Whether the token may go there: to the origin of the FHIR base, and to those that the caller has named.
    pub(super) fn may_have_token(&self, url: &Url) -> bool {
        same_origin(self.fhir.base().url(), url) || self.token_origins.contains(&url.origin())
    }

    /// Sends a request and collects the answer. A token that is refused is renewed, and the request sent once more: what was
    /// refused for want of a token has had no effect.
    pub(super) async fn fetch(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BulkError> {
        let redirects = if request.method().is_safe() { Redirects::Within } else { Redirects::None };
        let http = self.fhir.http();
        let (_, response) = self.open(http, request, Token::Needed, redirects).await?;
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, body.collect(http.limits().max_body).await?))
    }

    /// Sends a request and gives the answer as it comes, with the URL that it came from.
    pub(super) async fn open(
        &self,
        http: &HttpClient,
        mut request: Request<Bytes>,
        token: Token,
        redirects: Redirects,
    ) -> Result<(Url, Response<Body>), BulkError> {
        let mut url = Url::parse(&request.uri().to_string()).map_err(|_| HttpError::InvalidUrl {
            endpoint: Endpoint::of(request.uri()),
            reason: "it is no absolute URL",
        })?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(http, &url, &request, token).await?;
            let Some(target) = redirect(&url, &response, redirects)? else { return Ok((url, response)) };
            *request.uri_mut() = uri_of(&target)?;
            url = target;
        }
        Err(HttpError::TooManyRedirects { endpoint: Endpoint::from(&url), limit: MAX_REDIRECTS }.into())
    }

    /// One request, and once more with another header where the server refuses the one it got (RFC 6750, section 3.1).
    async fn ask(
        &self,
        http: &HttpClient,
        url: &Url,
        request: &Request<Bytes>,
        token: Token,
    ) -> Result<Response<Body>, BulkError> {
        let header = self.header(url, token).await?;
        let response = self.send(http, url, request, header.clone()).await?;
        let Some(rejected) = header.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        let failed = |error| BulkError::Authorize { endpoint: Endpoint::from(url), error };
        if !self.fhir.authorize().renew(&rejected).await.map_err(failed)? {
            return Ok(response);
        }
        match self.header(url, token).await? {
            Some(new) if new != rejected => self.send(http, url, request, Some(new)).await,
            _ => Ok(response),
        }
    }

    /// The header is asked for each time: a token of five minutes ends during most exports (requirement BK-19).
    async fn header(&self, url: &Url, token: Token) -> Result<Option<HeaderValue>, BulkError> {
        if token == Token::Never || !self.may_have_token(url) {
            return Ok(None);
        }
        // Status and files often lie beside the FHIR base. It is the base that the token is asked for.
        let header = self.fhir.authorize().authorization(self.fhir.base().url()).await;
        let mut header = header.map_err(|error| BulkError::Authorize { endpoint: Endpoint::from(url), error })?;
        if let Some(value) = &mut header {
            value.set_sensitive(true);
        }
        Ok(header)
    }

    async fn send(
        &self,
        http: &HttpClient,
        url: &Url,
        request: &Request<Bytes>,
        header: Option<HeaderValue>,
    ) -> Result<Response<Body>, BulkError> {
        let mut request = request.clone();
        request.headers_mut().remove(AUTHORIZATION);
        if let Some(header) = header {
            let allowed = self.fhir.authorize().sending(request.method(), url);
            allowed.map_err(|error| BulkError::Authorize { endpoint: Endpoint::from(url), error })?;
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        Ok(http.stream(request).await?)
    }

    /// The refusal that a response is, its body read within the usual limit.
    pub(super) async fn refusal(&self, url: &Url, response: Response<Body>) -> Result<Refusal, BulkError> {
        let (head, body) = response.into_parts();
        let body = body.collect(self.fhir.http().limits().max_body).await?;
        Ok(self.refused(url, Response::from_parts(head, body)))
    }

    pub(super) fn refused(&self, url: &Url, response: Response<Bytes>) -> Refusal {
        let (head, body) = response.into_parts();
        Refusal::read(Endpoint::from(url), head, body, self.fhir.http().timer().now())
    }
}

/// Where a response sends the request on to. Https never becomes http.
fn redirect<T>(url: &Url, response: &Response<T>, redirects: Redirects) -> Result<Option<Url>, HttpError> {
    if redirects == Redirects::None || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| url.join(location).ok());
    let target = target.ok_or_else(|| HttpError::InvalidRedirect { endpoint: Endpoint::from(url) })?;
    let is_less_safe = url.scheme() == "https" && target.scheme() != "https";
    if is_less_safe || (redirects == Redirects::Within && !same_origin(url, &target)) {
        let to_origin = target.origin().ascii_serialization();
        return Err(HttpError::CrossOriginRedirect { from: Endpoint::from(url), to_origin });
    }
    Ok(Some(target))
}
