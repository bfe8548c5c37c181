//! Work that goes on when the app gives up waiting for it.

use crate::error::SmartError;
use std::future::Future;

/// Does `work` in a task of its own. Some languages drop what they wait for, as when a view is closed.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, SmartError>> + Send + 'static,
) -> Result<T, SmartError> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(SmartError::invalid(
            "stopped",
            "it was stopped half-way; this is a fault of smart-on-fhir, please report it",
        )),
    }
}
