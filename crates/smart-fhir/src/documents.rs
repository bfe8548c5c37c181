//! Public documents: bundles of brands and style documents. No token goes with them.

use http::{Response, StatusCode, header};
use smart_core::brands::{BrandAnswer, BrandBundle, BrandBundleFetch, BrandError};
use smart_core::entity_tag::EntityTag;
use smart_core::style::{StyleDocument, StyleError, style_request};
use smart_core::time::Timestamp;
use smart_core::token::MessageError;
use smart_core::url_policy::UrlPolicy;
use smart_http::{HttpClient, HttpError, RedirectPolicy, RetryPolicy};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// How many documents are held of each kind.
const HELD: usize = 64;
/// How large a bundle of brands may be: those of whole vendors have tens of megabytes.
const LARGEST_BUNDLE: u64 = 128 * 1024 * 1024;
/// How large a style document may be.
const LARGEST_STYLE: u64 = 64 * 1024;
/// How long a style document is used without asking again. Its URL changes with it (SMART App Launch 2.2, styling).
const STYLE_LIFE: Duration = Duration::from_hours(24);

/// Fetches public documents of SMART App Launch, and holds them: bundles of user-access brands by their tags (requirement
/// BR-01), style documents for a day. Clones share what is held. No token is sent, and no cookie.
///
/// ```no_run
/// # async fn run(http: smart_http::HttpClient) -> Result<(), Box<dyn std::error::Error>> {
/// use smart_core::brands::{BrandOrigin, BrandSource, merge, search};
/// use smart_fhir::PublicDocuments;
///
/// let documents = PublicDocuments::new(&http);
/// let list = documents.brands(&"https://vendor.example/brands.json".parse()?).await?;
/// let cards = merge(&[BrandSource { bundle: &list, origin: BrandOrigin::Consolidated }]);
/// for card in search(&cards, "good health spring") {
///     println!("{:?}", card.brand.name.value());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PublicDocuments {
    bundles: HttpClient,
    styles: HttpClient,
    retries: RetryPolicy,
    policy: UrlPolicy,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    brands: Mutex<Recent<Url, (EntityTag, Arc<BrandBundle>)>>,
    styles: Mutex<Recent<Url, (Timestamp, Arc<StyleDocument>)>>,
}

/// The entries that were put last.
struct Recent<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    fn put(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > HELD {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

/// Why a public document could not be had. The app goes on without, or with what it has.
#[derive(Debug, Clone, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum DocumentError {
    /// There was no usable response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The URL may not be used.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The bundle of brands cannot be used.
    #[error(transparent)]
    Brands(#[from] BrandError),
    /// The style document cannot be used.
    #[error(transparent)]
    Style(#[from] StyleError),
}

impl DocumentError {
    /// Whether the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http(error) => error.is_retryable(),
            Self::Brands(error) => error.is_retryable(),
            Self::Style(error) => error.is_retryable(),
            Self::Message(_) => false,
        }
    }
}

impl PublicDocuments {
    /// Fetches through this client.
    pub fn new(http: &HttpClient) -> Self {
        let limited = |largest: u64| http.with_limits(http.limits().with_max_body(largest));
        Self {
            bundles: limited(LARGEST_BUNDLE),
            styles: limited(LARGEST_STYLE),
            retries: RetryPolicy::default(),
            policy: UrlPolicy::HttpsOnly,
            held: Arc::default(),
        }
    }

    /// The same, repeating in another way.
    pub fn with_retries(&self, retries: RetryPolicy) -> Self {
        Self { retries, ..self.clone() }
    }

    /// The same for development: endpoints in bundles may be http on loopback.
    pub fn allow_loopback_http(&self) -> Self {
        Self { policy: UrlPolicy::AllowLoopbackHttp, ..self.clone() }
    }

    /// A bundle of brands: the one that is held where the publisher says that it is still right (304), else a new one.
    ///
    /// # Errors
    /// [`DocumentError`]; what is held stays held.
    pub async fn brands(&self, url: &Url) -> Result<Arc<BrandBundle>, DocumentError> {
        let held = lock(&self.held.brands).entries.get(url).cloned();
        let fetch = BrandBundleFetch { url, known: held.as_ref().map(|(tag, _)| tag), policy: self.policy };
        let response = self.bundles.follow(fetch.request()?, RedirectPolicy::same_origin(), &self.retries).await?;
        match (fetch.parse(response.status().as_u16(), etag(&response), response.body())?, held) {
            (BrandAnswer::NotModified, Some((_, bundle))) => Ok(bundle),
            (BrandAnswer::NotModified, None) => {
                Err(BrandError::Status { url: url.origin().ascii_serialization(), status: 304 }.into())
            }
            (BrandAnswer::New { bundle, etag }, _) => {
                let bundle: Arc<BrandBundle> = Arc::from(bundle);
                if let Some(etag) = etag {
                    lock(&self.held.brands).put(url.clone(), (etag, bundle.clone()));
                }
                Ok(bundle)
            }
        }
    }

    /// The style document of a launch: `smart_style_url` of its context.
    ///
    /// # Errors
    /// [`DocumentError`]: the app keeps its own style.
    pub async fn style(&self, url: &Url) -> Result<Arc<StyleDocument>, DocumentError> {
        let now = self.styles.timer().now();
        let held = lock(&self.held.styles).entries.get(url).cloned();
        if let Some((since, document)) = held
            && since <= now
            && now < since.saturating_add(STYLE_LIFE)
        {
            return Ok(document);
        }
        let response = self.styles.follow(style_request(url)?, RedirectPolicy::same_origin(), &self.retries).await?;
        let document = Arc::new(StyleDocument::parse(url, response.status().as_u16(), response.body())?);
        lock(&self.held.styles).put(url.clone(), (now, document.clone()));
        Ok(document)
    }
}

fn etag(response: &Response<bytes::Bytes>) -> Option<&str> {
    // A tag of an answer that has no content names no content.
    if response.status() == StatusCode::NO_CONTENT {
        return None;
    }
    response.headers().get(header::ETAG)?.to_str().ok()
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for PublicDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicDocuments")
            .field("brands", &lock(&self.held.brands).entries.len())
            .field("styles", &lock(&self.held.styles).entries.len())
            .finish_non_exhaustive()
    }
}
