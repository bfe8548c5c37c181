//! The ways back from the browser, and what is left to the person's own.

use crate::world::{SCOPES, World};
use smart_core::authorize::{CallbackError, PendingAuthorization};
use smart_core::redirect_uri::RedirectUri;
use smart_flows::{App, BrowserId, Error, SmartClient};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Client, SandboxConfig};
use url::Url;

const SCHEME: &str = "com.example.app:/callback";

/// A phone app: its redirect URI is a scheme of its own.
async fn phone() -> (World, SmartClient) {
    let mut client = Client::public("phone-app");
    client.redirect_uris = vec![SCHEME.to_owned()];
    let world = World::with(|config| SandboxConfig { clients: vec![client], ..config }).await;
    let app = App::public("phone-app").scopes(SCOPES).unwrap();
    let client = world.client_of(app);
    (world, client)
}

/// The login up to the URL that the platform hands to the app.
async fn come_back(world: &World, client: &SmartClient) -> (PendingAuthorization, Url) {
    let launch = client.standalone(&world.sandbox.fhir_base()).await.unwrap();
    let (request, pending) = launch.authorize(&RedirectUri::parse(SCHEME).unwrap()).unwrap();
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    (pending, browser.authorize(&request.url()).await.unwrap())
}

/// F-111, RG-06 (RFC 8252, 7.1): a login by a scheme of the app's own: the platform hands the URL over, and the app goes on.
#[tokio::test]
async fn login_by_own_scheme() {
    let (world, client) = phone().await;
    let (pending, url) = come_back(&world, &client).await;
    assert!(url.as_str().starts_with("com.example.app:/callback?"));
    let session = client.complete_url(pending, &url).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
}

/// F-111, F-24, ST-04: the app was ended meanwhile: the login waits in the store, for one callback.
#[tokio::test]
async fn login_by_own_scheme_survives_the_end_of_the_app() {
    let (world, client) = phone().await;
    let (pending, url) = come_back(&world, &client).await;
    client.keep_pending(&BrowserId::single_user(), &pending).await.unwrap();
    drop((pending, client));
    let restarted = world.client_of(App::public("phone-app").scopes(SCOPES).unwrap());
    let session = restarted.complete_kept_url(&BrowserId::single_user(), &url).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
    let again = restarted.complete_kept_url(&BrowserId::single_user(), &url).await;
    assert!(matches!(again, Err(Error::NoPendingLogin)));
}

/// F-20, CB-01: a URL that is not the redirect URI of the login is refused, though code and state are right.
#[tokio::test]
async fn other_url_is_refused() {
    let (world, client) = phone().await;
    for other in ["com.example.evil:/callback", "com.example.app:/other", "https://com.example.app/callback"] {
        let (pending, url) = come_back(&world, &client).await;
        let forged = format!("{other}?{}", url.query().unwrap()).parse().unwrap();
        let error = client.complete_url(pending, &forged).await.unwrap_err();
        assert!(matches!(error, Error::Callback(CallbackError::OtherUrl { .. })), "{error}");
    }
    assert_eq!(world.sandbox.counts().token, 0);
}

/// F-114: without a browser on this machine: the person opens the URL elsewhere and pastes the one that it ends at.
#[tokio::test]
async fn login_by_pasted_url() {
    let world = World::new(None).await;
    let client = world.client();
    let launch = client.standalone(&world.sandbox.fhir_base()).await.unwrap();
    let (request, pending) = launch.authorize(&RedirectUri::parse("https://app.example/callback").unwrap()).unwrap();
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let pasted = browser.authorize(&request.url()).await.unwrap().to_string();
    let session = client.complete_url(pending, &pasted.parse().unwrap()).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
}

/// AZ-12 (RFC 8252, 5, 6, 8.12): the library hands out a URL for the person's own browser, and itself asks for no page of the
/// authorization server.
#[tokio::test]
async fn login_pages_are_for_the_persons_own_browser() {
    let world = World::new(None).await;
    let launch = world.client().standalone(&world.sandbox.fhir_base()).await.unwrap();
    let handed_out = std::sync::Mutex::new(None);
    let given_up = launch
        .with_browser(|url| async {
            *handed_out.lock().unwrap() = Some(url);
            Err(Error::Browser("closed by the person".into()))
        })
        .await;
    assert!(matches!(given_up, Err(Error::Browser(_))));
    let url = handed_out.into_inner().unwrap().unwrap();
    assert!(url.as_str().starts_with(&world.sandbox.endpoints().authorize));
    assert_eq!(world.sandbox.counts().authorize, 0, "nobody but a browser opens it");
}

