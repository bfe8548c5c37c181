//! The body of a response, as it comes.

use crate::{BoxStream, Endpoint, HttpError};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How much room is made ahead for a body that announces its length.
const MAX_ROOM_AHEAD: u64 = 1024 * 1024;

/// The body of a response: a stream of chunks that ends with an error when the connection breaks, a time limit passes
/// or the body is larger than allowed. A body that ends without an error is whole as far as HTTP can tell.
pub struct Body {
    source: Source,
    endpoint: Option<Endpoint>,
    limit: u64,
    announced: u64,
    received: u64,
}

enum Source {
    Whole(Bytes),
    Chunks(BoxStream<'static, Result<Bytes, HttpError>>),
    Ended,
}

impl Body {
    /// A body that is there already.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Whole(bytes.into()), endpoint: None, limit: u64::MAX, announced: 0, received: 0 }
    }

    /// A body that comes as a stream of chunks, for implementers of [`Transport`](crate::Transport).
    pub fn from_stream(chunks: BoxStream<'static, Result<Bytes, HttpError>>) -> Self {
        Self { source: Source::Chunks(chunks), endpoint: None, limit: u64::MAX, announced: 0, received: 0 }
    }

    /// The same body, which fails with [`HttpError::BodyTooLarge`] once more than `limit` octets have come.
    pub fn limited(mut self, limit: u64, endpoint: Endpoint) -> Self {
        self.limit = self.limit.min(limit);
        self.endpoint = Some(endpoint);
        self
    }

    /// The same body, of which the server announced `octets`: room is made for so many at once, up to a bound.
    pub fn announcing(mut self, octets: u64) -> Self {
        self.announced = octets;
        self
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// [`HttpError`] when the body cannot be read to its end. After an error there is nothing more.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, HttpError>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`HttpError::BodyTooLarge`] when it has more than `limit` octets, and those of [`chunk`](Self::chunk).
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, HttpError> {
        self.limit = self.limit.min(limit);
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await.transpose()? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity(self.room_ahead(first.len() + second.len()));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await.transpose()? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    fn room_ahead(&self, received: usize) -> usize {
        let ahead = self.announced.min(MAX_ROOM_AHEAD).min(self.limit);
        usize::try_from(ahead).unwrap_or(0).max(received)
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, HttpError>>> {
        let next = match &mut self.source {
            Source::Ended => None,
            Source::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.source = Source::Ended;
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Source::Chunks(chunks) => match chunks.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(next) => next,
            },
        };
        let next = next.map(|chunk| chunk.and_then(|chunk| self.counted(chunk)));
        if !matches!(next, Some(Ok(_))) {
            self.source = Source::Ended;
        }
        Poll::Ready(next)
    }

    fn counted(&mut self, chunk: Bytes) -> Result<Bytes, HttpError> {
        self.received = self.received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if self.received > self.limit {
            let endpoint = self.endpoint.clone().unwrap_or_else(|| Endpoint::of(&http::Uri::default()));
            return Err(HttpError::BodyTooLarge { endpoint, limit: self.limit });
        }
        Ok(chunk)
    }
}

impl Stream for Body {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(cx)
    }
}

impl fmt::Debug for Body {
    /// Shows how much came, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("received", &self.received).finish_non_exhaustive()
    }
}
