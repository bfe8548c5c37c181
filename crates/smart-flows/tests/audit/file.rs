//! The file of audit lines: opened again, torn, full, grown too large, and shared.

use super::support::{audit_key, auditor, builder, recorded, usual};
use smart_flows::audit::{
    AuditEntry, AuditError, AuditKind, AuditPolicy, AuditQuery, AuditSink as _, BreakKind, ChainReport,
    JsonLinesOptions, JsonLinesSink, Severity, SyncPolicy, Verifier, VerifyError, closed_files, query_files,
};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    (folder, path)
}

fn record(sink: &JsonLinesSink, count: usize) {
    let event = recorded(usual(AuditKind::ResourceAccessed));
    (0..count).for_each(|_| sink.record(&event).unwrap());
}

/// The same with a line as short as can be, where each octet of it is tried.
fn record_short(sink: &JsonLinesSink, count: usize) {
    let event = recorded(AuditEntry::new(AuditKind::StoreOpened));
    (0..count).for_each(|_| sink.record(&event).unwrap());
}

fn open(path: &Path) -> JsonLinesSink {
    JsonLinesSink::options(path).open().unwrap()
}

fn report(path: &Path) -> ChainReport {
    Verifier::new().verify_file(path).unwrap()
}

fn break_of(path: &Path) -> BreakKind {
    match Verifier::new().verify_file(path) {
        Err(VerifyError::Broken(found)) => found.kind,
        other => panic!("{other:?}"),
    }
}

fn append(path: &Path, octets: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(octets).unwrap();
}

/// F-94: a chain goes on where it stood, however often the file is opened, with and without a key.
#[test]
fn the_chain_goes_on_when_a_file_is_opened_again() {
    for key in [None, Some(audit_key(5))] {
        let (_folder, path) = place();
        let options = || match &key {
            Some(key) => JsonLinesSink::options(&path).key(key.clone()),
            None => JsonLinesSink::options(&path),
        };
        for _ in 0..3 {
            record(&options().open().unwrap(), 2);
        }
        let verifier = key.iter().fold(Verifier::new(), |verifier, key| verifier.with_key(key.clone()));
        let report = verifier.verify_file(&path).unwrap();
        assert_eq!((report.events, report.torn, report.removed_before), (6, 0, 0));
        assert_eq!(report.last.unwrap(), options().open().unwrap().anchor());
    }
}

/// F-94: the file is the owner's alone where it is made.
#[cfg(unix)]
#[test]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = place();
    record(&JsonLinesSink::options(&path).max_size(1).open().unwrap(), 2);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

/// F-94: wherever a writer is killed within a line, the rest is put on record by the next, and the chain is whole again.
#[test]
fn a_torn_line_is_put_on_record() {
    let (_folder, path) = place();
    record_short(&open(&path), 2);
    let two = std::fs::read(&path).unwrap();
    record_short(&open(&path), 1);
    let three = std::fs::read(&path).unwrap();
    for cut in two.len() + 1..three.len() {
        std::fs::write(&path, &three[..cut]).unwrap();
        assert_eq!(break_of(&path), BreakKind::Torn, "{cut}");
        record_short(&open(&path), 1);
        let whole = report(&path);
        // Only the line end was missing: nothing is lost.
        let only_the_end = cut == three.len() - 1;
        assert_eq!((whole.events, whole.torn), if only_the_end { (4, 0) } else { (3, 1) }, "{cut}");
        assert!(std::fs::read(&path).unwrap().starts_with(&three[..cut]), "nothing is written over");
    }
    // The same in the first line of all.
    for cut in 1..two.len() / 2 - 1 {
        std::fs::write(&path, &three[..cut]).unwrap();
        record_short(&open(&path), 1);
        assert_eq!((report(&path).events, report(&path).torn), (1, 1), "{cut}");
    }
}

