//! What the FHIR API does wrong on purpose, for a while, so that clients can be tested.

use crate::Sandbox;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A way in which the FHIR API fails. The CapabilityStatement, discovery and the tokens stay as they are.
///
/// ```
/// use smart_sandbox::{FhirFault, RetryAfter, Sandbox, SandboxConfig};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), smart_sandbox::SandboxError> {
/// let sandbox = Sandbox::start(SandboxConfig::default()).await?;
/// // The next two requests are refused, and the one after that is fine.
/// sandbox.fail_fhir(FhirFault::TooManyRequests(RetryAfter::Seconds(1)), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FhirFault {
    /// The right answer, after this time.
    Slow(Duration),
    /// Status 429.
    TooManyRequests(RetryAfter),
    /// Status 503.
    Unavailable(RetryAfter),
    /// An HTML page with status 200, as a proxy or a login page in between sends it.
    HtmlPage,
    /// Status 401, though the token is good.
    Unauthorized,
    /// A Bundle with status 200 and about this many octets, at most 256 MiB.
    Oversized(usize),
    /// The `next` link of a search leads to this URL.
    NextAt(String),
    /// The `next` link of a search leads to the page that it is on.
    NextIsSelf,
    /// Each page of a search has a `next` link, each time another one.
    EndlessPages,
    /// Answers are about another patient than the one that was asked for.
    WrongPatient,
}

/// How a server says when to come again (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// It does not.
    Absent,
    /// After this many seconds.
    Seconds(u32),
    /// At the time that it is in this many seconds by the sandbox's clock, as a date.
    Date(u32),
}

/// The faults that are to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Each with the number of requests that it still meets.
    coming: Mutex<VecDeque<(FhirFault, u32)>>,
    /// What meets every request besides.
    always: Mutex<Option<FhirFault>>,
}

impl Faults {
    pub(crate) fn new(always: Option<FhirFault>) -> Self {
        Self { coming: Mutex::default(), always: Mutex::new(always) }
    }

    /// What the next request meets. It counts as met.
    pub(crate) fn next(&self) -> Option<FhirFault> {
        let mut coming = lock(&self.coming);
        if let Some((fault, left)) = coming.front_mut() {
            let fault = fault.clone();
            *left = left.saturating_sub(1);
            if *left == 0 {
                coming.pop_front();
            }
            return Some(fault);
        }
        drop(coming);
        lock(&self.always).clone()
    }
}

// What a panic leaves behind is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Lets the next requests to the FHIR API meet a fault, after those that were asked for earlier have been met. Each
    /// request meets one fault at most, whatever it is about; none if `times` is 0.
    pub fn fail_fhir(&self, fault: FhirFault, times: u32) {
        if times > 0 {
            lock(&self.shared.faults.coming).push_back((fault, times));
        }
    }

    /// Lets every request to the FHIR API meet a fault, until [`heal_fhir`](Self::heal_fhir).
    pub fn always_fail_fhir(&self, fault: FhirFault) {
        *lock(&self.shared.faults.always) = Some(fault);
    }

    /// Ends all faults of the FHIR API.
    pub fn heal_fhir(&self) {
        lock(&self.shared.faults.coming).clear();
        *lock(&self.shared.faults.always) = None;
    }
}
