//! Callbacks: `STATE` stands for the right state. Without it, or with another issuer, no login completes; an error
//! never yields a code; all three ways in read alike; nothing shows the state.

use super::login::{ISSUER, NOW, fhir_base, pending};
use smart_core::authorize::{Callback, CallbackError};

/// Tries `text` as a query.
pub fn hold(text: &str) {
    let (pending, state) = pending();
    let query = text.replace("STATE", &state);
    let from_query = Callback::from_query(&query);
    if !query.starts_with('?') {
        assert_eq!(look(&from_query), look(&Callback::from_form(query.as_bytes())), "query and form read alike");
    }
    let mut url = fhir_base().url().clone();
    url.set_query(Some(&query));
    let _ = Callback::from_url(&url);
    let Ok(callback) = from_query else { return };
    // A server may put the state into its error's text too, which is shown.
    let only_as_state = query.matches(state.as_str()).count() <= 1 && text.split('&').any(|pair| pair == "state=STATE");
    let shows_state = |shown: &str| only_as_state && shown.contains(&state);
    assert!(!shows_state(&format!("{callback:?}")), "Debug shows no state");
    let is_error = callback.is_error();
    let names_the_state = callback.state().is_some();
    let iss = callback.iss().map(str::to_owned);
    match pending.complete(callback, NOW) {
        Ok(exchange) => {
            assert!(!is_error, "an error completes no login");
            assert!(names_the_state, "no login without a state");
            assert!(iss.is_none_or(|iss| iss == ISSUER), "no login with another issuer");
            assert!(!shows_state(&format!("{exchange:?}")), "Debug shows no state");
        }
        Err(error) => {
            assert!(!shows_state(&format!("{error} {error:?}")), "an error shows no state");
            assert!(!error.is_retryable() || is_error);
        }
    }
}

type Look<'c> = Result<(bool, Option<String>, Option<&'c str>), &'c CallbackError>;

/// What can be seen of a callback that was not believed yet.
fn look(callback: &Result<Callback, CallbackError>) -> Look<'_> {
    callback.as_ref().map(|callback| (callback.is_error(), callback.lookup_key(), callback.iss()))
}
