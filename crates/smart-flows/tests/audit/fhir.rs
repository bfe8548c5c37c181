//! The export to FHIR, profile by profile.

use super::support::{BASE, ISSUER, auditor, base, builder, context, recorded, request, session, token, usual};
use super::validator::problems;
use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use smart_flows::audit::{
    AuditContext, AuditEntry, AuditError, AuditEvent, AuditKind, AuditSource, FhirAudit, FhirSink, RequestLine,
    SourceKind,
};
use url::Url;

fn export() -> FhirAudit {
    FhirAudit::new(AuditSource::new("Intake", "ws-12.clinic.example"))
}

fn used(context: &AuditContext, method: &Method, relative: &str) -> AuditEntry {
    let line = request(method, relative);
    let kind = line.kind();
    context.entry(kind).request(line).token(token()).status(200)
}

fn resource(export: &FhirAudit, entry: AuditEntry) -> Value {
    let resource = export.resource(&recorded(entry)).into_json();
    assert_eq!(problems(&resource), Vec::<String>::new(), "{resource:#}");
    resource
}

fn profiles(resource: &Value) -> Vec<String> {
    let profiles = resource["meta"]["profile"].as_array().cloned().unwrap_or_default();
    let name = |profile: &Value| profile.as_str().unwrap().rsplit_once("BasicAudit.").unwrap().1.to_owned();
    profiles.iter().map(name).collect()
}

fn decoded(query: &Value) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(query.as_str().unwrap()).unwrap()).unwrap()
}

/// F-95 (BALP 1.1.4): each successful interaction is exported by its profile; with a patient by that of the patient.
#[test]
fn each_interaction_has_its_profile() {
    for (method, relative, profile) in [
        (Method::GET, "Observation/o-1", "Read"),
        (Method::GET, "Observation/o-1/_history/2", "Read"),
        (Method::POST, "Observation", "Create"),
        (Method::PUT, "Observation/o-1", "Update"),
        (Method::PATCH, "Observation/o-1", "Update"),
        (Method::DELETE, "Observation/o-1", "Delete"),
        (Method::GET, "Observation?code=8480-6", "Query"),
        (Method::POST, "Observation/_search", "Query"),
        (Method::GET, "?_lastUpdated=gt2027", "Query"),
    ] {
        let plain = resource(&export(), used(&context(), &method, relative));
        assert_eq!(profiles(&plain), [profile], "{method} {relative}");
        let with_patient = resource(&export().with_patient_references(), used(&context(), &method, relative));
        assert_eq!(profiles(&with_patient), [format!("Patient{profile}")], "{method} {relative}");
    }
    for (method, relative) in [(Method::GET, "metadata"), (Method::POST, ""), (Method::GET, "Patient/1/$everything")] {
        let other = resource(&export(), used(&context(), &method, relative));
        assert_eq!(profiles(&other), Vec::<String>::new(), "{method} {relative}");
    }
}

/// F-95 (BALP 1.1.4): what failed is no instance of a profile for what succeeded, and says why it failed.
#[test]
fn what_failed_claims_no_profile() {
    let failed = resource(&export(), used(&context(), &Method::GET, "Observation/o-1").status(403));
    assert_eq!(profiles(&failed), Vec::<String>::new());
    assert_eq!((&failed["outcome"], &failed["outcomeDesc"]), (&json!("4"), &json!("status: HTTP status 403")));
    let violation = resource(&export(), usual(AuditKind::CsrfDetected));
    assert_eq!(violation["outcome"], "12");
    let error = resource(&export(), usual(AuditKind::UnexpectedError));
    assert_eq!(error["outcome"], "8");
}

/// F-95 (BALP 1.1.4, OAUTHaccessTokenUse.Comprehensive): the use of a service's token claims that profile too; with a user,
/// whose slice wants the token's JWT id, it is not claimed, and the token is named by its hash.
#[test]
fn a_service_claims_the_profile_of_token_use() {
    let service = AuditContext::new().fhir_base(&base()).client(&"svc".into()).session(session());
    for (method, relative) in [(Method::GET, "Group/g/Patient"), (Method::DELETE, "Observation/1")] {
        let by_service = resource(&export(), used(&service, &method, relative));
        assert_eq!(profiles(&by_service)[1..], ["OAUTHaccessTokenUse.Comprehensive"]);
        let requestors = by_service["agent"].as_array().unwrap().iter().filter(|agent| agent["requestor"] == true);
        assert_eq!(requestors.count(), 1);
        let agents = by_service["agent"].as_array().unwrap();
        let named: Vec<_> = agents.iter().filter(|agent| agent.get("policy").is_some()).collect();
        assert_eq!(named.len(), 1, "{by_service:#}");
        assert_eq!(named[0]["who"]["identifier"]["value"], "svc");
    }
    let by_user = resource(&export(), used(&context(), &Method::GET, "Observation/1"));
    assert_eq!(by_user["agent"][3]["policy"], json!([token().to_string()]));
    assert_eq!(profiles(&by_user).len(), 1);
}

