//! The entries of a search over all its pages.

use super::PageStream;
use crate::exchange::typed;
use crate::{BundleEntry, FhirError, FromResource, OperationOutcome, SearchMode};
use bytes::Bytes;
use futures_core::Stream;
use serde_json::Value;
use smart_http::Endpoint;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// All entries of a search result: matches, what comes along with them, and outcomes.
#[must_use = "a stream does nothing unless polled"]
pub struct EntryStream {
    pages: PageStream,
    page: std::vec::IntoIter<BundleEntry>,
    /// The page that the entries at hand came from, for errors.
    endpoint: Endpoint,
    total: Option<u64>,
    entries: u64,
    max_entries: u64,
    is_ended: bool,
}

impl EntryStream {
    pub(crate) fn new(pages: PageStream) -> Self {
        let endpoint = pages.base_endpoint();
        let page = Vec::new().into_iter();
        Self { pages, page, endpoint, total: None, entries: 0, max_entries: 1_000_000, is_ended: false }
    }

    /// The next entry; `None` after the last.
    ///
    /// # Errors
    /// [`FhirError`] when there may be one more entry and it cannot be had. After an error there is nothing more.
    pub async fn try_next(&mut self) -> Result<Option<BundleEntry>, FhirError> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// Another limit on the number of pages: see [`PageStream::max_pages`].
    pub fn max_pages(mut self, max_pages: u64) -> Self {
        self.pages = self.pages.max_pages(max_pages);
        self
    }

    /// Asks for pages ahead: see [`PageStream::look_ahead`].
    pub fn look_ahead(mut self, pages: usize) -> Self {
        self.pages = self.pages.look_ahead(pages);
        self
    }

    /// How many matches there are on all pages, as the server counted them on the last page that came. `None` before the
    /// first page, and where the server does not count.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Another limit on the number of entries; 1,000,000 by default. More than that are [`FhirError::TooMany`].
    pub fn max_entries(mut self, max_entries: u64) -> Self {
        self.max_entries = max_entries;
        self
    }
}

impl Stream for EntryStream {
    type Item = Result<BundleEntry, FhirError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.is_ended {
                return Poll::Ready(None);
            }
            if let Some(entry) = this.page.next() {
                if this.entries >= this.max_entries {
                    this.is_ended = true;
                    let (endpoint, limit) = (this.endpoint.clone(), this.max_entries);
                    return Poll::Ready(Some(Err(FhirError::TooMany { endpoint, limit, what: "entries" })));
                }
                this.entries += 1;
                this.pages.poll_ahead(cx);
                return Poll::Ready(Some(Ok(entry)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => {
                    this.endpoint = page.endpoint();
                    this.total = page.total();
                    this.page = page.into_entries().into_iter();
                }
                Some(Err(error)) => {
                    this.is_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => this.is_ended = true,
            }
        }
    }
}

impl fmt::Debug for EntryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryStream").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// The matches of a search, over all its pages: each item is a resource.
///
/// Resources that come along with matches are passed over here; [`entries`](Self::entries) has them. What the server
/// has to say about the search is kept in [`outcomes`](Self::outcomes). Fewer matches than expected are normal: a
/// server leaves out what may not be seen (requirement FR-20). The stream ends early with an error only.
#[must_use = "a stream does nothing unless polled"]
pub struct SearchStream {
    entries: EntryStream,
    outcomes: Vec<OperationOutcome>,
}

/// How many outcomes are kept.
const MAX_OUTCOMES: usize = 100;

impl SearchStream {
    pub(crate) fn new(pages: PageStream) -> Self {
        Self { entries: EntryStream::new(pages), outcomes: Vec::new() }
    }

    /// The next match; `None` after the last.
    ///
    /// # Errors
    /// [`FhirError`] when there may be one more match and it cannot be had. After an error there is nothing more.
    pub async fn try_next(&mut self) -> Result<Option<Value>, FhirError> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// All matches at once. Mind the memory: the limits are [`max_pages`](Self::max_pages) and
    /// [`max_entries`](Self::max_entries).
    ///
    /// # Errors
    /// [`FhirError`] when one of the pages cannot be had. What came before is dropped: a part could be taken for all.
    pub async fn collect_all(mut self) -> Result<Vec<Value>, FhirError> {
        let mut matches = Vec::new();
        while let Some(resource) = self.try_next().await? {
            matches.push(resource);
        }
        Ok(matches)
    }

    /// Another limit on the number of pages: see [`PageStream::max_pages`].
    pub fn max_pages(mut self, max_pages: u64) -> Self {
        self.entries = self.entries.max_pages(max_pages);
        self
    }

    /// Another limit on the number of entries: see [`EntryStream::max_entries`].
    pub fn max_entries(mut self, max_entries: u64) -> Self {
        self.entries = self.entries.max_entries(max_entries);
        self
    }

    /// All entries, not the matches alone. Call it before taking any.
    pub fn entries(self) -> EntryStream {
        self.entries
    }

    /// The pages as they are. Call it before taking any match.
    pub fn pages(self) -> PageStream {
        self.entries.pages
    }

    /// The matches as a Rust type, or as [`RawResource`](crate::RawResource)s with every digit of their decimals.
    ///
    /// An item that does not fit the type is [`FhirError::WrongShape`]; the stream goes on after it.
    pub fn typed<T: FromResource>(self) -> impl Stream<Item = Result<T, FhirError>> + Unpin {
        let mut matches = self;
        futures_util::stream::poll_fn(move |cx| {
            let next = ready!(matches.poll_match(cx));
            Poll::Ready(next.map(|entry| {
                let entry = entry?;
                let octets =
                    entry.raw().map_or_else(|| Bytes::from(entry.resource.to_string()), |raw| raw.octets().clone());
                typed(&octets, entry.resource_type(), &matches.entries.endpoint)
            }))
        })
    }

    /// Asks for pages ahead: see [`PageStream::look_ahead`].
    pub fn look_ahead(mut self, pages: usize) -> Self {
        self.entries = self.entries.look_ahead(pages);
        self
    }

    /// How many matches there are on all pages: see [`EntryStream::total`].
    pub fn total(&self) -> Option<u64> {
        self.entries.total()
    }

    /// What the server has said about the search on the pages so far, 100 at most.
    pub fn outcomes(&self) -> &[OperationOutcome] {
        &self.outcomes
    }
}

impl SearchStream {
    /// The next match; outcomes on the way are kept.
    fn poll_match(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<BundleEntry, FhirError>>> {
        loop {
            let Some(entry) = ready!(Pin::new(&mut self.entries).poll_next(cx)).transpose()? else {
                return Poll::Ready(None);
            };
            match entry.mode {
                SearchMode::Match => return Poll::Ready(Some(Ok(entry))),
                SearchMode::Include => {}
                SearchMode::Outcome => {
                    if self.outcomes.len() < MAX_OUTCOMES {
                        self.outcomes.extend(entry.outcome());
                    }
                }
            }
        }
    }
}

impl Stream for SearchStream {
    type Item = Result<Value, FhirError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.get_mut().poll_match(cx));
        Poll::Ready(next.map(|entry| entry.map(|entry| entry.resource)))
    }
}

impl fmt::Debug for SearchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchStream").field("entries", &self.entries.entries).finish_non_exhaustive()
    }
}
