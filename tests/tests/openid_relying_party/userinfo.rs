//! UserInfo.

use crate::provider::{CLIENT, Habits, Provider};
use crate::{client_of, log_in, log_in_with};
use smart_core::userinfo::UserInfoError;
use smart_flows::{App, Error};

/// ID-26 (oidcc-client-test-userinfo-invalid-sub): what is said of another user is not used.
#[tokio::test]
async fn another_user_s_info_is_refused() {
    let provider = Provider::start(Habits {
        userinfo: |claims| drop(claims.insert("sub".to_owned(), "another".into())),
        ..Habits::default()
    })
    .await;
    let session = log_in(&provider).await.unwrap();
    let error = session.userinfo().await.unwrap_err();
    assert!(matches!(error, Error::UserInfo(UserInfoError::OtherUser { .. })), "{error:?}");
}

/// ID-26 (oidcc-client-test-userinfo-bearer-header): the token goes in the header, and neither in the URL nor in a body.
#[tokio::test]
async fn the_token_goes_in_the_header() {
    let provider = Provider::start(Habits::default()).await;
    let session = log_in(&provider).await.unwrap();
    session.userinfo().await.unwrap();
    let seen = &provider.seen("/userinfo")[0];
    let token = session.access_token().await.unwrap();
    assert_eq!(seen.authorization, Some(format!("Bearer {}", token.expose_secret())));
    assert!(seen.query.is_empty() && seen.body.is_empty());
}

/// ID-26, SC-25 (oidcc-client-test-scope-userinfo-claims): claims that a scope asks for come with UserInfo.
#[tokio::test]
async fn claims_of_a_scope_come() {
    let provider = Provider::start(Habits::default()).await;
    let client = client_of(App::public(CLIENT).scopes("openid profile").unwrap());
    let session = log_in_with(&client, &provider).await.unwrap();
    assert_eq!(provider.seen("/authorize")[0].query["scope"], "openid profile");
    assert_eq!(session.userinfo().await.unwrap().other["name"], "Ada Example");
}