/// F-95, SE-05: unless the app opts in a resource names no patient, no id, and no value of a search.
#[test]
fn without_opting_in_nobody_is_named() {
    for relative in ["Patient/ada-1", "Observation?patient=ada-1&code=ada-2", "Patient/ada-1/Observation?date=ada-3"] {
        let silent = resource(&export(), used(&context(), &Method::GET, relative));
        assert!(!silent.to_string().contains("ada-"), "{silent:#}");
        for query in silent["entity"].as_array().unwrap().iter().filter_map(|entity| entity.get("query")) {
            assert!(!decoded(query).contains("ada-"), "{}", decoded(query));
        }
    }
    let read = resource(&export(), used(&context(), &Method::GET, "Patient/ada-1"));
    assert_eq!(read["entity"][0]["what"], json!({"type": "Patient", "display": "Patient, its id is not recorded"}));
    let query = resource(&export(), used(&context(), &Method::GET, "Observation?patient=ada-1"));
    assert_eq!(decoded(&query["entity"][0]["query"]), "GET https://ehr.example/r4/Observation?patient=***");
}

/// F-95 (BALP, patient as a subject): whoever opts in gets the patient: the one that the request names before the one in
/// context.
#[test]
fn patients_are_named_where_the_app_opts_in() {
    let export = export().with_patient_references();
    let named = |relative| resource(&export, used(&context(), &Method::GET, relative))["entity"][0]["what"].clone();
    assert_eq!(named("Observation/o-1")["reference"], "Patient/ada-1");
    assert_eq!(named("Patient/other")["reference"], "Patient/other");
    assert_eq!(named("Observation?patient=other")["reference"], "Patient/other");
    let read = resource(&export, used(&context(), &Method::GET, "Observation/o-1"));
    assert_eq!(read["entity"][1]["what"]["reference"], "Observation/o-1");
    // Who is meant is unclear: nobody is named.
    let several = resource(&export, used(&context(), &Method::GET, "Observation?patient=ada-1,ada-2"));
    assert_eq!(profiles(&several)[0], "Query");
    assert!(!several.to_string().contains("ada-"), "{several:#}");
    // Values of searches are another matter.
    let query = resource(&export, used(&context(), &Method::GET, "Observation?patient=other&code=c-9"));
    assert!(!decoded(&query["entity"][1]["query"]).contains("c-9"));

    let nobody = AuditContext::new().fhir_base(&base()).client(&"my-app".into()).patient("not an id");
    let read = resource(&export, used(&nobody, &Method::GET, "Observation/o-1"));
    assert_eq!(profiles(&read)[0], "Read");
}

/// F-95: whoever opts in to values of searches gets them, but for parameters that are none of FHIR's.
#[test]
fn values_of_searches_are_kept_where_the_app_opts_in() {
    let export = export().with_search_values();
    let query = resource(&export, used(&context(), &Method::GET, "Patient?name=Lovelace&access_token=s3cret"));
    assert_eq!(decoded(&query["entity"][0]["query"]), "GET https://ehr.example/r4/Patient?name=Lovelace&***=***");
    assert_eq!(query["entity"][0]["description"], "GET Patient?name=***&***=***");
}

/// F-95 (DICOM PS3.15, A.5.3; IHE IUA): logins, logouts and tokens have the codes that audit repositories know.
#[test]
fn logins_and_tokens_have_known_codes() {
    let codes = |kind| {
        let resource = resource(&export(), usual(kind));
        let subtype = &resource["subtype"];
        let list: Vec<_> =
            subtype.as_array().unwrap().iter().map(|code| code["code"].as_str().unwrap().to_owned()).collect();
        (resource["type"]["code"].as_str().unwrap().to_owned(), list)
    };
    let expected =
        |event_type: &str, list: &[&str]| (event_type.to_owned(), list.iter().map(|&code| code.to_owned()).collect());
    assert_eq!(codes(AuditKind::AuthenticationSuccess), expected("110114", &["110122", "authentication-success"]));
    assert_eq!(codes(AuditKind::SessionEnded), expected("110114", &["110123", "session-ended"]));
    assert_eq!(codes(AuditKind::SessionTimeout), expected("110114", &["110123", "session-timeout"]));
    assert_eq!(codes(AuditKind::TokenIssued), expected("110114", &["ITI-71", "token-issued"]));
    assert_eq!(codes(AuditKind::TokenIntrospected), expected("110114", &["ITI-102", "token-introspected"]));
    assert_eq!(codes(AuditKind::InvalidSignature), expected("110113", &["invalid-signature"]));
    assert_eq!(codes(AuditKind::CapabilitiesLoaded), expected("rest", &["capabilities", "capabilities-loaded"]));

    let issued = resource(&export(), usual(AuditKind::TokenIssued));
    assert_eq!(issued["agent"][1]["who"]["identifier"]["value"], ISSUER);
    assert_eq!(issued["agent"][1]["type"]["coding"][0]["code"], "AuthzOauthService");
    assert_eq!(issued["entity"][0]["what"]["identifier"]["value"], token().to_string());
    assert_eq!(issued["entity"][0]["detail"][1], json!({"type": "scope", "valueString": "patient/*.rs"}));
}

