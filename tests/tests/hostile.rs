//! Launches at a server that draws each answer from a seeded list of faults and lies: never a token to another origin, never a
//! wait past its limit, never a panic, always a typed error, and never a session that came of a lie.
//!
//! `HOSTILE_LAUNCHES` says how many launches there are, `HOSTILE_SEED` where their seeds begin: a failure names its seed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test reports by panicking, its helpers too"
)]

use futures_util::StreamExt as _;
use smart_core::redirect_uri::RedirectUri;
use smart_fhir::SearchQuery;
use smart_flows::{App, Session, SmartClient};
use smart_http::{HttpClient, HyperTransport, Limits, RetryPolicy};
use smart_on_fhir::FhirSession as _;
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Hostility, Lie, Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

/// How many launches there are unless something else is asked for.
const LAUNCHES: u64 = 400;
/// How many sandboxes lie side by side.
const SIDE_BY_SIDE: u64 = 16;
/// How long one exchange may take.
const LIMIT: Duration = Duration::from_secs(1);
/// How long a launch with all that follows may take: more exchanges than it has, each as long as it may be.
const LONGEST: Duration = Duration::from_secs(60);

/// Another origin: it takes down whatever arrives.
struct Elsewhere {
    origin: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Elsewhere {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let all = all.clone();
                tokio::spawn(async move {
                    let mut piece = vec![0; 64 * 1024];
                    while let Ok(Ok(length @ 1..)) =
                        tokio::time::timeout(Duration::from_secs(1), stream.read(&mut piece)).await
                    {
                        all.lock().unwrap().extend_from_slice(&piece[..length]);
                        let answer =
                            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                        if stream.write_all(answer).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { origin, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

/// What came of one launch.
#[derive(Default)]
struct Outcome {
    /// `None`: a session. Else the variant of the error.
    login_error: Option<String>,
    lies_at_login: Vec<Lie>,
    /// Whether the session says who logged in.
    has_user: bool,
    read: Option<Result<(), String>>,
    lies_at_read: Vec<Lie>,
    searched: Option<Result<(), String>>,
    lies_at_search: Vec<Lie>,
    renewed: Option<Result<(), String>>,
}

/// A lie that a login must not survive, told in an answer that is asked for once.
fn ends_a_login(lie: Lie) -> bool {
    matches!(
        lie,
        Lie::NoState
            | Lie::OtherState
            | Lie::CallbackIssuer
            | Lie::TwoCodes
            | Lie::CodeAndError
            | Lie::OtherCode
            | Lie::NoAccessToken
            | Lie::TokenWithLineBreak
            | Lie::OtherTokenType
            | Lie::PatientElsewhere
            | Lie::PatientPath
            | Lie::UnsignedIdToken
            | Lie::AlteredIdToken
    )
}

/// The name of an error's variant.
fn variant(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// A launch in a runtime of its own: what it leaves running in the background ends with it, and cannot be told the next one's
/// lies. `None`: it takes too long.
async fn alone(sandbox: Arc<Sandbox>) -> Option<Outcome> {
    let launched = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(LONGEST, launch(&sandbox)).await.ok() })
    });
    let outcome = launched.await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    outcome
}

async fn launch(sandbox: &Sandbox) -> Outcome {
    let limits = Limits { total: LIMIT, headers: LIMIT, ..Limits::default() };
    let http = HttpClient::new(HyperTransport::new()).with_limits(limits);
    let app = App::public("demo-app").scopes("launch/patient openid fhirUser offline_access patient/*.rs").unwrap();
    let smart = SmartClient::builder(app)
        .allow_loopback_http()
        .http(http)
        .token_retries(RetryPolicy::none())
        .login_timeout(Duration::from_secs(5))
        .build();
    let mut outcome = Outcome::default();
    let session = match login(&smart, sandbox).await {
        Ok(session) => session,
        Err(error) => {
            outcome.login_error = Some(error);
            outcome.lies_at_login = sandbox.lies_told();
            return outcome;
        }
    };
    outcome.lies_at_login = sandbox.lies_told();
    outcome.has_user = session.user().is_ok_and(|user| user.is_some());
    outcome.read = Some(read(&session).await);
    let told = outcome.lies_at_login.len();
    outcome.lies_at_read = sandbox.lies_told()[told..].to_vec();
    outcome.searched = Some(search(&session).await);
    let told = told + outcome.lies_at_read.len();
    outcome.lies_at_search = sandbox.lies_told()[told..].to_vec();
    outcome.renewed = Some(session.refresh().await.map_err(|error| variant(&error)));
    session.logout().await;
    outcome
}

async fn login(smart: &SmartClient, sandbox: &Sandbox) -> Result<Session, String> {
    let redirect_uri = RedirectUri::parse("http://127.0.0.1:8000/callback").unwrap();
    let launch = smart.standalone(&sandbox.fhir_base()).await.map_err(|error| variant(&error))?;
    let (request, pending) = launch.authorize(&redirect_uri).map_err(|error| variant(&error))?;
    let person = AutoBrowser::new(HttpClient::new(HyperTransport::new()), Person::default());
    // The person's browser is shown honest pages; where a document led it astray there is no callback.
    let Ok(callback) = person.authorize(&request.url()).await else { return Err("NoCallback".to_owned()) };
    smart.complete(pending, callback.as_str()).await.map_err(|error| variant(&error))
}

/// Reads the patient of the session.
async fn read(session: &Session) -> Result<(), String> {
    let id = session.patient().map_err(|error| variant(&error))?;
    let fhir = session.fhir().with_retries(RetryPolicy::none());
    let patient: serde_json::Value = fhir.read("Patient", &id).await.map_err(|error| variant(&error))?;
    assert_eq!((patient["resourceType"].as_str(), patient["id"].as_str()), (Some("Patient"), Some(id.as_str())));
    Ok(())
}

/// Reads all that was observed of the patient.
async fn search(session: &Session) -> Result<(), String> {
    let fhir = session.fhir().with_retries(RetryPolicy::none());
    let mut found = fhir.search(SearchQuery::new("Observation").count(100)).max_pages(50);
    while let Some(observation) = found.next().await {
        let observation: serde_json::Value = observation.map_err(|error| variant(&error))?;
        assert!(observation["resourceType"].is_string());
    }
    Ok(())
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// SE-08, FR-04, ST-02, CB-03, ID-01 (a hostile server): what it draws from all its lies loses no token to another origin, makes
/// nothing hang or panic, and no session comes of a lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_get_nothing() {
    let (launches, first) = (number("HOSTILE_LAUNCHES", LAUNCHES), number("HOSTILE_SEED", 1));
    let elsewhere = Arc::new(Elsewhere::start().await);
    let mut workers = Vec::new();
    for worker in 0..SIDE_BY_SIDE {
        let elsewhere = elsewhere.clone();
        workers.push(tokio::spawn(async move {
            let sandbox = Arc::new(Sandbox::start(SandboxConfig::default()).await.unwrap());
            let (mut errors, mut lies) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
            for seed in (first + worker..first + launches).step_by(usize::try_from(SIDE_BY_SIDE).unwrap()) {
                sandbox.turn_hostile(Hostility { seed, elsewhere: elsewhere.origin.clone(), often: 12 });
                let outcome = alone(sandbox.clone()).await;
                let outcome = outcome.unwrap_or_else(|| panic!("seed {seed} hangs: {:?}", sandbox.lies_told()));
                check(seed, &outcome);
                for lie in sandbox.lies_told() {
                    *lies.entry(format!("{lie:?}")).or_default() += 1;
                }
                let later =
                    [outcome.read, outcome.searched, outcome.renewed].into_iter().flatten().find_map(Result::err);
                let end = outcome.login_error.or(later);
                *errors.entry(end.unwrap_or_else(|| "no error".to_owned())).or_default() += 1;
            }
            let secrets = sandbox.issued_secrets();
            sandbox.turn_honest();
            (errors, lies, secrets)
        }));
    }
    let (mut errors, mut lies, mut secrets) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for worker in workers {
        let (more_errors, more_lies, more_secrets) = worker.await.unwrap();
        for (name, count) in more_errors {
            *errors.entry(name).or_insert(0) += count;
        }
        for (name, count) in more_lies {
            *lies.entry(name).or_insert(0) += count;
        }
        secrets.extend(more_secrets);
    }
    eprintln!("{launches} launches\nends: {errors:#?}\nlies: {lies:#?}");
    let heard = elsewhere.heard();
    let leaked = secrets.iter().filter(|secret| heard.contains(secret.as_str())).count();
    assert_eq!(leaked, 0, "of {} codes and tokens", secrets.len());
    assert!(!heard.to_lowercase().contains("authorization:"), "no header of authorization went to another origin");
    // The run means something: there were sessions, lies of every kind, and ends of many kinds.
    if launches >= LAUNCHES {
        assert!(errors.get("no error").is_some_and(|count| count * 25 > launches), "{errors:?}");
        assert!(errors.len() > 5, "{errors:?}");
        let untold: Vec<&Lie> = Lie::ALL.iter().filter(|lie| !lies.contains_key(&format!("{lie:?}"))).collect();
        assert!(untold.len() * 5 < Lie::ALL.len(), "never told: {untold:?}");
    }
}

fn check(seed: u64, outcome: &Outcome) {
    if outcome.login_error.is_none() {
        let survived: Vec<&Lie> = outcome.lies_at_login.iter().filter(|lie| ends_a_login(**lie)).collect();
        assert!(survived.is_empty(), "seed {seed}: a session came of {survived:?}");
        // Requirement ID-24: without an ID token there is a session, and nobody is said to have logged in.
        assert_eq!(outcome.has_user, !outcome.lies_at_login.contains(&Lie::NoIdToken), "seed {seed}");
    }
    // What was spoilt so does not pass for right.
    let believed = |result: &Option<Result<(), String>>, told: &[Lie], lies: &[Lie]| {
        if matches!(result, Some(Ok(()))) {
            let believed: Vec<&Lie> = told.iter().filter(|lie| lies.contains(lie)).collect();
            assert!(believed.is_empty(), "seed {seed}: {believed:?} was believed");
        }
    };
    let broken = [Lie::OtherType, Lie::NotAnObject, Lie::Truncated, Lie::Empty, Lie::Html, Lie::NotUtf8];
    believed(&outcome.read, &outcome.lies_at_read, &[&broken[..], &[Lie::OtherId]].concat());
    // The answer to a read that was given up may be spoilt while the search is on already, and is counted there.
    if matches!(outcome.read, Some(Ok(()))) {
        let pages = [Lie::NextElsewhere, Lie::NextItself];
        believed(&outcome.searched, &outcome.lies_at_search, &[&broken[..], &pages].concat());
    }
}

/// The same seed brings the same lies.
#[tokio::test]
async fn lies_follow_from_the_seed() {
    let elsewhere = Url::parse("http://127.0.0.1:9/").unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
        sandbox.turn_hostile(Hostility { seed: 7, elsewhere: elsewhere.as_str().to_owned(), often: 100 });
        let http = HttpClient::new(HyperTransport::new()).with_limits(Limits {
            total: LIMIT,
            headers: LIMIT,
            ..Limits::default()
        });
        for _ in 0..8 {
            let url = format!("{}/.well-known/smart-configuration", sandbox.fhir_base());
            let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
            let _ = http.fetch(request).await;
        }
        told.push(sandbox.lies_told());
        sandbox.turn_honest();
        assert_eq!(sandbox.lies_told(), []);
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].len() >= 8);
}
