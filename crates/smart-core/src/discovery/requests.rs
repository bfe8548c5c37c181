//! The requests of discovery: public documents, no credentials.

use crate::fhir_base::FhirBaseUrl;
use crate::issuer::Issuer;
use crate::url_policy::UrlError;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Uri};
use url::Url;

/// GET `{base}/.well-known/smart-configuration` (SMART App Launch 2.2, conformance; requirements DI-01, DI-02).
///
/// `Accept` is a header that browsers send without asking first, so that the request works across origins (DI-19).
///
/// # Errors
/// [`UrlError`] when no request URI can be made of the base.
pub fn smart_configuration_request(base: &FhirBaseUrl) -> Result<Request<Bytes>, UrlError> {
    get(&base.join(".well-known/smart-configuration")?, "application/json")
}

/// GET `{base}/metadata`, where SMART 1 servers name their endpoints (SMART 1.0, conformance; requirement DI-14).
///
/// # Errors
/// [`UrlError`] when no request URI can be made of the base.
pub fn metadata_request(base: &FhirBaseUrl) -> Result<Request<Bytes>, UrlError> {
    get(&base.join("metadata")?, "application/fhir+json, application/json;q=0.9")
}

/// GET the OpenID configuration of an issuer (OpenID Connect Discovery, section 4).
///
/// # Errors
/// [`UrlError`] when no request URI can be made of the issuer.
pub fn openid_configuration_request(issuer: &Issuer) -> Result<Request<Bytes>, UrlError> {
    get(&issuer.openid_configuration_url()?, "application/json")
}

/// GET the OAuth metadata of an issuer (RFC 8414, section 3).
///
/// # Errors
/// [`UrlError`] when no request URI can be made of the issuer.
pub fn oauth_metadata_request(issuer: &Issuer) -> Result<Request<Bytes>, UrlError> {
    get(&issuer.oauth_metadata_url()?, "application/json")
}

/// A GET without credentials.
pub(crate) fn get(url: &Url, accept: &'static str) -> Result<Request<Bytes>, UrlError> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri(url)?;
    request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static(accept));
    Ok(request)
}

/// The request URI of a URL, its fragment left away.
pub(crate) fn uri(url: &Url) -> Result<Uri, UrlError> {
    let mut url = url.clone();
    url.set_fragment(None);
    url.as_str().parse().map_err(|e: http::uri::InvalidUri| UrlError::NotAbsolute {
        given: crate::untrusted::shown(url.as_str(), 200),
        reason: e.to_string(),
    })
}
