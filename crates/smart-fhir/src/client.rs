//! The client of one FHIR server.

use crate::exchange::typed;
use crate::search::PageStream;
use crate::{
    Bundle, FhirError, FhirId, FhirMediaType, ReferenceError, ReferenceTarget, ResourceType, ResourceTypeName,
    SearchQuery, SearchStream,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::{AccessRequest, Interaction};
use smart_http::{Authorize, Endpoint, HttpClient, RetryPolicy};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A client of one FHIR server. Clones are cheap and share everything.
///
/// Requests have the limits of the [`HttpClient`]. Reads and searches are repeated while the server is overloaded
/// (requirement FR-19), once more after the token was renewed (FR-18), and follow redirects within the server's origin
/// (FR-04). What comes is what was asked for, or an error: a resource of another type or id is not handed out.
#[derive(Clone)]
pub struct FhirClient(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    base: FhirBaseUrl,
    http: HttpClient,
    authorize: Arc<dyn Authorize>,
    retries: RetryPolicy,
    media_type: FhirMediaType,
}

impl FhirClient {
    /// A client of the server at `base`, which asks `authorize` for the header of each request.
    pub fn new(base: FhirBaseUrl, http: HttpClient, authorize: Arc<dyn Authorize>) -> Self {
        let (retries, media_type) = (RetryPolicy::default(), FhirMediaType::default());
        Self(Arc::new(Inner { base, http, authorize, retries, media_type }))
    }

    /// The same client with another way to repeat safe requests.
    pub fn with_retries(&self, retries: RetryPolicy) -> Self {
        Self(Arc::new(Inner { retries, ..(*self.0).clone() }))
    }

    /// The same client with another media type, for DSTU2 servers.
    pub fn with_media_type(&self, media_type: FhirMediaType) -> Self {
        Self(Arc::new(Inner { media_type, ..(*self.0).clone() }))
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

    /// Reads a resource (FHIR R4, http.html#read), as a `serde_json::Value` or any type that serde can read.
    ///
    /// # Errors
    /// [`FhirError::InvalidType`] and [`FhirError::InvalidId`] before anything is sent; [`FhirError::Refused`] when
    /// the server refuses; [`FhirError::OtherResource`] when it answers with another resource.
    pub async fn read<T: DeserializeOwned>(&self, resource_type: &str, id: &str) -> Result<T, FhirError> {
        self.read_checked(&ResourceTypeName::parse(resource_type)?, &FhirId::parse(id)?, None).await
    }

    /// Reads a resource of the type that `T` stands for.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn read_typed<T: DeserializeOwned + ResourceType>(&self, id: &str) -> Result<T, FhirError> {
        self.read(T::TYPE, id).await
    }

    /// Reads a version of a resource (FHIR R4, http.html#vread).
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn vread<T: DeserializeOwned>(
        &self,
        resource_type: &str,
        id: &str,
        version: &str,
    ) -> Result<T, FhirError> {
        let (resource_type, id) = (ResourceTypeName::parse(resource_type)?, FhirId::parse(id)?);
        self.read_checked(&resource_type, &id, Some(&FhirId::parse(version)?)).await
    }

    /// Reads what a reference of this server's resources leads to: `Patient/1`, `Patient/1/_history/2`, or the same
    /// below this server's base URL.
    ///
    /// # Errors
    /// [`FhirError::Reference`] when it leads elsewhere, into the resource itself, or nowhere: nothing is sent then,
    /// and no token goes to another server. Else as for [`read`](Self::read).
    pub async fn read_ref<T: DeserializeOwned>(&self, reference: &str) -> Result<T, FhirError> {
        match self.resolve(reference)? {
            ReferenceTarget::Here { resource_type, id, version } => {
                self.read_checked(&resource_type, &id, version.as_ref()).await
            }
            ReferenceTarget::Contained { .. } => Err(ReferenceError::Contained.into()),
            ReferenceTarget::Urn => Err(ReferenceError::Urn.into()),
            ReferenceTarget::Elsewhere { url } => {
                Err(ReferenceError::Elsewhere { origin: url.origin().ascii_serialization() }.into())
            }
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
        let is_absolute = ["http://", "https://"]
            .iter()
            .any(|scheme| path_and_query.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let url = if is_absolute { Url::parse(path_and_query).ok() } else { self.base().join(path_and_query).ok() };
        let outside = |endpoint| FhirError::OutsideBase { endpoint, base: self.base().as_str().to_owned() };
        let url = url.ok_or_else(|| outside(Endpoint::from(self.base().url())))?;
        let below = url.as_str().strip_prefix(self.base().normalised()).unwrap_or_default();
        if let Some(request) = AccessRequest::from_http("GET", below) {
            self.check_permitted(&request, &url)?;
        }
        Ok(Value::Object(self.fetch(url).await?.resource))
    }

    /// The server's CapabilityStatement (FHIR R4, http.html#capabilities), or the Conformance of a DSTU2 server.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn capabilities(&self) -> Result<Value, FhirError> {
        let resource_type = match self.media_type() {
            FhirMediaType::FhirJson => "CapabilityStatement",
            FhirMediaType::Dstu2 => "Conformance",
        };
        let fetched = self.fetch(self.url("metadata")?).await?.expect(resource_type, None)?;
        Ok(Value::Object(fetched.resource))
    }

    /// Searches (FHIR R4, http.html#search). The result is a stream over all pages, each asked for when it is needed;
    /// nothing is sent before the first item is. What is wrong with the query is the stream's first item.
    pub fn search(&self, query: SearchQuery) -> SearchStream {
        let first = query.to_relative_url().and_then(|relative| {
            let url = self.url(&relative)?;
            self.check_permitted(&query.access_request(), &url)?;
            Ok(url)
        });
        SearchStream::new(PageStream::new(self.clone(), query.into_resource_type(), first))
    }

    /// One page of a search.
    pub(crate) async fn page(&self, url: Url, searched: &str) -> Result<Bundle, FhirError> {
        let fetched = self.fetch(url).await?.expect("Bundle", None)?;
        let endpoint = fetched.endpoint();
        Bundle::read(fetched.url, searched, fetched.resource).map_err(|_| FhirError::WrongShape {
            endpoint,
            resource_type: "Bundle".to_owned(),
            rust_type: std::any::type_name::<Bundle>(),
        })
    }

    async fn read_checked<T: DeserializeOwned>(
        &self,
        resource_type: &ResourceTypeName,
        id: &FhirId,
        version: Option<&FhirId>,
    ) -> Result<T, FhirError> {
        let (interaction, relative) = match version {
            None => (Interaction::Read, format!("{resource_type}/{id}")),
            Some(version) => (Interaction::VRead, format!("{resource_type}/{id}/_history/{version}")),
        };
        let url = self.url(&relative)?;
        self.check_permitted(&AccessRequest::new(interaction, resource_type.as_str()), &url)?;
        let fetched = self.fetch(url).await?.expect(resource_type.as_str(), Some(id.as_str()))?;
        let endpoint = fetched.endpoint();
        typed(Value::Object(fetched.resource), &endpoint)
    }

    fn url(&self, relative: &str) -> Result<Url, FhirError> {
        let endpoint = || Endpoint::from(self.base().url());
        let outside = |_| FhirError::OutsideBase { endpoint: endpoint(), base: self.base().as_str().to_owned() };
        self.base().join(relative).map_err(outside)
    }

    fn check_permitted(&self, request: &AccessRequest<'_>, url: &Url) -> Result<(), FhirError> {
        let permitted = self.authorize().permits(request);
        permitted.map_err(|error| FhirError::Authorize { endpoint: Endpoint::from(url), error })
    }
}

impl fmt::Debug for FhirClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FhirClient").field("base", &self.base().as_str()).finish_non_exhaustive()
    }
}
