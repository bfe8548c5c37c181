//! Which redirects are followed.

use crate::{Endpoint, HttpError};
use http::{HeaderMap, Method, StatusCode, header};
use smart_core::url_policy::same_origin;
use url::Url;

/// What to do with a redirect.
///
/// Only safe requests (GET, HEAD, OPTIONS) are ever sent on: a redirected POST could carry credentials or change things
/// at a place nobody chose (requirement TK-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectPolicy {
    /// Follow none: the caller gets the 3xx response. The default.
    #[default]
    None,
    /// Follow within the same scheme, host and port. So https never becomes http, and headers, which are sent again,
    /// never reach another server (requirements FR-04, ID-27).
    SameOrigin {
        /// How many redirects are followed in one go.
        max: u32,
    },
}

impl RedirectPolicy {
    /// Follows up to five redirects within the origin.
    pub const fn same_origin() -> Self {
        Self::SameOrigin { max: 5 }
    }

    /// Where the request goes next: `None` when the response is no redirect or is not to be followed.
    ///
    /// `hops` counts the redirects followed so far. Use it where each hop needs headers of its own.
    ///
    /// # Errors
    /// [`HttpError::CrossOriginRedirect`], [`HttpError::TooManyRedirects`] and [`HttpError::InvalidRedirect`].
    pub fn next(
        self,
        method: &Method,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        hops: u32,
    ) -> Result<Option<Url>, HttpError> {
        let Self::SameOrigin { max } = self else { return Ok(None) };
        if !method.is_safe() || !is_redirect(status) {
            return Ok(None);
        }
        let endpoint = || Endpoint::from(url);
        let target = headers
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok())
            .and_then(|location| url.join(location).ok())
            .ok_or_else(|| HttpError::InvalidRedirect { endpoint: endpoint() })?;
        if !same_origin(url, &target) {
            return Err(HttpError::CrossOriginRedirect {
                from: endpoint(),
                to_origin: target.origin().ascii_serialization(),
            });
        }
        if hops >= max {
            return Err(HttpError::TooManyRedirects { endpoint: endpoint(), limit: max });
        }
        Ok(Some(target))
    }
}

/// The statuses that send a client elsewhere (RFC 9110, section 15.4); 300 leaves the choice to a person, 304 is none.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(method: &Method, status: u16, location: &str, hops: u32) -> Result<Option<String>, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, location.parse().unwrap());
        let url = Url::parse("https://ehr.example/fhir/Patient/1").unwrap();
        RedirectPolicy::SameOrigin { max: 3 }
            .next(method, &url, StatusCode::from_u16(status).unwrap(), &headers, hops)
            .map(|target| target.map(Into::into))
    }

    /// FR-04 (RFC 9110, 15.4): every redirect status within the origin is followed, relative locations included.
    #[test]
    fn same_origin_redirects_are_followed() {
        for status in [301, 302, 303, 307, 308] {
            for location in ["/fhir/Patient/2", "2", "https://EHR.example:443/fhir/Patient/2"] {
                let target = next(&Method::GET, status, location, 0).unwrap();
                assert_eq!(target.as_deref(), Some("https://ehr.example/fhir/Patient/2"), "{status} {location}");
            }
        }
        assert_eq!(next(&Method::GET, 304, "/x", 0), Ok(None));
        assert_eq!(next(&Method::GET, 200, "/x", 0), Ok(None));
    }

    /// FR-04 (RFC 9110, 15.4): another host, port or scheme is not followed, and the error holds no path or query.
    #[test]
    fn other_origins_are_refused_for_every_status() {
        for status in [301, 302, 303, 307, 308] {
            for location in [
                "https://evil.example/fhir/Patient/1?secret",
                "//evil.example/secret",
                "https://ehr.example:8443/secret",
                "http://ehr.example/fhir/secret",
                "https://ehr.example@evil.example/secret",
            ] {
                let error = next(&Method::GET, status, location, 0).unwrap_err();
                assert!(matches!(error, HttpError::CrossOriginRedirect { .. }), "{location}: {error}");
                assert!(!format!("{error}{error:?}").contains("secret"), "{error}");
            }
        }
    }

    /// SE-08, ID-27: redirects are bounded.
    #[test]
    fn redirects_are_bounded() {
        assert!(next(&Method::GET, 302, "/x", 2).is_ok());
        assert!(matches!(next(&Method::GET, 302, "/x", 3), Err(HttpError::TooManyRedirects { limit: 3, .. })));
    }

    /// TK-12: a POST is never redirected.
    #[test]
    fn unsafe_methods_are_never_redirected() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for status in [301, 302, 303, 307, 308] {
                assert_eq!(next(&method, status, "/x", 0), Ok(None));
            }
        }
    }

    /// FR-04: a redirect that leads nowhere is an error.
    #[test]
    fn a_location_that_is_no_url_is_refused() {
        assert!(matches!(next(&Method::GET, 302, "https://[", 0), Err(HttpError::InvalidRedirect { .. })));
        let url = Url::parse("https://ehr.example/").unwrap();
        let missing = RedirectPolicy::same_origin().next(&Method::GET, &url, StatusCode::FOUND, &HeaderMap::new(), 0);
        assert!(matches!(missing, Err(HttpError::InvalidRedirect { .. })));
    }
}
