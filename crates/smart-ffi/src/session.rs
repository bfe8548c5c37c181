//! A session: what the person granted.

use crate::error::SmartError;
use crate::logout::LogoutReport;
use crate::session_key::text_of;
use smart_on_fhir::core::time::Timestamp;
use smart_on_fhir::{FhirSession as _, fhir::FhirClient, flows};
use std::sync::Arc;

/// A login at one FHIR server. Its token renews itself, and is never shown.
///
/// A session that is locked, past a time limit of the settings, or over shows and gives out nothing: what asks it gets the errors
/// `session-locked`, `session-timeout/..` or `session-over/..`.
#[derive(uniffi::Object)]
pub struct Session {
    pub(crate) inner: flows::Session,
    pub(crate) fhir: FhirClient,
}

impl Session {
    pub(crate) fn new(inner: flows::Session) -> Arc<Self> {
        Arc::new(Self { fhir: inner.fhir(), inner })
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// What [`SmartClient::restore`](crate::SmartClient::restore) takes. It does not tell who logged in.
    pub fn key(&self) -> String {
        text_of(self.inner.key())
    }

    /// The FHIR server.
    pub fn fhir_base(&self) -> String {
        self.inner.fhir_base().to_string()
    }

    /// The id of the patient in context. None: the launch named none.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn patient(&self) -> Result<Option<String>, SmartError> {
        Ok(self.inner.context()?.patient)
    }

    /// The id of the encounter in context.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn encounter(&self) -> Result<Option<String>, SmartError> {
        Ok(self.inner.context()?.encounter)
    }

    /// Whether the app has to show whose record is open. Unless the EHR said that it does so itself, it has.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn needs_patient_banner(&self) -> Result<bool, SmartError> {
        Ok(self.inner.context()?.need_patient_banner.unwrap_or(true))
    }

    /// What the person wants to do, as the EHR said.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn intent(&self) -> Result<Option<String>, SmartError> {
        Ok(self.inner.context()?.intent)
    }

    /// The whole launch context, as a JSON object with SMART's names.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn context_json(&self) -> Result<String, SmartError> {
        let context = self.inner.context()?;
        serde_json::to_string(&context)
            .map_err(|_| SmartError::invalid("context", "the context cannot be written as JSON"))
    }

    /// Who logged in, as a reference such as `Practitioner/1`. None: the server did not say.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn fhir_user(&self) -> Result<Option<String>, SmartError> {
        Ok(self.inner.fhir_user()?.map(|user| user.reference()))
    }

    /// The scopes that are granted now, parted by blanks.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn granted_scopes(&self) -> Result<String, SmartError> {
        Ok(self.inner.granted_scopes()?.to_string())
    }

    /// When the access token ends, in seconds since 1970, where the server said so.
    ///
    /// # Errors
    /// Those of a session that may not be used.
    pub fn expires_at(&self) -> Result<Option<i64>, SmartError> {
        Ok(self.inner.expires_at()?.map(Timestamp::as_unix_seconds))
    }

    /// Whether the token can be renewed without the person.
    pub fn can_refresh(&self) -> bool {
        self.inner.can_refresh()
    }

    /// Renews the access token now. There is no need to: requests do it. It goes on when the app gives up waiting.
    ///
    /// # Errors
    /// `session-over/..`, `expired`: log in again. `token/..`, `http/..`, `store/..`: the refresh token is kept.
    pub async fn refresh(&self) -> Result<(), SmartError> {
        Ok(self.inner.refresh().await?)
    }

    /// Logs out: revokes the tokens at the server where that can be done, and wipes the session here in any case. It goes on to its end when
    /// the app gives up waiting.
    pub async fn logout(&self) -> LogoutReport {
        LogoutReport::of(self.inner.logout().await)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
