//! The app-state endpoint of an EHR.

use crate::{FhirClient, FhirError};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use smart_core::app_state::{
    AppState, AppStateEndpoint, AppStateError, CreateState, DeleteState, Deletion, QueryState, StateCode, StateOwner,
    StateValue, StoredAppState, UpdateState,
};
use smart_core::scope::{AccessRequest, Interaction};
use smart_core::secret::AccessToken;
use smart_http::{Endpoint, Repeat};
use std::collections::HashSet;
use std::fmt;
use url::Url;

/// How many pages of states are read.
const MAX_PAGES: usize = 100;

/// Keeps small things of an app at the EHR: see [`smart_core::app_state`], above all what it is not for.
///
/// The endpoint is the one that the EHR's own document names ([`AppStateEndpoint::find`]); the access token of the client goes
/// there, although it may lie beside the FHIR base, and nowhere else: no redirect is followed. A create is never sent twice by
/// itself; where its answer gets lost, query.
///
/// ```no_run
/// # async fn run(fhir: smart_fhir::FhirClient, discovered: smart_core::discovery::Discovered) -> Result<(), Box<dyn std::error::Error>> {
/// use smart_core::app_state::{AppState, AppStateEndpoint, StateCode, StateOwner};
/// use smart_fhir::AppStates;
///
/// let states = AppStates::new(&fhir, AppStateEndpoint::find(&discovered)?)?;
/// let code = StateCode::new("https://app.example", "preferences")?;
/// match states.query(&code, StateOwner::Everybody).await?.into_iter().next() {
///     Some(stored) => println!("{:?}", stored.value("https://app.example/view")),
///     None => drop(states.create(&AppState::new(code).with("https://app.example/view", "list")?).await?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AppStates {
    client: FhirClient,
    endpoint: AppStateEndpoint,
}

/// Why an exchange with the app-state endpoint failed.
#[derive(Debug, Clone, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum StateError {
    /// The state may not be sent, or the server said no.
    #[error(transparent)]
    State(#[from] AppStateError),
    /// There was no authorization, or no usable response.
    #[error(transparent)]
    Fhir(#[from] FhirError),
}

impl StateError {
    /// Whether the same query may work a little later. A write may have been done: query first.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::State(error) => error.is_retryable(),
            Self::Fhir(error) => error.is_retryable(),
        }
    }

    /// Whether the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        match self {
            Self::State(error) => error.needs_new_token(),
            Self::Fhir(error) => error.needs_reauthorization(),
        }
    }

    /// Whether somebody else changed or deleted the state meanwhile: query it again, and merge.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::State(error) if error.is_conflict())
    }
}

impl AppStates {
    /// The states at an endpoint that the client's own FHIR server names.
    ///
    /// # Errors
    /// [`FhirError::InvalidRequest`] when the endpoint is that of another server: it would get this one's token.
    pub fn new(client: &FhirClient, endpoint: AppStateEndpoint) -> Result<Self, FhirError> {
        if endpoint.primary() != client.base() {
            return Err(FhirError::InvalidRequest { reason: "the app-state endpoint belongs to another FHIR server" });
        }
        Ok(Self { client: client.clone(), endpoint })
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &AppStateEndpoint {
        &self.endpoint
    }

    /// Creates a state.
    ///
    /// # Errors
    /// [`StateError`].
    pub async fn create(&self, state: &AppState) -> Result<StoredAppState, StateError> {
        let create = CreateState { endpoint: &self.endpoint, state };
        let response = self.send(Interaction::Create, |token| create.request(token)).await?;
        Ok(create.parse(response.status().as_u16(), etag(&response), response.body())?)
    }

    /// Gives a stored state other values, unless somebody else has changed it meanwhile.
    ///
    /// # Errors
    /// [`StateError`]; see [`StateError::is_conflict`].
    pub async fn update(&self, stored: &StoredAppState, values: &[StateValue]) -> Result<StoredAppState, StateError> {
        let update = UpdateState { endpoint: &self.endpoint, stored, values };
        let response = self.send(Interaction::Update, |token| update.request(token)).await?;
        Ok(update.parse(response.status().as_u16(), etag(&response), response.body())?)
    }

    /// Deletes a stored state, unless somebody else has changed it meanwhile. Its id is over then.
    ///
    /// # Errors
    /// [`StateError`]; see [`StateError::is_conflict`].
    pub async fn delete(&self, stored: StoredAppState) -> Result<Deletion, StateError> {
        let delete = DeleteState::new(&self.endpoint, stored);
        let response = self.send(Interaction::Delete, |token| delete.request(token)).await?;
        Ok(delete.parse(response.status().as_u16())?)
    }

    /// The states of a code and an owner, over all pages. States of others are left out, whatever the server gives.
    ///
    /// # Errors
    /// [`StateError`]. A part of the states is never taken for all.
    pub async fn query(&self, code: &StateCode, owner: StateOwner<'_>) -> Result<Vec<StoredAppState>, StateError> {
        let query = QueryState { endpoint: &self.endpoint, code, owner };
        let mut states = Vec::new();
        let mut next: Option<Url> = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            let request = |token: &AccessToken| match &next {
                None => query.request(token),
                Some(url) => query.next_request(url, token),
            };
            let response = self.send(Interaction::SearchType, request).await?;
            let page = query.parse(response.status().as_u16(), response.body())?;
            states.extend(page.states);
            let Some(url) = page.next else { return Ok(states) };
            if !seen.insert(url.clone()) {
                return Err(FhirError::PageLoop { endpoint: Endpoint::from(self.endpoint.base().url()) }.into());
            }
            next = Some(url);
        }
        let endpoint = Endpoint::from(self.endpoint.base().url());
        Err(FhirError::TooMany { endpoint, limit: MAX_PAGES as u64, what: "pages" }.into())
    }

