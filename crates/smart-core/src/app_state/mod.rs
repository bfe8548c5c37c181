//! App state: small things that an app keeps at the EHR (SMART App Launch 2.2, `smart-app-state`; experimental).
//!
//! # What it is not for
//!
//! App state is for an app's own settings and keys. **Never keep in it what FHIR has a resource for**: no diagnosis, no
//! observation, no medication. Nobody else reads it, no decision support sees it, and no rule of the record applies to it;
//! the FHIR API is the safe way for such data (requirement AP-06). Nor does the EHR look into it or act on it.
//!
//! **What comes back is untrusted**: other apps may have the same right to write, so a value can be anything. Check it
//! before it is used, and above all before it is shown, opened as an address, or run. Values that must not be read by
//! others have to be encrypted by the app.
//!
//! A state belongs to one code and to at most one subject, or to nobody: then it is a setting for all of the EHR's users.
//! There is no state for a pair of user and patient.
//!
//! # The messages
//!
//! [`AppStateEndpoint::find`] says where the states of a server lie. [`CreateState`], [`UpdateState`], [`DeleteState`] and
//! [`QueryState`] each make a request, by the access token of a session, and read its answer. An update keeps id, code and
//! subject, and carries the version that it replaces, because it is made of the [`StoredAppState`]; a delete consumes it,
//! since its id must not be used again.
//!
//! ```
//! use smart_core::app_state::{AppState, AppStateEndpoint, CreateState, StateCode, StateSubject, UpdateState};
//! use smart_core::secret::AccessToken;
//! # use smart_core::discovery::SmartConfiguration;
//! # use smart_core::fhir_base::FhirBaseUrl;
//! # use smart_core::url_policy::UrlPolicy;
//! # let base = FhirBaseUrl::parse("https://ehr.example/r4")?;
//! # let body = br#"{"token_endpoint":"https://ehr.example/token","grant_types_supported":["authorization_code"],
//! #   "code_challenge_methods_supported":["S256"],"capabilities":["smart-app-state"]}"#;
//! # let discovered = SmartConfiguration::parse(body, &base, UrlPolicy::HttpsOnly)?;
//! # let token = AccessToken::new("t");
//! let endpoint = AppStateEndpoint::find(&discovered)?;
//! let subject = StateSubject::new(&base, "Practitioner", "123")?;
//! let state = AppState::new(StateCode::new("https://app.example", "display-preferences")?)
//!     .about(subject)
//!     .with("https://app.example/display-preferences-v2", r#"{"defaultView":"problem-list"}"#)?;
//! let create = CreateState { endpoint: &endpoint, state: &state };
//! let request = create.request(&token)?;
//! assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/r4/Basic"));
//! # let mut answer = state.to_basic();
//! # answer.insert("id".into(), "1000".into());
//! # let body = serde_json::to_vec(&answer)?;
//! // Send it, and read the answer with its ETag.
//! let stored = create.parse(201, Some("W/\"a\""), &body)?;
//! let values = vec![("https://app.example/display-preferences-v2".to_owned(), "{}".to_owned()).try_into()?];
//! let update = UpdateState { endpoint: &endpoint, stored: &stored, values: &values };
//! assert_eq!(update.request(&token)?.headers()["if-match"], "W/\"a\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod content;
mod create;
mod delete;
mod endpoint;
mod error;
mod query;
mod state_code;
mod stored;
mod subject;
mod update;
mod value;

pub use content::AppState;
pub use create::CreateState;
pub use delete::{DeleteState, Deletion};
pub use endpoint::{AppStateEndpoint, AppStatePlace, SAFE_SIZE};
pub use error::{AppStateError, StateContentError};
pub use query::{AppStates, QueryState, StateOwner};
pub use state_code::StateCode;
pub use stored::StoredAppState;
pub use subject::StateSubject;
pub use update::UpdateState;
pub use value::StateValue;
