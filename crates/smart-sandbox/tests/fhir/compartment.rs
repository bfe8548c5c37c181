//! A token that is bound to one patient opens that patient's record, whatever way is tried.

use crate::world::{Answered, World, form, observation};
use serde_json::{Value, json};

/// Who is not to be seen.
const OTHER: &str = "p1002";

fn assert_nothing_of_the_other(what: &str, answered: &Answered) {
    let text = answered.body.to_string();
    // A link repeats what was asked.
    let body = text.split("\"entry\"").nth(1).unwrap_or(if answered.body.get("link").is_some() { "" } else { &text });
    assert!(!body.contains("Patient/p1002") && !body.contains("p1002-"), "{what}: {text:.2000}");
    assert!(!body.contains("MRN-1002"), "{what}: {text:.2000}");
    if answered.body.get("total").is_some() && !answered.entries().is_empty() {
        let of_other = |entry: &Value| entry.to_string().contains(OTHER);
        assert!(!answered.entries().iter().any(of_other), "{what}");
    }
}

/// SMART, scopes, patient level: no way of reading leads out of the record.
#[tokio::test]
async fn no_read_leads_out_of_the_record() {
    let world = World::start().await;
    let staff = world.staff().await;
    // What ties the two records together: a reference to the other's encounter, and a resource about both.
    let encounter = json!({
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": format!("Patient/{OTHER}")},
    });
    let encounter = world.post("Encounter", &staff, &encounter).await.id().to_owned();
    let mut bridge = observation("p1001", "bridge");
    bridge["encounter"] = json!({"reference": format!("Encounter/{encounter}")});
    let bridge = world.post("Observation", &staff, &bridge).await.id().to_owned();
    let mut both = observation("p1001", "both");
    both["focus"] = json!([{"reference": format!("Patient/{OTHER}")}]);
    let both = world.post("Observation", &staff, &both).await.id().to_owned();
    let moved = world.post("Observation", &staff, &observation(OTHER, "moved")).await;
    let mut own = moved.body.clone();
    own["subject"]["reference"] = "Patient/p1001".into();
    world.put(&format!("Observation/{}", moved.id()), &staff, &own).await;
    let gone = world.post("Observation", &staff, &observation(OTHER, "gone")).await.id().to_owned();
    world.delete(&format!("Observation/{gone}"), &staff).await;
    let nobody = json!({"resourceType": "Observation", "status": "final", "code": {"text": "of nobody"}});
    let nobody = world.post("Observation", &staff, &nobody).await.id().to_owned();
    world.post("Basic", &staff, &json!({"resourceType": "Basic", "code": {"text": OTHER}})).await;
    let page = world.get(&format!("Observation?patient={OTHER}&_count=2"), &staff).await.link("next").unwrap();

    let token = world.for_patient("patient/*.cruds").await;
    let moved = moved.id();
    for (path, status) in [
        (format!("Patient/{OTHER}"), 404),
        (format!("Patient/{OTHER}/_history"), 404),
        (format!("Patient/{OTHER}/_history/1"), 404),
        (format!("Patient/{OTHER}/$everything"), 404),
        (format!("Patient/{OTHER}/$validate"), 404),
        (format!("Encounter/{encounter}"), 404),
        (format!("Observation/{both}"), 404),
        (format!("Observation/{both}/_history"), 404),
        (format!("Observation/{gone}"), 404),
        (format!("Observation/{nobody}"), 404),
        (format!("Observation/{moved}/_history/1"), 404),
        (format!("Observation/{moved}/_history/2"), 200),
        (format!("Observation/{moved}"), 200),
        ("Patient/p1001/$everything".to_owned(), 200),
    ] {
        let read = world.get(&path, &token).await;
        assert_eq!(read.status, status, "{path}");
        assert_nothing_of_the_other(&path, &read);
    }
    assert_eq!(world.get(&format!("Observation/{moved}/_history"), &token).await.entries().len(), 1);
    for path in [
        "Patient".to_owned(),
        format!("Patient?_id={OTHER}"),
        "Patient?identifier=MRN-1002".to_owned(),
        "Observation?_count=200".to_owned(),
        format!("Observation?patient={OTHER}"),
        format!("Observation?subject=Patient/{OTHER},Patient/p1001"),
        "Observation?subject:missing=true".to_owned(),
        "Observation?code:not=x".to_owned(),
        format!("Encounter?_id={encounter}"),
        format!("Observation?_id={bridge}&_include=Observation:*"),
        format!("Observation?_id={both}&_include=Observation:focus"),
        "Practitioner?_revinclude=Encounter:participant&_revinclude=Observation:performer&_revinclude=Patient:general-practitioner".to_owned(),
        format!("Practitioner?_has:Patient:general-practitioner:_id={OTHER}"),
        format!("Observation?encounter._id={encounter}"),
        format!("Observation?patient._id={OTHER}"),
        "Patient/_history?_count=200".to_owned(),
        "Observation/_history?_count=200".to_owned(),
        "_history?_count=200".to_owned(),
        "?_type=Patient,Observation,Basic&_count=200".to_owned(),
        format!("?_id={OTHER}"),
        page,
    ] {
        let found = world.get(&path, &token).await;
        assert_eq!(found.status, 200, "{path}: {}", found.body);
        assert_nothing_of_the_other(&path, &found);
        if path.contains("_has") || path.contains("._id") {
            assert_eq!(found.ids(), Vec::<&str>::new(), "{path}: that the other is there is not told");
        }
    }
    let by_post = world.ask("POST", "Observation/_search", &token);
    let by_post = by_post.body("application/x-www-form-urlencoded", &form(&[("patient", OTHER)])).send().await;
    assert_eq!(by_post.body["total"], 0);
    for kind in ["batch", "transaction"] {
        let urls =
            [format!("Patient/{OTHER}"), format!("Observation?patient={OTHER}"), format!("Patient/{OTHER}/_history")];
        for url in urls {
            let done = world.bundle(kind, &token, &[json!({"request": {"method": "GET", "url": url}})]).await;
            assert_nothing_of_the_other(&url, &done);
        }
    }
    // What is everybody's is still there.
    assert_eq!(world.get("Practitioner/pr2001", &token).await.status, 200);
    let include = world.get(&format!("Observation?_id={bridge}&_include=Observation:*"), &token).await;
    assert_eq!(include.with_mode("include"), ["p1001"]);
}

