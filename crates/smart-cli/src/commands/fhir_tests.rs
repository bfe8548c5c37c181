//! What the commands send to a FHIR server.

use crate::api::{FhirClient, RawResource};
use crate::cli_error::CliError;
use crate::commands::written::Target;
use crate::exit_code::ExitCode;
use crate::output::Output;
use clap::Parser;
use serde_json::{Value, json};
use smart_http::mock::{MockTimer, MockTransport};
use smart_http::{HttpClient, NoAuthorization};
use smart_on_fhir::core::fhir_base::FhirBaseUrl;
use smart_on_fhir::core::time::Timestamp;
use std::sync::Arc;

const BASE: &str = "https://ehr.example/fhir";

/// The arguments of a command, by themselves.
#[derive(Parser)]
struct Only<T: clap::Args> {
    /// An option of all commands, which others name.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    command: T,
}

fn parsed<T: clap::Args>(arguments: &[&str]) -> T {
    let only = Only::<T>::try_parse_from([&["smart"], arguments].concat()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!only.json);
    only.command
}

fn server() -> (MockTransport, FhirClient) {
    let transport = MockTransport::new();
    let http = HttpClient::with_timer(transport.clone(), MockTimer::at(Timestamp::from_unix_seconds(0)));
    (transport, FhirClient::new(FhirBaseUrl::parse(BASE).unwrap(), http, Arc::new(NoAuthorization)))
}

fn output() -> Output {
    Output::new(true, true)
}

fn patient() -> RawResource {
    RawResource::parse(r#"{"resourceType":"Patient","id":"1","x":1.50}"#).unwrap()
}

/// The one request that was sent: method, URL below the base, and the header of this name.
fn sent(transport: &MockTransport, header: &str) -> (String, String, Option<String>) {
    let mut requests = transport.requests();
    assert_eq!(requests.len(), 1);
    let request = requests.remove(0);
    let url = request.uri().to_string().strip_prefix(BASE).unwrap().to_owned();
    let header = request.headers().get(header).map(|value| value.to_str().unwrap().to_owned());
    (request.method().to_string(), url, header)
}

fn as_sent(method: &str, url: &str, header: Option<&str>) -> (String, String, Option<String>) {
    (method.to_owned(), url.to_owned(), header.map(str::to_owned))
}

/// F-104, F-107 (FHIR R4, http.html): create, update, patch and delete with their conditions, as the person gives them.
#[tokio::test]
async fn writes_go_as_they_are_given() {
    let (transport, fhir) = server();
    transport.respond_with(201, &[("location", "Patient/1/_history/1")], "");
    let create: super::create::Create = parsed(&["-", "--if-none-exist", "identifier=urn:x|7", "--return", "minimal"]);
    create.write(&fhir, &patient(), &output()).await.unwrap();
    assert_eq!(sent(&transport, "if-none-exist"), as_sent("POST", "/Patient", Some("identifier=urn:x%7C7")));
    let request = transport.requests().remove(0);
    assert_eq!(
        (request.body(), &request.headers()["prefer"]),
        (patient().octets(), &"return=minimal".parse().unwrap())
    );

    let (transport, fhir) = server();
    transport.respond_with(200, &[], "");
    let update: super::update::Update = parsed(&["--if-match", "3"]);
    update.write(&fhir, &patient(), &output()).await.unwrap();
    assert_eq!(sent(&transport, "if-match"), as_sent("PUT", "/Patient/1", Some("W/\"3\"")));

    let (transport, fhir) = server();
    transport.respond_with(200, &[], "");
    let update: super::update::Update = parsed(&["--where", "identifier=urn:x|7"]);
    update.write(&fhir, &patient(), &output()).await.unwrap();
    assert_eq!(sent(&transport, "if-match"), as_sent("PUT", "/Patient?identifier=urn:x%7C7", None));

    let (transport, fhir) = server();
    transport.respond_with(200, &[], "");
    let patch: super::patch::PatchCommand = parsed(&["Patient/1", "--if-match", "W/\"3\""]);
    let changes = crate::api::Patch::from_value(json!([{"op": "remove", "path": "/photo"}])).unwrap();
    patch.write(&fhir, Target::parse("Patient/1").unwrap(), &changes, &output()).await.unwrap();
    assert_eq!(sent(&transport, "content-type"), as_sent("PATCH", "/Patient/1", Some("application/json-patch+json")));

    let (transport, fhir) = server();
    transport.respond_with(204, &[], "");
    let delete: super::delete::Delete = parsed(&["Patient/1"]);
    delete.write(&fhir, Target::parse("Patient/1").unwrap(), &output()).await.unwrap();
    assert_eq!(sent(&transport, "if-match"), as_sent("DELETE", "/Patient/1", None));
}

/// FR-13, F-107: a conflict, and what cannot be sent, have their exit codes; nothing is sent without a criterion.
#[tokio::test]
async fn refused_writes_have_their_exit_codes() {
    let (transport, fhir) = server();
    transport.respond_with(412, &[], "");
    let update: super::update::Update = parsed(&["--if-match", "3"]);
    assert_eq!(update.write(&fhir, &patient(), &output()).await.unwrap_err().code, ExitCode::FhirError);
    for arguments in [["--where", "_count=1"], ["--if-match", "a b"]] {
        let update: super::update::Update = parsed(&arguments);
        assert_eq!(update.write(&fhir, &patient(), &output()).await.unwrap_err().code, ExitCode::Usage);
    }
    assert_eq!(transport.requests().len(), 1);
    // A search that may find many is not deleted by mistake.
    for arguments in [&["Patient?active=true"][..], &["Patient/1", "--every-match"]] {
        let delete: super::delete::Delete = parsed(arguments);
        assert_eq!(delete.run(&output()).await.unwrap_err().code, ExitCode::Usage);
    }
}

/// F-108 (FHIR R4, http.html#transaction): a batch whose entries were not all done fails, with all of them in the error.
#[tokio::test]
async fn a_batch_with_refused_entries_fails() {
    let entry = json!({"request": {"method": "DELETE", "url": "Patient/1"}});
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [entry, entry]});
    let bundle = RawResource::parse(bundle.to_string()).unwrap();
    let answer = |second: &str| {
        json!({"resourceType": "Bundle", "entry": [{"response": {"status": "204"}}, {"response": {"status": second}}]})
            .to_string()
    };
    let (transport, fhir) = server();
    transport.respond_fhir(answer("204")).respond_fhir(answer("409 Conflict"));
    super::batch::submit(&fhir, &bundle, &output()).await.unwrap();
    let error: CliError = super::batch::submit(&fhir, &bundle, &output()).await.unwrap_err();
    let shown = error.to_json();
    assert_eq!((error.code, shown["entries"].as_array().unwrap().len()), (ExitCode::FhirError, 2));
    assert_eq!((&shown["entries"][0]["ok"], &shown["entries"][1]["status"]), (&json!(true), &json!(409)));
}

