//! The token manager explored by random schedules: several processes with several tasks each on one store and one rotating
//! refresh token, in virtual time. Calls of store and server take a random while before and after they have their effect, fail,
//! lose their answers, and processes are killed in the middle. The server notes each refresh token that is presented twice.

use bytes::Bytes;
use http::{Request, Response};
use proptest::prelude::*;
use smart_core::redirect_uri::RedirectUri;
use smart_core::time::{Clock, Timestamp};
use smart_flows::{App, Session, SmartClient};
use smart_http::{Body, BoxFuture, Endpoint, HttpClient, HttpError, Limits, Phase, RetryPolicy, Transport};
use smart_store::{
    BoxFuture as StoreFuture, Expected, Filter, Holder, Key, LeaseOutcome, MemoryStore, Record, SecretBytes, Store,
    StoreError, Version,
};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LIFE: u64 = 300;

/// The wall clock of the virtual time.
struct VirtualClock(tokio::time::Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let seconds = i64::try_from(self.0.elapsed().as_secs()).unwrap();
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }
}

/// Random numbers that a seed decides (SplitMix64).
#[derive(Clone)]
struct Dice(Arc<AtomicU64>);

impl Dice {
    fn throw(&self, sides: u64) -> u64 {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Usually a moment, sometimes seconds.
    async fn wait(&self) {
        let millis = match self.throw(20) {
            0 => self.throw(4000),
            1..=5 => self.throw(50),
            6..=10 => 1,
            _ => 0,
        };
        match millis {
            0 => tokio::task::yield_now().await,
            millis => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
    }
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy)]
struct Faults {
    /// One store call in so many fails: half of them after they had their effect. 0: none.
    store: u64,
    /// One answer of the server in so many is lost after it had its effect. 0: none.
    lost_answers: u64,
}

/// The server: one grant, whose refresh token is good for one use.
#[derive(Default)]
struct Server {
    issued: u64,
    current: Option<String>,
    used: HashSet<String>,
    replays: u64,
    refreshes: u64,
    /// An answer to a refresh was lost on the wire.
    answer_lost: bool,
    /// A process was killed between the answer to its refresh and the end of storing it.
    answered_the_dead: bool,
    /// Who has an answer that is not stored yet.
    unstored: Option<u64>,
    revoked: bool,
}

impl Server {
    fn issue(&mut self) -> String {
        self.issued += 1;
        let refresh = format!("refresh-{}", self.issued);
        self.current = Some(refresh.clone());
        format!(
            "{{\"access_token\":\"access-{}\",\"token_type\":\"Bearer\",\"expires_in\":{LIFE},\"scope\":\"user/*.rs offline_access\",\
             \"refresh_token\":\"{refresh}\"}}",
            self.issued
        )
    }

