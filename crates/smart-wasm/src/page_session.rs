//! A session as a page sees it: what was granted and to whom, without its tokens.

use crate::error::PageError;
use crate::fhir;
use serde_json::json;
use smart_fhir::FhirClient;
use smart_flows::Session;
use std::sync::Arc;
use wasm_bindgen::prelude::wasm_bindgen;

/// A session as a page sees it.
#[wasm_bindgen]
pub struct PageSession {
    session: Session,
    fhir: FhirClient,
}

impl PageSession {
    pub(crate) fn new(session: Session) -> Self {
        let (base, http) = (session.fhir_base().clone(), session.http().clone());
        let fhir = FhirClient::new(base, http, Arc::new(session.clone()));
        Self { session, fhir }
    }
}

#[wasm_bindgen]
impl PageSession {
    /// What tells it apart from the other sessions in this browser. It says nothing of the person.
    pub fn id(&self) -> String {
        self.session.key().id().to_owned()
    }

    /// Server, scopes, context and user, as JSON.
    pub fn info(&self) -> Result<String, PageError> {
        let session = &self.session;
        let user = session.user()?;
        let fhir_user = user.as_ref().and_then(|user| user.fhir_user.as_ref());
        let info = json!({
            "serverUrl": session.fhir_base().as_str(),
            "scope": session.granted_scopes()?.to_string(),
            "expiresAt": session.expires_at()?.map(smart_core::time::Timestamp::as_unix_seconds),
            "context": session.context()?,
            "fhirUser": fhir_user.map(|user| json!({
                "reference": user.reference(),
                "resourceType": user.resource_type().as_str(),
                "id": user.id(),
                "url": user.url().as_str(),
                "isOnThisServer": user.is_on_this_server(),
            })),
            "canRefresh": session.can_refresh(),
        });
        Ok(info.to_string())
    }

    /// Whether the granted scopes permit an interaction by its HTTP method and path below the FHIR base.
    pub fn permits(&self, method: &str, path: &str) -> Result<bool, PageError> {
        let scopes = self.session.granted_scopes()?;
        let request = smart_core::scope::AccessRequest::from_http(method, path);
        Ok(request.is_none_or(|request| scopes.decide(&request).is_allowed()))
    }

    /// Reads a resource, as JSON.
    pub async fn read(&self, resource_type: String, id: String) -> Result<String, PageError> {
        fhir::read(&self.fhir, &resource_type, &id).await
    }

    /// GETs anything below the FHIR base, as JSON.
    pub async fn get(&self, path: String) -> Result<String, PageError> {
        fhir::get(&self.fhir, &path).await
    }

    /// The page that follows a page of a search, below the FHIR base. `undefined`: it was the last.
    #[wasm_bindgen(js_name = nextPage)]
    pub fn next_page(&self, bundle: &str) -> Result<Option<String>, PageError> {
        fhir::next_page(self.session.fhir_base(), bundle)
    }

    /// Sends a request of the page's own, and gives the body of the answer.
    pub async fn send(
        &self,
        method: String,
        path: String,
        headers: String,
        body: Option<String>,
    ) -> Result<String, PageError> {
        fhir::send(&self.fhir, &method, &path, &headers, body).await
    }

    /// Creates a resource.
    pub async fn create(&self, resource: String) -> Result<String, PageError> {
        fhir::create(&self.fhir, resource).await
    }

    /// Updates a resource; where `version` is given, only if that is still its version.
    pub async fn update(&self, resource: String, version: Option<String>) -> Result<String, PageError> {
        fhir::update(&self.fhir, resource, version.as_deref()).await
    }

    /// Patches what a reference leads to.
    pub async fn patch(&self, reference: String, patch: String, version: Option<String>) -> Result<String, PageError> {
        fhir::patch(&self.fhir, &reference, &patch, version.as_deref()).await
    }

    /// Deletes what a reference leads to.
    pub async fn delete(&self, reference: String) -> Result<String, PageError> {
        fhir::delete(&self.fhir, &reference).await
    }

    /// Renews the access token now. It is renewed by itself ahead of its end.
    pub async fn refresh(&self) -> Result<(), PageError> {
        Ok(self.session.refresh().await?)
    }

    /// Logs out: revokes the tokens where the server lets it, and wipes the session from this browser. Gives what came of it, as
    /// JSON.
    pub async fn logout(&self) -> String {
        let report = self.session.logout().await;
        let told = |outcome: Result<(), smart_flows::Error>| match outcome {
            Ok(()) => json!({"done": true}),
            Err(error) => json!({"done": false, "reason": error.to_string()}),
        };
        json!({"revoked": told(report.revoked), "wiped": told(report.wiped)}).to_string()
    }

    /// Why the session is over. `undefined`: it goes on.
    #[wasm_bindgen(js_name = endReason)]
    pub fn end_reason(&self) -> Option<String> {
        self.session.end_reason().map(|reason| reason.to_string())
    }
}
