//! Token revocation (RFC 7009).

use crate::introspection::TokenTypeHint;
use crate::secret::{AccessToken, RefreshToken};
use crate::token::{FormRequest, MessageError, RequestingClient, TokenError, TokenErrorResponse, endpoint_shown};
use bytes::Bytes;
use http::Request;
use url::Url;

/// The token to revoke.
#[derive(Debug, Clone, Copy)]
pub enum Revocable<'a> {
    /// A refresh token; servers revoke its access tokens with it.
    Refresh(&'a RefreshToken),
    /// An access token.
    Access(&'a AccessToken),
}

/// The request, authenticated as at the token endpoint; a public client names itself.
///
/// # Errors
/// [`MessageError`].
pub fn revocation_request(
    endpoint: &Url,
    token: Revocable<'_>,
    client: RequestingClient<'_>,
) -> Result<Request<Bytes>, MessageError> {
    let (token, hint) = match token {
        Revocable::Refresh(token) => (token.expose_secret(), TokenTypeHint::RefreshToken),
        Revocable::Access(token) => (token.expose_secret(), TokenTypeHint::AccessToken),
    };
    FormRequest::new(endpoint).field("token", token).field("token_type_hint", hint.as_str()).client(client).build()
}

/// Reads the answer: 200 is done, also for a token that the server did not know; the body does not matter.
///
/// # Errors
/// [`TokenError`]. After any error, a 503 above all, the token has to be taken as alive (RFC 7009, section 2.2.1).
pub fn parse_revocation(endpoint: &Url, status: u16, body: &[u8]) -> Result<(), TokenError> {
    let shown = || endpoint_shown(endpoint);
    match status {
        200..300 => Ok(()),
        300..400 => Err(TokenError::Redirect { endpoint: shown(), status }),
        _ => Err(crate::json::parse_object(body)
            .ok()
            .and_then(|object| TokenErrorResponse::from_object(&object))
            .map_or_else(
                || TokenError::Status { endpoint: shown(), status },
                |response| TokenError::Refused { endpoint: shown(), status, response },
            )),
    }
}
