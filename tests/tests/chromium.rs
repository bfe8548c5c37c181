//! The sandbox's pages in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test reports by panicking, its helpers too"
)]

mod browser;

use browser::Browser;
use smart_core::authorize::{Callback, CallbackError};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::AllowedIssuers;
use smart_core::redirect_uri::RedirectUri;
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, Error, LoopbackListener, SmartClient};
use smart_sandbox::{Sandbox, SandboxConfig};

/// F-01, F-127 (SMART, standalone launch): a person walks through login, patient picker and consent, allows, and the app gets
/// that patient; then says no, and the app is told so.
#[tokio::test]
async fn a_person_logs_in_picks_a_patient_and_decides() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let app = App::public("demo-app")
        .scopes("launch/patient openid fhirUser offline_access patient/*.rs user/Patient.s")
        .unwrap();
    let client = SmartClient::builder(app).allow_loopback_http().build();
    let launch = client.standalone(&sandbox.fhir_base()).await.unwrap();
    // Nothing listens there: the browser's address bar tells all.
    let redirect = RedirectUri::parse("http://127.0.0.1:9/callback").unwrap();
    for allows in [true, false] {
        let (request, pending) = launch.authorize(&redirect).unwrap();
        browser.open(request.url().as_str()).await;
        browser.look("1-login", "Sign in").await;
        assert_eq!(
            browser.script("return document.querySelectorAll('input:checked').length").await,
            0,
            "nobody is chosen beforehand"
        );
        browser.click("input[value='Practitioner/pr2002']").await;
        browser.click("button").await;
        browser.look("2-patient", "Choose a patient").await;
        browser.write("#name", "okafor").await;
        browser.click("form[role=search] button").await;
        browser.wait_for("document.querySelectorAll('input[name=patient]').length", 1).await;
        browser.look("3-patient-found", "Choose a patient").await;
        browser.click("input[value='Patient/p1001']").await;
        browser.click("form[method=post] button").await;
        browser.look("4-consent", "Allow this app?").await;
        let text = browser.script("return document.body.innerText").await;
        assert!(text.as_str().unwrap().contains("To read and search all records of this patient"), "{text}");
        browser.click(if allows { "button[value=approve]" } else { "button[value=deny]" }).await;
        let callback = Callback::from_url(&browser.callback().await).unwrap();
        match (allows, client.complete_callback(pending, callback).await) {
            (true, Ok(session)) => {
                assert_eq!(session.patient().unwrap(), "p1001");
                assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2002");
            }
            (false, Err(Error::Callback(error @ CallbackError::Refused { .. }))) => {
                assert!(error.is_denied_by_person());
            }
            (_, other) => panic!("{other:?}"),
        }
    }
    browser.open(&format!("{}/authorize?client_id=nobody", sandbox.issuer())).await;
    browser.look("5-error", "This sign-in cannot go on").await;
}

/// F-02, CB-10 (SMART, EHR launch; RFC 9700 4.3.1): a person opens the app from the EHR's page; the app waits on this machine, and its
/// last page is at an address without code and state.
#[tokio::test]
async fn a_person_opens_the_app_from_the_ehr() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let base = FhirBaseUrl::parse_with(&sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let app = App::public("demo-app").scopes("launch openid fhirUser patient/*.rs").unwrap();
    let client = SmartClient::builder(app).allow_loopback_http().build();
    let listener = LoopbackListener::bind().await.unwrap();
    let receiver = client.launch_receiver(listener, AllowedIssuers::only([base]));
    let launch_url = receiver.launch_url();
    let waiting = tokio::spawn(receiver.receive());
    browser.open(&sandbox.endpoints().launcher).await;
    browser.look("6-launcher", "Start an app").await;
    browser.write("#launch_url", &launch_url).await;
    browser.click("input[value='Patient/p1003']").await;
    browser.click("button").await;
    browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    browser.click("input[value='Practitioner/pr2002']").await;
    browser.click("button").await;
    browser.wait_for("document.querySelector('h1')?.textContent", "Allow this app?").await;
    browser.click("button[value=approve]").await;
    browser.look("7-signed-in", "Signed in").await;
    assert_eq!(browser.script("return location.pathname + location.search").await, "/done");
    assert_eq!(waiting.await.unwrap().unwrap().patient().unwrap(), "p1003");
}
