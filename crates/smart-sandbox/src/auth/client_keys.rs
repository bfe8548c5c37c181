//! The public keys of clients: as they are registered, or fetched from where they are published.

use crate::client::ClientKeys;
use bytes::Bytes;
use http::{Request, StatusCode};
use smart_core::time::Timestamp;
use smart_http::{HttpClient, HyperTransport};
use smart_jwt::{CacheVerdict, Jwks, JwksCache};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Fetched key sets, by URL.
#[derive(Default)]
pub(crate) struct ClientKeySets {
    fetched: Mutex<HashMap<String, JwksCache>>,
}

impl ClientKeySets {
    /// The keys of a client. `unknown_id`: those that are cached lack a key, so that they have to be fetched anew.
    /// `None`: there are none to be had.
    pub(crate) async fn get(&self, keys: &ClientKeys, unknown_id: bool, now: Timestamp) -> Option<Jwks> {
        let url = match keys {
            ClientKeys::Document(document) => return Jwks::parse(document.as_bytes()).ok(),
            ClientKeys::Url(url) => url,
        };
        let verdict = {
            let mut sets = self.sets();
            let cache = sets.entry(url.clone()).or_default();
            if unknown_id { cache.verdict_for_unknown_kid(now) } else { cache.verdict(now) }
        };
        if verdict == CacheVerdict::Refetch {
            let fetched = fetch(url).await;
            let mut sets = self.sets();
            let cache = sets.entry(url.clone()).or_default();
            match fetched {
                Some(keys) => cache.fetched(keys, None, now),
                None => cache.fetch_failed(now),
            }
        }
        self.sets().get(url).and_then(|cache| cache.keys().cloned())
    }

    fn sets(&self) -> MutexGuard<'_, HashMap<String, JwksCache>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(url: &str) -> Option<Jwks> {
    let request = Request::get(url).header("accept", "application/json").body(Bytes::new()).ok()?;
    let http = HttpClient::new(HyperTransport::new());
    match http.fetch(request).await {
        Ok(response) if response.status() == StatusCode::OK => Jwks::parse(response.body()).ok(),
        Ok(response) => {
            tracing::warn!(url, status = response.status().as_u16(), "a client's keys cannot be had");
            None
        }
        Err(error) => {
            tracing::warn!(url, %error, "a client's keys cannot be had");
            None
        }
    }
}
