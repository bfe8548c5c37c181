//! Looking for states.

use super::answer::{About, authorized, failure};
use super::endpoint::AppStateEndpoint;
use super::error::{AppStateError, StateContentError};
use super::state_code::StateCode;
use super::stored::{StoredAppState, VersionFrom};
use super::subject::StateSubject;
use crate::fhir_json::{is_resource, items, text};
use crate::json::parse_object;
use crate::leniency::Leniency;
use crate::secret::AccessToken;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// A search for states: `GET Basic` by code and owner.
#[derive(Debug, Clone, Copy)]
pub struct QueryState<'a> {
    /// Where.
    pub endpoint: &'a AppStateEndpoint,
    /// Which code.
    pub code: &'a StateCode,
    /// Whose.
    pub owner: StateOwner<'a>,
}

/// Whom the states that are looked for are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOwner<'a> {
    /// This subject.
    Subject(&'a StateSubject),
    /// Nobody: settings for all.
    Everybody,
}

/// The states that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppStates {
    /// The states of this page.
    pub states: Vec<StoredAppState>,
    /// Where the next page lies, for [`QueryState::next_request`].
    pub next: Option<Url>,
    /// Where the answer departed from the specification and was read all the same.
    pub leniencies: Vec<Leniency>,
}

impl QueryState<'_> {
    /// The request.
    ///
    /// # Errors
    /// [`AppStateError::Message`].
    pub fn request(&self, token: &AccessToken) -> Result<Request<Bytes>, AppStateError> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let owner = match self.owner {
            StateOwner::Subject(subject) => format!("subject={}", encoded(&search_value(subject.as_str()))),
            StateOwner::Everybody => "subject:missing=true".to_owned(),
        };
        let code = encoded(&self.code.to_string());
        let url = self.endpoint.url(&format!("Basic?code={code}&{owner}"))?;
        authorized(AppStateEndpoint::request(Method::GET, &url)?, token, None)
    }

    /// The request for the next page. It must lie at the endpoint: the token goes nowhere else.
    ///
    /// # Errors
    /// [`AppStateError::NextElsewhere`]; [`AppStateError::Message`].
    pub fn next_request(&self, next: &Url, token: &AccessToken) -> Result<Request<Bytes>, AppStateError> {
        if !self.endpoint.base().contains(next) {
            return Err(AppStateError::NextElsewhere { endpoint: self.endpoint.shown() });
        }
        authorized(AppStateEndpoint::request(Method::GET, next)?, token, None)
    }

    /// Reads the answer, a page of it. What is about somebody else, or of another code, is left out and reported: a server
    /// that passes over a parameter must not put another patient's state before this one.
    ///
    /// # Errors
    /// [`AppStateError`].
    pub fn parse(&self, status: u16, body: &[u8]) -> Result<AppStates, AppStateError> {
        if status != 200 {
            return Err(failure(self.endpoint, status, About::Endpoint));
        }
        let unreadable = |reason| AppStateError::Unreadable { endpoint: self.endpoint.shown(), reason };
        let bundle = Value::Object(parse_object(body).map_err(|e| unreadable(StateContentError::Json(e)))?);
        if !is_resource(&bundle, "Bundle") {
            return Err(unreadable(StateContentError::NotBundle));
        }
        let mut found = AppStates { states: Vec::new(), next: self.next(&bundle), leniencies: Vec::new() };
        for entry in items(&bundle, "entry") {
            match entry.get("resource") {
                // What a server has to say about the search itself.
                Some(outcome) if is_resource(outcome, "OperationOutcome") => {}
                Some(Value::Object(resource)) => match StoredAppState::read(resource.clone(), VersionFrom::Resource) {
                    Ok(state) if self.is_meant(&state) => found.states.push(state),
                    Ok(_) => found.leniencies.push(Leniency::AppStateOfAnother),
                    Err(_) => found.leniencies.push(Leniency::AppStateUnreadable),
                },
                _ => found.leniencies.push(Leniency::AppStateUnreadable),
            }
        }
        Ok(found)
    }

    fn is_meant(&self, state: &StoredAppState) -> bool {
        let owner = match self.owner {
            StateOwner::Subject(subject) => Some(subject),
            StateOwner::Everybody => None,
        };
        state.content().code() == self.code && state.content().subject() == owner
    }

    fn next(&self, bundle: &Value) -> Option<Url> {
        let link = items(bundle, "link").iter().find(|link| text(link, "relation") == Some("next"))?;
        self.endpoint.base().resolve(text(link, "url")?).ok()
    }
}

/// A value of a search parameter with what has a meaning there escaped (FHIR R4, search, escaping).
fn search_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '|' | ',' | '$') {
            value.push('\\');
        }
        value.push(c);
    }
    value
}
