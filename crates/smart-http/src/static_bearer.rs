//! A fixed bearer token for one FHIR server.

use crate::{Authorize, AuthorizeError, BoxFuture};
use http::HeaderValue;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::secret::AccessToken;
use std::fmt;
use url::Url;

/// A bearer token from elsewhere, used at and below one FHIR base and nowhere else (RFC 6750, section 2.1).
///
/// It is never renewed: when the server refuses it, the person has to log in again.
#[derive(Clone)]
pub struct StaticBearer {
    base: FhirBaseUrl,
    header: HeaderValue,
}

impl StaticBearer {
    /// A token for `base`.
    ///
    /// # Errors
    /// [`AuthorizeError`] when the token has characters that no header may have.
    pub fn new(base: FhirBaseUrl, token: &AccessToken) -> Result<Self, AuthorizeError> {
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| AuthorizeError::new("the access token has characters that no HTTP header may have"))?;
        header.set_sensitive(true);
        Ok(Self { base, header })
    }
}

impl Authorize for StaticBearer {
    fn authorization<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>> {
        let header = self.base.contains(url).then(|| self.header.clone());
        Box::pin(std::future::ready(Ok(header)))
    }
}

impl fmt::Debug for StaticBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticBearer").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TK-14, FR-03 (SMART, app launch step 6): the token is given for URLs of its FHIR base only, and does not show.
    #[tokio::test]
    async fn the_token_stays_below_its_base() {
        let base = FhirBaseUrl::parse("https://ehr.example/t1/r4").unwrap();
        let bearer = StaticBearer::new(base, &AccessToken::new("s3cret")).unwrap();
        for (url, given) in [
            ("https://ehr.example/t1/r4/Patient/1", true),
            ("https://ehr.example/t1/r4?_getpages=1", true),
            ("https://ehr.example/t2/r4/Patient/1", false),
            ("https://ehr.example.evil.example/t1/r4/Patient/1", false),
            ("http://ehr.example/t1/r4/Patient/1", false),
        ] {
            let header = bearer.authorization(&Url::parse(url).unwrap()).await.unwrap();
            assert_eq!(header.is_some(), given, "{url}");
            assert!(header.is_none_or(|h| h.is_sensitive() && h == "Bearer s3cret"));
        }
        assert!(!format!("{bearer:?}").contains("s3cret"));
        assert!(!bearer.renew(&HeaderValue::from_static("Bearer s3cret")).await.unwrap());
    }

    /// SE-05: a token that cannot be sent is refused, and not shown.
    #[test]
    fn a_token_with_a_line_break_is_refused() {
        let base = FhirBaseUrl::parse("https://ehr.example/r4").unwrap();
        let error = StaticBearer::new(base, &AccessToken::new("s3cret\r\nX: y")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
