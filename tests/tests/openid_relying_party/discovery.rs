//! The OpenID configuration.

use crate::provider::{Habits, Provider};
use crate::{client, log_in};
use smart_flows::Error;

/// ID-03, DI-21 (oidcc-client-test-discovery-openid-config): the OpenID configuration of the issuer is read, and what it names is used.
#[tokio::test]
async fn the_openid_configuration_is_used() {
    let provider = Provider::start(Habits::default()).await;
    let session = log_in(&provider).await.unwrap();
    assert_eq!(provider.seen("/.well-known/openid-configuration").len(), 1);
    // Nothing else names it.
    session.userinfo().await.unwrap();
    assert_eq!(provider.seen("/userinfo").len(), 1);
}

/// ID-03, ID-27 (oidcc-client-test-discovery-jwks-uri-keys): keys come from the `jwks_uri` of that configuration, which nobody can
/// guess.
#[tokio::test]
async fn keys_come_from_the_jwks_uri() {
    let provider = Provider::start(Habits::default()).await;
    log_in(&provider).await.unwrap();
    assert_eq!(provider.seen(provider.jwks_path()).len(), 1);
    assert!(provider.seen("/no-keys-here").is_empty());
}

/// ID-03 (oidcc-client-test-discovery-issuer-mismatch): a configuration of another issuer than was asked for is not used: no keys are
/// fetched and nobody is logged in.
#[tokio::test]
async fn a_configuration_of_another_issuer_is_refused() {
    let provider = Provider::start(Habits {
        configuration: |configuration| {
            configuration.insert("issuer".to_owned(), "https://another.example".into());
        },
        ..Habits::default()
    })
    .await;
    // The endpoints come from the smart-configuration, so that a login begins without the issuer's own document.
    client().discover(&provider.fhir_base()).await.unwrap();
    match log_in(&provider).await {
        Err(Error::IssuerDocuments { reason, .. }) => assert!(reason.contains("another.example"), "{reason}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there is a session"),
    }
    assert!(provider.seen(provider.jwks_path()).is_empty() && provider.seen("/userinfo").is_empty());
}
