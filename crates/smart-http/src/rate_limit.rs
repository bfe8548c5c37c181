//! Going easy on a server: no more requests than it can be expected to like.

use crate::{Body, BoxFuture, Endpoint, HttpError, Limits, Timer, Transport};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use smart_core::time::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many origins are kept account of. Beyond that the accounts begin anew.
const MAX_ACCOUNTS: usize = 1000;

/// So many requests in a period, and so many of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateLimit {
    requests: u32,
    period: Duration,
    burst: u32,
}

impl RateLimit {
    /// `requests` in each `period` on the average, `burst` of them at once. Neither is less than one.
    pub const fn new(requests: u32, period: Duration, burst: u32) -> Self {
        let requests = if requests == 0 { 1 } else { requests };
        Self { requests, period, burst: if burst == 0 { 1 } else { burst } }
    }

    /// For token endpoints: 5 a minute, 2 at once.
    pub const TOKEN_ENDPOINT: Self = Self::new(5, Duration::from_mins(1), 2);
    /// For logins: 3 in five minutes, 1 at once.
    pub const LOGIN: Self = Self::new(3, Duration::from_mins(5), 1);
    /// For FHIR APIs: 100 a minute, 20 at once.
    pub const API: Self = Self::new(100, Duration::from_mins(1), 20);
}

/// What is done with a request that comes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenLimited {
    /// It waits its turn, if that takes no longer than this; else it fails.
    Wait {
        /// The longest wait.
        at_most: Duration,
    },
    /// It fails at once with [`HttpError::RateLimited`], which says when to come back.
    Fail,
}

type Rule = Arc<dyn Fn(&Request<Bytes>) -> Option<RateLimit> + Send + Sync>;

/// A transport that keeps to limits of its own, for each origin and limit by itself.
///
/// It is not on by default: what a server likes, its operator knows, and a limit that is too low hurts the app's own users.
/// Servers say so themselves as well ([`retry_after`](crate::retry_after)), which is heeded in any case.
pub struct RateLimited<T> {
    transport: T,
    timer: Arc<dyn Timer>,
    rule: Rule,
    when: WhenLimited,
    accounts: Mutex<HashMap<(String, RateLimit), Account>>,
}

/// A bucket: it fills with time, and each request takes one out.
#[derive(Debug, Clone, Copy)]
struct Account {
    left: f64,
    at: Timestamp,
}

impl<T: Transport> RateLimited<T> {
    /// With the presets: form posts, which go to authorization servers, as for a token endpoint; all others as for an API.
    pub fn new(transport: T, timer: impl Timer, when: WhenLimited) -> Self {
        let rule = |request: &Request<Bytes>| {
            let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let is_form = content_type.is_some_and(|text| text.starts_with("application/x-www-form-urlencoded"));
            let is_search = request.uri().path().ends_with("/_search");
            Some(if is_form && !is_search { RateLimit::TOKEN_ENDPOINT } else { RateLimit::API })
        };
        Self { transport, timer: Arc::new(timer), rule: Arc::new(rule), when, accounts: Mutex::default() }
    }

    /// With limits of the app's own: `None` lets a request pass.
    pub fn with_rule(mut self, rule: impl Fn(&Request<Bytes>) -> Option<RateLimit> + Send + Sync + 'static) -> Self {
        self.rule = Arc::new(rule);
        self
    }

    /// Takes a turn, or says how long until there is one.
    fn take(&self, origin: &str, limit: RateLimit) -> Result<(), Duration> {
        let now = self.timer.now();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ACCOUNTS {
            accounts.clear();
        }
        let full = f64::from(limit.burst);
        let account = accounts.entry((origin.to_owned(), limit)).or_insert(Account { left: full, at: now });
        let per_second = f64::from(limit.requests) / limit.period.as_secs_f64().max(1.0);
        account.left = (account.left + now.since(account.at).as_secs_f64() * per_second).min(full);
        account.at = now;
        if account.left >= 1.0 {
            account.left -= 1.0;
            return Ok(());
        }
        // The clock has whole seconds.
        Err(Duration::from_secs_f64(((1.0 - account.left) / per_second).ceil()))
    }
}

impl<T: Transport> Transport for RateLimited<T> {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(async move {
            if let Some(limit) = (self.rule)(&request) {
                let endpoint = Endpoint::of(request.uri());
                let origin = request.uri().authority().map_or_else(String::new, ToString::to_string);
                let mut waited = Duration::ZERO;
                while let Err(wait) = self.take(&origin, limit) {
                    waited = waited.saturating_add(wait);
                    match self.when {
                        WhenLimited::Wait { at_most } if waited <= at_most => self.timer.sleep(wait).await,
                        _ => return Err(HttpError::RateLimited { endpoint, retry_after: wait }),
                    }
                }
            }
            self.transport.send(request, limits).await
        })
    }
}

impl<T> fmt::Debug for RateLimited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimited").field("when", &self.when).finish_non_exhaustive()
    }
}
