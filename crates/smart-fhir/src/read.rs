//! Reads with conditions, parts and what the response says beside the resource.

use crate::exchange::{Call, Reply};
use crate::search::encoded;
use crate::{Answer, FhirClient, FhirError, FhirId, FromResource, ResourceTypeName, Summary};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use smart_core::entity_tag::EntityTag;

/// How a resource is read, for [`FhirClient::read_with`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ReadOptions {
    headers: HeaderMap,
    query: String,
    version: Option<String>,
    problem: Option<&'static str>,
}

impl ReadOptions {
    /// A plain read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Reads it unless it still has this version (FHIR R4, http.html#cread).
    pub fn if_none_match(self, etag: &EntityTag) -> Self {
        self.header(header::IF_NONE_MATCH, etag.as_str())
    }

    /// Reads it if it was changed since: the [`last_modified`](Answer::last_modified) of an earlier answer, an HTTP date.
    pub fn if_modified_since(self, http_date: &str) -> Self {
        self.header(header::IF_MODIFIED_SINCE, http_date)
    }

    /// Reads a part (`_summary`). It is marked as incomplete: never write it back.
    pub fn summary(self, summary: Summary) -> Self {
        self.param("_summary", summary.as_str())
    }

    /// Reads some elements (`_elements`). What comes is marked as incomplete: never write it back.
    pub fn elements<'a>(self, elements: impl IntoIterator<Item = &'a str>) -> Self {
        self.param("_elements", &elements.into_iter().collect::<Vec<_>>().join(","))
    }

    /// Another header, such as `Accept` or `X-Request-Id`.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(_) => self.problem = Some("a header has characters that none may have"),
        }
        self
    }

    fn param(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.extend([name, "="]);
        self.query.extend(encoded(value));
        self
    }
}

/// What came of a read that had a condition.
#[derive(Debug, Clone)]
pub enum Conditional<T> {
    /// What the caller has is what there is (304).
    NotModified,
    /// The resource.
    Modified(Box<Answer<T>>),
}

impl<T> Conditional<T> {
    /// The answer; `None` where nothing was modified.
    pub fn modified(self) -> Option<Answer<T>> {
        match self {
            Self::NotModified => None,
            Self::Modified(answer) => Some(*answer),
        }
    }
}

impl FhirClient {
    /// Reads a resource with what the response says beside it: version, date, request id.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn read_answer<T: FromResource>(&self, resource_type: &str, id: &str) -> Result<Answer<T>, FhirError> {
        let reply = self.reading(resource_type, id, &ReadOptions::new()).await?;
        if reply.head.status.is_success() {
            self.read_result(resource_type, id, reply)
        } else {
            Err(self.refused(reply))
        }
    }

    /// Reads a resource under conditions, or a part of it (FHIR R4, http.html#cread).
    ///
    /// # Errors
    /// As for [`read`](Self::read); [`FhirError::InvalidRequest`].
    pub async fn read_with<T: FromResource>(
        &self,
        resource_type: &str,
        id: &str,
        options: &ReadOptions,
    ) -> Result<Conditional<T>, FhirError> {
        let is_conditional = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
        let is_conditional = is_conditional.iter().any(|name| options.headers.contains_key(name));
        let reply = self.reading(resource_type, id, options).await?;
        match reply.head.status {
            StatusCode::NOT_MODIFIED if is_conditional => Ok(Conditional::NotModified),
            status if status.is_success() => {
                Ok(Conditional::Modified(Box::new(self.read_result(resource_type, id, reply)?)))
            }
            _ => Err(self.refused(reply)),
        }
    }

    async fn reading(&self, resource_type: &str, id: &str, options: &ReadOptions) -> Result<Reply, FhirError> {
        if let Some(reason) = options.problem {
            return Err(FhirError::InvalidRequest { reason });
        }
        let version = options.version.as_deref().map(FhirId::parse_lenient).transpose()?;
        let (resource_type, id) = (ResourceTypeName::parse(resource_type)?, FhirId::parse_lenient(id)?);
        let url = self.read_url(&resource_type, &id, version.as_ref(), &options.query)?;
        self.exchange(Call { headers: options.headers.clone(), ..Call::get(url) }).await
    }

    fn read_result<T: FromResource>(
        &self,
        resource_type: &str,
        id: &str,
        reply: Reply,
    ) -> Result<Answer<T>, FhirError> {
        let resource = reply.resource(Some(resource_type), Some(id))?;
        Ok(Answer::new(self, &reply.url, reply.head, resource, None))
    }
}
