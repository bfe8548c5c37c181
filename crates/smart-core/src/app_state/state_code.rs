//! The code of a state: which kind of thing it is, in the app's own words.

use super::error::StateContentError;
use url::Url;

/// The code of a state: a system, best the app's own origin, and a code in it (SMART App Launch 2.2, app state).
///
/// Servers compare it letter by letter. Characters with a meaning in a search are not allowed, so that the code of the
/// state and the code of the query are the same text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateCode {
    system: String,
    code: String,
}

impl StateCode {
    /// Checks system and code.
    ///
    /// # Errors
    /// [`StateContentError::Code`].
    pub fn new(system: &str, code: &str) -> Result<Self, StateContentError> {
        let legal = |text: &str| {
            !text.is_empty()
                && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '|' | ',' | '$' | '\\'))
        };
        if legal(system) && legal(code) && Url::parse(system).is_ok() {
            Ok(Self { system: system.to_owned(), code: code.to_owned() })
        } else {
            Err(StateContentError::Code)
        }
    }

    /// The system.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl std::fmt::Display for StateCode {
    /// As a search has it: `system|code`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}|{}", self.system, self.code)
    }
}
