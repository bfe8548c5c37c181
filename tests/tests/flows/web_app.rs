//! Web apps: launches, callbacks and sessions of browsers.

use crate::world::World;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{Request, Response};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::AllowedIssuers;
use smart_core::redirect_uri::RedirectUri;
use smart_core::url_policy::UrlPolicy;
use smart_flows::web::WebApp;
use smart_flows::{Error, Session};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_store::testing::{Fault, FaultyStore, Gate, Operation};
use smart_store::{Filter, Store as _};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A browser: its cookies.
#[derive(Default, Clone)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn request(&self, path: &str) -> Request<()> {
        let mut request = Request::get(path).body(()).unwrap();
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        request
    }

    fn take(&mut self, response: &Response<Bytes>) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn location(response: &Response<Bytes>) -> String {
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

impl World {
    fn web(&self) -> WebApp {
        let base = FhirBaseUrl::parse_with(&self.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
        let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
        WebApp::builder(self.client(), redirect, AllowedIssuers::only([base])).after_login("/patient").build()
    }

    /// The EHR opens the app for a patient; the person logs in. Gives the callback, not yet brought to the app.
    async fn launch(&self, web: &WebApp, browser: &mut Browser, patient: &str) -> Url {
        let launch = self.sandbox.new_launch(Some(patient), None);
        let path = format!("/launch?iss={}&launch={launch}", self.sandbox.fhir_base());
        let response = web.launch(&browser.request(&path)).await.unwrap();
        browser.take(&response);
        let url = location(&response).parse().unwrap();
        AutoBrowser::new(self.http.clone(), Person::default()).authorize(&url).await.unwrap()
    }

    async fn open(&self, web: &WebApp, browser: &mut Browser, patient: &str) -> (Session, String) {
        let callback = self.launch(web, browser, patient).await;
        finish(web, browser, &callback).await.unwrap()
    }
}

async fn finish(web: &WebApp, browser: &mut Browser, callback: &Url) -> Result<(Session, String), Error> {
    let path = format!("/callback?{}", callback.query().unwrap());
    let (session, response) = web.callback(&browser.request(&path)).await?;
    browser.take(&response);
    Ok((session, location(&response)))
}

/// F-02, CB-07, CB-10, SE-04 (SMART, EHR launch): from the EHR's link to the app's page: the code is out of the URL, and the
/// cookies hold no token.
#[tokio::test]
async fn ehr_launch_of_a_web_app() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let (session, page) = world.open(&web, &mut browser, "p1003").await;
    assert_eq!(session.patient().unwrap(), "p1003");
    assert!(page.starts_with("/patient?smart_session=") && !page.contains("code"), "{page}");
    let found = web.session(&browser.request(&page)).await.unwrap().unwrap();
    assert_eq!(found.patient().unwrap(), "p1003");
    let found = web.session(&browser.request("/api/summary")).await.unwrap().unwrap();
    assert_eq!(found.key(), session.key(), "the only session of this browser");
    for secret in world.sandbox.issued_secrets() {
        assert!(browser.0.values().all(|value| *value != secret));
    }
}

/// ST-07, LA-05 (a wrong patient): with two records open in two tabs each page gets its own, and one that does not say
/// which gets none.
#[tokio::test]
async fn two_tabs_never_mix_up_two_patients() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    // Both launches are under way at a time, and come back in the other order.
    let first = world.launch(&web, &mut browser, "p1001").await;
    let second = world.launch(&web, &mut browser, "p1003").await;
    let (_, second) = finish(&web, &mut browser, &second).await.unwrap();
    let (_, first) = finish(&web, &mut browser, &first).await.unwrap();
    for (page, patient) in [(&first, "p1001"), (&second, "p1003"), (&first, "p1001")] {
        let session = web.session(&browser.request(page)).await.unwrap().unwrap();
        assert_eq!(session.patient().unwrap(), patient);
    }
    let unnamed = web.session(&browser.request("/patient")).await;
    assert!(matches!(unnamed, Err(Error::SeveralSessions)));
    let name = WebApp::session_name(&browser.request(&first)).unwrap();
    let mut request = browser.request("/api");
    request.headers_mut().insert("smart-session", name.parse().unwrap());
    assert_eq!(web.session(&request).await.unwrap().unwrap().patient().unwrap(), "p1001");
    let mut torn = browser.request(&second);
    torn.headers_mut().insert("smart-session", name.parse().unwrap());
    assert!(matches!(web.session(&torn).await, Err(Error::SeveralSessions)), "two different names");
}

