//! Sessions over reloads, tabs, the end of a token, and logout.

use crate::site::World;
use serde_json::{Value, json};
use smart_sandbox::SandboxConfig;
use std::time::Duration;

/// After a reload the session is there again, and nobody is asked for anything.
#[tokio::test]
async fn a_reload_finds_the_session() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let before = world.run("return (await smart.ready()).id").await;
    world.browser.post("/refresh", json!({})).await;
    world.record_is_shown("p1001").await;
    assert_eq!(world.run("return (await smart.ready()).id").await, before);
    let counts = world.sandbox.counts();
    assert_eq!((counts.token, counts.authorize), (1, 1), "{counts:?}");
}

/// SE-03 (SMART, App protection): what a page can see of its session has no token in it.
#[tokio::test]
async fn a_page_sees_no_token() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let seen = world
        .run(
            "const client = await smart.ready(); const names = []; \
             for (let at = client; at; at = Object.getPrototypeOf(at)) names.push(...Object.getOwnPropertyNames(at)); \
             return { state: client.state, client: JSON.stringify(client), names, globals: Object.keys(globalThis) }",
        )
        .await;
    world.has_no_secret(&seen);
    assert_eq!(seen["state"]["context"]["patient"], "p1001");
    assert_eq!(seen["state"]["canRefresh"], true);
    assert!(seen["state"]["scope"].as_str().unwrap().contains("patient/*.rs"), "{seen}");
}

async fn tabs(world: &World) -> Vec<String> {
    let handles = world.browser.get("/window/handles").await;
    handles.as_array().unwrap().iter().map(|handle| handle.as_str().unwrap().to_owned()).collect()
}

async fn switch_to(world: &World, tab: &str) {
    world.browser.post("/window", json!({"handle": tab})).await;
}

/// F-68 (RFC 9700, 4.14.2): two tabs with one session ask at once when the token is at its end: the refresh token is presented once,
/// and both get their answer.
#[tokio::test]
async fn two_tabs_refresh_once() {
    let lifetime = Duration::from_secs(30);
    let Some(world) =
        World::with(crate::site::SCOPES, |config| SandboxConfig { access_token_lifetime: lifetime, ..config }).await
    else {
        return;
    };
    world.log_in("p1001").await;
    // A tab that the page opens has a copy of its storage, and so the same session.
    world.browser.script("window.open(location.href)").await;
    let tabs = tabs(&world).await;
    assert_eq!(tabs.len(), 2);
    switch_to(&world, &tabs[1]).await;
    world.record_is_shown("p1001").await;
    assert_eq!(world.sandbox.counts().token, 1);
    // Both at the same moment, when four fifths of the token's life are over.
    let ask = "const client = await smart.ready(); const at = client.state.expiresAt * 1000 - 2500; \
        globalThis.answer = null; new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now()))) \
            .then(() => Promise.all([1, 2, 3].map(() => client.read('Patient', 'p1001')))) \
            .then((read) => ({ ids: read.map((patient) => patient.id), expiresAt: client.state.expiresAt }), (error) => ({ error: error.message })).then((answer) => { globalThis.answer = answer; }); \
        return client.state.expiresAt";
    let mut ends = Vec::new();
    for tab in &tabs {
        switch_to(&world, tab).await;
        ends.push(world.run(ask).await);
    }
    assert_eq!(ends[0], ends[1]);
    let mut renewed = Vec::new();
    for tab in &tabs {
        switch_to(&world, tab).await;
        // Looked at again and again: it takes longer than a driver waits for one script.
        let mut asked = Value::Null;
        for _ in 0..400 {
            asked = world.browser.script("return globalThis.answer").await;
            if !asked.is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(asked["ids"], json!(["p1001", "p1001", "p1001"]), "{asked}");
        renewed.push(asked["expiresAt"].clone());
    }
    assert_eq!(world.sandbox.counts().token, 2, "the login, and one refresh");
    assert_eq!(renewed[0], renewed[1]);
    assert_ne!(renewed[0], ends[0]);
    world.nothing_secret_is_stored().await;
    // What the other tab renewed is what a reload finds.
    world.browser.post("/refresh", json!({})).await;
    world.record_is_shown("p1001").await;
    assert_eq!(world.sandbox.counts().token, 2);
}

/// F-82: a tab of its own has no session until it is told which one, and another app of the same origin cannot have it.
#[tokio::test]
async fn another_tab_opens_a_session_by_its_id_alone() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let id = world.run("return (await smart.ready()).id").await;
    world.browser.script(&format!("window.open({}, '_blank', 'noopener')", json!(world.page()))).await;
    let tabs = tabs(&world).await;
    switch_to(&world, &tabs[1]).await;
    world.browser.wait_for("document.getElementById('login')?.hidden", false).await;
    assert_eq!(world.code_of("await smart.ready(options)").await, "no-session");
    let opened = world.run(&format!("return (await smart.ready({{ ...options, session: {id} }})).patient.id")).await;
    assert_eq!(opened, "p1001");
    // Another app of the same origin has sessions of its own.
    world.browser.script("sessionStorage.clear(); location.reload()").await;
    world.browser.wait_for("document.getElementById('login')?.hidden", false).await;
    let other = format!("await smart.ready({{ ...options, clientId: 'other', session: {id} }})");
    assert_eq!(world.code_of(&other).await, "no-session");
}

