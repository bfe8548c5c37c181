//! The callback and the token's answer, as the modules of FAPI 2.0 want them read.

use crate::log_in;
use crate::provider::{Habits, Provider};
use smart_flows::Error;

type Parameters = Vec<(String, String)>;

/// A login with a callback that is refused: its code is not redeemed.
async fn refused(callback: fn(&mut Parameters)) {
    let provider = Provider::start(Habits { callback, ..Habits::default() }).await;
    match log_in(&provider).await {
        Err(Error::Callback(_)) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there is a session"),
    }
    assert!(provider.seen("/token").is_empty());
}

fn set(parameters: &mut Parameters, name: &str, value: &str) {
    parameters.retain(|(other, _)| other != name);
    parameters.push((name.to_owned(), value.to_owned()));
}

async fn taken(token: fn(&mut crate::provider::Members)) {
    let provider = Provider::start(Habits { token, ..Habits::default() }).await;
    let session = log_in(&provider).await.unwrap();
    session.userinfo().await.unwrap();
}

/// CB-03 (fapi2-security-profile-final-client-test-invalid-authorization-response-iss): a callback of another issuer is refused.
#[tokio::test]
async fn a_callback_of_another_issuer_is_refused() {
    refused(|parameters| set(parameters, "iss", "https://another.example")).await;
}

/// CB-03 (fapi2-security-profile-final-client-test-remove-authorization-response-iss): a callback without an issuer is refused where
/// the server says that it names itself.
#[tokio::test]
async fn a_callback_without_the_issuer_is_refused() {
    refused(|parameters| parameters.retain(|(name, _)| name != "iss")).await;
}

/// ST-02 (fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails): a callback with another
/// state is refused.
#[tokio::test]
async fn a_callback_with_another_state_is_refused() {
    refused(|parameters| set(parameters, "state", "another")).await;
}

/// ST-02, CB-01 (fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails): a callback
/// without a state is refused.
#[tokio::test]
async fn a_callback_without_a_state_is_refused() {
    refused(|parameters| parameters.retain(|(name, _)| name != "state")).await;
}

/// TK-07 (fapi2-security-profile-final-client-test-token-type-case-insensitivity): the token's type is read in any case.
#[tokio::test]
async fn the_type_of_a_token_has_any_case() {
    taken(|answer| drop(answer.insert("token_type".to_owned(), "bEAreR".into()))).await;
}

/// TK-10 (fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in): a token without a stated life is used.
#[tokio::test]
async fn a_token_without_a_stated_life_is_used() {
    taken(|answer| drop(answer.remove("expires_in"))).await;
}