/// FR-10, FR-11, F-105 (FHIR R4, search.html): criteria go as they are given, in the URL or in the body, over all pages.
#[tokio::test]
async fn searches_go_as_they_are_given() {
    let fill = |text: &str| Ok(text.replace("{patient}", "7"));
    let page = |next: Option<&str>| {
        let links: Vec<Value> = next.iter().map(|url| json!({"relation": "next", "url": url})).collect();
        let entry = json!({"resource": {"resourceType": "Observation", "id": "1"}});
        json!({"resourceType": "Bundle", "total": 2, "entry": [entry], "link": links}).to_string()
    };
    let (transport, fhir) = server();
    transport.respond_fhir(page(Some("?page=2"))).respond_fhir(page(None));
    let search: super::search::Search = parsed(&["Observation", "patient={patient}", "code=http://loinc.org|8480-6"]);
    search.print(&fhir, search.query(fill).unwrap(), &output()).await.unwrap();
    let urls: Vec<String> = transport.requests().iter().map(|request| request.uri().to_string()).collect();
    let first = format!("{BASE}/Observation?patient=7&code=http://loinc.org%7C8480-6");
    assert_eq!(urls, [first, format!("{BASE}/Observation?page=2")]);

    let (transport, fhir) = server();
    transport.respond_fhir(page(Some("?page=2")));
    let search: super::search::Search = parsed(&["*", "_id=1", "--post", "--strict", "--limit", "0"]);
    search.print(&fhir, search.query(fill).unwrap(), &output()).await.unwrap();
    assert_eq!(sent(&transport, "prefer"), as_sent("POST", "/_search", Some("handling=strict")));
    let search: super::search::Search = parsed(&["Patient", "name"]);
    assert_eq!(search.query(fill).unwrap_err().code, ExitCode::Usage);
}

/// F-108 (FHIR R4, operations.html): operations are called where the person says, with their parameters.
#[tokio::test]
async fn operations_go_as_they_are_given() {
    let fill = |text: &str| Ok(text.replace("{patient}", "7"));
    for (arguments, method, url) in [
        (&["everything", "Patient/{patient}", "--param", "_count=5"][..], "GET", "/Patient/7/$everything?_count=5"),
        (&["$validate", "Patient", "--body", "-"], "POST", "/Patient/$validate"),
        (&["reindex", "--post"], "POST", "/$reindex"),
    ] {
        let (transport, fhir) = server();
        transport.respond_with(200, &[], "");
        let op: super::op::Op = parsed(arguments);
        let body = arguments.contains(&"--body").then(patient);
        let operation = op.operation(body.as_ref(), fill).unwrap();
        fhir.operate::<RawResource>(&operation).await.unwrap();
        assert_eq!(sent(&transport, "x"), as_sent(method, url, None));
    }
    let op: super::op::Op = parsed(&["x", "--param", "y"]);
    assert_eq!(op.operation(None, fill).unwrap_err().code, ExitCode::Usage);
}
