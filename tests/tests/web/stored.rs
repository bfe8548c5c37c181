//! What a page leaves in the browser's storages.

use crate::site::World;
use serde_json::Value;

/// Everything in IndexedDB, sessionStorage and localStorage, as text: octets become characters of the same number.
const DUMP: &str = "
    const text = (value) => {
        if (value instanceof CryptoKey) return { key: value.algorithm.name, extractable: value.extractable, usages: value.usages };
        if (value instanceof Uint8Array || value instanceof ArrayBuffer) return Array.from(new Uint8Array(value), (octet) => String.fromCharCode(octet)).join('');
        if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, text(part)]));
        return value;
    };
    const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
    const databases = {};
    for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        databases[name] = {};
        for (const store of database.objectStoreNames) {
            databases[name][store] = (await done(database.transaction(store).objectStore(store).getAll())).map(text);
        }
        database.close();
    }
    return { databases, session: { ...sessionStorage }, local: { ...localStorage }, cookies: document.cookie };
";

impl World {
    /// What lies in the browser for the page's origin.
    pub(crate) async fn stored(&self) -> Value {
        self.run(DUMP).await
    }

    /// The sealed records.
    pub(crate) async fn records(&self) -> Vec<Value> {
        self.stored().await["databases"]["smart-on-fhir"]["records"].as_array().cloned().unwrap_or_default()
    }

    /// Looks for every code and token that the sandbox gave out, and fails on one.
    pub(crate) async fn nothing_secret_is_stored(&self) -> Value {
        let stored = self.stored().await;
        let secrets = self.sandbox.issued_secrets();
        assert!(!secrets.is_empty());
        self.has_no_secret(&stored);
        stored
    }

    pub(crate) fn has_no_secret(&self, value: &Value) {
        let text = value.to_string();
        for secret in self.sandbox.issued_secrets() {
            assert!(!text.contains(&secret), "a secret of {} characters lies in the clear", secret.len());
            // Nor the payload of a token that is a JWT.
            for part in secret.split('.').filter(|part| part.len() > 20) {
                assert!(!text.contains(part), "a part of a token lies in the clear");
            }
        }
    }
}

/// SE-03, SE-06 (SMART, App protection): after a launch nothing in the browser's storages is a token, a code or the patient's id in the
/// clear; the key cannot be exported, and another origin's page sees nothing.
#[tokio::test]
async fn nothing_lies_in_the_clear() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let stored = world.nothing_secret_is_stored().await;
    let records = stored["databases"]["smart-on-fhir"]["records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "the session, and no login that waits");
    assert!(!stored.to_string().contains("p1001") && !stored.to_string().contains("pr2002"), "{stored}");
    let mut members: Vec<&String> = records[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["iv", "name", "sealed", "version"]);
    let keys = stored["databases"]["smart-on-fhir"]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["extractable"], false, "{keys:?}");
    let exported = world
        .run(
            "const database = await new Promise((resolve) => { const request = indexedDB.open('smart-on-fhir'); request.onsuccess = () => resolve(request.result); });
             const key = await new Promise((resolve) => { const request = database.transaction('keys').objectStore('keys').getAll(); request.onsuccess = () => resolve(request.result[0]); });
             database.close();
             return crypto.subtle.exportKey('raw', key).then(() => 'exported', (error) => error.name);",
        )
        .await;
    assert_eq!(exported, "InvalidAccessError");
    assert_eq!(stored["local"], serde_json::json!({}));
    assert_eq!(stored["cookies"], "");
}

/// SE-06 (SMART, App protection): a login that waits lies sealed as well, and the tab's storage has neither its state nor its verifier.
#[tokio::test]
async fn a_login_that_waits_is_sealed() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    let url = world.run("return smart.authorize({ ...options, noRedirect: true })").await;
    let url: url::Url = url.as_str().unwrap().parse().unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let stored = world.stored().await;
    assert!(state.len() >= 22 && !stored.to_string().contains(&state), "{stored}");
    assert_eq!(world.records().await.len(), 1);
    for word in ["verifier", "code_challenge", "nonce"] {
        assert!(!stored.to_string().contains(word), "{stored}");
    }
}