/// F-94: a writer that is killed while it puts a torn line on record leaves more behind, which is put on record as well.
#[test]
fn a_torn_record_of_a_torn_line_is_put_on_record() {
    let (_folder, path) = place();
    record_short(&open(&path), 1);
    let whole = std::fs::read(&path).unwrap();
    let torn = [&whole[..], &whole[..100]].concat();
    std::fs::write(&path, &torn).unwrap();
    record_short(&open(&path), 1);
    let mended = std::fs::read(&path).unwrap();
    for cut in torn.len() + 1..mended.len() {
        std::fs::write(&path, &mended[..cut]).unwrap();
        record_short(&open(&path), 1);
        let report = report(&path);
        assert!(report.torn >= 1 && report.events >= 2, "{cut}: {report:?}");
    }
}

/// F-94: what lies torn and on record is bound as well: changing or removing it is found.
#[test]
fn what_is_torn_is_bound() {
    let (_folder, path) = place();
    record(&open(&path), 1);
    let whole = std::fs::read(&path).unwrap();
    append(&path, &whole[..50]);
    record(&open(&path), 1);
    let mended = std::fs::read(&path).unwrap();
    assert_eq!(report(&path).torn, 1);
    for at in whole.len()..whole.len() + 51 {
        let mut changed = mended.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert_eq!(break_of(&path), BreakKind::Altered, "{at}");
    }
    let mut removed = mended.clone();
    removed.drain(whole.len()..whole.len() + 51);
    std::fs::write(&path, &removed).unwrap();
    assert_eq!(break_of(&path), BreakKind::Altered);
}

