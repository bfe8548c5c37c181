//! Histories: the versions of resources.

use crate::search::PageStream;
use crate::{FhirError, FhirId, RawResource, ResourceTypeName};
use futures_core::Stream;
use serde_json::Value;
use smart_core::entity_tag::EntityTag;
use smart_core::scope::{AccessRequest, Interaction};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Whose history is asked for (FHIR R4, http.html#history). Debug does not show the id.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct History {
    of: Option<(String, Option<String>)>,
    parameters: Vec<(&'static str, String)>,
}

impl History {
    /// The versions of one resource.
    pub fn of(resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self { of: Some((resource_type.into(), Some(id.into()))), parameters: Vec::new() }
    }

    /// What was changed among the resources of a type.
    pub fn of_type(resource_type: impl Into<String>) -> Self {
        Self { of: Some((resource_type.into(), None)), parameters: Vec::new() }
    }

    /// What was changed at all.
    pub fn of_all() -> Self {
        Self { of: None, parameters: Vec::new() }
    }

    /// Only what was changed at or after an instant, such as `2026-01-01T00:00:00Z` (`_since`).
    pub fn since(self, instant: impl Into<String>) -> Self {
        self.with("_since", instant.into())
    }

    /// Only what was current at a time (`_at`).
    pub fn at(self, time: impl Into<String>) -> Self {
        self.with("_at", time.into())
    }

    /// How many versions a page should have.
    pub fn count(self, count: u32) -> Self {
        self.with("_count", count.to_string())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.parameters.push((name, value));
        self
    }

    pub(crate) fn to_relative_url(&self) -> Result<String, FhirError> {
        let mut url = match &self.of {
            None => "_history".to_owned(),
            Some((name, None)) => format!("{}/_history", ResourceTypeName::parse(name)?),
            Some((name, Some(id))) => {
                format!("{}/{}/_history", ResourceTypeName::parse(name)?, FhirId::parse_lenient(id)?)
            }
        };
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.extend([*name, "="]);
            url.extend(crate::search::encoded(value));
        }
        Ok(url)
    }

    pub(crate) fn access_request(&self) -> AccessRequest<'_> {
        match &self.of {
            None => AccessRequest::on_all_types(Interaction::HistorySystem),
            Some((name, None)) => AccessRequest::new(Interaction::HistoryType, name),
            Some((name, Some(_))) => AccessRequest::new(Interaction::HistoryInstance, name),
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource_type = self.of.as_ref().map(|(name, _)| name);
        f.debug_struct("History").field("of", &resource_type).finish_non_exhaustive()
    }
}

/// A version of a resource, or that it was deleted. Debug shows what was done.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// How it came about: `POST`, `PUT`, `PATCH`, `DELETE`; empty where the server does not say.
    pub method: String,
    /// The URL of the request, or of the resource, as the server names it: a deleted resource is known by it. Untrusted.
    pub url: Option<String>,
    /// The resource in this version; none where it was deleted.
    pub resource: Option<Value>,
    /// The same in the octets that came.
    pub raw: Option<RawResource>,
    /// The version.
    pub etag: Option<EntityTag>,
    /// When, as the server writes it (an instant).
    pub last_modified: Option<String>,
}

impl HistoryEntry {
    pub(crate) fn read(entry: &Value, raw: Option<RawResource>) -> Result<Self, &'static str> {
        if !entry.is_object() {
            return Err("entry");
        }
        let text = |part: &str, name: &str| Some(entry.get(part)?.get(name)?.as_str()?.to_owned());
        let resource = match entry.get("resource") {
            None => None,
            Some(resource @ Value::Object(_)) => Some(resource.clone()),
            Some(_) => return Err("entry.resource"),
        };
        let meta = |name: &str| Some(resource.as_ref()?.get("meta")?.get(name)?.as_str()?.to_owned());
        let tag = text("response", "etag").and_then(|tag| EntityTag::parse(&tag).ok());
        Ok(Self {
            method: text("request", "method").unwrap_or_default(),
            url: text("request", "url").or_else(|| entry.get("fullUrl")?.as_str().map(str::to_owned)),
            raw,
            etag: tag.or_else(|| EntityTag::of_version(&meta("versionId")?).ok()),
            last_modified: text("response", "lastModified").or_else(|| meta("lastUpdated")),
            resource,
        })
    }

    /// Whether this is where it was deleted.
    pub fn is_deletion(&self) -> bool {
        self.method.eq_ignore_ascii_case("DELETE")
    }
}

impl fmt::Debug for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryEntry").field("deletion", &self.is_deletion()).finish_non_exhaustive()
    }
}

/// The entries of a history over all its pages, newest first.
#[must_use = "a stream does nothing unless polled"]
pub struct HistoryStream {
    pages: PageStream,
    page: std::vec::IntoIter<HistoryEntry>,
}

impl HistoryStream {
    pub(crate) fn new(pages: PageStream) -> Self {
        Self { pages, page: Vec::new().into_iter() }
    }

    /// Another limit on the number of pages: see [`PageStream::max_pages`].
    pub fn max_pages(mut self, max_pages: u64) -> Self {
        self.pages = self.pages.max_pages(max_pages);
        self
    }

    /// The next entry; `None` after the last.
    ///
    /// # Errors
    /// [`FhirError`] when there may be one more entry and it cannot be had. After an error there is nothing more.
    pub async fn try_next(&mut self) -> Result<Option<HistoryEntry>, FhirError> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// All entries at once. Mind the memory.
    ///
    /// # Errors
    /// [`FhirError`] when one of the pages cannot be had.
    pub async fn collect_all(mut self) -> Result<Vec<HistoryEntry>, FhirError> {
        let mut all = Vec::new();
        while let Some(entry) = self.try_next().await? {
            all.push(entry);
        }
        Ok(all)
    }
}

impl Stream for HistoryStream {
    type Item = Result<HistoryEntry, FhirError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.page.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)).transpose()? {
                Some(page) => this.page = page.into_history().into_iter(),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for HistoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HistoryStream")
    }
}
