//! File and credential store calls wait for the disk: they run on tokio's threads for that.

/// The call was not run to its end: the runtime is stopping, or the call panicked.
pub(crate) struct Stopped;

impl Stopped {
    pub(crate) const REASON: &str = "the runtime is stopping";
}

/// Runs `call` where it may wait. It is run to its end even when the future is dropped.
pub(crate) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, Stopped> {
    tokio::task::spawn_blocking(call).await.map_err(|_| Stopped)
}
