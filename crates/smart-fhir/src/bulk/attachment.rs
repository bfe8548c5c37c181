//! Attachments that the files of an export refer to.

use super::exchange::{Redirects, Token};
use super::{BulkError, ExportJob, Manifest};
use bytes::Bytes;
use http::{HeaderValue, Request, header::ACCEPT};
use smart_core::url_policy::UrlPolicy;
use smart_http::{Endpoint, uri_of};
use url::Url;

impl ExportJob {
    /// Gets an attachment by the absolute URL that a resource of these files has (Bulk Data, attachments): with the token where
    /// the manifest says that its files need one, and without it otherwise. The token goes to the same places as for files.
    ///
    /// # Errors
    /// [`BulkError::InvalidRequest`] when it is no absolute https URL; [`BulkError::FileRefused`]; those of the exchange, such as
    /// when it is larger than the client's limit.
    pub async fn attachment(&self, manifest: &Manifest, url: &str) -> Result<Bytes, BulkError> {
        let not_absolute = |_| BulkError::InvalidRequest { reason: "an attachment has an absolute https URL" };
        let url: Url = UrlPolicy::AllowLoopbackHttp.parse(url).map_err(not_absolute)?;
        let token = if manifest.requires_access_token { Token::Needed } else { Token::Never };
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(&url)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
        let http = self.client.exchange.fhir.http();
        let (at, response) = self.client.exchange.open(http, request, token, Redirects::Anywhere).await?;
        if response.status() != http::StatusCode::OK {
            let refusal = Box::new(self.client.exchange.refusal(&at, response).await?);
            return Err(BulkError::FileRefused { file: Endpoint::from(&url).to_string(), refusal });
        }
        Ok(response.into_body().collect(http.limits().max_body).await?)
    }
}
