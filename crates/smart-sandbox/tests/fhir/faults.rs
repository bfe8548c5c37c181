//! Faults that were asked for.

use crate::world::World;
use smart_sandbox::{FhirFault, RetryAfter, SandboxConfig};
use std::time::{Duration, Instant};

/// A fault meets as many requests as was said; then the next one comes, and then all is well.
#[tokio::test]
async fn faults_meet_as_many_requests_as_was_said() {
    let world = World::start().await;
    let token = world.staff().await;
    world.sandbox.fail_fhir(FhirFault::TooManyRequests(RetryAfter::Seconds(7)), 2);
    world.sandbox.fail_fhir(FhirFault::Unavailable(RetryAfter::Date(60)), 1);
    world.sandbox.fail_fhir(FhirFault::Unavailable(RetryAfter::Absent), 1);
    world.sandbox.fail_fhir(FhirFault::Unauthorized, 1);
    world.sandbox.fail_fhir(FhirFault::HtmlPage, 0);
    let mut met = Vec::new();
    for _ in 0..6 {
        let read = world.get("Patient/p1001", &token).await;
        met.push((read.status, read.header("retry-after").to_owned()));
        assert!(read.status == 200 || read.body["resourceType"] == "OperationOutcome");
    }
    let expected = [(429, "7"), (429, "7"), (503, "Fri, 15 Jan 2027 08:01:00 GMT"), (503, ""), (401, ""), (200, "")];
    assert_eq!(met, expected.map(|(status, after)| (status, after.to_owned())));
    assert_eq!(world.get("metadata", &token).await.status, 200);
}

/// A fault of the set-up meets every request until it is healed.
#[tokio::test]
async fn faults_can_be_lasting() {
    let config = SandboxConfig { fhir_fault: Some(FhirFault::HtmlPage), ..SandboxConfig::default() };
    let world = World::with(config).await;
    let token = world.staff().await;
    for _ in 0..2 {
        let read = world.get("Patient/p1001", &token).await;
        assert_eq!((read.status, read.header("content-type")), (200, "text/html; charset=utf-8"));
    }
    world.sandbox.heal_fhir();
    assert_eq!(world.get("Patient/p1001", &token).await.id(), "p1001");
    world.sandbox.always_fail_fhir(FhirFault::Slow(Duration::from_millis(300)));
    let begin = Instant::now();
    assert_eq!(world.get("Patient/p1001", &token).await.id(), "p1001");
    assert!(begin.elapsed() >= Duration::from_millis(300));
}

/// Answers of the wrong size, with wrong links, about the wrong patient.
#[tokio::test]
async fn answers_are_spoilt() {
    let world = World::start().await;
    let token = world.staff().await;
    world.sandbox.fail_fhir(FhirFault::Oversized(3_000_000), 1);
    let large = world.get("Patient/p1001", &token).await;
    assert!(large.status == 200 && large.body.to_string().len() > 3_000_000);
    world.sandbox.fail_fhir(FhirFault::NextAt("https://elsewhere.example/fhir?page=2".to_owned()), 1);
    let page = world.get("Patient?_count=2", &token).await;
    assert_eq!((page.ids().len(), page.link("next").unwrap().as_str()), (2, "https://elsewhere.example/fhir?page=2"));
    world.sandbox.fail_fhir(FhirFault::NextIsSelf, 1);
    let page = world.get("Patient?_id=p1001", &token).await;
    assert_eq!(page.link("next").unwrap(), world.url("Patient?_id=p1001"));
    world.sandbox.fail_fhir(FhirFault::EndlessPages, 5);
    let (mut url, mut seen) = ("Patient?_id=p1001".to_owned(), Vec::new());
    for _ in 0..5 {
        let page = world.get(&url, &token).await;
        assert_eq!((page.status, page.ids()), (200, vec!["p1001"]));
        url = page.link("next").unwrap();
        assert!(!seen.contains(&url), "each link is another");
        seen.push(url.clone());
    }
    assert!(world.get(&url, &token).await.link("next").is_none());
    world.sandbox.fail_fhir(FhirFault::WrongPatient, 3);
    let patient = world.get("Patient/p1001", &token).await;
    assert!(patient.status == 200 && patient.id() != "p1001" && patient.body["identifier"][0]["value"] != "MRN-1001");
    let found = world.get("Observation?patient=p1001&_count=3&_include=Observation:subject", &token).await;
    assert!(found.entries().len() == 4 && !found.body["entry"].to_string().contains("Patient/p1001"), "{}", found.body);
    assert_eq!(world.get("Patient/never", &token).await.status, 404, "an error stays what it is");
}
