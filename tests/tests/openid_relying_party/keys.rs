//! Which key a signature is checked with, and keys that change.

use crate::provider::{Habits, Provider};
use crate::{client, log_in, log_in_with};
use smart_flows::Error;
use smart_jwt::{IdTokenError, JwsError};

/// ID-11 (oidcc-client-test-kid-absent-single-jwks): without a `kid` the only key is the one.
#[tokio::test]
async fn the_only_key_needs_no_id() {
    let provider = Provider::start(Habits { has_kid: false, ..Habits::default() }).await;
    assert!(log_in(&provider).await.unwrap().user().unwrap().is_some());
}

/// ID-11 (oidcc-client-test-kid-absent-multiple-jwks): without a `kid` several keys that fit are refused; none is tried. The module
/// leaves that to the client.
#[tokio::test]
async fn one_of_several_keys_needs_an_id() {
    let provider = Provider::start(Habits { has_kid: false, has_further_key: true, ..Habits::default() }).await;
    match log_in(&provider).await {
        Err(Error::IdToken { source: IdTokenError::Jws(JwsError::AmbiguousKey(2)), .. }) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there is a session"),
    }
    assert!(provider.seen("/userinfo").is_empty());
}

/// ID-12 (oidcc-client-test-signing-key-rotation): keys that changed between two logins are fetched again, however soon the second
/// one follows.
#[tokio::test]
async fn keys_that_changed_are_fetched_again() {
    let provider = Provider::start(Habits::default()).await;
    let client = client();
    log_in_with(&client, &provider).await.unwrap();
    assert_eq!(provider.seen(provider.jwks_path()).len(), 1);
    provider.rotate_keys();
    let session = log_in_with(&client, &provider).await.unwrap();
    session.userinfo().await.unwrap();
    assert_eq!(provider.seen(provider.jwks_path()).len(), 2);
}

/// ID-12 (oidcc-client-test-signing-key-rotation-just-before-signing): a key that was made right before it signed is found, whether
/// the client knows keys already or not.
#[tokio::test]
async fn a_key_made_before_signing_is_found() {
    let provider = Provider::start(Habits { rotates_at_each_token: true, ..Habits::default() }).await;
    let client = client();
    for fetches in [1, 2] {
        let session = log_in_with(&client, &provider).await.unwrap();
        session.userinfo().await.unwrap();
        assert_eq!(provider.seen(provider.jwks_path()).len(), fetches);
    }
}
