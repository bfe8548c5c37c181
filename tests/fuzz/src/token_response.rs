//! Token responses: the first octet picks the status; the rest is the body.

use super::login::{NOW, pending};
use smart_core::authorize::Callback;
use smart_core::token::{ClientAuthentication, ClientIdInBody};

/// Tries `data` as a status and a body.
pub fn hold(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let statuses = [200, 200, 200, 400, 401, 201, 302, 503];
    let status = statuses[usize::from(*first) % statuses.len()];
    let (pending, state) = pending();
    let callback = Callback::from_query(&format!("code=c&state={state}")).expect("a callback");
    let exchange = pending.complete(callback, NOW).expect("a code");
    let (_, expected) =
        exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).expect("a request");
    match expected.parse(status, body, NOW) {
        Ok(response) => {
            assert!((200..300).contains(&status), "only a success gives a token");
            assert!(!response.access_token.expose_secret().is_empty());
            assert!(response.expires_at().is_none_or(|at| at >= NOW));
            let _ = format!("{response:?}");
        }
        Err(error) => {
            let _ = format!("{error} {error:?}");
        }
    }
}
