//! What sessions do about requests that their granted scopes do not permit.

use crate::world::World;
use serde_json::{Value, json};
use smart_core::scope::{AccessRequest, Interaction};
use smart_fhir::{FhirError, SearchQuery};
use smart_flows::{App, PermissionPolicy, Session};
use smart_http::Authorize as _;
use smart_on_fhir::FhirSession as _;
use smart_sandbox::browser::Person;

const SCOPES: &str = "launch/patient openid fhirUser patient/Patient.rs";

async fn session(world: &World, policy: Option<PermissionPolicy>) -> Session {
    let mut builder = world.builder(App::public("demo-app").scopes(SCOPES).unwrap());
    if let Some(policy) = policy {
        builder = builder.permissions(policy);
    }
    world.login_of(&builder.build(), Person::default()).await.unwrap()
}

/// FR-18, F-102 (SMART, scopes for requesting FHIR resources): with enforcement on, what was not granted is refused before it
/// is sent, with the scope that would permit it; what was granted, and what no scope speaks of, goes.
#[tokio::test]
async fn what_was_not_granted_is_refused_before_it_is_sent() {
    let world = World::new(None).await;
    let session = session(&world, Some(PermissionPolicy::Enforce)).await;
    let fhir = session.fhir();
    let id = session.patient().unwrap();
    fhir.read::<Value>("Patient", &id).await.unwrap();
    fhir.capabilities().await.unwrap();
    assert!(session.can(Interaction::Read, "Patient") && !session.can(Interaction::Read, "Observation"));
    for (error, scope) in [
        (fhir.read::<Value>("Observation", "1").await.unwrap_err(), "patient/Observation.r"),
        (fhir.search(SearchQuery::new("Observation")).collect_all().await.unwrap_err(), "patient/Observation.s"),
        (fhir.create(&json!({"resourceType": "Patient"})).send().await.unwrap_err(), "patient/Patient.c"),
        (fhir.delete("Patient", &id).send().await.unwrap_err(), "patient/Patient.d"),
    ] {
        assert!(matches!(&error, FhirError::Authorize { error, .. } if error.is_not_permitted()), "{error:?}");
        assert_eq!(error.needed_scope(), Some(scope));
        assert!(error.to_string().contains(scope) && !error.is_retryable());
    }
}

/// F-102 (SMART, scopes for requesting FHIR resources): by default, and with the check off, the server decides.
#[tokio::test]
async fn the_server_decides_by_default() {
    let world = World::new(None).await;
    for policy in [None, Some(PermissionPolicy::Warn), Some(PermissionPolicy::Off)] {
        let session = session(&world, policy).await;
        assert!(session.permits(&AccessRequest::new(Interaction::Read, "Observation")).is_ok());
        let error = session.fhir().search(SearchQuery::new("Observation")).collect_all().await.unwrap_err();
        assert_eq!(error.refusal().unwrap().status(), 403, "{policy:?}");
        assert!(error.needed_scope().is_some(), "{error}");
    }
}
