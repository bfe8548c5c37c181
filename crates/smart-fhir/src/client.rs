//! The client of one FHIR server.

use crate::bundle::Content;
use crate::exchange::{Call, Reply};
use crate::search::PageStream;
use crate::{
    Bundle, FhirError, FhirId, FhirMediaType, FromResource, History, HistoryStream, ReferenceError, ReferenceTarget,
    ResourceType, ResourceTypeName, SearchQuery, SearchStream, Summary,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use serde_json::Value;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::{AccessRequest, Interaction};
use smart_core::time::Timestamp;
use smart_http::{Authorize, Endpoint, HttpClient, Repeat, RetryPolicy};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// How long a capability statement counts as what the server can do.
const CAPABILITIES_LIFE: Duration = Duration::from_hours(1);

/// A client of one FHIR server. Clones are cheap and share everything.
///
/// Requests have the limits of the [`HttpClient`]. Reads and searches are repeated while the server is overloaded, writes
/// only where the try before certainly had no effect (requirement FR-19); any request once more after the token was
/// renewed (FR-18). Reads follow redirects within the server's origin (FR-04). What comes is what was asked for, or an
/// error: a resource of another type or id is not handed out.
///
/// Dropping a read takes nothing with it. A write whose future is dropped may have been done: read what is there.
#[derive(Clone)]
pub struct FhirClient(Arc<Inner>);

/// A capability statement, and when it came.
type Statement = (Timestamp, Arc<Value>);

#[derive(Clone)]
struct Inner {
    base: FhirBaseUrl,
    /// The base as a URL, without a slash at its end.
    root: Url,
    http: HttpClient,
    authorize: Arc<dyn Authorize>,
    retries: RetryPolicy,
    media_type: FhirMediaType,
    format: bool,
    capabilities: Arc<Mutex<Option<Statement>>>,
}

impl FhirClient {
    /// A client of the server at `base`, which asks `authorize` for the header of each request.
    pub fn new(base: FhirBaseUrl, http: HttpClient, authorize: Arc<dyn Authorize>) -> Self {
        let (retries, media_type) = (RetryPolicy::default(), FhirMediaType::default());
        let capabilities = Arc::default();
        let root = Url::parse(base.normalised()).unwrap_or_else(|_| base.url().clone());
        Self(Arc::new(Inner { base, root, http, authorize, retries, media_type, format: false, capabilities }))
    }

    /// The same client with another way to repeat safe requests.
    pub fn with_retries(&self, retries: RetryPolicy) -> Self {
        Self(Arc::new(Inner { retries, ..(*self.0).clone() }))
    }

    /// The same client with another media type, for DSTU2 servers.
    pub fn with_media_type(&self, media_type: FhirMediaType) -> Self {
        Self(Arc::new(Inner { media_type, capabilities: Arc::default(), ..(*self.0).clone() }))
    }

    /// The same client with `_format` in each URL besides the `Accept` header, for servers and gateways that do not heed the
    /// header (FHIR R4, http.html#parameters).
    pub fn with_format_parameter(&self) -> Self {
        Self(Arc::new(Inner { format: true, ..(*self.0).clone() }))
    }

    /// The FHIR base.
    pub fn base(&self) -> &FhirBaseUrl {
        &self.0.base
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.0.http
    }

    pub(crate) fn authorize(&self) -> &dyn Authorize {
        &*self.0.authorize
    }

    pub(crate) fn retries(&self) -> &RetryPolicy {
        &self.0.retries
    }

    pub(crate) fn media_type(&self) -> FhirMediaType {
        self.0.media_type
    }

    /// Reads a resource (FHIR R4, http.html#read), as a `serde_json::Value`, a [`RawResource`](crate::RawResource) or any
    /// type that serde can read.
    ///
    /// # Errors
    /// [`FhirError::InvalidType`] and [`FhirError::InvalidId`] before anything is sent; [`FhirError::Refused`] when
    /// the server refuses; [`FhirError::OtherResource`] when it answers with another resource.
    pub async fn read<T: FromResource>(&self, resource_type: &str, id: &str) -> Result<T, FhirError> {
        self.read_checked(&ResourceTypeName::parse(resource_type)?, &FhirId::parse_lenient(id)?, None).await
    }

    /// Reads a resource of the type that `T` stands for.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn read_typed<T: FromResource + ResourceType>(&self, id: &str) -> Result<T, FhirError> {
        self.read(T::TYPE, id).await
    }

    /// Reads a version of a resource (FHIR R4, http.html#vread).
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn vread<T: FromResource>(&self, resource_type: &str, id: &str, version: &str) -> Result<T, FhirError> {
        let (resource_type, id) = (ResourceTypeName::parse(resource_type)?, FhirId::parse_lenient(id)?);
        self.read_checked(&resource_type, &id, Some(&FhirId::parse_lenient(version)?)).await
    }

    /// Reads what a reference of this server's resources leads to: `Patient/1`, `Patient/1/_history/2`, or the same
    /// below this server's base URL.
    ///
    /// # Errors
    /// [`FhirError::Reference`] when it leads elsewhere, into the resource itself, or nowhere: nothing is sent then,
    /// and no token goes to another server. Else as for [`read`](Self::read).
    pub async fn read_ref<T: FromResource>(&self, reference: &str) -> Result<T, FhirError> {
        match self.resolve(reference)? {
            ReferenceTarget::Here { resource_type, id, version } => {
                self.read_checked(&resource_type, &id, version.as_ref()).await
            }
            other => Err(other.unreadable().into()),
        }
    }

    /// Tells where a reference leads, seen from this server.
    ///
    /// # Errors
    /// [`ReferenceError::Malformed`].
    pub fn resolve(&self, reference: &str) -> Result<ReferenceTarget, ReferenceError> {
        ReferenceTarget::resolve(self.base(), reference)
    }

    /// GETs any JSON object of this server: a path with a query relative to the FHIR base, percent-encoded by the
    /// caller, or an absolute URL below the base.
    ///
    /// # Errors
    /// [`FhirError::OutsideBase`] when it is not below the base: nothing is sent then. Else as for
    /// [`read`](Self::read), without a check of type and id.
    pub async fn get(&self, path_and_query: &str) -> Result<Value, FhirError> {
        let url = self.url_of(path_and_query)?;
        self.check_http("GET", &url)?;
        Ok(Value::Object(self.fetch(url).await?.object()?))
    }

    /// The same, read as any type: [`RawResource`](crate::RawResource) keeps every digit.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_as<T: FromResource>(&self, path_and_query: &str) -> Result<T, FhirError> {
        let url = self.url_of(path_and_query)?;
        self.check_http("GET", &url)?;
        self.fetch(url).await?.resource(None, None)
    }

    /// Sends a request of the caller's own with the token, and gives the response as it is, whatever its status: for what
    /// has no method here, and other formats. Method, headers and body go as they are (an `Authorization` header is
    /// replaced); the URI is absolute, or relative to the FHIR base. GET, HEAD and OPTIONS are repeated as reads are, other
    /// requests as writes.
    ///
    /// # Errors
    /// [`FhirError::OutsideBase`] when it is not below the base; [`FhirError::Authorize`]; [`FhirError::Http`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, FhirError> {
        let (head, body) = request.into_parts();
        let url = self.url_of(&head.uri.to_string())?;
        self.check_http(head.method.as_str(), &url)?;
        let repeat = if head.method.is_safe() { Repeat::Freely } else { Repeat::WithoutEffect };
        let call = Call { method: head.method, url, headers: head.headers, body, repeat };
        let reply = self.exchange(call).await?;
        Ok(Response::from_parts(reply.head, reply.body))
    }

    /// The server's CapabilityStatement (FHIR R4, http.html#capabilities), or the Conformance of a DSTU2 server. It is asked
    /// for once an hour by this client and its clones; see [`capabilities_anew`](Self::capabilities_anew).
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn capabilities(&self) -> Result<Arc<Value>, FhirError> {
        let now = self.http().timer().now();
        let held = self.0.capabilities.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match held {
            Some((since, statement)) if since <= now && now < since.saturating_add(CAPABILITIES_LIFE) => Ok(statement),
            _ => self.capabilities_anew().await,
        }
    }

    /// The same, asked for now.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn capabilities_anew(&self) -> Result<Arc<Value>, FhirError> {
        let resource_type = match self.media_type() {
            FhirMediaType::FhirJson => "CapabilityStatement",
            FhirMediaType::Dstu2 => "Conformance",
        };
        let statement: Value = self.fetch(self.url("metadata")?).await?.resource(Some(resource_type), None)?;
        let statement = Arc::new(statement);
        let held = (self.http().timer().now(), statement.clone());
        *self.0.capabilities.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(statement)
    }

    /// Searches (FHIR R4, http.html#search), by GET or POST as the query says. The result is a stream over all pages, each
    /// asked for when it is needed; nothing is sent before the first item is. What is wrong with the query is the stream's
    /// first item.
    #[expect(clippy::needless_pass_by_value, reason = "a query is made for one search")]
    pub fn search(&self, query: SearchQuery) -> SearchStream {
        let first = self.search_call(&query);
        let content = query.resource_type().map_or(Content::Any, |name| Content::Type(name.to_owned()));
        SearchStream::new(PageStream::new(self.clone(), content, first))
    }

    /// How many matches a search has (`_summary=count`). `None`: the server does not count.
    ///
    /// # Errors
    /// As for [`read`](Self::read), [`FhirError::InvalidSearch`].
    pub async fn count(&self, query: SearchQuery) -> Result<Option<u64>, FhirError> {
        let mut pages = self.search(query.summary(Summary::Count)).pages();
        Ok(pages.try_next().await?.and_then(|page| page.total()))
    }

    /// The versions of a resource, or what was changed among many (FHIR R4, http.html#history), over all pages.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for one stream")]
    pub fn history(&self, history: History) -> HistoryStream {
        let first = history.to_relative_url().and_then(|relative| {
            let url = self.url(&relative)?;
            self.check_permitted(&history.access_request(), &url)?;
            Ok(Call::get(url))
        });
        HistoryStream::new(PageStream::new(self.clone(), Content::History, first))
    }

    fn search_call(&self, query: &SearchQuery) -> Result<Call, FhirError> {
        let (relative, form) = query.to_send()?;
        let url = self.url(&relative)?;
        self.check_permitted(&query.access_request(), &url)?;
        let mut call = Call::get(url);
        if let Some(form) = form {
            call.method = http::Method::POST;
            let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            call.headers.insert(header::CONTENT_TYPE, content_type);
            call.body = form.into();
        }
        if let Some(handling) = query.handled() {
            handling.put(&mut call.headers);
        }
        Ok(call)
    }

    /// One page of a search, a history or an operation.
    pub(crate) async fn page(&self, call: Call, content: &Content) -> Result<Bundle, FhirError> {
        let reply = self.call(call).await?;
        let endpoint = reply.endpoint();
        let object = reply.object()?;
        if object.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
            // Says what came in its place.
            reply.resource::<Value>(Some("Bundle"), None)?;
        }
        Bundle::read(reply.url, content, object, &reply.body).map_err(|_| FhirError::WrongShape {
            endpoint,
            resource_type: "Bundle".to_owned(),
            rust_type: std::any::type_name::<Bundle>(),
        })
    }

    async fn read_checked<T: FromResource>(
        &self,
        resource_type: &ResourceTypeName,
        id: &FhirId,
        version: Option<&FhirId>,
    ) -> Result<T, FhirError> {
        let reply = self.read_reply(resource_type, id, version).await?;
        reply.resource(Some(resource_type.as_str()), Some(id.as_str()))
    }

    async fn read_reply(
        &self,
        resource_type: &ResourceTypeName,
        id: &FhirId,
        version: Option<&FhirId>,
    ) -> Result<Reply, FhirError> {
        let url = self.read_url(resource_type, id, version, "")?;
        self.fetch(url).await
    }

    /// The URL of a read that is permitted, with a query.
    pub(crate) fn read_url(
        &self,
        resource_type: &ResourceTypeName,
        id: &FhirId,
        version: Option<&FhirId>,
        query: &str,
    ) -> Result<Url, FhirError> {
        let mut url = self.0.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            // Type, id and version have no character that would have to be encoded.
            path.pop_if_empty().push(resource_type.as_str()).push(id.as_str());
            if let Some(version) = version {
                path.push("_history").push(version.as_str());
            }
        }
        url.set_query(query.strip_prefix('?'));
        self.add_format(&mut url);
        let interaction = if version.is_some() { Interaction::VRead } else { Interaction::Read };
        self.check_permitted(&AccessRequest::new(interaction, resource_type.as_str()), &url)?;
        Ok(url)
    }

    /// A path with a query relative to the base, or an absolute URL below it.
    fn url_of(&self, path_and_query: &str) -> Result<Url, FhirError> {
        let is_absolute = ["http://", "https://"]
            .iter()
            .any(|scheme| path_and_query.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if !is_absolute {
            return self.url(path_and_query);
        }
        let outside = |endpoint| FhirError::OutsideBase { endpoint, base: self.base().as_str().to_owned() };
        let url = Url::parse(path_and_query).map_err(|_| outside(Endpoint::from(self.base().url())))?;
        if self.base().contains(&url) { Ok(url) } else { Err(outside(Endpoint::from(&url))) }
    }

    pub(crate) fn url(&self, relative: &str) -> Result<Url, FhirError> {
        let endpoint = || Endpoint::from(self.base().url());
        let outside = |_| FhirError::OutsideBase { endpoint: endpoint(), base: self.base().as_str().to_owned() };
        let mut url = self.base().join(relative).map_err(outside)?;
        self.add_format(&mut url);
        Ok(url)
    }

    fn add_format(&self, url: &mut Url) {
        if self.0.format {
            url.query_pairs_mut().append_pair("_format", self.media_type().as_str());
        }
    }

    /// Asks for what a request is by its method and URL, as far as scopes speak of it.
    fn check_http(&self, method: &str, url: &Url) -> Result<(), FhirError> {
        let below = url.as_str().strip_prefix(self.base().normalised()).unwrap_or_default();
        match AccessRequest::from_http(method, below) {
            Some(request) => self.check_permitted(&request, url),
            None => Ok(()),
        }
    }

    pub(crate) fn check_permitted(&self, request: &AccessRequest<'_>, url: &Url) -> Result<(), FhirError> {
        let permitted = self.authorize().permits(request);
        permitted.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(url), error })
    }
}

impl fmt::Debug for FhirClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FhirClient").field("base", &self.base().as_str()).finish_non_exhaustive()
    }
}
