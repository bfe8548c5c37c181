//! Patches.

use crate::world::{World, observation};
use serde_json::json;

const JSON_PATCH: &str = "application/json-patch+json";

/// FHIR R4, http, patch; RFC 6902: a JSON Patch is done as a whole or not at all.
#[tokio::test]
async fn json_patches_are_done() {
    let world = World::start().await;
    let token = world.staff().await;
    let path = format!("Observation/{}", world.post("Observation", &token, &observation("p1001", "x")).await.id());
    let send = async |operations: &serde_json::Value| {
        world.ask("PATCH", &path, &token).body(JSON_PATCH, &operations.to_string()).send().await
    };
    let patched = send(&json!([
        {"op": "test", "path": "/status", "value": "final"},
        {"op": "replace", "path": "/status", "value": "amended"},
        {"op": "add", "path": "/note", "value": [{"text": "n"}]},
    ]))
    .await;
    assert_eq!((patched.status, &patched.body["status"], patched.header("etag")), (200, &"amended".into(), "W/\"2\""));
    assert_eq!(patched.body["note"][0]["text"], "n");
    for (operations, status) in [
        (json!([{"op": "remove", "path": "/note"}, {"op": "test", "path": "/status", "value": "final"}]), 422),
        (json!([{"op": "remove", "path": "/made-up"}]), 422),
        (json!([{"op": "remove", "path": "/status"}]), 422),
        (json!([{"op": "replace", "path": "/id", "value": "other"}]), 422),
        (json!([{"op": "replace", "path": "/resourceType", "value": "Patient"}]), 422),
        (json!({"op": "remove", "path": "/note"}), 400),
        (json!([{"op": "explode", "path": "/note"}]), 400),
    ] {
        assert_eq!(send(&operations).await.status, status, "{operations}");
    }
    let after = world.get(&path, &token).await;
    assert_eq!((&after.body["note"][0]["text"], after.header("etag")), (&"n".into(), "W/\"2\""), "nothing changed");
    let stale = world.ask("PATCH", &path, &token).header("if-match", "W/\"1\"");
    assert_eq!(stale.body(JSON_PATCH, "[]").send().await.status, 412);
}

/// RFC 6902: a few copies and moves cannot fill the sandbox's memory or its stack.
#[tokio::test]
async fn patches_cannot_blow_up() {
    let world = World::start().await;
    let token = world.staff().await;
    let path = format!("Observation/{}", world.post("Observation", &token, &observation("p1001", "x")).await.id());
    let wide: Vec<_> = (0..60).map(|at| json!({"op": "copy", "from": "", "path": format!("/x{at}")})).collect();
    let deep: Vec<_> = (0..150)
        .map(|at| json!({"op": "copy", "from": "", "path": format!("/{}", "y/".repeat(at % 40) + "y")}))
        .collect();
    let long = json!([{"op": "add", "path": "/a".repeat(65), "value": 1}]);
    let many = json!(vec![json!({"op": "test", "path": "/status", "value": "final"}); 201]);
    for (operations, status) in [(json!(wide), 422), (json!(deep), 422), (long, 400), (many, 400)] {
        let patched = world.ask("PATCH", &path, &token).body(JSON_PATCH, &operations.to_string()).send().await;
        assert_eq!(patched.status, status, "{}", patched.body);
    }
    assert_eq!(world.get(&path, &token).await.header("etag"), "W/\"1\"");
}

/// FHIR R4, fhirpatch: a FHIRPath Patch on a simple path is done; any other is told to be not supported.
#[tokio::test]
async fn fhirpath_patches_are_done_or_refused() {
    let world = World::start().await;
    let token = world.staff().await;
    let path = format!("Observation/{}", world.post("Observation", &token, &observation("p1001", "x")).await.id());
    let send = async |at: &str| {
        let parts = json!([{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": at},
            {"name": "value", "valueString": "y"}]);
        let body = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]});
        world.ask("PATCH", &path, &token).json(&body).send().await
    };
    assert_eq!(send("Observation.code.text").await.body["code"]["text"], "y");
    let refused = send("Observation.component.where(code.text = 'x').code.text").await;
    assert_eq!((refused.status, refused.issue().0), (422, "not-supported"));
}

/// FHIR R4, http, conditional patch: one match is patched; none and several are refused.
#[tokio::test]
async fn patches_are_conditional() {
    let world = World::start().await;
    let token = world.staff().await;
    let operations = "[{\"op\": \"replace\", \"path\": \"/gender\", \"value\": \"other\"}]";
    let send = async |path: &str| world.ask("PATCH", path, &token).body(JSON_PATCH, operations).send().await;
    assert_eq!(send("Patient?identifier=MRN-1001").await.body["gender"], "other");
    assert_eq!(send("Patient?identifier=MRN-0").await.status, 404);
    assert_eq!(send("Patient?active=true").await.status, 412);
}
