//! Several processes, and processes that are killed. The children are this test program, started again.

use super::support::{recorded, usual};
use smart_flows::audit::{AuditKind, AuditSink as _, JsonLinesOptions, JsonLinesSink, Verifier, closed_files};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TASK: &str = "SMART_AUDIT_TASK";
const FILE: &str = "SMART_AUDIT_FILE";

fn start(task: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn options(path: &Path) -> JsonLinesOptions {
    JsonLinesSink::options(path).max_size(20_000)
}

#[test]
#[ignore = "run by other tests, as a process of its own"]
fn child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(FILE)) else { return };
    let sink = options(Path::new(&path)).open().unwrap();
    let event = recorded(usual(AuditKind::ResourceAccessed));
    match task.split_once(' ') {
        Some(("record", times)) => (0..times.parse().unwrap()).for_each(|_| sink.record(&event).unwrap()),
        _ => {
            for n in 1.. {
                sink.record(&event).unwrap();
                println!("recorded {n}");
            }
        }
    }
}

/// F-94: processes that write one file at a time make one chain, and none of their events is lost.
#[test]
fn processes_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let children: Vec<_> = (0..3).map(|_| start("record 200", &path)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let report = Verifier::new().verify_file(&path).unwrap();
    assert_eq!((report.events, report.torn), (600, 0));
    assert!(closed_files(&path).unwrap().len() > 5);
}

/// F-94: a process killed at random points loses no event that it has said to be recorded, and the chain goes on after it.
#[test]
fn kill_nine_at_random_breaks_no_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let (begun, mut kills, mut random) = (Instant::now(), 0, 88_172_645_463_325_252_u64);
    let mut events = 0;
    while kills < 100 && begun.elapsed() < Duration::from_secs(4) {
        let mut child = start("until killed", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.by_ref().find(|line| line.starts_with("recorded")).unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 4_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.filter(|line| line.starts_with("recorded")).last().unwrap_or(first);
        let said: u64 = last.trim_start_matches("recorded ").parse().unwrap();
        // Opening puts nothing on record by itself: the next event does.
        options(&path).open().unwrap().record(&recorded(usual(AuditKind::StoreOpened))).unwrap();
        let report = Verifier::new().verify_file(&path).unwrap();
        let expected = events + said + 1;
        assert!(report.events == expected || report.events == expected + 1, "{said} {report:?}");
        events = report.events;
        kills += 1;
    }
    println!("{kills} kills, {events} events");
    assert!(kills > 5, "{kills}");
}
