//! The FHIR client of a page.

use crate::site::World;
use serde_json::json;

const USER: &str = "launch/patient openid fhirUser user/*.cruds patient/*.cruds";

/// FR-09, FR-13, FR-16 (FHIR R4, http.html): a page creates, reads, updates, patches and deletes a resource; a version that is not the
/// present one is refused, and so is what is gone.
#[tokio::test]
async fn resources_are_written() {
    let Some(world) = World::with(USER, |config| config).await else { return };
    world.log_in("p1001").await;
    let told = world
        .run(
            "const client = await smart.ready();
             const subject = { reference: 'Patient/p1001' };
             const code = { text: 'Body weight' };
             const made = await client.create({ resourceType: 'Observation', status: 'preliminary', code, subject, valueQuantity: { value: 70.5, unit: 'kg' } });
             const read = await client.read('Observation', made.id);
             const updated = await client.update({ ...read, status: 'final' }, { ifMatch: read.meta.versionId });
             const late = await client.update({ ...read, status: 'amended' }, { ifMatch: read.meta.versionId }).catch((error) => [error.code, error.status]);
             const patched = await client.patch(`Observation/${made.id}`, [{ op: 'replace', path: '/status', value: 'amended' }]);
             await client.delete(`Observation/${made.id}`);
             const gone = await client.read('Observation', made.id).catch((error) => [error.code, error.status]);
             const raw = await client.request({ url: 'Observation', method: 'POST', body: { resourceType: 'Observation', status: 'final', code, subject } });
             return { made: made.status, weight: read.valueQuantity.value, updated: updated.status, late, patched: patched.status, gone, raw: raw.resourceType };",
        )
        .await;
    let expected = json!({
        "made": "preliminary", "weight": 70.5, "updated": "final", "late": ["refused", 412],
        "patched": "amended", "gone": ["refused", 410], "raw": "Observation",
    });
    assert_eq!(told, expected);
}

/// FR-03, FR-05, FR-12 (FHIR R4, search; SMART): pages are read as far as asked; nothing is asked of another server, and what the scopes do not
/// permit is refused by the server with its reason.
#[tokio::test]
async fn searches_and_their_limits() {
    let Some(world) = World::start().await else { return };
    world.log_in("p1001").await;
    let told = world
        .run(
            "const client = await smart.ready();
             const search = `Observation?patient=${client.patient.id}&_count=5`;
             const one = await client.request(search);
             const seen = [];
             const all = await client.request(search, { pageLimit: 0, flat: true, onPage: (page) => { seen.push(page.entry.length); } });
             const two = await client.request(search, { pageLimit: 2 });
             const code = (promise) => promise.then(() => 'done', (error) => error.code);
             return {
                 one: one.entry.length, two: two.map((page) => page.resourceType), more: all.length > 5 && seen.length > 1,
                 types: [...new Set(all.map((found) => found.resourceType))],
                 patient: (await client.patient.read()).id, user: client.user.resourceType,
                 foreign: await code(client.request('https://evil.example/fhir/Patient/1')),
                 above: await code(client.request('../secret')),
                 bad: await code(client.read('Patient', '../x')),
                 write: await code(client.create({ resourceType: 'Observation', status: 'final', code: {} })),
                 permits: [client.permits('GET', 'Observation/1'), client.permits('POST', 'Observation')],
             };",
        )
        .await;
    assert_eq!((&told["one"], &told["two"], &told["more"]), (&json!(5), &json!(["Bundle", "Bundle"]), &json!(true)));
    assert_eq!(
        (&told["types"], &told["patient"], &told["user"]),
        (&json!(["Observation"]), &json!("p1001"), &json!("Practitioner"))
    );
    assert_eq!(
        (&told["foreign"], &told["above"], &told["bad"]),
        (&json!("outside-base"), &json!("outside-base"), &json!("request"))
    );
    assert_eq!((&told["write"], &told["permits"]), (&json!("refused"), &json!([true, false])));
}
