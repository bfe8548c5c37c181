//! What errors tell, and to whom.

use crate::world::World;
use smart_core::sanitized::Sanitize;
use smart_core::token::{TokenError, TokenErrorCode, TokenErrorResponse};
use smart_fhir::FhirError;
use smart_flows::Error;
use smart_on_fhir::FhirSession as _;
use smart_sandbox::Misbehaviour;
use smart_sandbox::browser::Person;
use std::collections::BTreeSet;

/// D-09, F-121 (OpenID Connect Core 3.1.3.7; RFC 6749 5.2): each reason arrives as itself, by its variant and by its code, and what
/// failed below is kept.
#[tokio::test]
async fn reasons_are_kept_apart() {
    let mut codes = BTreeSet::new();
    for (how, code) in [
        (Misbehaviour::WrongState, "callback/state-mismatch"),
        (Misbehaviour::WrongIssuer, "callback/issuer-mismatch"),
        (Misbehaviour::WrongNonce, "id-token/nonce"),
        (Misbehaviour::ForeignKey, "id-token/signature"),
        (Misbehaviour::AlgNone, "id-token/algorithm"),
        (Misbehaviour::NoS256, "discovery/s256-not-supported"),
    ] {
        let world = World::new(Some(how)).await;
        let error = world.login().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        codes.insert(error.code());
    }
    let world = World::new(None).await;
    let denied = world.login_of(&world.client(), Person { allows: false, ..Person::default() }).await.unwrap_err();
    assert_eq!(denied.code(), "callback/refused/access_denied");
    let session = world.login().await.unwrap();
    world.sandbox.shutdown().await;
    let unreachable = session.refresh().await.unwrap_err();
    assert_eq!(unreachable.code(), "http/connect/refused");
    assert!(matches!(&unreachable, Error::Http(_)) && unreachable.is_retryable());
    let below = session.fhir().read::<serde_json::Value>("Patient", "p1001").await.unwrap_err();
    assert!(matches!(&below, FhirError::Http(_)), "{below}");
    assert_eq!(codes.len(), 6, "each its own");
}

/// F-121, F-126 (SMART, App protection): the sanitised form of an error has no word of the server, no path, no id and no parameter.
#[tokio::test]
async fn sanitised_errors_name_nobody() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let origin = url::Url::parse(&world.sandbox.fhir_base()).unwrap().origin().ascii_serialization();

    let missing = session.fhir().read::<serde_json::Value>("Patient", "smith-1955").await.unwrap_err();
    assert!(missing.to_string().contains("smith-1955"), "the message is for whoever runs the app: {missing}");
    let told = missing.sanitized();
    assert_eq!((told.code.as_str(), told.origin.as_deref()), ("fhir/refused/not-found", Some(origin.as_str())));
    assert_eq!(told.to_string(), format!("fhir/refused/not-found at {origin}"));

    let refused = TokenError::Refused {
        endpoint: format!("{origin}/Smith/token"),
        status: 400,
        response: TokenErrorResponse {
            error: TokenErrorCode::from("invalid_grant"),
            description: Some("Mr Smith's password is stale".to_owned()),
            uri: None,
        },
    };
    let refused = Error::from(refused);
    assert!(refused.to_string().contains("Smith"));
    let told = refused.sanitized();
    assert_eq!(told.code, "token/refused/invalid_grant");
    assert!(told.needs_reauthorization && !format!("{told} {told:?}").contains("Smith"));

    let own = TokenErrorResponse { error: TokenErrorCode::from("smith_is_out"), description: None, uri: None };
    let refused = Error::from(TokenError::Refused { endpoint: origin, status: 400, response: own });
    assert_eq!(refused.code(), "token/refused", "a code of the server's own is its word");
}