/// ST-03, CB-04 (RFC 9700, 4.7): a callback with a good state that comes through another browser is refused, and the token
/// endpoint is not asked.
#[tokio::test]
async fn callback_in_another_browser_is_refused() {
    let world = World::new(None).await;
    let (web, mut attacker) = (world.web(), Browser::default());
    let callback = world.launch(&web, &mut attacker, "p1001").await;
    let mut victim = Browser::default();
    assert!(matches!(finish(&web, &mut victim, &callback).await, Err(Error::NoPendingLogin)));
    world.launch(&web, &mut victim, "p1003").await;
    assert!(matches!(finish(&web, &mut victim, &callback).await, Err(Error::NoPendingLogin)));
    assert_eq!(world.sandbox.counts().token, 0);
}

/// ST-04, CB-09 (RFC 9700, 2.1): a callback counts once, also when it comes twice at a time.
#[tokio::test]
async fn callback_counts_once() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let callback = world.launch(&web, &mut browser, "p1001").await;
    let path = format!("/callback?{}", callback.query().unwrap());
    let (a, b) = tokio::join!(web.callback(&browser.request(&path)), web.callback(&browser.request(&path)));
    assert!(a.is_ok() != b.is_ok());
    assert!(matches!(web.callback(&browser.request(&path)).await, Err(Error::NoPendingLogin)));
    assert_eq!(world.sandbox.counts().token, 1);
}

/// F-24, D-27: a login that waits survives a restart of the app; one that waits too long does not.
#[tokio::test]
async fn pending_login_survives_a_restart_but_not_for_ever() {
    let world = World::new(None).await;
    let mut browser = Browser::default();
    let callback = world.launch(&world.web(), &mut browser, "p1001").await;
    let (session, _) = finish(&world.web(), &mut browser, &callback).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
    let late = world.launch(&world.web(), &mut browser, "p1001").await;
    world.clock.advance(601);
    let error = finish(&world.web(), &mut browser, &late).await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

/// ST-04: logins that nobody completes do not pile up in the store.
#[tokio::test]
async fn abandoned_logins_do_not_pile_up() {
    use smart_store::Store as _;
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let begin = async |browser: &mut Browser| {
        let launch = world.sandbox.new_launch(Some("p1001"), None);
        let path = format!("/launch?iss={}&launch={launch}", world.sandbox.fhir_base());
        browser.take(&web.launch(&browser.request(&path)).await.unwrap());
    };
    for _ in 0..30 {
        begin(&mut browser).await;
    }
    let waiting = world.store.list(&smart_store::Filter::default()).await.unwrap().len();
    assert_eq!(waiting, 20);
    world.clock.advance(3600);
    begin(&mut browser).await;
    assert_eq!(world.store.list(&smart_store::Filter::default()).await.unwrap().len(), 1);
}

/// LA-03, F-23 (SMART, App protection): a launch from an unlisted server is refused without any request to it, by a page.
#[tokio::test]
async fn unlisted_server_may_not_launch() {
    let world = World::new(None).await;
    let (web, browser) = (world.web(), Browser::default());
    let request = browser.request("/launch?iss=https%3A%2F%2Fevil.example%2Ffhir&launch=x");
    let error = web.launch(&request).await.unwrap_err();
    let page = WebApp::error_page(&error);
    assert_eq!(page.status(), 403);
    assert!(web.login(&browser.request("/"), "https://evil.example/fhir").await.is_err());
    assert_eq!(world.sandbox.counts().discovery, 0);
}

/// RV-05 (SMART, App protection): each logout changes a cookie, so that the browser's back button shows no page of that record; logging
/// out one record leaves the others open, and ends with the cookie gone.
#[tokio::test]
async fn logout_ends_one_record_at_a_time() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let (_, first) = world.open(&web, &mut browser, "p1001").await;
    let (_, second) = world.open(&web, &mut browser, "p1003").await;
    assert!(matches!(web.logout(&browser.request("/logout")).await, Err(Error::SeveralSessions)));
    let (report, response) = web.logout(&browser.request(&first)).await.unwrap();
    assert!(report.unwrap().revoked.is_ok());
    browser.take(&response);
    let changed = browser.0["__Host-smart-signed-out"].clone();
    assert!(web.session(&browser.request(&first)).await.unwrap().is_none());
    let (_, response) = web.logout(&browser.request(&first)).await.unwrap();
    browser.take(&response);
    assert_ne!(browser.0["__Host-smart-signed-out"], changed, "also where there was nothing to log out");
    let left = web.session(&browser.request(&second)).await.unwrap().unwrap();
    assert_eq!(left.patient().unwrap(), "p1003");
    let (_, response) = web.logout(&browser.request(&second)).await.unwrap();
    browser.take(&response);
    assert!(!browser.0.contains_key("__Host-smart-session"));
}

