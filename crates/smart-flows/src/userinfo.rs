//! What the issuer says of the user (OpenID Connect Core, section 5.3).

use crate::error::Error;
use crate::session::Session;
use http::header::CONTENT_TYPE;
use smart_core::userinfo::{UserInfo, parse_userinfo, userinfo_request};

impl Session {
    /// Asks the issuer's userinfo endpoint about the user. What it says counts only when it is about the one who logged in.
    ///
    /// SMART needs no more than the ID token, which [`user`](Self::user) and [`fhir_user`](Self::fhir_user) come from.
    ///
    /// # Errors
    /// [`Error::NotSupported`] when the issuer names no such endpoint, or no ID token came at the login;
    /// [`Error::UserInfo`], also when the answer is about another user; [`Error::Http`].
    pub async fn userinfo(&self) -> Result<UserInfo, Error> {
        let token = self.access_token().await?;
        let live = self.inner.usable()?;
        let record = &live.record;
        let missing = || Error::NotSupported { fhir_base: record.fhir_base.to_string(), endpoint: "userinfo" };
        let endpoint = record.endpoints.userinfo.as_ref().ok_or_else(missing)?;
        let user = record.user.as_ref().ok_or_else(missing)?;
        let response = self.inner.client.inner.send(userinfo_request(endpoint, &token)?).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(parse_userinfo(endpoint, response.status().as_u16(), content_type, response.body(), &user.subject)?)
    }
}
