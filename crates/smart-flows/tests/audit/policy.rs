//! What happens when a sink fails.

use super::support::{Keeping, builder, logged, usual};
use smart_flows::audit::{AuditEntry, AuditError, AuditEvent, AuditKind, AuditPolicy, AuditSink, Auditor};

/// Records nothing.
struct Broken;

impl AuditSink for Broken {
    fn record(&self, _: &AuditEvent) -> Result<(), AuditError> {
        Err(AuditError::sink("broken", "the disk is gone"))
    }

    fn name(&self) -> &'static str {
        "broken"
    }
}

/// F-93: a sink that fails is told and counted, the other sinks get the event, and the app goes on.
#[test]
fn a_failing_sink_is_told_and_counted() {
    let kept = Keeping::default();
    let auditor = builder().sink(Broken).sink(kept.clone()).build();
    let log = logged(|| {
        auditor.record(usual(AuditKind::TokenIssued)).unwrap();
        auditor.record(usual(AuditKind::TokenRevoked)).unwrap();
    });
    assert_eq!((auditor.lost(), kept.events().len()), (2, 2));
    assert!(log.contains("ERROR") && log.contains("token-issued") && log.contains("the disk is gone"), "{log}");
}

/// F-93: by the strict policy what was to be recorded fails, and the other sinks still get it.
#[test]
fn a_strict_auditor_lets_the_caller_fail() {
    let kept = Keeping::default();
    let auditor = builder().policy(AuditPolicy::Strict).sink(Broken).sink(kept.clone()).build();
    let error = auditor.record(usual(AuditKind::ResourceAccessed)).unwrap_err();
    assert!(error.to_string().contains("broken") && !error.is_retryable(), "{error}");
    assert_eq!((auditor.lost(), kept.events().len()), (1, 1));
}

/// Without sinks nothing is made and nothing fails.
#[test]
fn an_auditor_without_sinks_does_nothing() {
    for auditor in [Auditor::none(), builder().policy(AuditPolicy::Strict).build()] {
        assert!(!auditor.is_on());
        auditor.record(AuditEntry::new(AuditKind::StoreOpened)).unwrap();
        assert_eq!(auditor.lost(), 0);
    }
}

/// Events of one auditor are numbered without a hole, however many threads record.
#[test]
fn events_are_numbered_without_a_hole() {
    let kept = Keeping::default();
    let auditor = builder().sink(kept.clone()).build();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| auditor.record(usual(AuditKind::ResourceAccessed)).unwrap()));
        }
    });
    let mut numbers: Vec<_> = kept.events().iter().map(AuditEvent::sequence).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
}