/// ST-03 (session fixation): an id that was in the browser before the login opens nothing afterwards.
#[tokio::test]
async fn session_gets_an_id_of_its_own() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let planted = "A".repeat(43);
    browser.0.insert("__Host-smart-session".into(), planted.clone());
    let (_, page) = world.open(&web, &mut browser, "p1001").await;
    assert_ne!(browser.0["__Host-smart-session"], planted);
    let mut thief = Browser::default();
    thief.0.insert("__Host-smart-session".into(), planted);
    assert!(web.session(&thief.request(&page)).await.unwrap().is_none());
    assert!(web.session(&Browser::default().request(&page)).await.unwrap().is_none(), "the name alone opens nothing");
}

/// CB-08 (SMART, App protection): what a server says in an error is text on the page, not markup.
#[tokio::test]
async fn error_page_escapes_what_the_server_says() {
    let world = World::new(None).await;
    let (web, mut browser) = (world.web(), Browser::default());
    let launch = world.sandbox.new_launch(Some("p1001"), None);
    let path = format!("/launch?iss={}&launch={launch}", world.sandbox.fhir_base());
    let response = web.launch(&browser.request(&path)).await.unwrap();
    browser.take(&response);
    let url: Url = location(&response).parse().unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let query =
        format!("/callback?error=server_error&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state={state}");
    let query = format!(
        "{query}&iss={}",
        url::form_urlencoded::byte_serialize(world.sandbox.issuer().as_bytes()).collect::<String>()
    );
    let error = web.callback(&browser.request(&query)).await.unwrap_err();
    let page = WebApp::error_page(&error);
    let text = String::from_utf8(page.body().to_vec()).unwrap();
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
}

/// F-115, LA-01: the routes for axum do the same over real HTTP.
#[tokio::test]
async fn axum_routes_serve_a_launch() {
    use axum::routing::get;
    use smart_flows::web::{CurrentSession, router};
    let world = World::new(None).await;
    let web = world.web();
    let pages = axum::Router::new()
        .route("/patient", get(|CurrentSession(session): CurrentSession| async move { session.patient().unwrap() }))
        .with_state(web.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router(web).merge(pages)).await });
    let mut browser = Browser::default();
    let fetch = async |browser: &Browser, method: &str, path: &str| {
        let (parts, ()) = browser.request(&format!("{origin}{path}")).into_parts();
        let mut request = Request::from_parts(parts, Bytes::new());
        *request.method_mut() = method.parse().unwrap();
        world.http.fetch(request).await.unwrap()
    };
    assert_eq!(fetch(&browser, "GET", "/patient").await.status(), 401);
    let launch = world.sandbox.new_launch(Some("p1003"), None);
    let begun = fetch(&browser, "GET", &format!("/launch?iss={}&launch={launch}", world.sandbox.fhir_base())).await;
    browser.take(&begun);
    let authorize = AutoBrowser::new(world.http.clone(), Person::default());
    let callback = authorize.authorize(&location(&begun).parse().unwrap()).await.unwrap();
    let done = fetch(&browser, "GET", &format!("/callback?{}", callback.query().unwrap())).await;
    browser.take(&done);
    let page = fetch(&browser, "GET", &location(&done)).await;
    assert_eq!((page.status().as_u16(), &page.body()[..]), (200, &b"p1003"[..]));
    assert_eq!(fetch(&browser, "GET", "/logout").await.status(), 405);
    let out = fetch(&browser, "POST", "/logout").await;
    browser.take(&out);
    assert_eq!(location(&out), "/");
    assert_eq!(fetch(&browser, "GET", "/patient").await.status(), 401);
    assert_eq!(fetch(&browser, "GET", "/launch").await.status(), 403);
    server.abort();
}

/// A browser that is gone before its callback is answered leaves no session behind that nobody can find again.
#[tokio::test]
async fn callback_whose_browser_is_gone_leaves_no_session() {
    let world = World::new(None).await;
    let gate = Gate::closed();
    let store = Arc::new(FaultyStore::new(world.store.clone()));
    let client = world.builder(World::app()).store(store.clone()).build();
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
    let web = WebApp::builder(client, redirect, AllowedIssuers::only([base])).build();
    let mut browser = Browser::default();
    let callback = world.launch(&web, &mut browser, "p1001").await;
    let puts = store.calls(Operation::Put);
    store.break_down(Operation::Put, Fault::HoldBefore(gate.clone()));
    let path = format!("/callback?{}", callback.query().unwrap());
    let answering = tokio::spawn(web.callback(&browser.request(&path)));
    while store.calls(Operation::Put) == puts {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    answering.abort();
    assert!(answering.await.unwrap_err().is_cancelled());
    gate.open();
    let soon = async {
        while world.sandbox.counts().revoke < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while !world.store.list(&Filter::default()).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), soon).await.expect("its tokens are revoked, and it is wiped");
}
