//! Logins in which nothing is wrong.

use crate::provider::{CLIENT, Habits, Provider, SUBJECT};
use crate::{REDIRECT_URI, SCOPES, client, client_of, log_in, log_in_with};
use smart_core::client_id::ClientId;
use smart_core::redirect_uri::RedirectUri;
use smart_core::registration::RegistrationRequest;
use smart_core::url_policy::UrlPolicy;
use smart_flows::App;
use smart_http::{HttpClient, HyperTransport};
use url::Url;

const SECRET: &str = "a-secret";

/// ID-05, ID-06, ID-08 (oidcc-client-test): a login at a provider that does everything right tells who logged in.
#[tokio::test]
async fn a_login_tells_who_logged_in() {
    let provider = Provider::start(Habits::default()).await;
    let session = log_in(&provider).await.unwrap();
    let user = session.user().unwrap().unwrap();
    assert_eq!((user.issuer.as_str(), user.subject.as_str()), (provider.origin(), SUBJECT));
    assert_eq!(session.userinfo().await.unwrap().sub, SUBJECT);
}

/// AZ-10, ID-17 (oidcc-client-test-nonce-unless-code-flow): a nonce is sent, in the code flow too, and another one each time.
#[tokio::test]
async fn a_nonce_is_sent() {
    let provider = Provider::start(Habits::default()).await;
    let client = client();
    for _ in 0..2 {
        log_in_with(&client, &provider).await.unwrap();
    }
    let nonces: Vec<String> = provider.seen("/authorize").iter().map(|seen| seen.query["nonce"].clone()).collect();
    assert!(nonces.len() == 2 && nonces[0] != nonces[1] && nonces[0].len() >= 22, "{nonces:?}");
}

/// CS-01 (oidcc-client-test-client-secret-basic): the secret goes by HTTP Basic, and nowhere else.
#[tokio::test]
async fn the_secret_goes_by_basic() {
    let provider = Provider::start(Habits { secret: Some(SECRET), ..Habits::default() }).await;
    log_in(&provider).await.unwrap();
    let token = &provider.seen("/token")[0];
    assert!(token.authorization.as_ref().unwrap().starts_with("Basic "));
    assert!(!token.body.contains(SECRET) && token.query.is_empty());
}

/// RG-05 (oidcc-client-test-dynamic-registration): a client that registers itself can log in with what it was given.
#[tokio::test]
async fn a_client_registers_itself() {
    let provider = Provider::start(Habits { secret: Some(SECRET), ..Habits::default() }).await;
    let discovered = client().discover(&provider.fhir_base()).await.unwrap();
    let endpoint: Url = discovered.configuration.registration_endpoint.unwrap();
    let request = RegistrationRequest::symmetric_app([RedirectUri::parse(REDIRECT_URI).unwrap()]).unwrap();
    let http = HttpClient::new(HyperTransport::new());
    let response = http.fetch(request.request(&endpoint).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let registered = request.parse(&endpoint, status, response.body(), UrlPolicy::AllowLoopbackHttp).unwrap();
    assert_eq!(registered.client_id, ClientId::from(CLIENT));
    let app = App::symmetric(registered.client_id, registered.secret.unwrap().secret).scopes(SCOPES).unwrap();
    log_in_with(&client_of(app), &provider).await.unwrap();
}
