//! The pages of a search, one after the other.

use crate::bundle::Content;
use crate::exchange::Call;
use crate::{Bundle, FhirClient, FhirError};
use futures_core::Stream;
use smart_http::{BoxFuture, Endpoint};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use url::Url;

/// The pages of a search result, each asked for when the one before was taken (FHIR R4, http.html#paging), or ahead of
/// that with [`look_ahead`](Self::look_ahead).
///
/// A page that cannot be had ends the stream with an error: it never ends early without one. The `next` link of a page
/// is followed as the server gives it, below the FHIR base only (requirements FR-05, FR-06).
#[must_use = "a stream does nothing unless polled"]
pub struct PageStream {
    client: FhirClient,
    content: Content,
    state: State,
    /// Pages that came ahead of being asked for.
    ready: VecDeque<Bundle>,
    look_ahead: usize,
    seen: HashSet<String>,
    pages: u64,
    max_pages: u64,
}

enum State {
    Failed(Box<FhirError>),
    Wanted(Box<Call>),
    /// With the URL that a GET went to.
    Asked(Option<Url>, BoxFuture<'static, Result<Bundle, FhirError>>),
    Ended,
}

impl PageStream {
    pub(crate) fn new(client: FhirClient, content: Content, first: Result<Call, FhirError>) -> Self {
        let state = match first {
            Ok(call) => State::Wanted(Box::new(call)),
            Err(error) => State::Failed(Box::new(error)),
        };
        let (ready, seen) = (VecDeque::new(), HashSet::new());
        Self { client, content, state, ready, look_ahead: 0, seen, pages: 0, max_pages: 1000 }
    }

    /// Another limit on the number of pages; 1,000 by default. More pages than that are
    /// [`FhirError::TooMany`], after the last page that is allowed.
    pub fn max_pages(mut self, max_pages: u64) -> Self {
        self.max_pages = max_pages;
        self
    }

    /// Asks for so many pages ahead of their being taken, 0 by default and 16 at most. They are held in memory.
    pub fn look_ahead(mut self, pages: usize) -> Self {
        self.look_ahead = pages.min(16);
        self
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`FhirError`] when there is one more page and it cannot be had. After an error there is nothing more.
    pub async fn try_next(&mut self) -> Result<Option<Bundle>, FhirError> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// Remembers the address that answered: after a redirect it is another than was asked for. One that was seen before
    /// has the same page as before.
    fn remember(&mut self, asked: Option<&Url>, page: &Bundle) -> Result<(), FhirError> {
        let Some(asked) = asked else { return Ok(()) };
        let mut answered = page.url().clone();
        answered.set_fragment(None);
        if *asked != answered && !self.seen.insert(answered.into()) {
            return Err(FhirError::PageLoop { endpoint: page.endpoint() });
        }
        Ok(())
    }

    /// What comes after a page.
    fn after(&self, page: &Bundle) -> State {
        match self.next_url(page) {
            Ok(Some(url)) => State::Wanted(Box::new(Call::get(url))),
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

    /// Goes on with the pages that are wanted ahead, as far as there is room for them.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        while self.ready.len() < self.look_ahead {
            if !self.poll_page(cx) {
                return;
            }
        }
    }

    /// Goes on with the page that is asked for; tells whether there may be more to do at once.
    fn poll_page(&mut self, cx: &mut Context<'_>) -> bool {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Wanted(call) => {
                // A search that goes by POST is another than what a link by GET may lead to.
                let asked = (call.method == http::Method::GET).then(|| call.url.clone());
                self.seen.extend(asked.clone().map(String::from));
                self.pages = self.pages.saturating_add(1);
                let (client, content) = (self.client.clone(), self.content.clone());
                self.state = State::Asked(asked, Box::pin(async move { client.page(*call, &content).await }));
                true
            }
            State::Asked(asked, mut answer) => match answer.as_mut().poll(cx) {
                Poll::Pending => {
                    self.state = State::Asked(asked, answer);
                    false
                }
                Poll::Ready(page) => match page.and_then(|page| self.remember(asked.as_ref(), &page).map(|()| page)) {
                    Err(error) => {
                        self.state = State::Failed(Box::new(error));
                        false
                    }
                    Ok(page) => {
                        self.state = self.after(&page);
                        self.ready.push_back(page);
                        true
                    }
                },
            },
            other => {
                self.state = other;
                false
            }
        }
    }
}

impl Stream for PageStream {
    type Item = Result<Bundle, FhirError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        while this.ready.is_empty() && this.poll_page(cx) {}
        if let Some(page) = this.ready.pop_front() {
            this.poll_ahead(cx);
            return Poll::Ready(Some(Ok(page)));
        }
        match std::mem::replace(&mut this.state, State::Ended) {
            State::Ended => Poll::Ready(None),
            State::Failed(error) => Poll::Ready(Some(Err(*error))),
            pending => {
                this.state = pending;
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for PageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream").field("pages", &self.pages).finish_non_exhaustive()
    }
}