/// F-94: a file whose end was changed, is of another key, or is no audit file is not written to.
#[test]
fn a_file_that_does_not_fit_is_not_written_to() {
    let (_folder, path) = place();
    record(&open(&path), 2);
    let good = std::fs::read(&path).unwrap();
    let refused = |content: &[u8], options: JsonLinesOptions| {
        std::fs::write(&path, content).unwrap();
        let error = options.open().unwrap_err();
        assert!(matches!(&error, AuditError::Broken { .. }) && error.to_string().contains("verify"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "it stays as it is");
    };
    let options = || JsonLinesSink::options(&path);
    let mut changed = good.clone();
    let at = changed.len() - 200;
    changed[at] ^= 1;
    refused(&changed, options());
    refused(&good, options().key(audit_key(1)));
    refused(b"Dear diary,\n", options());
    refused(b"Dear diary", options());
    refused(&[&good[..], b"and by hand\n"].concat(), options());
    refused(&[&good[..], &b"x".repeat(1 << 20)].concat(), options());
    std::fs::write(&path, &good).unwrap();
    record(&open(&path), 1);
    assert_eq!(report(&path).events, 3);
}

/// F-94: after a power cut a file may end with octets that were never written; the chain goes on.
#[test]
fn octets_that_were_never_written_are_put_on_record() {
    let (_folder, path) = place();
    record(&open(&path), 1);
    append(&path, &[0; 3000]);
    record(&open(&path), 1);
    assert_eq!((report(&path).events, report(&path).torn), (2, 1));
}

/// F-94: what is cut from a file while it is written shows as a break: the writer goes on after what it knows.
#[test]
fn what_is_cut_while_the_app_runs_is_found() {
    let (_folder, path) = place();
    let sink = open(&path);
    record(&sink, 4);
    let lines = std::fs::read_to_string(&path).unwrap();
    let two: String = lines.split_inclusive('\n').take(2).collect();
    std::fs::write(&path, two).unwrap();
    record(&sink, 1);
    assert_eq!(break_of(&path), BreakKind::Removed { first: 3, last: 4 });

    // The same where the whole file is replaced or removed.
    let (_folder, path) = place();
    let sink = open(&path);
    record(&sink, 3);
    std::fs::remove_file(&path).unwrap();
    record(&sink, 1);
    assert_eq!(break_of(&path), BreakKind::MissingHead { first: 4 });
}

/// F-93, F-94: a file that grows too large is closed, and the chain goes on in the next, over all of them.
#[test]
fn the_chain_goes_on_over_closed_files() {
    let (_folder, path) = place();
    let options = || JsonLinesSink::options(&path).max_size(2000);
    let sink = options().open().unwrap();
    record(&sink, 5);
    drop(sink);
    record(&options().open().unwrap(), 5);
    let closed = closed_files(&path).unwrap();
    assert!(closed.len() >= 2, "{closed:?}");
    assert!(closed.iter().chain([&path]).all(|file| std::fs::metadata(file).unwrap().len() <= 2000));
    assert_eq!(report(&path).events, 10);
    assert_eq!(query_files(&path, &AuditQuery::new()).unwrap().len(), 10);

    // In any order.
    let mut files: Vec<_> = closed.iter().cloned().chain([path.clone()]).collect();
    files.reverse();
    assert_eq!(Verifier::new().verify_files(&files).unwrap().events, 10);

    // Also where a first line was changed.
    let oldest = std::fs::read(&closed[0]).unwrap();
    std::fs::write(&closed[0], [b"x", &oldest[1..]].concat()).unwrap();
    let Err(VerifyError::Broken(found)) = Verifier::new().verify_files(&files) else { panic!() };
    assert_eq!((found.file, found.line, found.kind), (Some(closed[0].clone()), 1, BreakKind::Altered));
    std::fs::write(&closed[0], &oldest).unwrap();

    // One of them is missing, or was changed.
    let middle = std::fs::read(&closed[1]).unwrap();
    std::fs::remove_file(&closed[1]).unwrap();
    assert!(matches!(break_of(&path), BreakKind::Removed { .. }));
    let mut changed = middle.clone();
    changed[middle.len() / 3] ^= 1;
    std::fs::write(&closed[1], &changed).unwrap();
    let Err(VerifyError::Broken(found)) = Verifier::new().verify_file(&path) else { panic!() };
    assert_eq!((found.file, found.kind), (Some(closed[1].clone()), BreakKind::Altered));
    // A closed file that was cut within a line was not cut by its writer.
    std::fs::write(&closed[1], &middle[..middle.len() - 1]).unwrap();
    assert!(Verifier::new().verify_file(&path).is_err());
    std::fs::write(&closed[1], &middle).unwrap();
    assert_eq!(report(&path).events, 10);
}

/// F-94: killed between closing a file and beginning the next, or in the first line of it, the chain goes on after the
/// closed one.
#[test]
fn a_kill_between_two_files_loses_nothing() {
    let (_folder, path) = place();
    let options = || JsonLinesSink::options(&path).max_size(1);
    let sink = options().open().unwrap();
    record(&sink, 2);
    let second = std::fs::read(&path).unwrap();
    drop(sink);
    for left in [None, Some(&b""[..]), Some(&second[..80])] {
        match left {
            None => std::fs::remove_file(&path).unwrap(),
            Some(left) => std::fs::write(&path, left).unwrap(),
        }
        record(&options().open().unwrap(), 1);
        let whole = report(&path);
        assert_eq!((whole.events, whole.removed_before), (2, 0), "{left:?}");
        assert_eq!(whole.torn, u64::from(left.is_some_and(|left| !left.is_empty())));
    }
}

/// F-93, F-94: only so many closed files are kept, and the chain says itself that the others were removed; files that
/// somebody else removed are missed.
#[test]
fn old_files_are_removed_on_record() {
    for key in [None, Some(audit_key(5))] {
        let (_folder, path) = place();
        let options = JsonLinesSink::options(&path).max_size(1500).keep_files(2);
        let options = key.iter().fold(options, |options, key| options.key(key.clone()));
        record(&options.open().unwrap(), 20);
        let closed = closed_files(&path).unwrap();
        assert_eq!(closed.len(), 2);
        let verifier = key.iter().fold(Verifier::new(), |verifier, key| verifier.with_key(key.clone()));
        let whole = verifier.verify_file(&path).unwrap();
        assert!(whole.removed_before > 0 && whole.events < 20, "{whole:?}");
        std::fs::remove_file(&closed[0]).unwrap();
        let Err(VerifyError::Broken(found)) = verifier.verify_file(&path) else { panic!() };
        assert!(matches!(found.kind, BreakKind::MissingHead { .. }), "{found}");
    }
}

/// F-93: an old file that does not fit its chain is kept as evidence.
#[test]
fn an_old_file_that_does_not_fit_is_kept() {
    let (_folder, path) = place();
    let sink = JsonLinesSink::options(&path).max_size(1).keep_files(1).open().unwrap();
    record(&sink, 2);
    let closed = closed_files(&path).unwrap().remove(0);
    let mut changed = std::fs::read(&closed).unwrap();
    changed[100] ^= 1;
    std::fs::write(&closed, &changed).unwrap();
    record(&sink, 3);
    assert!(closed.exists() && closed_files(&path).unwrap().len() == 4);
    assert_eq!(break_of(&path), BreakKind::Altered);
}

/// F-94: two sinks on one file, as of two processes, take turns and make one chain; also over closed files.
#[test]
fn two_writers_make_one_chain() {
    let (_folder, path) = place();
    let options = || JsonLinesSink::options(&path).max_size(8000);
    let sinks = [options().open().unwrap(), options().open().unwrap()];
    for _ in 0..20 {
        for sink in &sinks {
            record(sink, 1);
        }
    }
    assert_eq!((report(&path).events, report(&path).torn), (40, 0));
    assert!(closed_files(&path).unwrap().len() > 1);
    std::thread::scope(|scope| {
        for sink in &sinks {
            scope.spawn(|| record(sink, 50));
        }
    });
    assert_eq!(report(&path).events, 140);
}

/// F-93: a writer that does not let go is waited for once, told as busy, and not waited for again so soon.
#[test]
fn a_lock_that_is_held_is_told() {
    let (_folder, path) = place();
    let sink = open(&path);
    let lock = OpenOptions::new().write(true).open(path.with_extension("jsonl.lock")).unwrap();
    lock.lock().unwrap();
    let event = recorded(usual(AuditKind::TokenIssued));
    let error = sink.record(&event).unwrap_err();
    assert!(matches!(error, AuditError::Busy { .. }) && error.is_retryable(), "{error}");
    let begun = std::time::Instant::now();
    assert!(sink.record(&event).is_err());
    assert!(begun.elapsed() < std::time::Duration::from_millis(400), "not waited for again");
    lock.unlock().unwrap();
    sink.record(&event).unwrap();
    assert_eq!(report(&path).events, 1);
}

/// F-93: a disk that is full is an error that may pass, and harms neither the chain nor later events.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_harms_no_chain() {
    let (_folder, path) = place();
    let sink = Arc::new(open(&path));
    record(&sink, 1);
    // A file that is open for reading alone stands for a disk that takes nothing.
    let strict = builder().policy(AuditPolicy::Strict).sink(sink.clone()).build();
    let lost = super::support::logged(|| {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let error = strict.record(usual(AuditKind::TokenIssued)).unwrap_err();
        assert!(error.is_retryable() && matches!(error, AuditError::Io { .. }), "{error}");
        std::fs::remove_file(&path).unwrap();
    });
    assert!(lost.contains("token-issued"), "{lost}");
    strict.record(usual(AuditKind::TokenIssued)).unwrap();
    assert_eq!(strict.lost(), 1);
    assert_eq!(break_of(&path), BreakKind::MissingHead { first: 2 }, "the file was removed, which is told");
}

/// F-93: lines are forced to the disk by policy and on demand.
#[test]
fn lines_are_forced_to_the_disk() {
    let (_folder, path) = place();
    let sink = Arc::new(JsonLinesSink::options(&path).sync(SyncPolicy::From(Severity::Warning)).open().unwrap());
    let auditor = auditor(sink.clone());
    auditor.record(usual(AuditKind::TokenIssued)).unwrap();
    auditor.record(usual(AuditKind::CsrfDetected)).unwrap();
    sink.sync().unwrap();
    assert_eq!((report(&path).events, auditor.lost()), (2, 0));
    assert_eq!(sink.path(), path);
}

/// A folder that does not exist is told, with its name.
#[test]
fn a_missing_folder_is_told() {
    let (folder, _) = place();
    let error = JsonLinesSink::options(folder.path().join("none/audit.jsonl")).open().unwrap_err();
    assert!(error.to_string().contains("none/audit.jsonl"), "{error}");
    let error = Verifier::new().verify_file(folder.path().join("none.jsonl")).unwrap_err();
    assert!(matches!(error, VerifyError::Io { .. }), "{error}");
}