/// SMART, scopes, patient level: no way of writing leads out of the record, and none tells what is there.
#[tokio::test]
async fn no_write_leads_out_of_the_record() {
    let world = World::start().await;
    let staff = world.staff().await;
    let theirs = world.post("Observation", &staff, &observation(OTHER, "theirs")).await.id().to_owned();
    let encounter = world.get(&format!("Encounter?patient={OTHER}&_count=1"), &staff).await.ids()[0].to_owned();
    let token = world.for_patient("patient/*.cruds").await;
    let own = world.post("Observation", &token, &observation("p1001", "own")).await;
    assert_eq!(own.status, 201);
    let own_path = format!("Observation/{}", own.id());
    let with_id = |mut resource: Value, id: &str| {
        resource["id"] = id.into();
        resource
    };
    let referring = |member: &str, reference: &str| {
        let mut resource = with_id(observation("p1001", "x"), own.id());
        resource[member] = json!([{"reference": reference}]);
        resource
    };
    let contained = json!({
        "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "#p"},
        "contained": [{"resourceType": "RelatedPerson", "id": "p", "patient": {"reference": format!("Patient/{OTHER}")}}],
    });
    let absolute = observation(&format!("{OTHER}/_history/1"), "x");
    let mut elsewhere = observation("p1001", "x");
    elsewhere["subject"]["reference"] = "https://elsewhere.example/fhir/Patient/p1001".into();
    let patient = with_id(json!({"resourceType": "Patient"}), OTHER);
    let patch = json!([{"op": "replace", "path": "/status", "value": "amended"}]);
    let steal = json!([{"op": "replace", "path": "/subject/reference", "value": format!("Patient/{OTHER}")}]);
    let at = |id: &str| format!("Observation/{id}");
    for (method, path, body, status) in [
        ("POST", "Observation".to_owned(), observation(OTHER, "x"), 403),
        ("POST", "Observation".to_owned(), contained, 403),
        ("POST", "Observation".to_owned(), absolute, 403),
        ("POST", "Observation".to_owned(), elsewhere, 403),
        ("POST", "Patient".to_owned(), json!({"resourceType": "Patient"}), 403),
        ("POST", "Practitioner".to_owned(), json!({"resourceType": "Practitioner"}), 403),
        (
            "POST",
            "Observation".to_owned(),
            json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}}),
            403,
        ),
        ("PUT", at(&theirs), with_id(observation("p1001", "x"), &theirs), 405),
        ("PUT", at("never"), with_id(observation("p1001", "x"), "never"), 405),
        ("PUT", format!("Patient/{OTHER}"), patient, 405),
        ("PUT", own_path.clone(), with_id(observation(OTHER, "x"), own.id()), 403),
        ("PUT", own_path.clone(), referring("hasMember", &at(&theirs)), 422),
        ("PUT", own_path.clone(), referring("hasMember", "Observation/never"), 422),
        ("PUT", own_path.clone(), referring("basedOn", &format!("Encounter/{encounter}")), 422),
        ("PUT", own_path.clone(), referring("basedOn", &world.url(&format!("Encounter/{encounter}/_history/1"))), 422),
        ("PUT", own_path.clone(), referring("focus", &format!("Patient/{OTHER}")), 403),
        ("PUT", format!("Observation?_id={theirs}"), observation("p1001", "x"), 201),
        ("PUT", format!("Observation?_id={theirs}"), with_id(observation("p1001", "x"), &theirs), 405),
        ("PATCH", at(&theirs), patch.clone(), 404),
        ("PATCH", at("never"), patch.clone(), 404),
        ("PATCH", format!("Observation?_id={theirs}"), patch, 404),
        ("PATCH", own_path.clone(), steal, 403),
        ("DELETE", at(&theirs), Value::Null, 404),
        ("DELETE", at("never"), Value::Null, 404),
        ("DELETE", format!("Patient/{OTHER}"), Value::Null, 404),
        ("DELETE", "Practitioner/pr2001".to_owned(), Value::Null, 404),
        ("DELETE", format!("Observation?_id={theirs}"), Value::Null, 204),
    ] {
        let asked = world.ask(method, &path, &token);
        let asked = if method == "PATCH" {
            asked.body("application/json-patch+json", &body.to_string())
        } else {
            asked.json(&body)
        };
        let answered = asked.send().await;
        assert_eq!(answered.status, status, "{method} {path} {body}: {}", answered.body);
        for kind in ["batch", "transaction"] {
            // The same in a Bundle is refused too. A condition that matches nothing writes within the record.
            if status < 400 || method == "PATCH" {
                continue;
            }
            let request = json!({"method": method, "url": path});
            let entry = if body.is_null() {
                json!({"request": request})
            } else {
                json!({"request": request, "resource": body})
            };
            let done = world.bundle(kind, &token, &[entry]).await;
            let got = if kind == "batch" {
                done.entries()[0]["response"]["status"].as_str().unwrap()[..3].parse().unwrap()
            } else {
                done.status
            };
            assert_eq!(got, status, "{kind} {method} {path}: {}", done.body);
        }
    }
    let exists = world.ask("POST", "Observation", &token).header("if-none-exist", &format!("_id={theirs}"));
    assert_eq!(exists.json(&observation("p1001", "x")).send().await.status, 201, "what it may not see is not there");
    let mut tied = observation("p1001", "x");
    tied["encounter"] = json!({"reference": format!("Encounter?_id={encounter}")});
    let entry = json!({"resource": tied, "request": {"method": "POST", "url": "Observation"}});
    assert_eq!(world.bundle("transaction", &token, &[entry]).await.status, 412);
    let after = world.get(&format!("Observation/{theirs}"), &staff).await;
    assert_eq!((after.status, after.header("etag"), &after.body["status"]), (200, "W/\"1\"", &"final".into()));
    assert_eq!(world.get(&format!("Patient/{OTHER}"), &staff).await.header("etag"), "W/\"1\"");
    assert_eq!(world.get(&own_path, &staff).await.header("etag"), "W/\"1\"");
}