    fn answer(&mut self, path: &str, form: &str) -> (u16, String) {
        let field = |name: &str| {
            url::form_urlencoded::parse(form.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
        };
        if path.ends_with("smart-configuration") {
            let document = "{\"authorization_endpoint\":\"https://ehr.example/authorize\",\"token_endpoint\":\"https://ehr.example/token\",\
                            \"grant_types_supported\":[\"authorization_code\"],\"capabilities\":[\"launch-standalone\",\"permission-v2\"],\
                            \"code_challenge_methods_supported\":[\"S256\"]}";
            return (200, document.to_owned());
        }
        match field("grant_type").as_deref() {
            Some("authorization_code") => (200, self.issue()),
            Some("refresh_token") => {
                let token = field("refresh_token").unwrap();
                if self.used.contains(&token) {
                    self.replays += 1;
                    self.revoked = true;
                }
                if self.revoked || self.current.as_deref() != Some(token.as_str()) {
                    return (400, "{\"error\":\"invalid_grant\"}".to_owned());
                }
                self.used.insert(token);
                self.refreshes += 1;
                (200, self.issue())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A process: its connections can be cut, which is what a kill is to the rest of the world.
#[derive(Clone)]
struct Process {
    number: u64,
    dice: Dice,
    dead: Arc<AtomicBool>,
    faults: Faults,
}

impl Process {
    /// Takes a while; a dead process goes no further.
    async fn step(&self) {
        self.stop_if_dead().await;
        self.dice.wait().await;
        self.stop_if_dead().await;
    }

    async fn stop_if_dead(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

struct Wire {
    process: Process,
    server: Arc<Mutex<Server>>,
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>, _: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(async move {
            self.process.step().await;
            let form = String::from_utf8(request.body().to_vec()).unwrap();
            let is_refresh = form.contains("grant_type=refresh_token");
            let (status, body) = {
                let mut server = self.server.lock().unwrap();
                let answer = server.answer(request.uri().path(), &form);
                if is_refresh && answer.0 == 200 {
                    server.unstored = Some(self.process.number);
                }
                answer
            };
            let lost = is_refresh
                && self.process.faults.lost_answers > 0
                && self.process.dice.throw(self.process.faults.lost_answers) == 0;
            if lost && status == 200 {
                self.server.lock().unwrap().answer_lost = true;
            }
            self.process.step().await;
            if lost {
                let endpoint = Endpoint::of(request.uri());
                return Err(HttpError::Interrupted { endpoint, phase: Phase::Headers, reason: "reset".into() });
            }
            Ok(Response::builder().status(status).body(Body::from_bytes(body)).unwrap())
        })
    }
}

/// The store as one process sees it.
struct Disk {
    process: Process,
    server: Arc<Mutex<Server>>,
    inner: Arc<MemoryStore>,
}

impl Disk {
    async fn call<T: Send>(&self, effect: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let faults = self.process.faults.store;
        let (fails, after) = (faults > 0 && self.process.dice.throw(faults) == 0, self.process.dice.throw(2) == 0);
        let broken = || StoreError::Unavailable { place: "disk".into(), reason: "away".into(), retryable: true };
        self.process.step().await;
        if fails && !after {
            return Err(broken());
        }
        let outcome = effect.await;
        self.process.step().await;
        if fails { Err(broken()) } else { outcome }
    }
}

impl Store for Disk {
    fn get<'a>(&'a self, key: &'a Key) -> StoreFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.call(self.inner.get(key)))
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> StoreFuture<'a, Result<Version, StoreError>> {
        Box::pin(self.call(async move {
            let put = self.inner.put(key, value, expected).await;
            if put.is_ok() {
                let mut server = self.server.lock().unwrap();
                server.unstored = server.unstored.filter(|number| *number != self.process.number);
            }
            put
        }))
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> StoreFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.call(self.inner.remove(key, expected)))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> StoreFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(self.call(self.inner.list(filter)))
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> StoreFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(self.call(self.inner.lease(key, holder, duration)))
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> StoreFuture<'a, Result<(), StoreError>> {
        Box::pin(self.call(self.inner.release(key, holder)))
    }
}

/// What a task of a process does.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Asks for the token.
    Ask,
    /// Asks, and gives up after so many milliseconds.
    AskAndLeave(u64),
    /// Renews on demand.
    Refresh,
    /// Shows a sign of the person.
    Touch,
    /// The process is killed, and another one started in its place.
    Kill,
}

#[derive(Debug, Clone)]
struct Step {
    process: usize,
    /// Milliseconds after the step before.
    after: u64,
    act: Act,
}

struct Run {
    server: Arc<Mutex<Server>>,
    disk: Arc<MemoryStore>,
    clock: Arc<VirtualClock>,
    dice: Dice,
    faults: Faults,
}

impl Run {
    fn process(&self, faults: Faults) -> (Process, SmartClient) {
        let number = self.dice.0.fetch_add(1, Ordering::Relaxed);
        let process = Process { number, dice: self.dice.clone(), dead: Arc::default(), faults };
        let app = App::public("app").scopes("user/*.rs offline_access").unwrap();
        let client = SmartClient::builder(app)
            .http(HttpClient::new(Wire { process: process.clone(), server: self.server.clone() }))
            .store(Arc::new(Disk { process: process.clone(), server: self.server.clone(), inner: self.disk.clone() }))
            .clock(self.clock.clone())
            .token_retries(RetryPolicy::none())
            .session_policy(smart_flows::SessionPolicy::development())
            .build();
        (process, client)
    }

    async fn login(&self) -> Key {
        let (_, client) = self.process(Faults { store: 0, lost_answers: 0 });
        let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
        let launch = client.standalone("https://ehr.example/fhir").await.unwrap();
        let (request, pending) = launch.authorize(&redirect).unwrap();
        let state = request.url().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        client.complete(pending, &format!("code=c&state={state}")).await.unwrap().key().clone()
    }
}

/// A session of a process, whose store may fail at first.
async fn restore(client: &SmartClient, key: &Key) -> Option<Session> {
    for _ in 0..50 {
        match client.restore(key).await {
            Ok(session) => return session,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    None
}

/// Plays a schedule. Panics where the token manager lost or replayed a token that it need not have.
async fn play(seed: u64, faults: Faults, steps: Vec<Step>) {
    let run = Run {
        server: Arc::default(),
        clock: Arc::new(VirtualClock(tokio::time::Instant::now())),
        disk: Arc::default(),
        dice: Dice(Arc::new(AtomicU64::new(seed))),
        faults,
    };
    let run = Run { disk: Arc::new(MemoryStore::with_clock(run.clock.clone())), ..run };
    let key = run.login().await;
    let mut processes = Vec::new();
    for _ in 0..3 {
        let (process, client) = run.process(run.faults);
        processes.push((process, restore(&client, &key).await));
    }
    let (mut kills, mut tasks) = (0, Vec::new());
    for step in steps {
        tokio::time::sleep(Duration::from_millis(step.after)).await;
        let (process, session) = &mut processes[step.process];
        if let Act::Kill = step.act {
            kills += 1;
            process.dead.store(true, Ordering::SeqCst);
            {
                let mut server = run.server.lock().unwrap();
                server.answered_the_dead |= server.unstored == Some(process.number);
            }
            let (next, client) = run.process(run.faults);
            *process = next;
            *session = restore(&client, &key).await;
            continue;
        }
        let Some(session) = session.clone() else { continue };
        tasks.push(tokio::spawn(async move {
            match step.act {
                Act::Ask => drop(session.access_token().await),
                Act::AskAndLeave(millis) => {
                    drop(tokio::time::timeout(Duration::from_millis(millis), session.access_token()).await);
                }
                Act::Refresh => drop(session.refresh().await),
                Act::Touch => drop(session.touch().await),
                Act::Kill => {}
            }
        }));
    }
    // Long enough for leases of killed processes to end, and for stores that failed to be tried again.
    tokio::time::sleep(Duration::from_secs(400)).await;
    for (process, _) in &processes {
        process.dead.store(false, Ordering::SeqCst);
    }
    let (replays, lost) = {
        let server = run.server.lock().unwrap();
        (server.replays, server.answer_lost)
    };
    // A new process, without faults, finds the session alive and renews it.
    let (_, client) = run.process(Faults { store: 0, lost_answers: 0 });
    let outcome = match restore(&client, &key).await {
        Some(session) => session.refresh().await.map(|()| "renewed"),
        None => Ok("gone"),
    };
    let in_a_dead_process = run.server.lock().unwrap().answered_the_dead;
    // Tokens can be lost only where an answer was: with a process that was killed before it could store it, or on the wire.
    if in_a_dead_process || lost {
        assert!(kills > 0 || run.faults.lost_answers > 0);
        // Where the answer that says so can be lost as well, it is tried again.
        assert!(replays <= 1 || run.faults.lost_answers > 0, "a dead grant is tried once");
    } else {
        assert_eq!(replays, 0, "a refresh token was presented twice");
        assert_eq!(outcome.unwrap(), "renewed", "the session was lost");
    }
    drop(tasks);
}

fn steps(acts: impl Strategy<Value = Act> + Clone + 'static) -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![4 => 0..5_u64, 3 => 0..500_u64, 2 => 10_000..100_000_u64, 1 => 230_000..320_000_u64];
    let step = (0..3_usize, after, acts).prop_map(|(process, after, act)| Step { process, after, act });
    proptest::collection::vec(step, 1..40)
}

fn acts() -> impl Strategy<Value = Act> + Clone {
    prop_oneof![
        6 => Just(Act::Ask),
        2 => (0..3000_u64).prop_map(Act::AskAndLeave),
        2 => Just(Act::Refresh),
        2 => Just(Act::Touch),
    ]
}

fn acts_and_kills() -> impl Strategy<Value = Act> + Clone {
    prop_oneof![8 => acts(), 1 => Just(Act::Kill)]
}

fn explore(seed: u64, faults: Faults, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(play(seed, faults, steps));
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// RF-05, RF-06, F-68 (RFC 9700, 2.2.2, 4.14.2): in no order of steps of three processes and their tasks, callers that give up
    /// included, is a refresh token presented twice or lost.
    #[test]
    fn no_schedule_loses_or_replays_a_refresh_token(seed: u64, steps in steps(acts())) {
        explore(seed, Faults { store: 0, lost_answers: 0 }, steps);
    }

    /// RF-06, F-68: the same with a store that fails one call in five, half of the time after it has written.
    #[test]
    fn failing_store_loses_no_refresh_token(seed: u64, steps in steps(acts())) {
        explore(seed, Faults { store: 5, lost_answers: 0 }, steps);
    }

    /// RF-06, F-68 (RFC 9700, 4.14): processes that are killed anywhere lose the token only where the answer died with them.
    #[test]
    fn killed_process_loses_no_token_that_was_stored(seed: u64, steps in steps(acts_and_kills())) {
        explore(seed, Faults { store: 0, lost_answers: 0 }, steps);
    }

    /// RF-06, F-68, TK-17: everything goes wrong at a time; a token is lost only where an answer was.
    #[test]
    fn nothing_but_a_lost_answer_loses_a_token(seed: u64, steps in steps(acts_and_kills())) {
        explore(seed, Faults { store: 6, lost_answers: 8 }, steps);
    }
}
