//! Searches.

use crate::world::{World, form, observation};
use serde_json::{Value, json};

/// FHIR R4, search: parameters narrow by their kind, their prefix and their modifier.
#[tokio::test]
async fn parameters_narrow() {
    let world = World::start().await;
    let token = world.staff().await;
    let mut made = observation("p1001", "a,b$c|d");
    made["effectiveDateTime"] = "2026-05-05T10:00:00Z".into();
    made["code"] = json!({"coding": [{"system": "https://c.example", "code": "a,b|c"}]});
    made["valueQuantity"] =
        json!({"value": 5.4, "code": "mg", "unit": "milligram", "system": "http://unitsofmeasure.org"});
    let id = world.post("Observation", &token, &made).await.id().to_owned();
    for (query, is_found) in [
        (vec![("code", r"https://c.example|a\,b\|c")], true),
        (vec![("code", "https://c.example|")], true),
        (vec![("code", "a,b|c")], false),
        (vec![("code:not", r"a\,b\|c")], false),
        (vec![("date", "2026-05")], true),
        (vec![("date", "ge2026-05-05"), ("date", "lt2026-05-06")], true),
        (vec![("date", "gt2026-05-05")], false),
        (vec![("value-quantity", "5.4||mg")], true),
        (vec![("value-quantity", "gt5.4")], false),
        (vec![("patient", "p1001")], true),
        (vec![("subject", "Patient/p1001")], true),
        (vec![("subject:Patient", "p1001")], true),
        (vec![("patient", "p1002,p1001")], true),
        (vec![("patient", "p1002")], false),
        (vec![("encounter:missing", "true")], true),
        (vec![("encounter:missing", "false")], false),
        (vec![("_lastUpdated", "2027-01-15")], true),
        (vec![("_lastUpdated", "lt2027-01-15")], false),
        (vec![("patient.family", "okafor")], true),
        (vec![("subject:Patient.identifier", "MRN-1001")], true),
        (vec![("subject:Patient.identifier", "MRN-1002")], false),
    ] {
        let mut query = query;
        query.push(("_id", &id));
        let path = format!("Observation?{}", form(&query));
        let found = world.get(&path, &token).await;
        assert_eq!((found.status, found.ids().len()), (200, usize::from(is_found)), "{query:?}: {}", found.body);
    }
    let texts = ["Am", "am", "MARA", "nobody"].map(|text| format!("Patient?given:contains={text}"));
    let mut counts = Vec::new();
    for path in &texts {
        counts.push(world.get(path, &token).await.ids().contains(&"p1001"));
    }
    assert_eq!(counts, [true, true, true, false]);
    assert_eq!(world.get("Patient?given:exact=amara", &token).await.ids().len(), 0);
    assert_eq!(world.get("Patient?given:exact=Amara", &token).await.ids(), ["p1001"]);
}

/// FHIR R4, http, search: a search by POST finds what it finds by GET, for one type and for all.
#[tokio::test]
async fn searches_go_by_post_too() {
    let world = World::start().await;
    let token = world.staff().await;
    let kind = "application/x-www-form-urlencoded";
    let by_post =
        world.ask("POST", "Observation/_search?patient=p1001", &token).body(kind, "code=718-7&_count=3").send();
    let (by_post, by_get) = (by_post.await, world.get("Observation?patient=p1001&code=718-7&_count=3", &token).await);
    assert_eq!((by_post.status, by_post.ids(), &by_post.body["total"]), (200, by_get.ids(), &by_get.body["total"]));
    let all = world.ask("POST", "_search", &token).body(kind, "_id=p1001&_type=Patient,Observation").send().await;
    assert_eq!(all.ids(), ["p1001"]);
    assert_eq!(world.get("?_id=p1001", &token).await.ids(), ["p1001"]);
}

/// FHIR R4, search, paging: pages have a total and lead on and back; `_count=0` and `_summary=count` have no entries.
#[tokio::test]
async fn searches_are_paged() {
    let world = World::start().await;
    let token = world.staff().await;
    let first = world.get("Patient?_count=4&_sort=_id", &token).await;
    let second = world.get(&first.link("next").unwrap(), &token).await;
    assert_eq!((first.ids().len(), second.ids().len()), (4, 4));
    assert!(first.ids().last() < second.ids().first() && first.link("previous").is_none());
    assert_eq!(world.get(&second.link("previous").unwrap(), &token).await.ids(), first.ids());
    for path in ["Patient?_count=0", "Patient?_summary=count"] {
        let counted = world.get(path, &token).await;
        assert_eq!((counted.entries().len(), &counted.body["total"]), (0, &first.body["total"]), "{path}");
        assert!(counted.link("next").is_none());
    }
    assert_eq!(
        world.get("?_getpages=made-up&_offset=1", &token).await.ids().len(),
        20,
        "that is a search of everything"
    );
}

