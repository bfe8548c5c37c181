//! Token responses: the first octet picks the status; the rest is the body. Only a success gives a token; what is kept
//! of it can be stored and read again; the same body as the answer to a refresh loses neither refresh token nor patient.

use super::login::{NOW, fhir_base, pending};
use smart_core::authorize::Callback;
use smart_core::context::{FhirUser, LaunchContext};
use smart_core::scope::Scopes;
use smart_core::secret::RefreshToken;
use smart_core::token::{ClientAuthentication, ClientIdInBody, RefreshExchange, TokenResponse};

const STATUSES: [u16; 8] = [200, 200, 200, 400, 401, 201, 302, 503];

/// Tries `data` as a status and a body.
pub fn hold(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let status = STATUSES[usize::from(*first) % STATUSES.len()];
    let (pending, state) = pending();
    let callback = Callback::from_query(&format!("code=c&state={state}")).expect("a callback");
    let exchange = pending.complete(callback, NOW).expect("a code");
    let (_, expected) =
        exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).expect("a request");
    match expected.parse(status, body, NOW) {
        Ok(response) => believed(status, &response),
        Err(error) => {
            let _ = format!("{error} {error:?}");
        }
    }
    refreshed(status, body);
    if let Ok(claim) = std::str::from_utf8(body)
        && let Ok(user) = FhirUser::resolve(&fhir_base(), claim)
    {
        let again = FhirUser::resolve(&fhir_base(), user.url().as_str()).expect("a resolved user resolves");
        assert_eq!((again.reference(), again.is_on_this_server()), (user.reference(), user.is_on_this_server()));
    }
}

fn believed(status: u16, response: &TokenResponse) {
    assert!((200..300).contains(&status), "only a success gives a token");
    assert!(!response.access_token.expose_secret().is_empty());
    assert!(response.expires_at().is_none_or(|at| at >= NOW));
    let _ = format!("{response:?}");
    let written = serde_json::to_vec(&response.context).expect("a context can be written");
    let again: LaunchContext = serde_json::from_slice(&written).expect("and read again");
    assert_eq!(again, response.context);
    assert_eq!(Scopes::parse_granted(&response.scope.to_string()), response.scope);
}

/// The same body as the answer to a refresh.
fn refreshed(status: u16, body: &[u8]) {
    let (base, endpoint) = (fhir_base(), "https://login.ehr.example/token".parse().expect("a URL"));
    let (held, granted) = (RefreshToken::new("held"), Scopes::parse_granted("patient/*.rs"));
    let context = LaunchContext { patient: Some("p1".to_owned()), ..LaunchContext::default() };
    let refresh = RefreshExchange {
        fhir_base: &base,
        token_endpoint: &endpoint,
        refresh_token: &held,
        granted: &granted,
        context: &context,
    };
    if let Ok(response) = refresh.parse(status, body, NOW) {
        believed(status, &response);
        assert!(response.refresh_token.is_some(), "a refresh token is never lost");
        assert!(response.context.patient.is_some(), "nor is the patient");
    }
}
