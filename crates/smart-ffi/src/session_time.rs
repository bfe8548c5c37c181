//! Time-outs, locks and the signs of the person.

use crate::error::SmartError;
use crate::session::Session;
use smart_on_fhir::flows::EndReason;
use std::time::Duration;

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// The person did something: the time without them begins anew. Call it on input, not on requests that the app makes by itself.
    ///
    /// # Errors
    /// Those of a session that may not be used: it is too late.
    pub async fn touch(&self) -> Result<(), SmartError> {
        Ok(self.inner.touch().await?)
    }

    /// Ends or locks the session if a limit of the settings is reached; then, or when it is locked, there is an error.
    ///
    /// # Errors
    /// `session-over/..`, `session-locked`.
    pub async fn check(&self) -> Result<(), SmartError> {
        Ok(self.inner.check().await?)
    }

    /// Locks the session: until it is unlocked it gives out nothing, also after a new start of the app. Its tokens stay.
    ///
    /// # Errors
    /// `session-over/..`; `store/..` when the store could not be told: it is locked here.
    pub async fn lock(&self) -> Result<(), SmartError> {
        Ok(self.inner.lock().await?)
    }

    /// Unlocks the session. How the person shows who they are is the app's.
    ///
    /// # Errors
    /// `session-over/..`; `store/..` when the store could not be told: it is unlocked here.
    pub async fn unlock(&self) -> Result<(), SmartError> {
        Ok(self.inner.unlock().await?)
    }

    /// Whether it is locked.
    pub fn is_locked(&self) -> bool {
        self.inner.is_locked()
    }

    /// Why it is over, such as `logged-out`, `refresh-refused` or `timed-out/idle`. None: it goes on.
    pub fn end_reason(&self) -> Option<String> {
        self.inner.end_reason().map(reason_name)
    }

    /// In how many seconds the person has done nothing for too long. None: there is no such limit.
    pub fn idle_remaining_seconds(&self) -> Option<u64> {
        self.inner.idle_remaining().as_ref().map(Duration::as_secs)
    }

    /// In how many seconds the session ends whatever the person does. None: there is no such limit.
    pub fn absolute_remaining_seconds(&self) -> Option<u64> {
        self.inner.absolute_remaining().as_ref().map(Duration::as_secs)
    }
}

/// A reason as it stands in codes.
pub(crate) fn reason_name(reason: EndReason) -> String {
    let name: &'static str = reason.into();
    match reason {
        EndReason::TimedOut(timeout) => format!("{name}/{}", <&'static str>::from(&timeout)),
        _ => name.to_owned(),
    }
}
