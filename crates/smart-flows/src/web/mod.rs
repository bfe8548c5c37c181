//! Web apps: launches, callbacks and sessions of browsers, on plain `http::Request`s and so under any framework.
//!
//! A [`WebApp`] answers three requests of a browser: the EHR's [launch](WebApp::launch) (or the person's own
//! [login](WebApp::login)), the [callback](WebApp::callback) and the [logout](WebApp::logout); for all others it finds the
//! [session](WebApp::session). With the feature `axum`, `router` makes routes of them.
//!
//! # Whose record is it?
//! One browser may have several sessions at a time: a clinician opens one patient in one tab, another in the next. A cookie
//! alone cannot tell them apart, and the second launch would change the patient under the first page. So each session has a
//! name, which the page after the login has in its URL (`?smart_session=..`) and passes on with each request, as the same
//! query parameter or as the header `Smart-Session`. The name alone opens nothing: the cookie has to be there too. A request
//! without a name is answered only while the browser has one session alone.
//!
//! # Cookies
//! Both are `HttpOnly`, `Secure`, `SameSite=Lax`, for this host alone (`__Host-`), and hold random ids, never a token
//! (requirement SE-04). One ties logins that wait to the browser; the other, made at the login, ties sessions to it.

mod app;
mod cookies;
pub(crate) mod pages;
#[cfg(feature = "axum")]
mod router;
mod unclaimed;

pub use app::{WebApp, WebAppBuilder};
#[cfg(feature = "axum")]
pub use router::{CurrentSession, SessionRejection, router};
