//! Where the states of a server lie.

use super::error::AppStateError;
use crate::discovery::{Capability, Discovered};
use crate::fhir_base::FhirBaseUrl;
use crate::message::FHIR_JSON;
use crate::token::MessageError;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::{Method, Request};
use url::Url;

/// How large a state may be where the server's documentation says nothing else. SMART has 256 KB; this is the smaller
/// reading of it.
pub const SAFE_SIZE: usize = 256_000;

/// The FHIR endpoint for app state. The session's access token may go to it, since the EHR's own document names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppStateEndpoint {
    base: FhirBaseUrl,
    primary: FhirBaseUrl,
    place: AppStatePlace,
    size_limit: usize,
}

/// By which words a server named its app-state endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppStatePlace {
    /// An entry of `associated_endpoints` with the capability `smart-app-state`.
    Associated,
    /// `smart_app_state_endpoint`, the way of SMART 2.1.
    Deprecated,
    /// The capability `smart-app-state` and no other place: the FHIR base itself.
    FhirBase,
}

impl AppStateEndpoint {
    /// Looks the endpoint up: an associated endpoint, else the member of SMART 2.1, else the FHIR base itself where it
    /// has the capability (SMART App Launch 2.2, app state, discovery; 2.1 puts its member before the FHIR base).
    ///
    /// # Errors
    /// [`AppStateError::NotOffered`], or [`AppStateError::Endpoint`] when the address is no FHIR base.
    pub fn find(discovered: &Discovered) -> Result<Self, AppStateError> {
        let configuration = &discovered.configuration;
        let primary = &discovered.fhir_base;
        let is_for_state = |words: &[Capability]| words.contains(&Capability::SmartAppState);
        let associated = configuration.associated_endpoints.iter().find(|e| is_for_state(&e.capabilities));
        let (url, place) = match (associated, &configuration.smart_app_state_endpoint) {
            (Some(endpoint), _) => (endpoint.url.as_str(), AppStatePlace::Associated),
            (None, Some(url)) => (url.as_str(), AppStatePlace::Deprecated),
            (None, None) if is_for_state(&configuration.capabilities) => (primary.as_str(), AppStatePlace::FhirBase),
            (None, None) => return Err(AppStateError::NotOffered { base: primary.as_str().to_owned() }),
        };
        let policy = if primary.url().scheme() == "http" { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
        let base = FhirBaseUrl::parse_with(url, policy)?;
        Ok(Self { base, primary: primary.clone(), place, size_limit: SAFE_SIZE })
    }

    /// The same endpoint with another limit on the size of a state, in octets, where its documentation has one.
    pub fn with_size_limit(mut self, octets: usize) -> Self {
        self.size_limit = octets;
        self
    }

    /// The FHIR base of the endpoint.
    pub fn base(&self) -> &FhirBaseUrl {
        &self.base
    }

    /// The EHR's own FHIR base, where the subjects lie.
    pub fn primary(&self) -> &FhirBaseUrl {
        &self.primary
    }

    /// By which words the server named it.
    pub fn place(&self) -> AppStatePlace {
        self.place
    }

    /// How large a state may be, in octets.
    pub fn size_limit(&self) -> usize {
        self.size_limit
    }

    pub(super) fn shown(&self) -> String {
        self.base.as_str().to_owned()
    }

    pub(super) fn url(&self, relative: &str) -> Result<Url, AppStateError> {
        Ok(self.base.join(relative)?)
    }

    pub(super) fn request(method: Method, url: &Url) -> Result<Request<Bytes>, MessageError> {
        crate::message::request(method, url, FHIR_JSON)
    }
}