/// A page with two sessions gets the one that it names, never the patient of the other; one that is over is not given again.
#[tokio::test]
async fn a_page_gets_the_session_that_it_names() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let first = world.run("return (await smart.ready()).id").await;
    let launch = world.sandbox.new_launch(Some("p1003"), None);
    let iss: String = url::form_urlencoded::byte_serialize(world.sandbox.fhir_base().as_bytes()).collect();
    world.browser.open(&format!("{}?iss={iss}&launch={launch}", world.page())).await;
    world.browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    world.sign_in(None).await;
    world.record_is_shown("p1003").await;
    let told = world
        .run(&format!(
            "const patient = (session) => smart.ready(session && {{ ...options, session }}).then((client) => client.patient.id, (error) => error.code);
             const second = (await smart.ready()).id;
             const seen = [await patient(second), await patient({first}), await patient(), await patient(second)];
             const both = await Promise.all([patient({first}), patient(second), patient({first})]);
             const report = await (await smart.ready({{ ...options, session: second }})).logout();
             return {{ seen, both, revoked: report.revoked.done, after: [await patient(second), await patient({first})] }};"
        ))
        .await;
    assert_eq!(told["seen"], json!(["p1003", "p1001", "p1001", "p1003"]), "{told}");
    assert_eq!(told["both"], json!(["p1001", "p1003", "p1001"]));
    assert_eq!((&told["revoked"], &told["after"]), (&json!(true), &json!(["no-session", "p1001"])));
    assert_eq!(world.records().await.len(), 1);
}

/// RV-05 (RFC 7009): logging out revokes both tokens and leaves nothing behind; another tab's next request finds that out.
#[tokio::test]
async fn logging_out_leaves_nothing() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    world.browser.script("window.open(location.href)").await;
    let tabs = tabs(&world).await;
    switch_to(&world, &tabs[1]).await;
    world.record_is_shown("p1001").await;
    switch_to(&world, &tabs[0]).await;
    world.browser.click("#logout").await;
    world.says("You are signed out.").await;
    assert_eq!(world.sandbox.counts().revoke, 2, "the refresh token and the access token");
    assert!(world.records().await.is_empty());
    assert_eq!(world.stored().await["session"], json!({}));
    assert_eq!(world.code_of("await smart.ready(options)").await, "no-session");
    switch_to(&world, &tabs[1]).await;
    let told = world
        .run("return (await smart.ready()).read('Patient', 'p1001').then(() => 'read', (error) => error.loginNeeded)");
    assert_eq!(told.await, Value::Bool(true));
    assert_eq!(world.sandbox.counts().token, 1, "no refresh token was presented after the logout");
}