/// SMART, scopes, transaction: within its record a token writes what belongs together.
#[tokio::test]
async fn a_record_is_written_by_transaction() {
    let world = World::start().await;
    let token = world.for_patient("patient/*.cruds").await;
    let urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    let mut result = observation("p1001", "x");
    result["hasMember"] = json!([{"reference": urn}]);
    let entries = [
        json!({"resource": result, "request": {"method": "POST", "url": "Observation"}}),
        json!({"fullUrl": urn, "resource": observation("p1001", "y"), "request": {"method": "POST", "url": "Observation"}}),
    ];
    assert_eq!(world.bundle("transaction", &token, &entries).await.status, 200);
}

/// SC-07 (SMART, scopes; RFC 6750 3.1): each interaction needs its letter, in both syntaxes; the refusal says
/// which scope would do.
#[tokio::test]
async fn each_interaction_needs_its_scope() {
    let world = World::start().await;
    let staff = world.staff().await;
    let id = world.post("Observation", &staff, &observation("p1001", "x")).await.id().to_owned();
    let path = format!("Observation/{id}");
    let mut body = observation("p1001", "x");
    body["id"] = id.as_str().into();
    let new = observation("p1001", "x");
    let nothing = Value::Null;
    let interactions = [
        ("GET", path.clone(), &nothing, 'r'),
        ("GET", format!("{path}/_history/1"), &nothing, 'r'),
        ("GET", format!("{path}/_history"), &nothing, 'r'),
        ("GET", "Observation".to_owned(), &nothing, 's'),
        ("GET", "Observation/_history".to_owned(), &nothing, 's'),
        ("POST", "Observation".to_owned(), &new, 'c'),
        ("PUT", path.clone(), &body, 'u'),
        ("PATCH", path.clone(), &nothing, 'u'),
        ("DELETE", path.clone(), &nothing, 'd'),
    ];
    for (scope, letters) in [
        ("patient/Observation.c", "c"),
        ("patient/Observation.r", "r"),
        ("patient/Observation.u", "u"),
        ("patient/Observation.s", "s"),
        ("patient/Observation.cruds", "cruds"),
        ("patient/Observation.read", "rs"),
        ("patient/Observation.write", "cud"),
        ("patient/Patient.cruds", ""),
        ("patient/Observation.d", "d"),
    ] {
        let token = world.for_patient(scope).await;
        for (method, path, body, letter) in &interactions {
            // Put back what an earlier deletion took.
            world
                .put(&format!("Observation/{id}"), &staff, &{
                    let mut body = observation("p1001", "x");
                    body["id"] = id.as_str().into();
                    body
                })
                .await;
            let asked = world.ask(method, path, &token);
            let asked = if *method == "PATCH" {
                asked.body("application/json-patch+json", "[]")
            } else if body.is_null() {
                asked
            } else {
                asked.json(body)
            };
            let answered = asked.send().await;
            let is_allowed = letters.contains(*letter);
            assert_eq!(answered.status != 403, is_allowed, "{scope}: {method} {path}: {}", answered.status);
            if !is_allowed {
                let challenge = answered.header("www-authenticate");
                assert!(
                    challenge.contains("error=\"insufficient_scope\"")
                        && challenge.contains("scope=\"patient/Observation.")
                );
                assert_eq!(answered.issue().0, "forbidden");
            }
        }
    }
    let token = world.for_patient("patient/Observation.read").await;
    let refused = world.post("Observation", &token, &new).await;
    assert!(
        refused.header("www-authenticate").contains("scope=\"patient/Observation.write\""),
        "{:?}",
        refused.headers
    );
    let everywhere = world.get("?_id=x", &token).await;
    assert!(everywhere.status == 403 && everywhere.header("www-authenticate").contains("patient/*.read"));
}

