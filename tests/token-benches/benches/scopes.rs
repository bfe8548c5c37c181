//! Scopes: reading what a server granted and deciding a request by it.

use criterion::Criterion;
use smart_core::scope::{AccessRequest, Interaction, Scopes};
use smart_tests::side_by_side::SideBySide;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

/// What a provider-facing app is granted: twenty scopes, granular ones among them.
const GRANTED: &str = "openid fhirUser launch launch/patient launch/encounter offline_access patient/Patient.rs \
     patient/AllergyIntolerance.rs patient/Condition.crus patient/Encounter.rs patient/Immunization.rs \
     patient/MedicationRequest.rs patient/Observation.rs?category=laboratory patient/Observation.rs?category=vital-signs \
     patient/Procedure.rs patient/DocumentReference.crs user/Practitioner.rs user/PractitionerRole.rs \
     user/Organization.rs patient/DiagnosticReport.rs";

/// So many sets of twenty scopes are read and asked in a second at least.
const REACH: f64 = 500_000.0;

fn main() -> ExitCode {
    assert_eq!(GRANTED.split_ascii_whitespace().count(), 20);
    let decide = || {
        let granted = Scopes::parse_granted(black_box(GRANTED));
        let request = AccessRequest::new(Interaction::Read, black_box("DiagnosticReport"));
        assert!(granted.decide(&request).is_fully_allowed());
        granted
    };
    // The least that anyone does with such a string: find its parts and keep a copy of each.
    let split = || black_box(GRANTED).split_ascii_whitespace().map(str::to_owned).collect::<Vec<String>>();

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    criterion.bench_function("scopes/parse 20 and decide", |bencher| bencher.iter(decide));

    let mut rows = SideBySide::new("scopes");
    rows.rate(
        "parse 20 scopes and decide a request",
        Some(REACH),
        || drop(black_box(decide())),
        "splitting into strings",
        || drop(black_box(split())),
    );
    criterion.final_summary();
    rows.finish()
}
