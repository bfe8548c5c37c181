//! Histories.

use crate::world::{World, observation};
use serde_json::Value;

/// FHIR R4, http, history: the history of a resource has its versions, the newest first, and its deletion.
#[tokio::test]
async fn a_history_has_all_versions() {
    let world = World::start().await;
    let token = world.staff().await;
    let created = world.post("Observation", &token, &observation("p1001", "x")).await;
    let path = format!("Observation/{}", created.id());
    world.put(&path, &token, &created.body).await;
    world.delete(&path, &token).await;
    let history = world.get(&format!("{path}/_history"), &token).await;
    assert_eq!((&history.body["type"], &history.body["total"]), (&"history".into(), &3.into()));
    let told: Vec<_> =
        history.entries().iter().map(|entry| (&entry["request"]["method"], &entry["response"]["etag"])).collect();
    let text = |text: &str| Value::from(text);
    assert_eq!(
        told,
        [(&text("DELETE"), &text("W/\"3\"")), (&text("PUT"), &text("W/\"2\"")), (&text("POST"), &text("W/\"1\""))]
    );
    let has_resource: Vec<_> = history.entries().iter().map(|entry| entry.get("resource").is_some()).collect();
    assert_eq!(has_resource, [false, true, true]);
    assert_eq!(world.get("Observation/never/_history", &token).await.status, 404);
}

/// FHIR R4, http, history, paging: histories of a type and of everything are paged, each version once.
#[tokio::test]
async fn histories_are_paged() {
    let world = World::start().await;
    let token = world.staff().await;
    for number in 0..5 {
        world.post("Observation", &token, &observation("p1001", &number.to_string())).await;
    }
    for path in
        ["Observation/_history?_count=2&_since=2027-01-01T00:00:00Z", "_history?_since=2027-01-01T00:00:00Z&_count=2"]
    {
        let (mut next, mut ids) = (Some(path.to_owned()), Vec::new());
        while let Some(url) = next {
            let page = world.get(&url, &token).await;
            assert_eq!((page.status, &page.body["total"]), (200, &5.into()), "{path}");
            ids.extend(page.entries().iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
            next = page.link("next");
        }
        assert_eq!(ids, ["made-5", "made-4", "made-3", "made-2", "made-1"], "{path}");
    }
    let all = world.get("_history?_count=1", &token).await.body["total"].as_u64().unwrap();
    assert!(all > 500, "{all}");
    assert_eq!(world.get("Observation/_history?_since=soon", &token).await.status, 400);
}
