//! One request to the FHIR server: authorization, redirects, renewal, and what the response is.

use crate::media_type::check_is_json;
use crate::resource::{is_value, without_mark};
use crate::{Answer, FhirClient, FhirError, FromResource, OperationOutcome, Refusal};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde_json::{Map, Value};
use smart_core::json::{parse_object, texts_of_object};
use smart_http::{Endpoint, RedirectPolicy, Repeat, uri_of};
use url::Url;

/// How many redirects are followed for one request.
const REDIRECTS: RedirectPolicy = RedirectPolicy::same_origin();

/// A request to be sent, without what the client adds.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// An `Accept` among them is kept.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
}

impl Call {
    pub(crate) fn get(url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, url, headers, body, repeat: Repeat::Freely }
    }
}

/// A response, and the URL that it came from after redirects.
pub(crate) struct Reply {
    pub(crate) url: Url,
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from(&self.url)
    }

    /// The body, if it is JSON by its name.
    fn json(&self) -> Result<&[u8], FhirError> {
        match check_is_json(&self.head.headers) {
            Ok(()) => Ok(&self.body),
            Err(content_type) => Err(FhirError::NotFhirJson { endpoint: self.endpoint(), content_type }),
        }
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, FhirError> {
        parse_object(self.json()?).map_err(|error| FhirError::BadJson { endpoint: self.endpoint(), error })
    }

    /// The body as what was asked for: a resource of this type and id. Anything else is not handed out.
    pub(crate) fn resource<T: FromResource>(
        &self,
        resource_type: Option<&str>,
        id: Option<&str>,
    ) -> Result<T, FhirError> {
        let body = self.json()?;
        let bad = |error| FhirError::BadJson { endpoint: self.endpoint(), error };
        if is_value::<T>() {
            let object = parse_object(body).map_err(bad)?;
            let text = |name: &str| object.get(name).and_then(Value::as_str);
            self.check(text("resourceType"), text("id"), resource_type, id)?;
            if let Ok(resource) = T::from_value(Value::Object(object)) {
                return Ok(resource);
            }
        }
        let [own_type, own_id] = texts_of_object(body, ["resourceType", "id"]).map_err(bad)?;
        self.check(own_type.as_deref(), own_id.as_deref(), resource_type, id)?;
        typed(&self.body, own_type.as_deref(), &self.endpoint())
    }

    /// Whether a resource is of the type and has the id that were asked for.
    fn check(
        &self,
        own_type: Option<&str>,
        own_id: Option<&str>,
        resource_type: Option<&str>,
        id: Option<&str>,
    ) -> Result<(), FhirError> {
        let Some(expected) = resource_type else { return Ok(()) };
        let found = match own_type {
            Some(own) if own == expected && (id.is_none() || own_id == id) => return Ok(()),
            Some(own) if own == expected => "a resource with another id",
            Some("OperationOutcome") => "an OperationOutcome",
            _ => "another type of resource",
        };
        let (endpoint, expected, outcome) = (self.endpoint(), expected.to_owned(), self.outcome());
        Err(FhirError::OtherResource { endpoint, expected, found, outcome })
    }

    /// The body as an OperationOutcome, if it is one.
    pub(crate) fn outcome(&self) -> Option<OperationOutcome> {
        let [own_type] = texts_of_object(&self.body, ["resourceType"]).ok()?;
        if own_type.as_deref() != Some("OperationOutcome") {
            return None;
        }
        OperationOutcome::from_resource(&parse_object(&self.body).ok()?)
    }

    /// What came of a write or an operation: the resource of this type and id, an OperationOutcome, or nothing.
    pub(crate) fn answer<T: FromResource>(
        self,
        client: &FhirClient,
        resource_type: Option<&str>,
        id: Option<&str>,
    ) -> Result<Answer<Option<T>>, FhirError> {
        let is_empty = without_mark(&self.body).trim_ascii().is_empty();
        let outcome = if is_empty || self.json().is_err() { None } else { self.outcome() };
        let is_outcome = outcome.is_some() && resource_type.is_some_and(|expected| expected != "OperationOutcome");
        let resource = if is_empty || is_outcome { None } else { Some(self.resource(resource_type, id)?) };
        Ok(Answer::new(client, &self.url, self.head, resource, outcome))
    }
}