/// SMART, scopes, finer-grained: the query of a scope narrows reads and writes alike.
#[tokio::test]
async fn queries_of_scopes_narrow_writes_too() {
    let world = World::start().await;
    let category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    let token = world.for_patient(&format!("patient/Observation.cruds?category={category}")).await;
    let mut lab = observation("p1001", "x");
    lab["category"] = json!([{"coding": [{"system": category.split('|').next().unwrap(), "code": "laboratory"}]}]);
    let made = world.post("Observation", &token, &lab).await;
    assert_eq!(made.status, 201);
    assert_eq!(world.post("Observation", &token, &observation("p1001", "x")).await.status, 403);
    let mut vital = made.body.clone();
    vital["category"][0]["coding"][0]["code"] = "vital-signs".into();
    assert_eq!(world.put(&format!("Observation/{}", made.id()), &token, &vital).await.status, 403);
    let found = world.get("Observation?_count=200", &token).await;
    let is_lab = |entry: &Value| entry["resource"]["category"][0]["coding"][0]["code"] == "laboratory";
    assert!(found.ids().len() > 5 && found.entries().iter().all(is_lab));
}

/// SMART, scopes: what a patch leaves is not told to a token that may only write.
#[tokio::test]
async fn writing_does_not_read() {
    let world = World::start().await;
    let token = world.for_patient("patient/Observation.u").await;
    let staff = world.staff().await;
    let id = world.post("Observation", &staff, &observation("p1001", "secret")).await.id().to_owned();
    let patch = "[{\"op\": \"replace\", \"path\": \"/status\", \"value\": \"amended\"}]";
    let asked = world.ask("PATCH", &format!("Observation/{id}"), &token).body("application/json-patch+json", patch);
    let patched = asked.send().await;
    assert_eq!((patched.status, patched.body.is_null()), (200, true), "{}", patched.body);
}
