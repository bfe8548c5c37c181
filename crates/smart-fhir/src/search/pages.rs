//! The pages of a search, one after the other.

use crate::{Bundle, FhirClient, FhirError};
use futures_core::Stream;
use smart_http::{BoxFuture, Endpoint};
use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use url::Url;

/// The pages of a search result, each asked for when the one before was taken (FHIR R4, http.html#paging).
///
/// A page that cannot be had ends the stream with an error: it never ends early without one. The `next` link of a page
/// is followed as the server gives it, below the FHIR base only (requirements FR-05, FR-06).
#[must_use = "a stream does nothing unless polled"]
pub struct PageStream {
    client: FhirClient,
    searched: String,
    state: State,
    seen: HashSet<String>,
    pages: u64,
    max_pages: u64,
}

enum State {
    Failed(Box<FhirError>),
    Wanted(Url),
    Asked(BoxFuture<'static, Result<Bundle, FhirError>>),
    Ended,
}

impl PageStream {
    pub(crate) fn new(client: FhirClient, searched: String, first: Result<Url, FhirError>) -> Self {
        let state = match first {
            Ok(url) => State::Wanted(url),
            Err(error) => State::Failed(Box::new(error)),
        };
        Self { client, searched, state, seen: HashSet::new(), pages: 0, max_pages: 1000 }
    }

    /// Another limit on the number of pages; 1,000 by default. More pages than that are
    /// [`FhirError::TooMany`], after the last page that is allowed.
    pub fn max_pages(mut self, max_pages: u64) -> Self {
        self.max_pages = max_pages;
        self
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`FhirError`] when there is one more page and it cannot be had. After an error there is nothing more.
    pub async fn try_next(&mut self) -> Result<Option<Bundle>, FhirError> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// What comes after a page.
    fn after(&mut self, page: &Bundle) -> State {
        match self.next_url(page) {
            Ok(Some(url)) => State::Wanted(url),
            Ok(None) => State::Ended,
            Err(error) => State::Failed(Box::new(error)),
        }
    }

    fn next_url(&self, page: &Bundle) -> Result<Option<Url>, FhirError> {
        let Some(link) = page.link("next") else { return Ok(None) };
        let endpoint = page.endpoint();
        let base = self.client.base();
        // A relative link is meant from the base; one of a query alone from the page.
        let resolved = if link.starts_with('?') { page.url().join(link).ok() } else { base.resolve(link).ok() };
        let Some(mut url) = resolved else {
            return Err(FhirError::ForeignPage { endpoint, next_origin: "a place that is no URL".to_owned() });
        };
        url.set_fragment(None);
        if !base.contains(&url) {
            return Err(FhirError::ForeignPage { endpoint, next_origin: url.origin().ascii_serialization() });
        }
        if self.seen.contains(url.as_str()) {
            return Err(FhirError::PageLoop { endpoint });
        }
        if self.pages >= self.max_pages {
            return Err(FhirError::TooMany { endpoint, limit: self.max_pages, what: "pages" });
        }
        Ok(Some(url))
    }

    /// The endpoint for an error that ends the stream from outside.
    pub(super) fn base_endpoint(&self) -> Endpoint {
        Endpoint::from(self.client.base().url())
    }
}

impl Stream for PageStream {
    type Item = Result<Bundle, FhirError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Failed(error) => return Poll::Ready(Some(Err(*error))),
                State::Wanted(url) => {
                    this.seen.insert(url.as_str().to_owned());
                    this.pages = this.pages.saturating_add(1);
                    let (client, searched) = (this.client.clone(), this.searched.clone());
                    this.state = State::Asked(Box::pin(async move { client.page(url, &searched).await }));
                }
                State::Asked(mut asked) => match asked.as_mut().poll(cx) {
                    Poll::Pending => {
                        this.state = State::Asked(asked);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(Ok(page)) => {
                        this.state = this.after(&page);
                        return Poll::Ready(Some(Ok(page)));
                    }
                },
            }
        }
    }
}

impl fmt::Debug for PageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream").field("pages", &self.pages).finish_non_exhaustive()
    }
}
