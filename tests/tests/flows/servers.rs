//! Profiles of servers, as the flows apply them.

use crate::world::World;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::profile::{ServerKind, ServerProfile};
use smart_core::secret::ClientSecret;
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, EndReason, Error, SmartClient};
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, SandboxConfig};

fn app(scopes: &str) -> App {
    App::public("demo-app").scopes(scopes).unwrap()
}

fn clients() -> Vec<Client> {
    vec![Client::public("demo-app"), Client::symmetric("demo-confidential", "demo-secret")]
}

impl World {
    async fn like(kind: ServerKind) -> Self {
        Self::with(|config| SandboxConfig { kind, clients: clients(), ..config }).await
    }

    fn base(&self) -> FhirBaseUrl {
        FhirBaseUrl::parse_with(&self.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap()
    }

    fn chosen(&self, kind: ServerKind, app: App) -> SmartClient {
        self.builder(app).server(&self.base(), ServerProfile::of(kind).choose()).build()
    }
}

/// F-119, F-120, SE-11 (profiles): a login works at each kind of server with its profile chosen, and the session renews.
#[tokio::test]
async fn login_and_renewal_work_at_each_kind() {
    for kind in ServerKind::ALL {
        // HAPI is open, and the endpoints of platforms are their own, which no sandbox can stand in for.
        if matches!(kind, ServerKind::Hapi | ServerKind::GoogleHealthcare | ServerKind::Azure) {
            continue;
        }
        let world = World::like(*kind).await;
        let scopes = "launch/patient offline_access patient/Patient.read patient/Observation.read";
        let client = world.chosen(*kind, app(scopes));
        let session = world.login_of(&client, Person::default()).await.unwrap_or_else(|e| panic!("{kind}: {e}"));
        assert_eq!(session.patient().unwrap(), "p1001", "{kind}");
        if session.can_refresh() {
            session.refresh().await.unwrap_or_else(|e| panic!("{kind}: {e}"));
        }
        assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200, "{kind}");
    }
}

/// SC-29, F-52 (SMART, permissions): scopes are asked for in the syntax that the server knows, and compared by meaning.
#[tokio::test]
async fn scopes_are_asked_for_in_the_servers_syntax() {
    let world = World::new(None).await;
    let client = world.client_of(app("launch/patient patient/Patient.read"));
    let session = world.login_of(&client, Person::default()).await.unwrap();
    assert!(session.granted_scopes().unwrap().to_string().contains("patient/Patient.rs"));
    assert!(session.scope_comparison().unwrap().is_complete());
    let as_written = world.client_of(app("launch/patient patient/Patient.read").with_scopes_as_written());
    let session = world.login_of(&as_written, Person::default()).await.unwrap();
    assert!(session.granted_scopes().unwrap().to_string().contains("patient/Patient.read"));
}

/// RF-09, F-120 (Medplum): a server's own word for a dead refresh token ends the session, where the app said which server it
/// is; elsewhere the same word is an error that keeps the token.
#[tokio::test]
async fn own_word_for_a_dead_refresh_token_counts_at_its_server_only() {
    let scopes = "launch/patient offline_access patient/*.read";
    for (client_knows, ends) in [(true, true), (false, false)] {
        let world = World::like(ServerKind::Medplum).await;
        let client =
            if client_knows { world.chosen(ServerKind::Medplum, app(scopes)) } else { world.client_of(app(scopes)) };
        let session = world.login_of(&client, Person::default()).await.unwrap();
        world.sandbox.revoke_refresh_tokens();
        world.clock.advance(100_000);
        let error = session.access_token().await.unwrap_err();
        assert_eq!(error.needs_reauthorization(), ends, "{error}");
        assert_eq!(session.end_reason(), ends.then_some(EndReason::RefreshRefused));
        if ends {
            assert!(matches!(error, Error::SessionOver { .. }));
        }
    }
}

/// F-118, RF-13, SE-11 (SMART Health IT launcher): its refreshed ID tokens have no `aud`: refused, unless the app has chosen the
/// profile of that server.
#[tokio::test]
async fn id_tokens_without_audience_are_let_through_by_choice_only() {
    let scopes = "launch/patient openid fhirUser offline_access patient/*.rs";
    let world = World::like(ServerKind::SmartHealthIt).await;
    let strict = world.login_of(&world.client_of(app(scopes)), Person::default()).await.unwrap();
    let error = strict.refresh().await.unwrap_err();
    assert!(matches!(error, Error::IdToken { .. }), "{error}");
    assert_eq!(strict.end_reason(), Some(EndReason::OtherPerson));
    let chosen = world.chosen(ServerKind::SmartHealthIt, app(scopes));
    let session = world.login_of(&chosen, Person::default()).await.unwrap();
    session.refresh().await.unwrap();
    assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2001");
}

/// IN-02, F-118 (SMART, token introspection; SMART Health IT launcher): where introspection takes a bearer token alone, the session's
/// own is that, also of a client with a secret.
#[tokio::test]
async fn introspection_by_bearer_alone_is_a_matter_of_the_profile() {
    let world = World::like(ServerKind::SmartHealthIt).await;
    let confidential = || {
        let app = App::symmetric("demo-confidential", ClientSecret::new("demo-secret"));
        app.scopes("launch/patient patient/*.rs").unwrap()
    };
    let by_secret = world.login_of(&world.client_of(confidential()), Person::default()).await.unwrap();
    assert!(by_secret.introspect().await.is_err());
    let chosen = world.chosen(ServerKind::SmartHealthIt, confidential());
    let by_bearer = world.login_of(&chosen, Person::default()).await.unwrap();
    assert!(by_bearer.introspect().await.unwrap().is_active());
}
