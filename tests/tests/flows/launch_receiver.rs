//! EHR launches that come to a loopback address of this machine.

use crate::world::World;
use smart_core::authorize::CallbackError;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, IssuerRefused, LaunchError};
use smart_core::url_policy::UrlPolicy;
use smart_flows::audit::{AuditKind, AuditQuery, Auditor, MemorySink};
use smart_flows::{App, Error, LaunchReceiver, LoopbackError, LoopbackListener, Session, SystemClock, SystemRandom};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_store::{Filter, Store as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::Url;

const SCOPES: &str = "launch openid fhirUser offline_access patient/*.rs";

/// A receiver that waits, and what a browser does to it.
struct Waiting {
    launch_url: String,
    address: SocketAddr,
    task: JoinHandle<Result<Session, Error>>,
}

impl Waiting {
    async fn end(self) -> Result<Session, Error> {
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it ends").unwrap()
    }

    /// One request, and the whole answer. `None`: nobody listens.
    async fn ask(&self, method: &str, target: &str, headers: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {headers}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    async fn get(&self, target: &str) -> String {
        self.ask("GET", target, &self.address.to_string()).await.unwrap()
    }
}

impl World {
    fn allowed(&self) -> AllowedIssuers {
        AllowedIssuers::only(
            [FhirBaseUrl::parse_with(&self.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap()],
        )
    }

    async fn receiver(&self, allowed: AllowedIssuers) -> LaunchReceiver {
        let client = self.client_of(App::public("demo-app").scopes(SCOPES).unwrap());
        client.launch_receiver(LoopbackListener::bind().await.unwrap(), allowed)
    }

    async fn waiting(&self, allowed: AllowedIssuers) -> Waiting {
        started(self.receiver(allowed).await)
    }

    /// The launch URL as the EHR opens it.
    fn opened(&self, patient: &str) -> String {
        format!("/launch?iss={}&launch={}", self.sandbox.fhir_base(), self.sandbox.new_launch(Some(patient), None))
    }
}

fn started(receiver: LaunchReceiver) -> Waiting {
    let launch_url = receiver.launch_url();
    let address = Url::parse(&launch_url).unwrap().socket_addrs(|| None).unwrap()[0];
    Waiting { launch_url, address, task: tokio::spawn(receiver.receive()) }
}

/// F-02, F-110, LA-01, LA-02, CB-11 (SMART, EHR launch; RFC 8252 7.3): from the EHR's own page to the record that was open there, on one
/// loopback port that closes afterwards.
#[tokio::test]
async fn an_ehr_opens_the_app_on_this_machine() {
    let world = World::new(None).await;
    let waiting = world.waiting(world.allowed()).await;
    assert!(waiting.address.ip().is_loopback() && waiting.launch_url.ends_with("/launch"));
    let mut launcher = Url::parse(&world.sandbox.endpoints().launcher).unwrap();
    launcher.query_pairs_mut().append_pair("launch_url", &waiting.launch_url);
    let person = Person { patient: Some("Patient/p1003".into()), ..Person::default() };
    let visited = AutoBrowser::new(world.http.clone(), person).visit(&launcher).await.unwrap();
    assert_eq!(visited.title, "Signed in");
    let address = waiting.address;
    let session = waiting.end().await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1003");
    assert_eq!(world.fhir_status(&session, "Patient/p1003").await, 200);
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
}

/// LA-03, F-23, D-21 (SMART, App protection; RFC 9700 4.9.1): a launch by a server that is not listed ends it; nothing was sent to
/// that server, and the person is told.
#[tokio::test]
async fn a_launch_by_another_server_is_refused() {
    let world = World::new(None).await;
    let other = AllowedIssuers::only([FhirBaseUrl::parse("https://ehr.example/r4").unwrap()]);
    let waiting = world.waiting(other).await;
    let iss = "https%3A%2F%2Fevil.example%2Fr4";
    let page = waiting.get(&format!("/launch?iss={iss}&launch=x")).await;
    assert!(page.starts_with("HTTP/1.1 403") && page.contains("cannot be opened from there"), "{page}");
    let refused = waiting.end().await.unwrap_err();
    let expected = matches!(
        &refused,
        Error::Core(smart_core::error::Error::Launch(LaunchError::Refused(IssuerRefused::NotListed { .. })))
    );
    assert!(expected, "{refused}");
    assert_eq!((world.sandbox.counts().discovery, world.sandbox.counts().authorize), (0, 0));
}

/// LA-01 (SMART, EHR launch): what is no launch is told as such, to the person too.
#[tokio::test]
async fn a_request_that_is_no_launch_is_told() {
    let world = World::new(None).await;
    let waiting = world.waiting(world.allowed()).await;
    assert!(waiting.get("/launch?launch=x").await.starts_with("HTTP/1.1 403"));
    assert!(waiting.end().await.unwrap_err().to_string().contains("`iss`"));
}

/// CB-11, ST-02 (RFC 8252 8.3; RFC 9700 4.7): callbacks before any launch, other hosts, paths and methods change nothing; a callback
/// with another state ends it before its code is redeemed.
#[tokio::test]
async fn what_is_not_asked_for_is_passed_over_or_refused() {
    let world = World::new(None).await;
    let waiting = world.waiting(world.allowed()).await;
    let own = waiting.address.to_string();
    let launch = world.opened("p1001");
    let fetched = format!("{own}\r\nSec-Fetch-Mode: no-cors");
    for (method, target, host, status) in [
        ("GET", "/callback?code=a&state=b", own.as_str(), "400"),
        ("GET", "/favicon.ico", &own, "404"),
        ("GET", &launch, "evil.example", "404"),
        ("GET", &launch, "localhost", "404"),
        ("GET", &launch, &fetched, "404"),
        ("POST", &launch, &own, "405"),
        ("POST", "/callback?code=a&state=b", &own, "405"),
    ] {
        let answer = waiting.ask(method, target, host).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {target} {host}: {answer}");
    }
    let answer = waiting.get(&launch).await;
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("no-referrer"), "{answer}");
    let page = waiting.get("/callback?code=forged&state=guessed").await;
    assert!(!page.contains("forged") && !page.contains("guessed"), "{page}");
    let error = waiting.end().await.unwrap_err();
    assert!(matches!(error, Error::Callback(CallbackError::StateMismatch)), "{error}");
    assert_eq!(world.sandbox.counts().token, 0);
}

/// ST-07 (SMART, state per request): who presses the button twice has two launches that wait; each callback finds its own.
#[tokio::test]
async fn a_launch_that_comes_twice_is_completed_once() {
    let world = World::new(None).await;
    let waiting = world.waiting(world.allowed()).await;
    let location = |answer: &str| {
        let line = answer.lines().find(|line| line.to_lowercase().starts_with("location:")).unwrap().to_owned();
        Url::parse(line.split_once(' ').unwrap().1.trim()).unwrap()
    };
    let first = location(&waiting.get(&world.opened("p1001")).await);
    let second = location(&waiting.get(&world.opened("p1002")).await);
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let callback = browser.authorize(&first).await.unwrap();
    browser.authorize(&second).await.unwrap();
    let page = waiting.get(&format!("/callback?{}", callback.query().unwrap())).await;
    assert!(page.contains("Signed in"), "{page}");
    assert_eq!(waiting.end().await.unwrap().patient().unwrap(), "p1001");
}

/// CB-02, F-122 (RFC 6749 4.1.2.1): a person who says no is not told that they are signed in.
#[tokio::test]
async fn the_last_page_tells_a_denial() {
    let world = World::new(None).await;
    let waiting = world.waiting(world.allowed()).await;
    let launch = Url::parse(&format!("http://{}{}", waiting.address, world.opened("p1001"))).unwrap();
    let person = Person { allows: false, ..Person::default() };
    let visited = AutoBrowser::new(world.http.clone(), person).visit(&launch).await.unwrap();
    assert_eq!(visited.title, "Sign-in not completed");
    assert!(matches!(waiting.end().await.unwrap_err(), Error::Callback(e) if e.is_denied_by_person()));
    assert!(world.store.list(&Filter::default()).await.unwrap().is_empty());
}

/// ID-17 (OpenID Connect Core 3.1.3.7): the last page says so when the tokens were refused after the browser was back.
#[tokio::test]
async fn the_last_page_tells_refused_tokens() {
    let world = World::new(Some(smart_sandbox::Misbehaviour::WrongNonce)).await;
    let waiting = world.waiting(world.allowed()).await;
    let launch = Url::parse(&format!("http://{}{}", waiting.address, world.opened("p1001"))).unwrap();
    let stuck = AutoBrowser::new(world.http.clone(), Person::default()).visit(&launch).await.unwrap_err();
    assert!(stuck.to_string().contains("Signing in did not work"), "{stuck}");
    assert!(matches!(waiting.end().await.unwrap_err(), Error::IdToken { .. }));
}

/// Nobody who opens the app, nobody who comes back, and a wait that is given up are three errors, each on record.
#[tokio::test]
async fn waits_end() {
    let world = World::new(None).await;
    let nobody = started(world.receiver(world.allowed()).await.with_wait(Duration::from_millis(50)));
    assert!(matches!(nobody.end().await.unwrap_err(), Error::Loopback(LoopbackError::NoLaunch(_))));

    let kept = MemorySink::new();
    let audit = Auditor::builder(Arc::new(SystemClock), Arc::new(SystemRandom::new())).sink(kept.clone()).build();
    let app = App::public("demo-app").scopes(SCOPES).unwrap();
    let client = world.builder(app).login_timeout(Duration::from_millis(100)).audit(audit).build();
    let receiver = client.launch_receiver(LoopbackListener::bind().await.unwrap(), world.allowed());
    let waiting = started(receiver.with_wait(Duration::from_secs(20)));
    waiting.get(&world.opened("p1001")).await;
    assert!(matches!(waiting.end().await.unwrap_err(), Error::Loopback(LoopbackError::Timeout(_))));
    let failures = AuditQuery::new().kind(AuditKind::LoginTimeout);
    let [failure] = <[_; 1]>::try_from(kept.query(&failures)).unwrap();
    assert!(failure.fhir_base().is_some());

    let receiver = world.receiver(world.allowed()).await;
    let cancel = receiver.cancel_handle();
    let waiting = started(receiver);
    cancel.cancel();
    assert!(matches!(waiting.end().await.unwrap_err(), Error::LoginCancelled));
}
