//! Discovery and keys, cached.

use crate::hooked::{changed, hooked, json};
use crate::world::World;
use smart_core::profile::ServerKind;
use smart_flows::{App, DiscoveryCache, Error};
use smart_sandbox::SandboxConfig;
use smart_sandbox::browser::Person;
use smart_store::{Expected, Key, Kind, SecretBytes, Store as _};

/// DI-16, F-10 (RFC 8414, 3): discovery is fetched once for many launches, again when it is old, and when asked for.
#[tokio::test]
async fn discovery_is_fetched_once() {
    let world = World::new(None).await;
    let client = world.client();
    let base = world.sandbox.fhir_base();
    let many: Vec<_> = (0..50)
        .map(|_| {
            let (client, base) = (client.clone(), base.clone());
            tokio::spawn(async move { client.discover(&base).await })
        })
        .collect();
    for one in many {
        one.await.unwrap().unwrap();
    }
    world.login_of(&client, Person::default()).await.unwrap();
    assert_eq!(world.sandbox.counts().discovery, 1);
    client.discover_anew(&base).await.unwrap();
    assert_eq!(world.sandbox.counts().discovery, 2);
    world.clock.advance(3601);
    client.discover(&base).await.unwrap();
    assert_eq!(world.sandbox.counts().discovery, 3);
    let uncached = world.builder(World::app()).discovery_cache(DiscoveryCache::off()).build();
    uncached.discover(&base).await.unwrap();
    uncached.discover(&base).await.unwrap();
    assert_eq!(world.sandbox.counts().discovery, 5);
}

/// DI-16, AZ-02: two spellings of one base are two entries, so that each is sent as its caller wrote it.
#[tokio::test]
async fn cache_keeps_spellings_apart() {
    let world = World::new(None).await;
    let client = world.client();
    let base = world.sandbox.fhir_base();
    let slashed = format!("{base}/");
    client.discover(&base).await.unwrap();
    assert_eq!(client.discover(&slashed).await.unwrap().fhir_base.as_str(), slashed);
    assert_eq!(client.discover(&base).await.unwrap().fhir_base.as_str(), base);
}

/// DI-16: a server that fails for a while is used as it was known; for ever it is not.
#[tokio::test]
async fn stale_discovery_serves_while_the_server_fails() {
    let world = World::new(None).await;
    let client = world.client();
    let base = world.sandbox.fhir_base();
    client.discover(&base).await.unwrap();
    let World { sandbox, clock, .. } = world;
    sandbox.shutdown().await;
    clock.advance(2 * 3600);
    client.discover(&base).await.unwrap();
    clock.advance(24 * 3600);
    assert!(matches!(client.discover(&base).await, Err(Error::Http(_))));
}

/// ID-12, F-62, D-26 (OpenID Connect Core 10.1.1): keys are fetched once for many logins, again when a token names an unknown
/// one, and not again and again for a flood of such tokens.
#[tokio::test]
async fn keys_are_fetched_once_and_again_for_an_unknown_one() {
    let world = World::new(None).await;
    let client = world.client();
    for _ in 0..3 {
        world.login_of(&client, Person::default()).await.unwrap();
    }
    assert_eq!(world.sandbox.counts().jwks, 1);
    world.sandbox.rotate_key().unwrap();
    world.login_of(&client, Person::default()).await.unwrap();
    assert_eq!(world.sandbox.counts().jwks, 2, "a new key is fetched at once");
    world.sandbox.sign_with_unpublished_key().unwrap();
    for _ in 0..5 {
        assert!(matches!(world.login_of(&client, Person::default()).await, Err(Error::IdToken { .. })));
    }
    assert_eq!(world.sandbox.counts().jwks, 2, "a fetch was made less than a minute ago");
    world.clock.advance(61);
    for _ in 0..5 {
        assert!(world.login_of(&client, Person::default()).await.is_err());
    }
    assert_eq!(world.sandbox.counts().jwks, 3);
}

/// ID-03, DI-17 (RFC 9700, 4.4): what one FHIR server names as the keys of another server's issuer does not count there.
#[tokio::test]
async fn keys_that_a_server_names_for_anothers_issuer_stay_its_own() {
    let good = World::new(None).await;
    let evil = World::with(|config| SandboxConfig { kind: ServerKind::Medplum, ..config }).await;
    let (issuer, evils) = (good.sandbox.issuer(), evil.sandbox.address().to_string());
    let http = hooked(move |request| {
        let (issuer, evils) = (issuer.clone(), evils.clone());
        async move {
            let path = request.uri().path().to_owned();
            if path.ends_with("openid-configuration") {
                return Some(Ok(json(404, &serde_json::json!({}))));
            }
            let is_evil = request.uri().authority().is_some_and(|authority| authority.as_str() == evils);
            if is_evil && path.ends_with("smart-configuration") {
                return changed(request, |body| drop(body.insert("issuer".into(), issuer.into()))).await;
            }
            None
        }
    });
    let client = good.builder(World::app()).http(http).build();
    let error = evil.login_of(&client, Person::default()).await.unwrap_err();
    assert!(matches!(error, Error::IssuerDocuments { .. }), "{error}");
    assert_eq!(evil.sandbox.counts().jwks, 0, "its keys are no keys of that issuer");
    let session = good.login_of(&client, Person::default()).await.unwrap();
    assert_eq!(good.fhir_status(&session, "Patient/p1001").await, 200);
}

/// F-82, D-15: the sessions of an app are not listed for one whose client id is the end of its.
#[tokio::test]
async fn sessions_of_another_client_are_not_listed() {
    let world = World::new(None).await;
    let key = Key::new(Kind::Session, "https://ehr.example/r4 my app", "user", "1");
    world.store.put(&key, SecretBytes::new(Vec::new()), Expected::Absent).await.unwrap();
    for (client_id, count) in [("app", 0), ("my app", 1)] {
        let client = world.client_of(App::public(client_id));
        assert_eq!(client.sessions(None).await.unwrap().len(), count, "{client_id}");
    }
}
