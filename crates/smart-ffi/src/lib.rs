//! SMART on FHIR for Swift, Kotlin and Python: the library's logins, sessions and FHIR requests through
//! [UniFFI](https://mozilla.github.io/uniffi-rs/).
//!
//! An app makes a [`SmartClient`] from its settings, begins a login, opens the URL of the [`PendingLogin`] in the person's own browser,
//! and hands the URL that comes back to [`SmartClient::complete`]. The [`Session`] renews its token by itself and makes FHIR requests;
//! resources are JSON texts, as they came. Where sessions are kept and what time it is can be the app's: [`AppStore`], [`AppClock`].
//!
//! Tokens never cross the border. What fails is one error, [`SmartError`], with a code.
//!
//! Everything that waits runs on a tokio runtime of the library's own, and what must not stop half-way (a renewal, the end of a login, a
//! logout, a write to the app's store) runs in a task of its own there: it goes on when the app gives up waiting.

mod app_clock;
mod app_store;
mod client;
mod credential;
mod envelope;
mod error;
mod events;
mod fhir;
mod lease;
mod logout;
mod own_task;
mod pending_login;
mod search;
mod session;
mod session_key;
mod session_time;
mod store_adapter;
mod store_check;

pub use app_clock::{AppClock, ClockFailure};
pub use app_store::{AppStore, StoreFailure};
pub use client::SmartClient;
pub use credential::Credential;
pub use error::{Problem, SmartError};
pub use events::{EventKind, SessionEvent, SessionEvents, SessionWatch};
pub use fhir::WriteAnswer;
pub use logout::LogoutReport;
pub use pending_login::PendingLogin;
pub use search::{EntryMode, Parameter, SearchEntry, SearchPager, search_literal};
pub use session::Session;
pub use session_key::StoredSession;
pub use store_adapter::StoreAdapter;
pub use store_check::check_store;

uniffi::setup_scaffolding!("smart_on_fhir");
