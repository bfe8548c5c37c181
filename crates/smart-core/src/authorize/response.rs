//! For those who write a server: the answer that the browser brings back to the app.

use super::callback::CallbackOutcome;
use crate::issuer::Issuer;
use crate::redirect_uri::{RedirectUri, RedirectUriError};
use crate::state::State;
use crate::untrusted::oauth_text;
use url::Url;

/// The answer of an authorization endpoint (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207). Clients read it as a
/// [`Callback`](super::Callback).
///
/// Send it only once client and redirect URI are known to belong together: else the person sees an error page, and the
/// browser is sent nowhere.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// A code, or an error.
    pub outcome: CallbackOutcome,
    /// The state of the request, given back letter by letter.
    pub state: Option<State>,
    /// This server's issuer, for clients to tell servers apart.
    pub iss: Option<Issuer>,
}

impl AuthorizationResponse {
    /// Where to send the browser (303 See Other): the redirect URI with the answer added to its query. It holds the code:
    /// keep it out of logs.
    ///
    /// # Errors
    /// [`RedirectUriError::NotAbsolute`], which no [`RedirectUri`] gives.
    pub fn redirect_url(&self, redirect_uri: &RedirectUri) -> Result<Url, RedirectUriError> {
        let given = redirect_uri.as_str();
        let mut url = Url::parse(given)
            .map_err(|e| RedirectUriError::NotAbsolute { given: given.to_owned(), reason: e.to_string() })?;
        let mut query = url.query_pairs_mut();
        match &self.outcome {
            CallbackOutcome::Code(code) => {
                query.append_pair("code", code.expose_secret());
            }
            CallbackOutcome::Error { error, description, uri } => {
                query.append_pair("error", error.as_str());
                if let Some(description) = description {
                    query.append_pair("error_description", &oauth_text(description));
                }
                if let Some(uri) = uri {
                    query.append_pair("error_uri", uri);
                }
            }
        }
        if let Some(state) = &self.state {
            query.append_pair("state", state.expose_secret());
        }
        if let Some(iss) = &self.iss {
            query.append_pair("iss", iss.as_str());
        }
        drop(query);
        Ok(url)
    }
}
