//! A key set as a web server gives it out.

use crate::error::KeyError;
use crate::jwks::Jwks;
use crate::key_set::KeySet;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;

/// How long verifiers may keep the set of a [`KeySet`], where its overlap is not shorter.
const DEFAULT_MAX_AGE: Duration = Duration::from_hours(1);

/// The public keys as a document for the registered URL (SMART, client authentication, registering): its body and its
/// headers. Whoever asks gets it, without authentication, over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwksDocument {
    body: String,
    etag: String,
    max_age: Duration,
}

impl JwksDocument {
    /// What the document is, for the header `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "application/json";

    fn new(keys: &Jwks, max_age: Duration) -> Self {
        let body = keys.to_json().to_string();
        let digest = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
        Self { etag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest.as_ref())), body, max_age }
    }

    /// The JSON text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The header `Cache-Control`: for how long verifiers may keep the keys (RFC 9111, section 5.2.2).
    pub fn cache_control(&self) -> String {
        format!("public, max-age={}", self.max_age.as_secs())
    }

    /// The header `ETag`, with its quotes (RFC 9110, section 8.8.3). It changes with the keys.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("content-type", Self::CONTENT_TYPE.to_owned()),
            ("cache-control", self.cache_control()),
            ("etag", self.etag.clone()),
        ]
    }

    /// Whether whoever sent this `If-None-Match` has these keys already, so that status 304 without a body is the answer
    /// (RFC 9110, section 13.1.2). The headers go with it all the same.
    pub fn is_known_to(&self, if_none_match: &str) -> bool {
        let strong = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()) == self.etag;
        if_none_match.trim() == "*" || if_none_match.split(',').any(strong)
    }
}

impl Jwks {
    /// The set as a document for a web server, which verifiers may keep for `max_age`. A key that is to sign has to be in
    /// it for that long before.
    pub fn document(&self, max_age: Duration) -> JwksDocument {
        JwksDocument::new(self, max_age)
    }
}

impl KeySet {
    /// What is [`published`](Self::published), as a document for a web server. Verifiers may keep it for one hour, or for
    /// the overlap where that is shorter: so they know a key before it signs.
    ///
    /// # Errors
    /// As [`published`](Self::published).
    pub fn document(&self) -> Result<JwksDocument, KeyError> {
        Ok(self.published()?.document(DEFAULT_MAX_AGE.min(self.overlap())))
    }
}
