//! Work that goes on by itself, by tokio's runtime or, on wasm32, by the page's own loop of events.

use std::future::Future;
use std::time::Duration;

/// What work has to be that goes on by itself: `Send`, except on wasm32, where there is one thread and the browser's futures are
/// not.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) trait Work: Future<Output: Send + 'static> + Send + 'static {}
#[cfg(not(target_arch = "wasm32"))]
impl<F: Future<Output: Send + 'static> + Send + 'static> Work for F {}
/// What work has to be that goes on by itself: `Send`, except on wasm32, where there is one thread and the browser's futures are
/// not.
#[cfg(target_arch = "wasm32")]
pub(crate) trait Work: Future<Output: 'static> + 'static {}
#[cfg(target_arch = "wasm32")]
impl<F: Future<Output: 'static> + 'static> Work for F {}

/// Does work that goes on to its end when the caller is dropped. `None`: it was stopped half-way.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn to_its_end<W: Work>(work: W) -> impl Future<Output = Option<W::Output>> {
    // Begun here, so that what waits for it does not carry it along.
    let begun = tokio::spawn(work);
    async move { begun.await.ok() }
}

/// Does work that goes on to its end when the caller is dropped. `None`: it was stopped half-way.
#[cfg(target_arch = "wasm32")]
pub(crate) fn to_its_end<W: Work>(work: W) -> impl Future<Output = Option<W::Output>> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    wasm_bindgen_futures::spawn_local(async move {
        // Nobody has to wait for it any more.
        drop(done.send(work.await));
    });
    async move { outcome.await.ok() }
}

/// Does work that nobody waits for.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn in_background(work: impl Work<Output = ()>) -> Background {
    Background(tokio::spawn(work).abort_handle())
}

/// Does work that nobody waits for.
#[cfg(target_arch = "wasm32")]
pub(crate) fn in_background(work: impl Work<Output = ()>) -> Background {
    let (work, handle) = futures_util::future::abortable(work);
    wasm_bindgen_futures::spawn_local(async move {
        // Whether it was ended is of no interest.
        let _ = work.await;
    });
    Background(handle)
}

/// Work that nobody waits for. Dropping this does not end it.
#[derive(Debug)]
pub(crate) struct Background(
    #[cfg(not(target_arch = "wasm32"))] tokio::task::AbortHandle,
    #[cfg(target_arch = "wasm32")] futures_util::future::AbortHandle,
);

impl Background {
    /// Ends it.
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

/// The outcome of work. `None`: it took longer than `limit`.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

/// The outcome of work. `None`: it took longer than `limit`.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let alarm = smart_http::Timer::sleep(&smart_http::BrowserTimer, limit);
    match futures_util::future::select(std::pin::pin!(work), alarm).await {
        futures_util::future::Either::Left((outcome, _)) => Some(outcome),
        futures_util::future::Either::Right(_) => None,
    }
}