/// FHIR R4, search, sort: orders are by several keys, either way; what lacks the value comes last.
#[tokio::test]
async fn searches_are_sorted() {
    let world = World::start().await;
    let token = world.staff().await;
    let values = async |path: &str, pointer: &str| {
        let found = world.get(path, &token).await;
        let texts = found.entries().iter().map(|it| it["resource"].pointer(pointer).unwrap_or(&Value::Null).clone());
        texts.map(|it| it.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let born = values("Patient?_sort=birthdate&_count=100", "/birthDate").await;
    assert!(born.is_sorted() && born.len() >= 10, "{born:?}");
    let mut reversed = values("Patient?_sort=-birthdate&_count=100", "/birthDate").await;
    reversed.reverse();
    assert_eq!(born, reversed);
    let by_two = values("Patient?_sort=gender,-family&_count=100", "/gender").await;
    assert!(by_two.is_sorted());
    world.post("Patient", &token, &json!({"resourceType": "Patient"})).await;
    for path in ["Patient?_sort=birthdate&_count=100", "Patient?_sort=-birthdate&_count=100"] {
        assert_eq!(values(path, "/birthDate").await.last().unwrap(), "", "{path}");
    }
}

/// FHIR R4, search, include: what is referred to, and what refers, comes along once and is told apart.
#[tokio::test]
async fn includes_come_along() {
    let world = World::start().await;
    let token = world.staff().await;
    let found = world
        .get("Observation?patient=p1001&_count=5&_include=Observation:subject&_include=Observation:performer", &token)
        .await;
    assert_eq!((found.ids().len(), found.with_mode("include").len()), (5, 2), "{:?}", found.with_mode("include"));
    assert!(found.with_mode("include").contains(&"p1001"));
    let typed = world.get("Observation?patient=p1001&_include=Observation:*:Encounter", &token).await;
    let along: Vec<_> = typed.entries().iter().filter(|it| it["search"]["mode"] == "include").collect();
    assert!(!along.is_empty() && along.iter().all(|it| it["resource"]["resourceType"] == "Encounter"));
    let back = world
        .get("Patient?_id=p1001&_revinclude=Condition:subject&_revinclude=AllergyIntolerance:patient", &token)
        .await;
    assert!(!back.with_mode("include").is_empty());
    let own = |it: &Value| it.pointer("/resource/subject/reference").is_none_or(|to| to == "Patient/p1001");
    assert!(back.entries().iter().all(own));
}

/// FHIR R4, search, reverse chaining: `_has` finds those to whom others refer.
#[tokio::test]
async fn others_are_searched_by() {
    let world = World::start().await;
    let token = world.staff().await;
    let found = world.get("Patient?_has:Condition:patient:code=44054006&_count=100", &token).await;
    let conditions = world.get("Condition?code=44054006&_count=100", &token).await;
    let mut subjects: Vec<_> = conditions
        .entries()
        .iter()
        .map(|it| it["resource"]["subject"]["reference"].as_str().unwrap().trim_start_matches("Patient/"))
        .collect();
    let mut ids = found.ids();
    subjects.sort_unstable();
    subjects.dedup();
    ids.sort_unstable();
    assert!(!ids.is_empty());
    assert_eq!(ids, subjects);
    assert_eq!(world.get("Patient?_has:Condition:patient:_has:x:y:z=1", &token).await.status, 400);
    assert_eq!(world.get("Observation?encounter.patient.name=x", &token).await.status, 400);
}

/// FHIR R4, search, summary: `_elements` and `_summary` leave out, and say so.
#[tokio::test]
async fn resources_are_shaped() {
    let world = World::start().await;
    let token = world.staff().await;
    let found = world.get("Patient?_id=p1001&_elements=gender", &token).await;
    let resource = &found.entries()[0]["resource"];
    assert!(
        resource["name"].is_null()
            && resource["gender"].is_string()
            && resource["meta"]["tag"][0]["code"] == "SUBSETTED"
    );
    assert_eq!(world.get("Patient/p1001?_elements=name", &token).await.body["gender"], Value::Null);
}

/// FHIR R4, search, handling: what is not known is refused, or ignored and told; a wrong value is always refused.
#[tokio::test]
async fn unknown_parameters_are_refused_or_told() {
    let world = World::start().await;
    let token = world.staff().await;
    for query in [
        "made-up=1",
        "_summary=true",
        "_include=Observation:made-up",
        "_include:iterate=Observation:subject",
        "_sort=made-up",
    ] {
        let strict =
            world.ask("GET", &format!("Observation?{query}&_count=1"), &token).header("prefer", "handling=strict");
        let strict = strict.send().await;
        assert_eq!((strict.status, strict.issue().0), (400, "not-supported"), "{query}");
        let lenient = world.get(&format!("Observation?{query}&_count=1"), &token).await;
        assert_eq!((lenient.status, lenient.ids().len(), lenient.with_mode("outcome").len()), (200, 1, 1), "{query}");
        assert!(!lenient.link("self").unwrap().contains(query), "the self link has what was regarded");
    }
    for query in ["date=soon", "_count=many", "code:made-up=x", "_lastUpdated=x", "subject:Practitioner=1", "_has:x=1"]
    {
        assert_eq!(world.get(&format!("Observation?{query}"), &token).await.status, 400, "{query}");
    }
}
