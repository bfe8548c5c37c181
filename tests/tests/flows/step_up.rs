//! Asking for more scopes later.

use crate::world::World;
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Interaction;
use smart_flows::{App, EndReason, Error, Session};
use smart_sandbox::browser::{AutoBrowser, Person};

impl World {
    async fn narrow(&self) -> Session {
        let app = App::public("demo-app").scopes("launch/patient openid fhirUser offline_access patient/Patient.rs");
        self.login_of(&self.client_of(app.unwrap()), Person::default()).await.unwrap()
    }

    async fn step_up(&self, session: &Session, person: Person) -> Result<Session, Error> {
        let step_up = session.step_up("patient/Observation.rs").await?;
        let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
        let (request, pending) = step_up.authorize(&redirect)?;
        let browser = AutoBrowser::new(self.http.clone(), person);
        let callback = browser.authorize(&request.url()).await.unwrap();
        step_up.complete(pending, callback.query().unwrap()).await
    }
}

/// SC-30, F-49 (SMART, scopes): an app asks for little at first and for more later; the wider session takes the place of the
/// narrow one, whose tokens are revoked.
#[tokio::test]
async fn step_up_widens_a_session() {
    let world = World::new(None).await;
    let narrow = world.narrow().await;
    assert!(!narrow.can(Interaction::SearchType, "Observation"));
    let wide = world.step_up(&narrow, Person::default()).await.unwrap();
    assert!(wide.can(Interaction::SearchType, "Observation") && wide.can(Interaction::Read, "Patient"));
    assert_eq!(wide.patient().unwrap(), "p1001");
    assert_eq!(narrow.end_reason(), Some(EndReason::Replaced));
    assert!(narrow.access_token().await.is_err());
    assert_eq!(world.sandbox.counts().revoke, 2);
    assert_eq!(world.fhir_status(&wide, "Observation?patient=p1001").await, 200);
    assert_eq!(world.client().sessions(None).await.unwrap(), std::slice::from_ref(wide.key()));
}

/// LA-05 (a wrong patient): a step up that comes back with another patient or another person changes nothing.
#[tokio::test]
async fn step_up_to_another_patient_or_person_is_given_up() {
    let world = World::new(None).await;
    let narrow = world.narrow().await;
    let other_patient = Person { patient: Some("Patient/p1002".into()), ..Person::default() };
    let other_person = Person { user: "Practitioner/pr2002".into(), ..Person::default() };
    for (person, expected) in [(other_patient, "patient"), (other_person, "person")] {
        let error = world.step_up(&narrow, person).await.unwrap_err();
        assert!(matches!(&error, Error::StepUpMismatch { what, .. } if *what == expected), "{error}");
        assert_eq!(narrow.patient().unwrap(), "p1001");
        assert_eq!(world.fhir_status(&narrow, "Patient/p1001").await, 200);
    }
    assert_eq!(world.client().sessions(None).await.unwrap(), std::slice::from_ref(narrow.key()));
    assert_eq!(world.sandbox.counts().revoke, 4, "the tokens of both wrong logins");
}

/// SC-30: a step up to a session that has ended meanwhile leaves no tokens behind that nobody has.
#[tokio::test]
async fn step_up_of_a_session_that_has_ended_is_revoked() {
    let world = World::new(None).await;
    let narrow = world.narrow().await;
    let step_up = narrow.step_up("patient/Observation.rs").await.unwrap();
    let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
    let (request, pending) = step_up.authorize(&redirect).unwrap();
    let callback = AutoBrowser::new(world.http.clone(), Person::default()).authorize(&request.url()).await.unwrap();
    narrow.logout().await;
    let error = step_up.complete(pending, callback.query().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::SessionOver { .. }), "{error}");
    assert!(world.client().sessions(None).await.unwrap().is_empty());
    assert_eq!(world.sandbox.counts().revoke, 4);
}