/// Reads a resource into a Rust type. The reason why it does not fit is not kept: it would quote the resource.
pub(crate) fn typed<T: FromResource>(
    octets: &Bytes,
    resource_type: Option<&str>,
    endpoint: &Endpoint,
) -> Result<T, FhirError> {
    T::from_resource(octets).ok_or_else(|| FhirError::WrongShape {
        endpoint: endpoint.clone(),
        resource_type: crate::ResourceTypeName::parse(resource_type.unwrap_or_default())
            .map_or_else(|_| "resource".to_owned(), |name| name.to_string()),
        rust_type: std::any::type_name::<T>(),
    })
}

impl FhirClient {
    /// GETs something at a URL at or below the FHIR base.
    pub(crate) async fn fetch(&self, url: Url) -> Result<Reply, FhirError> {
        self.call(Call::get(url)).await
    }

    /// Sends a request to a URL at or below the FHIR base. The response is a success.
    pub(crate) async fn call(&self, call: Call) -> Result<Reply, FhirError> {
        let reply = self.exchange(call).await?;
        if reply.head.status.is_success() { Ok(reply) } else { Err(self.refused(reply)) }
    }

    pub(crate) fn refused(&self, reply: Reply) -> FhirError {
        let now = self.http().timer().now();
        FhirError::Refused(Box::new(Refusal::read(reply.endpoint(), reply.head, reply.body, now)))
    }

    /// The same, whatever the status.
    pub(crate) async fn exchange(&self, mut call: Call) -> Result<Reply, FhirError> {
        if !self.base().contains(&call.url) {
            let base = self.base().as_str().to_owned();
            return Err(FhirError::OutsideBase { endpoint: Endpoint::from(&call.url), base });
        }
        if !call.headers.contains_key(ACCEPT) {
            call.headers.insert(ACCEPT, HeaderValue::from_static(self.media_type().as_str()));
        }
        // Whoever gives the token decides which one it is.
        call.headers.remove(AUTHORIZATION);
        let mut hops = 0;
        loop {
            let reply = self.ask(&call).await?;
            let next = REDIRECTS.next(&call.method, &call.url, reply.head.status, &reply.head.headers, hops)?;
            match next {
                Some(target) => call.url = target,
                None => return Ok(reply),
            }
            hops += 1;
        }
    }

    /// Sends one request, and once more with a new header where the server refuses the one it got (RFC 6750, section 3.1).
    /// A 401 says that the request was not applied (RFC 9110, section 15.5.2), so any may be sent again.
    async fn ask(&self, call: &Call) -> Result<Reply, FhirError> {
        let header = self.header(&call.url).await?;
        let reply = self.send_once(call, header.clone()).await?;
        let Some(rejected) = header.filter(|_| reply.head.status == StatusCode::UNAUTHORIZED) else {
            return Ok(reply);
        };
        let renewed = self.authorize().renew(&rejected).await;
        if !renewed.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(&call.url), error })? {
            return Ok(reply);
        }
        match self.header(&call.url).await? {
            Some(new) if new != rejected => self.send_once(call, Some(new)).await,
            _ => Ok(reply),
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

    async fn send_once(&self, call: &Call, header: Option<HeaderValue>) -> Result<Reply, FhirError> {
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri_of(&call.url)?;
        *request.headers_mut() = call.headers.clone();
        if let Some(header) = header {
            let allowed = self.authorize().sending(request.method(), &call.url);
            allowed.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(&call.url), error })?;
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let response = self.http().fetch_repeating(request, self.retries(), call.repeat).await?;
        let (head, body) = response.into_parts();
        Ok(Reply { url: call.url.clone(), head, body })
    }
}
