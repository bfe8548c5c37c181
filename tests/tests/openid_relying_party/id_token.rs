//! ID tokens that are not what they should be: there is no session then, and nothing is asked for with the token.

use crate::log_in;
use crate::provider::{CLIENT, Habits, Members, Provider, Signed};
use serde_json::json;
use smart_flows::Error;
use smart_jwt::{IdTokenError, JwsError};

/// Why a login is refused. Nothing is asked for after it.
async fn refused(habits: Habits) -> IdTokenError {
    let provider = Provider::start(habits).await;
    let error = match log_in(&provider).await {
        Ok(_) => panic!("there is a session"),
        Err(Error::IdToken { source, issuer }) => {
            assert_eq!(issuer, provider.origin());
            source
        }
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(provider.seen("/token").len(), 1);
    assert!(provider.seen("/userinfo").is_empty());
    error
}

async fn refused_for(claims: fn(&mut Members)) -> IdTokenError {
    refused(Habits { claims, ..Habits::default() }).await
}

async fn taken(habits: Habits) {
    let provider = Provider::start(habits).await;
    assert!(log_in(&provider).await.unwrap().user().unwrap().is_some());
}

/// ID-05 (oidcc-client-test-invalid-iss): a token of another issuer is refused.
#[tokio::test]
async fn another_issuer_is_refused() {
    let error = refused_for(|claims| drop(claims.insert("iss".to_owned(), "https://another.example".into()))).await;
    assert!(matches!(error, IdTokenError::Issuer { .. }), "{error:?}");
}

/// ID-05 (fapi2-security-profile-final-client-test-invalid-missing-iss): a token without an issuer is refused.
#[tokio::test]
async fn a_missing_issuer_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("iss"))).await, IdTokenError::Claim("iss"));
}

/// ID-18 (oidcc-client-test-missing-sub): a token without a subject is refused.
#[tokio::test]
async fn a_missing_subject_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("sub"))).await, IdTokenError::Claim("sub"));
}

/// ID-06 (oidcc-client-test-invalid-aud): a token for another client is refused, also where its name begins with ours.
#[tokio::test]
async fn another_audience_is_refused() {
    let error = refused_for(|claims| drop(claims.insert("aud".to_owned(), format!("{CLIENT}1").into()))).await;
    assert_eq!(error, IdTokenError::Audience);
}

/// ID-06 (oidcc-client-test-missing-aud): a token for nobody is refused.
#[tokio::test]
async fn a_missing_audience_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("aud"))).await, IdTokenError::Claim("aud"));
}

/// ID-06 (fapi2-security-profile-final-client-test-invalid-secondary-aud): a token that is for others too is refused.
#[tokio::test]
async fn a_further_audience_is_refused() {
    let error = refused_for(|claims| drop(claims.insert("aud".to_owned(), json!([CLIENT, "another"])))).await;
    assert_eq!(error, IdTokenError::UntrustedAudience);
}

/// ID-06 (fapi2-security-profile-final-client-test-valid-aud-as-array): a list with our client alone is taken.
#[tokio::test]
async fn a_list_of_one_audience_is_taken() {
    taken(Habits { claims: |claims| drop(claims.insert("aud".to_owned(), json!([CLIENT]))), ..Habits::default() })
        .await;
}

/// ID-16 (oidcc-client-test-missing-iat): a token without the time when it was issued is refused.
#[tokio::test]
async fn a_missing_time_of_issue_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("iat"))).await, IdTokenError::Claim("iat"));
}

/// ID-15 (fapi2-security-profile-final-client-test-invalid-missing-exp): a token without an end is refused.
#[tokio::test]
async fn a_missing_end_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("exp"))).await, IdTokenError::Claim("exp"));
}

/// ID-15 (fapi2-security-profile-final-client-test-invalid-expired-exp): a token that ended six minutes ago is refused.
#[tokio::test]
async fn an_expired_token_is_refused() {
    let error = refused_for(|claims| {
        let issued = claims["iat"].as_i64().unwrap();
        claims.insert("exp".to_owned(), (issued - 360).into());
    })
    .await;
    assert_eq!(error, IdTokenError::Expired);
}

/// ID-17 (oidcc-client-test-nonce-invalid): a token with another nonce is refused.
#[tokio::test]
async fn another_nonce_is_refused() {
    let error = refused_for(|claims| drop(claims.insert("nonce".to_owned(), "another".into()))).await;
    assert_eq!(error, IdTokenError::Nonce);
}

/// ID-17 (fapi2-security-profile-final-client-test-invalid-missing-nonce): a token without the nonce is refused.
#[tokio::test]
async fn a_missing_nonce_is_refused() {
    assert_eq!(refused_for(|claims| drop(claims.remove("nonce"))).await, IdTokenError::NonceMissing);
}

/// ID-20 (oidcc-client-test-invalid-athash): a token that belongs to another access token is refused, in the code flow too.
#[tokio::test]
async fn another_access_token_s_hash_is_refused() {
    let error = refused_for(|claims| drop(claims.insert("at_hash".to_owned(), "77QmUPtjPfzWtF2AnpK9RQ".into()))).await;
    assert_eq!(error, IdTokenError::AccessTokenHash);
}

/// ID-08 (oidcc-client-test-idtoken-sig-rs256): a token that is signed with RS256 is taken.
#[tokio::test]
async fn rs256_is_taken() {
    taken(Habits::default()).await;
}

/// ID-08 (oidcc-client-test-invalid-sig-rs256): a wrong signature with RS256 is refused.
#[tokio::test]
async fn a_wrong_signature_with_rs256_is_refused() {
    let error = refused(Habits { spoils_signature: true, ..Habits::default() }).await;
    assert_eq!(error, IdTokenError::Jws(JwsError::Signature));
}

/// ID-08 (oidcc-client-test-invalid-sig-es256): a right signature with ES256 is taken where the provider announces it, a wrong one
/// is refused.
#[tokio::test]
async fn a_wrong_signature_with_es256_is_refused() {
    taken(Habits { signed: Signed::Es256, ..Habits::default() }).await;
    let error = refused(Habits { signed: Signed::Es256, spoils_signature: true, ..Habits::default() }).await;
    assert_eq!(error, IdTokenError::Jws(JwsError::Signature));
}

/// ID-09 (oidcc-client-test-invalid-sig-hs256): HS256 is refused, whatever the signature, also where the
/// provider announces it and the client has a secret.
#[tokio::test]
async fn hs256_is_refused() {
    for secret in [None, Some("a-secret")] {
        let error = refused(Habits { signed: Signed::Hs256, secret, ..Habits::default() }).await;
        assert!(matches!(error, IdTokenError::Jws(JwsError::Algorithm(_))), "{error:?}");
    }
}

/// ID-09 (oidcc-client-test-idtoken-sig-none): a token without a signature is refused. The module leaves that to the client.
#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let error = refused(Habits { signed: Signed::None, ..Habits::default() }).await;
    assert!(matches!(error, IdTokenError::Jws(JwsError::Algorithm(_))), "{error:?}");
}