/// LA-07, LA-05 (SMART, profile audience): a patient whom the EHR opens later is no event of a session: it stays with the patient of
/// its launch, also over a refresh, and the next patient comes with the next launch, as a session of its own.
#[tokio::test]
async fn session_stays_with_the_patient_of_its_launch() {
    let world = World::new(None).await;
    let app = || App::public("demo-app").scopes("launch openid fhirUser online_access patient/*.rs").unwrap();
    let client = world.client_of(app());
    let first = world.ehr_launch(&client, "p1001").await.unwrap();
    let second = world.ehr_launch(&client, "p1003").await.unwrap();
    first.refresh().await.unwrap();
    assert_eq!((first.patient().unwrap(), second.patient().unwrap()), ("p1001".into(), "p1003".into()));
    assert_ne!(first.key(), second.key());
    assert_eq!(world.fhir_status(&first, "Patient/p1001").await, 200);
    assert_eq!(world.fhir_status(&first, "Patient/p1003").await, 404);
}

/// F-67 (refresh by hand), RV-06: a renewal on demand gives another token; one that was revoked is not used or renewed again.
#[tokio::test]
async fn refresh_by_hand_and_no_use_after_revocation() {
    let world = World::new(None).await;
    let session = world.login().await.unwrap();
    let first = session.access_token().await.unwrap();
    session.refresh().await.unwrap();
    assert_ne!(session.access_token().await.unwrap(), first);
    session.revoke().await.unwrap();
    let before = world.sandbox.counts();
    for outcome in [session.access_token().await.err(), session.refresh().await.err(), session.introspect().await.err()]
    {
        assert!(matches!(outcome, Some(Error::SessionOver { .. })));
    }
    assert_eq!(world.sandbox.counts(), before, "nothing was sent");
}

/// F-41, TK-10 (RFC 6749, 5.1): a token whose life the server does not tell is used until a 401, or as long as the app says.
#[tokio::test]
async fn life_that_is_not_told_follows_the_policy() {
    let world = World::new(Some(smart_sandbox::Misbehaviour::OmitExpiresIn)).await;
    let unknown = world.login().await.unwrap();
    assert_eq!(unknown.expires_at().unwrap(), None);
    let told = world.builder(World::app()).token_life_if_unsaid(std::time::Duration::from_secs(200)).build();
    let told = world.login_of(&told, Person::default()).await.unwrap();
    assert_eq!(told.expires_at().unwrap().unwrap().since(world.now()).as_secs(), 200);
    let before = world.sandbox.counts().token;
    world.clock.advance(190);
    unknown.access_token().await.unwrap();
    assert_eq!(world.sandbox.counts().token, before);
    told.access_token().await.unwrap();
    assert_eq!(world.sandbox.counts().token, before + 1);
}

/// F-56, ID-03, D-25 (OpenID Connect Discovery, 4): the OpenID configuration is fetched from the issuer, and keys too, by the one HTTP
/// client that the app gave: nothing goes past it.
#[tokio::test]
async fn everything_goes_through_the_apps_own_http_client() {
    use smart_http::{Body, BoxFuture, HttpClient, HttpError, HyperTransport, Limits, Transport};
    use std::sync::{Arc, Mutex};

    #[derive(Clone)]
    struct Watched(HyperTransport, Arc<Mutex<Vec<String>>>);

    impl Transport for Watched {
        fn send(
            &self,
            request: http::Request<bytes::Bytes>,
            limits: Limits,
        ) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>> {
            self.1.lock().unwrap().push(request.uri().path().to_owned());
            self.0.send(request, limits)
        }
    }

    let world = World::new(None).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let http = HttpClient::new(Watched(HyperTransport::new(), seen.clone()));
    let client = world.builder(World::app()).http(http).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    session.userinfo().await.unwrap();
    session.logout().await;
    let seen = seen.lock().unwrap().clone();
    for path in [
        ".well-known/smart-configuration",
        ".well-known/openid-configuration",
        "/jwks",
        "/token",
        "/userinfo",
        "/revoke",
    ] {
        assert!(seen.iter().any(|seen| seen.ends_with(path)), "{path}: {seen:?}");
    }
}
