//! Renewals whose ID token is not that of the login.

use crate::log_in;
use crate::provider::{Habits, Members, Provider};
use smart_flows::{Error, Session};
use smart_jwt::IdTokenError;

/// A session whose renewal was refused, and why. The new token is not used for anything.
async fn refused(renewed_claims: fn(&mut Members)) -> (Session, IdTokenError) {
    let provider = Provider::start(Habits { renewed_claims, ..Habits::default() }).await;
    let session = log_in(&provider).await.unwrap();
    let error = match session.refresh().await {
        Err(Error::IdToken { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert!(session.userinfo().await.is_err() && session.access_token().await.is_err());
    assert_eq!((provider.seen("/token").len(), provider.seen("/userinfo").len()), (2, 0));
    (session, error)
}

/// RF-01, RF-13 (oidcc-client-test-refresh-token): UserInfo comes with the token of a renewal.
#[tokio::test]
async fn userinfo_comes_with_a_renewed_token() {
    let provider = Provider::start(Habits::default()).await;
    let session = log_in(&provider).await.unwrap();
    let first = session.access_token().await.unwrap();
    session.refresh().await.unwrap();
    session.userinfo().await.unwrap();
    let used = provider.seen("/userinfo")[0].authorization.clone().unwrap();
    assert_ne!(used, format!("Bearer {}", first.expose_secret()));
}

/// RF-13 (oidcc-client-test-refresh-token-invalid-issuer): a renewal whose ID token is of another issuer ends the session.
#[tokio::test]
async fn another_issuer_ends_the_session() {
    let (session, error) =
        refused(|claims| drop(claims.insert("iss".to_owned(), "https://another.example".into()))).await;
    assert!(matches!(error, IdTokenError::Issuer { .. }), "{error:?}");
    assert!(session.end_reason().is_some());
}

/// RF-13 (oidcc-client-test-refresh-token-invalid-sub): a renewal whose ID token is another person's ends the session.
#[tokio::test]
async fn another_person_ends_the_session() {
    let (session, error) = refused(|claims| drop(claims.insert("sub".to_owned(), "another".into()))).await;
    assert_eq!(error, IdTokenError::Renewal("sub"));
    assert!(session.end_reason().is_some());
}
