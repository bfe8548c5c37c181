//! Searching, keeping and forgetting; the queue.

use super::support::{ISSUER, Keeping, START, auditor, builder, context, logged, recorded, session, usual};
use smart_core::time::Timestamp;
use smart_flows::audit::{
    AuditContext, AuditError, AuditEvent, AuditKind, AuditQuery, AuditSink, JsonLinesSink, MemorySink, QueuedSink,
    SessionHandle, Severity, query_files,
};
use smart_store::{Key, Kind};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_seconds(START + offset)
}

/// F-93: events in memory and in a file are found by time, user, session, kind and severity, the same in both.
#[test]
fn events_are_found_in_memory_and_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let memory = MemorySink::new();
    // Small files, so that the search goes through several.
    let file = JsonLinesSink::options(&path).max_size(1500).open().unwrap();
    let auditor = builder().sink(memory.clone()).sink(file).build();
    let other = SessionHandle::of(&Key::new(Kind::Session, "x", "", "2"));
    for entry in [
        usual(AuditKind::LaunchBegun),
        usual(AuditKind::TokenIssued),
        usual(AuditKind::ResourceAccessed).status(403),
        AuditContext::new().session(other).user(ISSUER, "dr-kim").entry(AuditKind::ResourceAccessed),
        usual(AuditKind::CsrfDetected),
        AuditContext::new().entry(AuditKind::ConfigurationError),
    ] {
        auditor.record(entry).unwrap();
    }
    let all = AuditQuery::new;
    for (what, query, expected) in [
        ("all", all(), &[1, 2, 3, 4, 5, 6][..]),
        ("since", all().since(at(4)), &[5, 6]),
        ("until", all().until(at(2)), &[1, 2]),
        ("between", all().since(at(1)).until(at(3)), &[2, 3]),
        ("user", all().user(auditor.user(ISSUER, "dr-kim")), &[4]),
        ("user of another issuer", all().user(auditor.user("https://other.example", "dr-kim")), &[]),
        ("session", all().session(session()), &[1, 2, 3, 5]),
        ("kind", all().kind(AuditKind::ResourceAccessed), &[3, 4]),
        ("kinds", all().kind(AuditKind::ResourceAccessed).kind(AuditKind::LaunchBegun), &[1, 3, 4]),
        ("severity", all().at_least(Severity::Error), &[5, 6]),
        ("warnings", all().at_least(Severity::Warning), &[3, 5, 6]),
        ("limit", all().session(session()).limit(2), &[3, 5]),
        ("none", all().limit(0), &[]),
    ] {
        let in_memory: Vec<_> = memory.query(&query).iter().map(|event| event.sequence()).collect();
        assert_eq!(in_memory, expected, "{what}");
        let stored = query_files(&path, &query).unwrap();
        let in_files: Vec<_> = stored.iter().map(|event| event.members()["seq"].as_u64().unwrap()).collect();
        assert_eq!(in_files, expected, "{what}");
    }
}

/// F-93: memory keeps the last events only, and forgets what is too old.
#[test]
fn memory_is_bounded() {
    let memory = MemorySink::with_capacity(3);
    let auditor = auditor(memory.clone());
    for _ in 0..5 {
        auditor.record(usual(AuditKind::SessionStarted)).unwrap();
    }
    let numbers = |query: &AuditQuery| memory.query(query).iter().map(|event| event.sequence()).collect::<Vec<_>>();
    assert_eq!((memory.len(), memory.dropped()), (3, 2));
    assert_eq!(numbers(&AuditQuery::new()), [3, 4, 5]);
    assert_eq!(memory.forget_before(at(4)), 2);
    assert_eq!(numbers(&AuditQuery::new()), [5]);
    assert_eq!(memory.forget_before(at(100)), 1);
    assert!(memory.is_empty());
}

/// F-93: a log line has the members of the event as fields of their own.
#[test]
fn log_lines_have_fields() {
    let log = logged(|| {
        auditor(smart_flows::audit::TracingSink).record(usual(AuditKind::ResourceAccessed)).unwrap();
    });
    for field in [
        "request=\"GET Observation/***\"",
        "interaction=\"read\"",
        "status=200",
        "client_id=\"my-app\"",
        "fhir_base=\"https://ehr.example/r4\"",
        "token=\"ni:///sha-256-128;",
        &format!("session=\"{}\"", session()),
        "sequence=1",
    ] {
        assert!(log.contains(field), "{field}: {log}");
    }
    assert!(!log.contains("reason=") && !log.contains("store="), "{log}");
}

/// Waits for its turn before each event.
struct Slow {
    turns: Mutex<Receiver<bool>>,
    kept: Keeping,
}

impl AuditSink for Slow {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        match self.turns.lock().unwrap().recv() {
            Ok(true) => self.kept.record(event),
            _ => Err(AuditError::sink("slow", "it failed")),
        }
    }

    fn name(&self) -> &'static str {
        "slow"
    }
}

/// F-93: a queue lets nobody wait; when it is full that is told, and what is in it is recorded before it is dropped.
#[test]
fn a_queue_lets_nobody_wait() {
    let (turn, turns) = channel();
    let kept = Keeping::default();
    let queue = QueuedSink::new(Slow { turns: Mutex::new(turns), kept: kept.clone() }, 2).unwrap();
    let event = recorded(usual(AuditKind::TokenIssued));
    let results: Vec<_> = (0..8).map(|_| queue.record(&event)).collect();
    // Two are in the queue, and one may be with the sink.
    assert!((2..=3).contains(&results.iter().filter(|result| result.is_ok()).count()), "{results:?}");
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(AuditError::Full { sink: "slow" }))));
    assert!(!queue.flush(Duration::from_millis(20)), "nothing moves");
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    (0..accepted).for_each(|_| turn.send(true).unwrap());
    assert!(queue.flush(Duration::from_secs(10)));
    assert_eq!(kept.events().len(), accepted);
    turn.send(true).unwrap();
    queue.record(&event).unwrap();
    drop(queue);
    assert_eq!(kept.events().len(), accepted + 1);
}

/// F-93: what fails behind a queue is counted, and told to the next who records.
#[test]
fn what_fails_behind_a_queue_is_told_to_the_next() {
    let (turn, turns) = channel();
    let kept = Keeping::default();
    let queue = QueuedSink::new(Slow { turns: Mutex::new(turns), kept: kept.clone() }, 8).unwrap();
    let event = recorded(context().entry(AuditKind::TokenIssued));
    turn.send(false).unwrap();
    queue.record(&event).unwrap();
    assert!(queue.flush(Duration::from_secs(10)));
    assert_eq!(queue.failures(), 1);
    turn.send(true).unwrap();
    let error = queue.record(&event).unwrap_err();
    assert!(matches!(&error, AuditError::Earlier { sink: "slow", .. }) && error.to_string().contains("it failed"));
    assert!(queue.flush(Duration::from_secs(10)));
    assert_eq!(kept.events().len(), 1, "the event itself is recorded");
    turn.send(true).unwrap();
    queue.record(&event).unwrap();
}

/// A sink can be shared.
#[test]
fn a_sink_can_be_shared() {
    let kept = Arc::new(Keeping::default());
    auditor(kept.clone()).record(usual(AuditKind::StoreOpened)).unwrap();
    assert_eq!(kept.events().len(), 1);
}
