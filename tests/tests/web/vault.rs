//! The sealed records themselves: what the store's contract asks of `vault.js`.

use crate::site::World;
use serde_json::{Value, json};

impl World {
    /// Runs a script with `vault`, the module, and `say` for errors.
    async fn with_vault(&self, script: &str) -> Value {
        let snippets =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/web/smart-on-fhir-web/wasm/snippets");
        let folder = std::fs::read_dir(snippets).unwrap().next().unwrap().unwrap().file_name();
        let module = format!("{}/smart-on-fhir-web/wasm/snippets/{}/js/vault.js", self.app, folder.to_str().unwrap());
        let whole = format!(
            "const vault = await import('{module}'); \
             const octets = (text) => new TextEncoder().encode(text); \
             const text = (record) => record && new TextDecoder().decode(record.value); \
             const say = (promise) => promise.catch((error) => error.kind); {script}"
        );
        self.run(&whole).await
    }
}

/// F-77 (RFC 9700, 4.14.2): writes compare and swap: a wrong belief is a conflict, of twenty that write at once one wins, and of twenty
/// that remove at once one is told that it did.
#[tokio::test]
async fn records_compare_and_swap() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    let told = world
        .with_vault(
            "const first = await vault.put('t', 'a', octets('one'), 'absent', 0);
             const again = await say(vault.put('t', 'a', octets('two'), 'absent', 0));
             const many = await Promise.all(Array.from({ length: 20 }, (_, n) => say(vault.put('t', 'a', octets(`n${n}`), 'version', first))));
             const now = await vault.get('t', 'a');
             const stale = await say(vault.remove('t', 'a', 'version', first));
             const removed = await Promise.all(Array.from({ length: 20 }, () => say(vault.remove('t', 'a', 'version', now.version))));
             const reused = await vault.put('t', 'a', octets('three'), 'absent', 0);
             return { again, won: many.filter((version) => version !== 'conflict').length, kept: many.includes(now.version), stale,
                 removed: removed.filter((was) => was === true).length, other: removed.filter((was) => was === false).length,
                 none: await vault.get('t', 'b') ?? null, fresh: ![first, now.version].includes(reused), all: (await vault.list('t')).length };",
        )
        .await;
    let expected = json!({
        "again": "conflict", "won": 1, "kept": true, "stale": "conflict", "removed": 1, "other": 19,
        "none": null, "fresh": true, "all": 1,
    });
    assert_eq!(told, expected);
}

/// F-82, F-84 (AES-GCM, associated data): a flipped bit, another's row under this name and an older version in place of the present one do not
/// open; damage blocks no name for ever.
#[tokio::test]
async fn damage_does_not_open() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    let told = world
        .with_vault(
            "const change = (name, how) => new Promise((resolve) => {
                 const request = indexedDB.open('t');
                 request.onsuccess = () => {
                     const records = request.result.transaction('records', 'readwrite').objectStore('records');
                     records.get(name).onsuccess = ({ target }) => {
                         records.put(how(target.result)).onsuccess = () => { request.result.close(); resolve(); };
                     };
                 };
             });
             const outcomes = {};
             const damages = {
                 flipped: (row) => { row.sealed[0] ^= 1; return row; },
                 renamed: (row) => ({ ...row, name: 'b' }),
                 versioned: (row) => ({ ...row, version: row.version + 1 }),
             };
             for (const [what, how] of Object.entries(damages)) {
                 await vault.put('t', 'a', octets('one'), 'any', 0);
                 await change('a', how);
                 const name = what === 'renamed' ? 'b' : 'a';
                 outcomes[what] = [await say(vault.get('t', name)), (await vault.list('t')).length];
                 await vault.put('t', name, octets('new'), 'absent', 0);
                 outcomes[what].push(text(await vault.get('t', name)));
                 await vault.remove('t', 'a', 'any', 0);
                 await vault.remove('t', 'b', 'any', 0);
             }
             return outcomes;",
        )
        .await;
    let expected = json!({
        "flipped": ["unreadable", 0, "new"],
        "renamed": ["unreadable", 1, "new"],
        "versioned": ["unreadable", 0, "new"],
    });
    assert_eq!(told, expected);
}

/// F-68 (Web Locks): a lease has one holder, who prolongs it; it is given back, runs out, and ends with its tab.
#[tokio::test]
async fn leases_have_one_holder() {
    let Some(world) = World::start().await else { return };
    world.browser.open(&world.page()).await;
    let told = world
        .with_vault(
            "const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
             const both = await Promise.all([vault.lease('l', 'one', 5000), vault.lease('l', 'two', 5000)]);
             const again = await vault.lease('l', 'one', 5000);
             vault.release('l', 'two');
             const still = await vault.lease('l', 'two', 5000);
             vault.release('l', 'one');
             await wait(50);
             const free = await vault.lease('l', 'two', 300);
             await wait(800);
             const ranOut = await vault.lease('l', 'three', 60000);
             return { both, again, still, free, ranOut };",
        )
        .await;
    assert_eq!(told, json!({"both": [true, false], "again": true, "still": false, "free": true, "ranOut": true}));
    // The tab goes: so does what it holds.
    world.browser.open(&world.page()).await;
    assert_eq!(world.with_vault("return vault.lease('l', 'four', 1000)").await, true);
}
