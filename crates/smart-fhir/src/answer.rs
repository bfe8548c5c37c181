//! What came of a request, beside the resource.

use crate::location::Location;
use crate::{FhirClient, OperationOutcome};
use http::{HeaderMap, StatusCode, header};
use smart_core::entity_tag::EntityTag;
use std::fmt;
use url::Url;

/// A resource, or what else came, with what the response says about it. Debug shows the status only.
#[derive(Clone)]
pub struct Answer<T> {
    resource: T,
    status: StatusCode,
    headers: HeaderMap,
    location: Option<Location>,
    outcome: Option<OperationOutcome>,
}

impl<T> Answer<T> {
    pub(crate) fn new(
        client: &FhirClient,
        url: &Url,
        head: http::response::Parts,
        resource: T,
        outcome: Option<OperationOutcome>,
    ) -> Self {
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let location = text(header::LOCATION).or_else(|| text(header::CONTENT_LOCATION));
        let location = location.and_then(|text| Location::read(client.base(), url, text));
        Self { resource, status: head.status, headers: head.headers, location, outcome }
    }

    /// The resource.
    pub fn resource(&self) -> &T {
        &self.resource
    }

    /// The resource, to keep.
    pub fn into_resource(self) -> T {
        self.resource
    }

    /// The same answer with something else in the place of the resource.
    pub fn map<U>(self, into: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { resource, status, headers, location, outcome } = self;
        Answer { resource: into(resource), status, headers, location, outcome }
    }

    /// The status: 200, or 201 when a resource was created.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether a resource was created (201). An update, or a conditional create, may find that there is one.
    pub fn is_created(&self) -> bool {
        self.status == StatusCode::CREATED
    }

    /// The version as a tag, for [`if_match`](crate::Write::if_match) and
    /// [`if_none_match`](crate::ReadOptions::if_none_match) (FHIR R4, http.html#concurrency).
    pub fn etag(&self) -> Option<EntityTag> {
        EntityTag::parse(self.headers.get(header::ETAG)?.to_str().ok()?).ok()
    }

    /// The version id: of the tag, else of the location.
    pub fn version(&self) -> Option<String> {
        let located = || self.location.as_ref()?.version().map(ToString::to_string);
        self.etag().map(|tag| tag.opaque().to_owned()).or_else(located)
    }

    /// When it was last changed, as the server writes it (an HTTP date), for
    /// [`if_modified_since`](crate::ReadOptions::if_modified_since).
    pub fn last_modified(&self) -> Option<&str> {
        self.headers.get(header::LAST_MODIFIED)?.to_str().ok()
    }

    /// Where the resource is: `Location`, else `Content-Location`, absolute or relative.
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// The server's own id of the exchange (`X-Request-Id`), for questions to its operator.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// What the server has to say, where it said it in place of the resource.
    pub fn outcome(&self) -> Option<&OperationOutcome> {
        self.outcome.as_ref()
    }

    /// The response's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// The id of an exchange, as it may be shown: a word of at most 128 characters.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let names = ["x-request-id", "x-correlation-id"];
    let id = names.into_iter().find_map(|name| headers.get(name)).and_then(|value| value.to_str().ok())?;
    let legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'=' | b'+');
    ((1..=128).contains(&id.len()) && id.bytes().all(legal)).then_some(id)
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status.as_u16())
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