/// F-95: source, agents and session are those of the app and the event.
#[test]
fn source_agents_and_session_are_told() {
    let export = FhirAudit::new(AuditSource::new("Intake", "ws-12").kind(SourceKind::ApplicationServer));
    let read = resource(&export, used(&context(), &Method::GET, "Observation/o-1"));
    assert_eq!(read["recorded"], "2027-01-15T08:00:00Z");
    assert_eq!(read["source"]["type"][0]["code"], "4");
    assert_eq!(read["source"]["observer"]["display"], "Intake");
    assert_eq!(read["agent"][0]["who"]["identifier"]["value"], "my-app");
    assert_eq!(read["agent"][0]["network"], json!({"address": "ws-12", "type": "1"}));
    assert_eq!(read["agent"][1]["network"], json!({"address": BASE, "type": "5"}));
    let user = &read["agent"][3]["who"]["identifier"];
    assert_eq!(
        (&user["system"], &user["value"]),
        (&json!(ISSUER), &json!(builder().build().user(ISSUER, "dr-lee").name()))
    );
    assert_eq!(read["entity"][1]["what"]["identifier"]["value"], session().to_string());
}

/// F-95: a request outside the FHIR base is exported without anything of its URL but the origin.
#[test]
fn a_request_elsewhere_is_exported_without_its_url() {
    let url = Url::parse("https://files.example/ada-1/x.ndjson?sig=s3cret").unwrap();
    let line = RequestLine::new(&Method::GET, &url, &base());
    let entry = context().entry(line.kind()).request(line).token(token()).status(200);
    let elsewhere = resource(&export().with_patient_references().with_search_values(), entry);
    assert!(elsewhere.to_string().contains("GET https://files.example/***"), "{elsewhere:#}");
    assert!(!elsewhere.to_string().contains("s3cret") && !elsewhere.to_string().contains("ndjson"), "{elsewhere:#}");
}

/// F-95: finished resources come out of a channel, which never lets the caller wait and tells when it is full or closed.
#[tokio::test]
async fn resources_come_out_of_a_channel() {
    let (sink, mut receiver) = FhirSink::channel(export(), 2);
    let auditor = builder().policy(smart_flows::audit::AuditPolicy::Strict).sink(sink).build();
    for kind in [AuditKind::SessionStarted, AuditKind::SessionEnded] {
        auditor.record(usual(kind)).unwrap();
    }
    assert!(matches!(auditor.record(usual(AuditKind::TokenIssued)), Err(AuditError::Full { sink: "fhir" })));
    let subtype = |resource: &Value| resource["subtype"][1]["code"].as_str().unwrap().to_owned();
    assert_eq!(subtype(receiver.recv().await.unwrap().as_json()), "session-started");
    assert_eq!(subtype(receiver.next().await.unwrap().as_json()), "session-ended");
    assert!(receiver.try_recv().is_none());
    drop(receiver);
    assert!(matches!(auditor.record(usual(AuditKind::TokenIssued)), Err(AuditError::Closed { sink: "fhir" })));
}

/// F-95: a function of the app's gets the resources, and its failure is the sink's.
#[test]
fn a_function_gets_the_resources() {
    let sink = FhirSink::to(export(), |resource| {
        let text = resource.to_string();
        assert!(serde_json::to_string(&resource).unwrap() == text && text.contains("AuditEvent"));
        Err(AuditError::sink("post", "no answer"))
    });
    let auditor = auditor(sink);
    auditor.record(usual(AuditKind::TokenIssued)).unwrap();
    assert_eq!(auditor.lost(), 1);
}

/// The id of the resource is that of the event, so that posting it twice can be seen.
#[test]
fn the_id_is_that_of_the_event() {
    let event: AuditEvent = recorded(usual(AuditKind::TokenIssued));
    assert_eq!(export().resource(&event).as_json()["id"], event.id().to_string());
}
