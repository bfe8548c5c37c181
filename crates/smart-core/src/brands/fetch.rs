//! Asking for a bundle of brands.

use super::bundle::BrandBundle;
use super::error::BrandError;
use crate::entity_tag::EntityTag;
use crate::message::request;
use crate::token::{MessageError, endpoint_shown};
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::header::IF_NONE_MATCH;
use http::{Method, Request};
use url::Url;

/// One fetch of a bundle: a GET without a token (requirement BR-01).
///
/// The URL is `user_access_brand_bundle` of a server's document, or a list that somebody publishes.
#[derive(Debug, Clone, Copy)]
pub struct BrandBundleFetch<'a> {
    /// Where it lies.
    pub url: &'a Url,
    /// The tag of the version that is held already, if one is.
    pub known: Option<&'a EntityTag>,
    /// Whether endpoints may be http on loopback.
    pub policy: UrlPolicy,
}

/// The answer to a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrandAnswer {
    /// The version that is held is still right.
    NotModified,
    /// A bundle. Keep it with its tag.
    New {
        /// The bundle.
        bundle: Box<BrandBundle>,
        /// Its tag, where the publisher gives one.
        etag: Option<EntityTag>,
    },
}

impl BrandBundleFetch<'_> {
    /// The request, with `If-None-Match` where a version is held.
    ///
    /// # Errors
    /// [`MessageError::Endpoint`].
    pub fn request(&self) -> Result<Request<Bytes>, MessageError> {
        let mut request = request(Method::GET, self.url, "application/fhir+json, application/json;q=0.9")?;
        if let Some(known) = self.known {
            request.headers_mut().insert(IF_NONE_MATCH, known.header());
        }
        Ok(request)
    }

    /// Reads the answer: `etag` is its `ETag` header. The caller has limited the body's size; lists of whole vendors have
    /// tens of megabytes.
    ///
    /// # Errors
    /// [`BrandError`].
    pub fn parse(&self, status: u16, etag: Option<&str>, body: &[u8]) -> Result<BrandAnswer, BrandError> {
        match status {
            304 if self.known.is_some() => Ok(BrandAnswer::NotModified),
            200..300 => {
                let bundle = Box::new(BrandBundle::parse(self.url, body, self.policy)?);
                // A malformed tag is none: the bundle is then fetched anew the next time.
                Ok(BrandAnswer::New { bundle, etag: etag.and_then(|etag| EntityTag::parse(etag).ok()) })
            }
            _ => Err(BrandError::Status { url: endpoint_shown(self.url), status }),
        }
    }
}
