//! One value of a state.

use super::error::StateContentError;
use serde_json::{Map, Value};
use url::Url;

/// A named text: an extension with `valueString`. `Debug` does not show the text, which may be a key.
#[derive(Clone, PartialEq, Eq)]
pub struct StateValue {
    url: String,
    text: String,
}

impl StateValue {
    /// A value under an absolute URI of the app's own.
    ///
    /// # Errors
    /// [`StateContentError::ValueUri`] or [`StateContentError::ValueText`].
    pub fn new(url: impl Into<String>, text: impl Into<String>) -> Result<Self, StateContentError> {
        let (url, text) = (url.into(), text.into());
        if Url::parse(&url).is_err() || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(StateContentError::ValueUri);
        }
        let illegal = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        if text.is_empty() || text.chars().any(illegal) {
            return Err(StateContentError::ValueText);
        }
        Ok(Self { url, text })
    }

    /// The URI.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The text. Out of a stored state it is untrusted: anybody with the right to write may have put anything there.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads an extension that has a URL and a `valueString` and nothing else.
    pub(super) fn from_extension(extension: &Value) -> Option<Self> {
        let extension = extension.as_object()?;
        let text = |name: &str| extension.get(name)?.as_str();
        let value = Self::new(text("url")?, text("valueString")?).ok()?;
        (extension.len() == 2).then_some(value)
    }

    pub(super) fn to_extension(&self) -> Value {
        let mut extension = Map::new();
        extension.insert("url".to_owned(), self.url.as_str().into());
        extension.insert("valueString".to_owned(), self.text.as_str().into());
        Value::Object(extension)
    }
}

impl TryFrom<(String, String)> for StateValue {
    type Error = StateContentError;

    fn try_from((url, text): (String, String)) -> Result<Self, StateContentError> {
        Self::new(url, text)
    }
}

impl std::fmt::Debug for StateValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateValue").field("url", &self.url).finish_non_exhaustive()
    }
}
