//! `smart audit verify`.
#![expect(clippy::unwrap_used, reason = "its helpers report by panicking")]

mod support;

use smart_on_fhir::flows::audit::{AuditEntry, AuditKey, AuditKind, Auditor, JsonLinesOptions, JsonLinesSink};
use smart_on_fhir::flows::{SystemClock, SystemRandom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::User;

fn options(user: &User) -> JsonLinesOptions {
    JsonLinesSink::options(user.folder().join("audit.jsonl"))
}

/// Records some events, and gives the file and the anchor.
fn record(options: JsonLinesOptions, count: usize) -> (PathBuf, String) {
    let sink = Arc::new(options.open().unwrap());
    let auditor = Auditor::builder(Arc::new(SystemClock), Arc::new(SystemRandom::new())).sink(sink.clone()).build();
    (0..count).for_each(|_| auditor.record(AuditEntry::new(AuditKind::StoreOpened)).unwrap());
    (sink.path().to_owned(), sink.anchor().to_string())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn edit(path: &Path, edit: impl FnOnce(String) -> String) {
    std::fs::write(path, edit(std::fs::read_to_string(path).unwrap())).unwrap();
}

/// F-94: a trail that nobody has touched is whole, in closed files too, and the anchor to keep is told.
#[tokio::test]
async fn a_whole_trail_is_told() {
    let user = User::new();
    let (path, anchor) = record(options(&user).max_size(1500), 9);
    let ran = user.run(&["audit", "verify", text(&path)]).await.exits(0);
    assert!(ran.out.contains("the trail is whole: 9 events") && ran.err.is_empty(), "{ran:#?}");
    let json = user.run(&["audit", "verify", text(&path), "--json", "--anchor", &anchor]).await.exits(0).json();
    assert_eq!((&json["whole"], &json["events"], &json["anchor"]), (&true.into(), &9.into(), &anchor.into()));
    let files = json["files"].as_array().unwrap();
    assert!(files.len() > 2, "{json}");

    // Named one by one, in any order.
    let mut named: Vec<_> = files.iter().map(|file| file.as_str().unwrap()).collect();
    named.reverse();
    let ran = user.run(&[&["audit", "verify", "--json", "--exact"], &named[..]].concat()).await.exits(0);
    assert_eq!(ran.json()["events"], 9);
    let ran = user.run(&["audit", "verify", "--json", "--exact", named[0]]).await.exits(12);
    assert_eq!(ran.json()["break"]["kind"], "missing-head");
    user.run(&["audit", "verify", "--exact", "--any-start", named[0]]).await.exits(0);
}

/// F-94: a broken trail ends with exit code 12; where and how it is broken is told.
#[tokio::test]
async fn a_broken_trail_is_told() {
    let user = User::new();
    let (path, anchor) = record(options(&user), 5);
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for (kind, line, content) in [
        ("altered", 2, whole.replacen("\"seq\":2", "\"seq\":9", 1)),
        ("removed", 3, [&lines[..2], &lines[3..]].concat().concat()),
        ("reordered", 2, [lines[0], lines[3], lines[2], lines[1], lines[4]].concat()),
        ("inserted", 4, [&lines[..3], &lines[..1], &lines[3..]].concat().concat()),
        ("torn", 5, whole[..whole.len() - 40].to_owned()),
        ("missing-head", 1, lines[1..].concat()),
    ] {
        std::fs::write(&path, content).unwrap();
        let ran = user.run(&["audit", "verify", text(&path)]).await.exits(12);
        assert!(ran.out.is_empty() && ran.err.contains(&format!("line {line}")), "{kind}: {ran:#?}");
        assert!(ran.err.contains("next step:") && ran.err.contains("audit-broken"), "{kind}: {ran:#?}");
        let json = user.run(&["audit", "verify", text(&path), "--json"]).await.exits(12).json();
        assert_eq!((&json["break"]["kind"], &json["break"]["line"]), (&kind.into(), &line.into()), "{json}");
        assert_eq!((&json["error"]["code"], &json["break"]["file"]), (&"audit-broken".into(), &text(&path).into()));
    }
    // A cut-off end needs the anchor.
    std::fs::write(&path, lines[..3].concat()).unwrap();
    user.run(&["audit", "verify", text(&path)]).await.exits(0);
    let json = user.run(&["audit", "verify", text(&path), "--json", "--anchor", &anchor]).await.exits(12).json();
    assert_eq!(json["break"]["kind"], "truncated");
}

/// F-94: a trail with a key is verified with it, and with it alone.
#[tokio::test]
async fn a_trail_with_a_key_needs_it() {
    let user = User::new();
    let digits = "5a".repeat(32);
    let (path, _) = record(options(&user).key(AuditKey::from_hex(&digits).unwrap()), 3);
    let key_file = user.folder().join("audit.key");
    let write_key = |digits: &str| {
        std::fs::write(&key_file, digits).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    let verify = ["audit", "verify", text(&path), "--json", "--key-file", text(&key_file)];
    write_key(&digits);
    assert_eq!(user.run(&verify).await.exits(0).json()["events"], 3);
    edit(&path, |whole| whole.replacen("store-opened", "token-issued", 1));
    assert_eq!(user.run(&verify).await.exits(12).json()["break"]["line"], 1);
    write_key(&"5b".repeat(32));
    assert_eq!(user.run(&verify).await.exits(12).json()["break"]["kind"], "no-line-fits");
    write_key("no key");
    assert_eq!(user.run(&verify).await.exits(2).json()["error"]["code"], "usage");

    let (_, _) = record(JsonLinesSink::options(user.folder().join("plain.jsonl")), 1);
    write_key(&digits);
    let plain = user.folder().join("plain.jsonl");
    let ran = user.run(&["audit", "verify", text(&plain), "--json", "--key-file", text(&key_file)]).await.exits(12);
    assert_eq!(ran.json()["break"]["kind"], "not-keyed");
}

/// F-94: no key for a trail that has one, a file that is not there, and an anchor that is none are told as such.
#[tokio::test]
async fn what_cannot_be_verified_is_told() {
    let user = User::new();
    let (path, _) = record(options(&user).key(AuditKey::from_octets(&[1; 32]).unwrap()), 1);
    let ran = user.run(&["audit", "verify", text(&path)]).await.exits(2);
    assert!(ran.err.contains("--key-file"), "{ran:#?}");
    let ran = user.run(&["audit", "verify", text(&user.folder().join("none.jsonl"))]).await.exits(1);
    assert!(ran.err.contains("none.jsonl"), "{ran:#?}");
    user.run(&["audit", "verify", text(&path), "--anchor", "17"]).await.exits(2);
    user.run(&["audit", "verify"]).await.exits(2);
}
