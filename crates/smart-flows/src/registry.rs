//! What is known of servers: their discovery documents, cached, and fetched once for however many ask.

use crate::audit::AuditKind;
use crate::client::Inner;
use crate::error::Error;
use crate::slots::Slots;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use smart_core::discovery::{Discovered, Discovery, Step};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::time::Timestamp;
use smart_http::{RedirectPolicy, RetryPolicy};
use std::time::Duration;

/// How many servers are remembered.
const MAX_SERVERS: usize = 256;

/// How long discovery documents are believed (requirement DI-16).
///
/// The server's `Cache-Control: max-age` counts, within these bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoveryCache {
    /// Where the server does not say. Default: one hour.
    pub default_lifetime: Duration,
    /// At most, whatever the server says. Default: 24 hours.
    pub longest_lifetime: Duration,
    /// How long past its lifetime a document still serves while the server fails. Default: 24 hours.
    pub longest_stale: Duration,
    /// The shortest time between two fetches that an endpoint's refusal causes. Default: one minute.
    pub between_forced: Duration,
}

impl Default for DiscoveryCache {
    fn default() -> Self {
        Self {
            default_lifetime: Duration::from_hours(1),
            longest_lifetime: Duration::from_hours(24),
            longest_stale: Duration::from_hours(24),
            between_forced: Duration::from_mins(1),
        }
    }
}

impl DiscoveryCache {
    /// Nothing is kept: each launch fetches.
    pub fn off() -> Self {
        Self { longest_lifetime: Duration::ZERO, longest_stale: Duration::ZERO, ..Self::default() }
    }
}

/// The servers that are known, by FHIR base as it was given: what is sent as `aud` is what the caller gave, so two
/// spellings are two entries.
pub(crate) struct Registry {
    servers: Slots<String, Option<Known>>,
    cache: DiscoveryCache,
}

#[derive(Clone)]
struct Known {
    server: Discovered,
    fetched: Timestamp,
    lifetime: Duration,
}

impl Known {
    fn is_younger_than(&self, age: Duration, now: Timestamp) -> bool {
        // A document from the future, as after a clock was set back, is as good as old.
        now >= self.fetched && now < self.fetched.saturating_add(age)
    }
}

impl Registry {
    pub(crate) fn new(cache: DiscoveryCache) -> Self {
        Self { servers: Slots::new(MAX_SERVERS), cache }
    }
}

impl Inner {
    /// What a server says of itself: as it is known, or fetched.
    pub(crate) async fn discover(&self, base: FhirBaseUrl) -> Result<Discovered, Error> {
        let cache = self.registry.cache;
        let slot = self.registry.servers.slot(&base.as_str().to_owned());
        let mut known = slot.value.lock().await;
        let now = self.clock.now();
        if let Some(known) = known.as_ref().filter(|known| known.is_younger_than(known.lifetime, now)) {
            return Ok(known.server.clone());
        }
        let asked = base.clone();
        match Box::pin(self.fetch_discovery(base)).await {
            Ok((server, max_age)) => {
                let lifetime = max_age.unwrap_or(cache.default_lifetime).min(cache.longest_lifetime);
                self.record_discovery(&server)?;
                *known = Some(Known { server: server.clone(), fetched: self.clock.now(), lifetime });
                Ok(server)
            }
            Err(error) => {
                let entry = self.audit_context(&asked).entry(AuditKind::NetworkError);
                self.record_failure(entry, &error);
                match known.as_ref() {
                    Some(known)
                        if error.is_retryable()
                            && known.is_younger_than(known.lifetime.saturating_add(cache.longest_stale), now) =>
                    {
                        tracing::warn!(%error, "discovery failed; what was known before is used");
                        Ok(known.server.clone())
                    }
                    _ => Err(error),
                }
            }
        }
    }

    /// Fetches a server's documents whatever is known.
    pub(crate) async fn discover_anew(&self, base: FhirBaseUrl) -> Result<Discovered, Error> {
        *self.registry.servers.slot(&base.as_str().to_owned()).value.lock().await = None;
        self.discover(base).await
    }

    /// An endpoint refused in a way that says that what is known of the server may be wrong: the next one who asks fetches.
    pub(crate) async fn doubt(&self, base: &FhirBaseUrl) {
        let slot = self.registry.servers.slot(&base.as_str().to_owned());
        let mut known = slot.value.lock().await;
        let now = self.clock.now();
        let recent = known.as_ref().is_some_and(|known| known.is_younger_than(self.registry.cache.between_forced, now));
        if !recent && let Some(known) = known.as_mut() {
            known.lifetime = Duration::ZERO;
        }
    }

    async fn fetch_discovery(&self, base: FhirBaseUrl) -> Result<(Discovered, Option<Duration>), Error> {
        let client_id_header =
            self.settings(&base).preferences().client_id_header.and_then(|name| name.parse::<HeaderName>().ok());
        let mut discovery = Discovery::new(base.clone(), self.discovery_options(&base));
        // A discovery takes two requests at most; the bound is for a fault in it.
        for _ in 0..4 {
            let mut request = discovery.request()?;
            if let Some(name) = &client_id_header
                && let Ok(value) = HeaderValue::from_str(self.app.client_id.as_str())
            {
                request.headers_mut().insert(name.clone(), value);
            }
            let response =
                self.documents.follow(request, RedirectPolicy::same_origin(), &self.document_retries).await?;
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            let max_age = header(CACHE_CONTROL).and_then(smart_jwt::max_age);
            match discovery.next_step(response.status(), header(CONTENT_TYPE), response.body())? {
                Step::Done(discovered) => return Ok((*discovered, max_age)),
                Step::Next(next) => discovery = *next,
            }
        }
        Err(Error::Internal("discovery does not end"))
    }
}

/// The retries of public documents: a person may be waiting.
pub(crate) fn document_retries() -> RetryPolicy {
    RetryPolicy::default().with_max_retries(2).with_max_wait(Duration::from_secs(10))
}
