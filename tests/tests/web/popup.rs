//! The login in a window of its own.

use crate::site::World;
use serde_json::{Value, json};
use std::time::Duration;

async fn opened(world: &World) -> (String, String) {
    world.browser.open(&world.page()).await;
    world.browser.wait_for("document.getElementById('login')?.hidden", false).await;
    let page = world.browser.get("/window").await.as_str().unwrap().to_owned();
    world.browser.click("#popup").await;
    for _ in 0..100 {
        let handles = world.browser.get("/window/handles").await;
        let other = handles.as_array().unwrap().iter().find(|handle| **handle != page).cloned();
        if let Some(popup) = other {
            return (page, popup.as_str().unwrap().to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no window was opened");
}

async fn switch_to(world: &World, window: &str) {
    world.browser.post("/window", json!({"handle": window})).await;
}

/// F-01, F-112 (HTML, postMessage): a person signs in in a window, which hands its URL to the page that opened it and closes; the page
/// has never been left.
#[tokio::test]
async fn a_person_signs_in_in_a_window() {
    let Some(world) = World::start().await else { return };
    let (page, popup) = opened(&world).await;
    world.browser.script("window.stays = true").await;
    switch_to(&world, &popup).await;
    world.sign_in(Some("p1001")).await;
    switch_to(&world, &page).await;
    world.record_is_shown("p1001").await;
    assert_eq!(world.browser.script("return window.stays").await, true);
    assert_eq!(world.browser.get("/window/handles").await.as_array().unwrap().len(), 1, "the window is closed");
    world.nothing_secret_is_stored().await;
    world.browser.post("/refresh", json!({})).await;
    world.record_is_shown("p1001").await;
    assert_eq!(world.sandbox.counts().token, 1);
}

/// ST-02 (HTML, postMessage): messages from the page itself, from another origin or with another state complete nothing; a window that is
/// closed gives the login up.
#[tokio::test]
async fn only_the_window_completes_the_login() {
    let Some(world) = World::start().await else { return };
    let (page, popup) = opened(&world).await;
    let forged = "{ kind: 'smart-callback', url: location.origin + '/smart-on-fhir-web/callback.html?code=c&state=s' }";
    // From the page, not the window.
    world.browser.script(&format!("window.postMessage({forged}, location.origin)")).await;
    switch_to(&world, &popup).await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    // From the window, but while another origin is in it: its message goes to any origin, and is not taken.
    let origin = world.app.clone();
    world
        .browser
        .script(&format!(
            "window.opener.postMessage({{ kind: 'smart-callback', url: '{origin}/smart-on-fhir-web/callback.html?code=c&state=s' }}, '*')"
        ))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    switch_to(&world, &page).await;
    assert_eq!(world.browser.script("return document.getElementById('login').hidden").await, false);
    assert_eq!(world.browser.script("return document.getElementById('status').textContent").await, "");
    // From the window, of the right origin, with a state that nobody has sent.
    switch_to(&world, &popup).await;
    world.browser.open(&format!("{origin}/smart-on-fhir-web/callback.html?code=c&state=s")).await;
    switch_to(&world, &page).await;
    world.says("no-pending-login:").await;
    assert_eq!(world.sandbox.counts().token, 0);

    let (page, popup) = opened(&world).await;
    switch_to(&world, &popup).await;
    let closed: Value = call_delete(&world).await;
    assert!(closed.is_array());
    switch_to(&world, &page).await;
    world.says("cancelled:").await;
    assert_eq!(world.sandbox.counts().token, 0);
}

/// Closes the window that is looked at.
async fn call_delete(world: &World) -> Value {
    world.browser.delete("/window").await
}

/// CB-10 (HTML, postMessage): a page of another origin that opens the callback page gets nothing from it.
#[tokio::test]
async fn another_origin_gets_no_callback() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&format!("{}/.well-known/smart-configuration", world.sandbox.fhir_base())).await;
    let script = format!(
        "window.heard = []; window.addEventListener('message', (event) => window.heard.push(event.data)); \
         window.open('{}/smart-on-fhir-web/callback.html?code=c0de&state=st8', 'smart-on-fhir-login')",
        world.app
    );
    world.browser.script(&script).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.browser.script("return window.heard").await, json!([]));
}