    /// Sends a request with the token, and once more with a new one where the server refuses that (401).
    async fn send(
        &self,
        interaction: Interaction,
        request: impl Fn(&AccessToken) -> Result<Request<Bytes>, AppStateError>,
    ) -> Result<Response<Bytes>, StateError> {
        self.client.check_permitted(&AccessRequest::new(interaction, "Basic"), self.endpoint.base().url())?;
        let first = self.bearer().await?;
        let response = self.send_once(&first, &request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let renewed = self.client.authorize().renew(&first).await.map_err(|error| self.unauthorized(error))?;
        let second = if renewed { self.bearer().await? } else { first.clone() };
        if second == first { Ok(response) } else { self.send_once(&second, &request).await }
    }

    async fn send_once(
        &self,
        bearer: &http::HeaderValue,
        request: impl Fn(&AccessToken) -> Result<Request<Bytes>, AppStateError>,
    ) -> Result<Response<Bytes>, StateError> {
        let token = bearer.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let no_bearer =
            FhirError::InvalidRequest { reason: "app state takes a bearer token, and there is another kind" };
        let request = request(&AccessToken::new(token.ok_or(no_bearer)?))?;
        let url = Url::parse(&request.uri().to_string());
        let url = url.map_err(|_| FhirError::InvalidRequest { reason: "the app-state endpoint is no URL" })?;
        let allowed = self.client.authorize().sending(request.method(), &url);
        allowed.map_err(|error| self.unauthorized(error))?;
        let repeat = if request.method() == Method::GET { Repeat::Freely } else { Repeat::WithoutEffect };
        let response = self.client.http().fetch_repeating(request, self.client.retries(), repeat).await;
        Ok(response.map_err(FhirError::from)?)
    }

    /// The header for the EHR's own FHIR base, since its document says that the endpoint takes the same token.
    async fn bearer(&self) -> Result<http::HeaderValue, StateError> {
        let header = self.client.authorize().authorization(self.client.base().url()).await;
        let missing = FhirError::InvalidRequest { reason: "app state takes a bearer token, and there is none" };
        Ok(header.map_err(|error| self.unauthorized(error))?.ok_or(missing)?)
    }

    fn unauthorized(&self, error: smart_http::AuthorizeError) -> StateError {
        FhirError::Authorize { endpoint: Endpoint::from(self.endpoint.base().url()), error }.into()
    }
}

fn etag(response: &Response<Bytes>) -> Option<&str> {
    response.headers().get(header::ETAG)?.to_str().ok()
}

impl fmt::Debug for AppStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppStates").field("endpoint", &self.endpoint.base().as_str()).finish_non_exhaustive()
    }
}
