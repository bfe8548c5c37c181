//! One safe request to the FHIR server: authorization, redirects, renewal, and what the response is.

use crate::media_type::check_is_json;
use crate::{FhirClient, FhirError, OperationOutcome, Refusal};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use smart_core::json::parse_object;
use smart_http::{Endpoint, RedirectPolicy, uri_of};
use url::Url;

/// How many redirects are followed for one request.
const REDIRECTS: RedirectPolicy = RedirectPolicy::same_origin();

/// A resource, and the URL that it came from after redirects.
pub(crate) struct Fetched {
    pub(crate) url: Url,
    pub(crate) resource: Map<String, Value>,
}

impl Fetched {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from(&self.url)
    }

    /// The resource, if it is of the type and has the id that were asked for.
    pub(crate) fn expect(self, resource_type: &str, id: Option<&str>) -> Result<Self, FhirError> {
        let found_type = self.resource.get("resourceType").and_then(Value::as_str);
        let found = if found_type != Some(resource_type) {
            if found_type == Some("OperationOutcome") { "an OperationOutcome" } else { "another type of resource" }
        } else if id.is_some() && self.resource.get("id").and_then(Value::as_str) != id {
            "a resource with another id"
        } else {
            return Ok(self);
        };
        Err(FhirError::OtherResource {
            endpoint: self.endpoint(),
            expected: resource_type.to_owned(),
            found,
            outcome: OperationOutcome::from_resource(&self.resource),
        })
    }
}

/// Reads a resource into a Rust type. The reason why it does not fit is not kept: it would quote the resource.
pub(crate) fn typed<T: DeserializeOwned>(resource: Value, endpoint: &Endpoint) -> Result<T, FhirError> {
    let resource_type = resource.get("resourceType").and_then(Value::as_str);
    let resource_type = crate::ResourceTypeName::parse(resource_type.unwrap_or_default())
        .map_or_else(|_| "resource".to_owned(), |name| name.to_string());
    serde_json::from_value(resource).map_err(|_| FhirError::WrongShape {
        endpoint: endpoint.clone(),
        resource_type,
        rust_type: std::any::type_name::<T>(),
    })
}

impl FhirClient {
    /// GETs a JSON object from a URL at or below the FHIR base.
    pub(crate) async fn fetch(&self, url: Url) -> Result<Fetched, FhirError> {
        if !self.base().contains(&url) {
            let base = self.base().as_str().to_owned();
            return Err(FhirError::OutsideBase { endpoint: Endpoint::from(&url), base });
        }
        let mut url = url;
        let mut hops = 0;
        let response = loop {
            let response = self.ask(&url).await?;
            let next = REDIRECTS.next(&http::Method::GET, &url, response.status(), response.headers(), hops)?;
            match next {
                Some(target) => url = target,
                None => break response,
            }
            hops += 1;
        };
        let endpoint = Endpoint::from(&url);
        if !response.status().is_success() {
            let now = self.http().timer().now();
            return Err(FhirError::Refused(Box::new(Refusal::read(endpoint, response, now))));
        }
        if let Err(content_type) = check_is_json(response.headers()) {
            return Err(FhirError::NotFhirJson { endpoint, content_type });
        }
        match parse_object(response.body()) {
            Ok(resource) => Ok(Fetched { url, resource }),
            Err(error) => Err(FhirError::BadJson { endpoint, error }),
        }
    }

    /// Sends one GET, and once more with a new header where the server refuses the one it got (RFC 6750, section 3.1).
    async fn ask(&self, url: &Url) -> Result<Response<Bytes>, FhirError> {
        let header = self.header(url).await?;
        let response = self.send(url, header.clone()).await?;
        let Some(rejected) = header.filter(|_| response.status() == http::StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        let renewed = self.authorize().renew(&rejected).await;
        if !renewed.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(url), error })? {
            return Ok(response);
        }
        match self.header(url).await? {
            Some(new) if new != rejected => self.send(url, Some(new)).await,
            _ => Ok(response),
        }
    }

    /// The `Authorization` header for a URL. Outside the FHIR base there is none, whoever gives it
    /// (requirements FR-03, FR-04, FR-05).
    async fn header(&self, url: &Url) -> Result<Option<HeaderValue>, FhirError> {
        if !self.base().contains(url) {
            return Ok(None);
        }
        let header = self.authorize().authorization(url).await;
        let mut header = header.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(url), error })?;
        if let Some(value) = &mut header {
            value.set_sensitive(true);
        }
        Ok(header)
    }

    async fn send(&self, url: &Url, header: Option<HeaderValue>) -> Result<Response<Bytes>, FhirError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(url)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(self.media_type().as_str()));
        if let Some(header) = header {
            let allowed = self.authorize().sending(request.method(), url);
            allowed.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(url), error })?;
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        Ok(self.http().fetch_retrying(request, self.retries()).await?)
    }
}
