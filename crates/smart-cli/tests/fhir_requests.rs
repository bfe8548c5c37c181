//! The commands that search and write, against the sandbox.

mod support;

use serde_json::Value;
use smart_sandbox::browser::Person;
use support::{User, sandbox};

/// F-105, F-106 (FHIR R4, search.html): a search prints all pages as NDJSON, as one object or as a table.
#[tokio::test]
async fn search_prints_lines_an_object_or_a_table() {
    let (sandbox, user) = (sandbox().await, User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    let search = ["search", "Observation", "patient={patient}", "_count=40"];
    let ran = user.run(&search).await.exits(0);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 40 && lines.iter().all(|resource| resource["resourceType"] == "Observation"));
    let object = user.run(&[&search[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(object["matches"].as_u64().unwrap(), lines.len() as u64);
    assert_eq!(object["resources"].as_array().unwrap().len(), lines.len());
    let few = user.run(&[&search[..], &["--limit", "3"]].concat()).await.exits(0);
    assert_eq!(few.out.lines().count(), 3);
    let table = user.run(&[&search[..], &["--table", "--ascii", "--limit", "3"]].concat()).await.exits(0);
    assert!(table.out.contains("| Resource") && table.out.contains("Observation/"), "{table:#?}");
    user.run(&[&search[..], &["--table", "--json"]].concat()).await.exits(2);
    user.run(&["search", "Observation", "patient"]).await.exits(2);
}

/// FR-17, F-104: what is no resource is an error of usage before anything is sent; what the server refuses is told, with exit
/// code 10.
#[tokio::test]
async fn writes_that_cannot_be_have_their_exit_codes() {
    let (sandbox, user) = (sandbox().await, User::new());
    user.log_in(&sandbox.fhir_base(), Person::default(), &[]).await.exits(0);
    let resource = user.private("patient.json", r#"{"resourceType":"Patient","id":"p1001","birthDate":"1970-01-01"}"#);
    let other = user.private("other.json", r#"{"x":1}"#);
    let (resource, other) = (resource.to_str().unwrap(), other.to_str().unwrap());
    for command in ["create", "update"] {
        let error = user.run(&[command, resource, "--json"]).await.exits(10).json();
        assert_eq!(error["error"]["code"], "fhir-error");
        let error = user.run(&[command, other, "--json"]).await.exits(2).json();
        assert!(error["error"]["message"].as_str().unwrap().contains("resourceType"), "{error}");
        user.run(&[command, "/nowhere/at/all.json"]).await.exits(2);
        // Standard input is empty.
        user.run(&[command]).await.exits(2);
    }
    user.run(&["patch", "Patient/p1001", other]).await.exits(2);
    user.run(&["batch", resource]).await.exits(2);
    user.run(&["delete", "Patient?active=true"]).await.exits(2);
    user.run(&["delete", "Patient/p1001"]).await.exits(10);
    user.run(&["op", "no-such-operation"]).await.exits(10);
}
