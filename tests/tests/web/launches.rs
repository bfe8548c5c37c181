//! Launches by redirect: a person's own and an EHR's, and what is refused.

use crate::site::World;
use serde_json::json;
use smart_sandbox::{Sandbox, SandboxConfig};
use url::Url;
use url::form_urlencoded::byte_serialize;

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// F-01, CB-10 (SMART, standalone launch; RFC 9700 4.3.1): a person signs in by redirect at a server on another origin, and sees that
/// patient; code and state are gone from the address.
#[tokio::test]
async fn a_page_is_launched_by_a_person() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    world.browser.wait_for("document.querySelectorAll('#values tr').length > 0", true).await;
    assert_eq!(world.browser.script("return location.href").await, world.page().as_str());
    assert_eq!(world.run("return (await smart.ready()).patient.id").await, "p1001");
    assert_eq!(world.run("return (await smart.ready()).user.fhirUser").await, "Practitioner/pr2002");
    world.browser.resize(900).await;
    world.screenshot("web-example").await;
    let counts = world.sandbox.counts();
    // Once by the page that was left, once by the one that the browser came back to.
    assert_eq!((counts.token, counts.discovery), (1, 2), "{counts:?}");
}

/// F-02 (SMART, EHR launch): an EHR opens the page, which launches at once and shows the EHR's patient.
#[tokio::test]
async fn a_page_is_launched_by_an_ehr() {
    let Some(world) = World::start().await else { return };
    let launch = world.sandbox.new_launch(Some("p1003"), None);
    let iss = encoded(&world.sandbox.fhir_base());
    world.browser.open(&format!("{}?iss={iss}&launch={launch}", world.page())).await;
    world.sign_in(None).await;
    world.record_is_shown("p1003").await;
    assert_eq!(world.browser.script("return location.href").await, world.page().as_str());
    world.nothing_secret_is_stored().await;
}

/// F-02 (SMART, EHR launch): a second launch in a tab that has a session shows the new patient, never the one before.
#[tokio::test]
async fn a_new_launch_never_shows_the_patient_before() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let launch = world.sandbox.new_launch(Some("p1003"), None);
    let iss = encoded(&world.sandbox.fhir_base());
    world.browser.open(&format!("{}?iss={iss}&launch={launch}", world.page())).await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    world.sign_in(None).await;
    world.record_is_shown("p1003").await;
    // Nor does `ready` on a page that was launched anew.
    world.browser.open(&format!("{}/smart-on-fhir-web/callback.html?iss={iss}&launch=x", world.app)).await;
    assert_eq!(world.code_of("await smart.ready()").await, "not-authorized");
}

/// LA-03 (SMART, App protection: counterfeit servers): a link that names another server is refused, and that server is asked nothing.
#[tokio::test]
async fn a_foreign_server_launches_nothing() {
    let Some(world) = World::start().await else { return };
    let foreign = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let launch = foreign.new_launch(Some("p1001"), None);
    for query in [format!("&launch={launch}"), String::new()] {
        let iss = encoded(&foreign.fhir_base());
        world.browser.open(&format!("{}?iss={iss}{query}", world.page())).await;
        assert_eq!(world.code_of("await smart.authorize(options)").await, "issuer-not-allowed");
    }
    let counts = foreign.counts();
    assert_eq!((counts.discovery, counts.authorize, counts.fhir, counts.token), (0, 0, 0, 0), "{counts:?}");
    assert_eq!(world.sandbox.counts().discovery, 0);
}

/// Brings a login to its callback without opening that page, and gives the callback's URL.
async fn callback_url(world: &World, patient: &str) -> Url {
    world.browser.open(&world.page()).await;
    // The page under the redirect URI must not complete it: a page of the same origin stands in.
    let url = world
        .run("return smart.authorize({ ...options, redirectUri: 'smart-on-fhir-web/callback.html', noRedirect: true })")
        .await;
    world.browser.open(url.as_str().unwrap()).await;
    world.sign_in(Some(patient)).await;
    for _ in 0..100 {
        let at: Url = world.browser.get("/url").await.as_str().unwrap().parse().unwrap();
        if at.path().ends_with("/callback.html") {
            return at;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the browser did not come back");
}

/// ST-02, ST-03 (RFC 6749, 10.12; RFC 9700, 4.7): a callback with another state, or in a tab that began no login, opens nothing and
/// redeems no code.
#[tokio::test]
async fn another_state_is_refused() {
    let Some(world) = World::start().await else { return };
    let callback = callback_url(&world, "p1001").await;
    let wrong = callback.as_str().replace("state=", "state=x");
    world.browser.script(&format!("history.replaceState(null, '', {})", json!(wrong))).await;
    assert_eq!(world.code_of("await smart.ready()").await, "no-pending-login");
    assert_eq!(world.sandbox.counts().token, 0);
    // Another tab, without the storage of the one that began.
    world.browser.script("sessionStorage.clear()").await;
    world.browser.script(&format!("history.replaceState(null, '', {})", json!(callback.as_str()))).await;
    assert_eq!(world.code_of("await smart.ready(options)").await, "no-pending-login");
    assert_eq!(world.sandbox.counts().token, 0);
}

/// ST-04, CB-09 (RFC 6749, 4.1.2, 10.5): a callback counts once: the second time nothing is redeemed, and no session is shown.
#[tokio::test]
async fn a_callback_counts_once() {
    let Some(world) = World::start().await else { return };
    let callback = callback_url(&world, "p1001").await;
    // What the tab knows, put back before the second try: also one who has it opens nothing.
    world.run("sessionStorage.setItem('kept', sessionStorage.getItem('smart-on-fhir'))").await;
    assert_eq!(world.run("return (await smart.ready()).patient.id").await, "p1001");
    assert_eq!(world.sandbox.counts().token, 1);
    world.run("sessionStorage.setItem('smart-on-fhir', sessionStorage.getItem('kept'))").await;
    world.browser.open(&format!("{}#", callback.as_str().replace("callback.html", "callback.d.ts"))).await;
    world.browser.open(callback.as_str()).await;
    assert_eq!(world.code_of("await smart.ready()").await, "no-pending-login");
    assert_eq!(world.sandbox.counts().token, 1);
}

/// CB-02 (RFC 6749, 4.1.2.1): a person who says no is told apart from a fault.
#[tokio::test]
async fn a_person_says_no() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    world.browser.wait_for("document.getElementById('login')?.hidden", false).await;
    world.browser.click("#redirect").await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    world.browser.click("input[value='Practitioner/pr2002']").await;
    world.browser.click("button").await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Choose a patient").await;
    world.browser.click("input[value='Patient/p1001']").await;
    world.browser.click("form[method=post] button").await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Allow this app?").await;
    world.browser.click("button[value=deny]").await;
    world.says("denied:").await;
    assert_eq!(world.sandbox.counts().token, 0);
}

/// A page cannot keep a secret, and says so before it does anything.
#[tokio::test]
async fn a_secret_in_a_page_is_refused() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    assert_eq!(world.code_of("await smart.authorize({ ...options, clientSecret: 's' })").await, "options");
    assert_eq!(world.sandbox.counts().discovery, 0);
}
