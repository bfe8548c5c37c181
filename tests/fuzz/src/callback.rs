//! Callbacks: `STATE` stands for the right state. Without it no login completes; an error never yields a code.

use super::login::{NOW, pending};
use smart_core::authorize::Callback;

/// Tries `text` as a query.
pub fn hold(text: &str) {
    let (pending, state) = pending();
    let query = text.replace("STATE", &state);
    let _ = Callback::from_form(query.as_bytes());
    let Ok(callback) = Callback::from_query(&query) else { return };
    let is_error = callback.is_error();
    let names_the_state = callback.state().is_some();
    if pending.complete(callback, NOW).is_ok() {
        assert!(!is_error, "an error completes no login");
        assert!(names_the_state, "no login without a state");
    }
}
