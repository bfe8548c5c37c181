//! The chain: whatever is changed, taken away, put in or moved is found.

use super::support::{audit_key, auditor, usual};
use proptest::prelude::*;
use smart_flows::audit::{
    Anchor, AuditKey, AuditKind, BreakKind, ChainReport, JsonLinesSink, Verifier, VerifyError, verify,
};
use std::sync::{Arc, LazyLock};

/// A chain of some lines, and the anchors after each of them.
struct Chain {
    key: Option<AuditKey>,
    octets: Vec<u8>,
    anchors: Vec<Anchor>,
}

impl Chain {
    fn new(key: Option<AuditKey>) -> Self {
        Self::of(key, 8)
    }

    fn of(key: Option<AuditKey>, length: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let options = JsonLinesSink::options(&path);
        let options = match &key {
            Some(key) => options.key(key.clone()),
            None => options,
        };
        let sink = Arc::new(options.open().unwrap());
        let auditor = auditor(sink.clone());
        let mut anchors = Vec::new();
        for kind in AuditKind::ALL.iter().cycle().take(length) {
            auditor.record(usual(*kind)).unwrap();
            anchors.push(sink.anchor());
        }
        Self { key, octets: std::fs::read(&path).unwrap(), anchors }
    }

    fn lines(&self) -> Vec<&[u8]> {
        self.octets.split_inclusive(|octet| *octet == b'\n').collect()
    }

    fn verifier(&self) -> Verifier {
        match &self.key {
            Some(key) => Verifier::new().with_key(key.clone()),
            None => Verifier::new(),
        }
    }

    fn verdict(&self, octets: &[u8]) -> Result<ChainReport, VerifyError> {
        self.verifier().verify(octets)
    }

    /// The break that is found, with its line.
    fn broken(&self, octets: &[u8]) -> (u64, BreakKind) {
        broken(self.verdict(octets))
    }
}

fn broken(verdict: Result<ChainReport, VerifyError>) -> (u64, BreakKind) {
    match verdict {
        Err(VerifyError::Broken(found)) => (found.line, found.kind),
        other => panic!("{other:?}"),
    }
}

static CHAINS: LazyLock<[Chain; 2]> = LazyLock::new(|| [Chain::new(None), Chain::new(Some(audit_key(3)))]);

/// F-94: a chain that nobody has touched is whole, by the verifier and by the plain function.
#[test]
fn an_untouched_chain_is_whole() {
    for chain in &*CHAINS {
        let report = verify(&chain.octets[..], chain.key.as_ref()).unwrap();
        assert_eq!((report.lines, report.events, report.torn, report.removed_before), (8, 8, 0, 0));
        assert_eq!(report.last, chain.anchors.last().copied());
    }
    let report = Verifier::new().verify(&b""[..]).unwrap();
    assert_eq!((report.lines, report.last), (0, None));
}

/// F-94: each octet that is changed, taken away or put in is found, with the line in which it is.
#[test]
fn every_octet_is_bound() {
    for chain in [Chain::of(None, 3), Chain::of(Some(audit_key(3)), 3)] {
        let line_of = |at: usize| chain.octets[..at].split(|octet| *octet == b'\n').count() as u64;
        for at in 0..chain.octets.len() {
            let mut changed = chain.octets.clone();
            changed[at] ^= 1;
            let (line, kind) = chain.broken(&changed);
            assert_eq!(line, line_of(at), "changed at {at}: {kind}");
            let last = at == chain.octets.len() - 1;
            assert_eq!(kind, if last { BreakKind::Torn } else { BreakKind::Altered }, "changed at {at}");

            changed = chain.octets.clone();
            changed.remove(at);
            assert_eq!(chain.broken(&changed).0, line_of(at), "removed at {at}");

            changed = chain.octets.clone();
            changed.insert(at, b'\n');
            // One more line end before another is a line of its own.
            let ends = u64::from(chain.octets[at] == b'\n');
            assert_eq!(chain.broken(&changed).0, line_of(at) + ends, "inserted at {at}");
        }
    }
}

/// F-94: a line that is taken away is told, with its number; at the end it needs an anchor to be found.
#[test]
fn removed_lines_are_told_by_their_numbers() {
    for chain in &*CHAINS {
        for first in 0..8 {
            for count in 1..=8 - first {
                let mut lines = chain.lines();
                lines.drain(first..first + count);
                let rest = lines.concat();
                if first + count == 8 {
                    // Nothing in the rest tells of what came after it.
                    assert_eq!(chain.verdict(&rest).unwrap().lines, first as u64);
                    let anchored = chain.verifier().with_anchor(chain.anchors[7]);
                    let expected = (first as u64, BreakKind::Truncated { last: first as u64, anchor: 8 });
                    assert_eq!(broken(anchored.verify(&rest[..])), expected);
                } else if first == 0 {
                    assert_eq!(chain.broken(&rest), (1, BreakKind::MissingHead { first: count as u64 + 1 }));
                    let report = chain.verifier().from_any_line().verify(&rest[..]).unwrap();
                    assert_eq!(report.removed_before, count as u64);
                    // Who has kept the anchor before the first line knows that nothing else is missing.
                    let anchored = chain.verifier().with_anchor(chain.anchors[count - 1]);
                    assert!(anchored.verify(&rest[..]).is_ok());
                    let later = chain.verifier().with_anchor(chain.anchors[count]);
                    assert_eq!(broken(later.verify(&rest[..])).1.as_str(), "missing-head");
                } else {
                    let missing = BreakKind::Removed { first: first as u64 + 1, last: (first + count) as u64 };
                    assert_eq!(chain.broken(&rest), (first as u64 + 1, missing));
                }
            }
        }
    }
}

/// F-94: lines that change places are found, whichever two.
#[test]
fn lines_that_change_places_are_told() {
    for chain in &*CHAINS {
        for one in 0..8 {
            for other in one + 1..8 {
                let mut lines = chain.lines();
                lines.swap(one, other);
                assert_eq!(chain.broken(&lines.concat()), (one as u64 + 1, BreakKind::Reordered), "{one} {other}");
            }
        }
    }
}

/// F-94: a line that is put in is found, whether it is a copy, one of another chain, or nonsense.
#[test]
fn inserted_lines_are_told() {
    let strangers = [Chain::new(None), Chain::new(Some(audit_key(4)))];
    for (chain, stranger) in CHAINS.iter().zip(&strangers) {
        for at in 0..=8 {
            let mut put_in: Vec<Vec<u8>> = vec![b"\n".to_vec(), b"{}\n".to_vec(), b"x".repeat(100_000)];
            put_in[2].push(b'\n');
            // Copies of earlier lines.
            put_in.extend(chain.lines()[..at].iter().map(|line| line.to_vec()));
            for inserted in &put_in {
                let mut lines = chain.lines();
                lines.insert(at, inserted);
                let (line, kind) = chain.broken(&lines.concat());
                assert_eq!(line, at as u64 + 1, "{kind}");
                let expected: &[&str] = if at == 8 { &["altered", "inserted"] } else { &["inserted"] };
                assert!(expected.contains(&kind.as_str()), "{at}: {kind}");
            }
            for foreign in chain.lines().iter().skip(at).chain(&stranger.lines()) {
                let mut lines = chain.lines();
                lines.insert(at, foreign);
                chain.broken(&lines.concat());
            }
        }
    }
}

/// F-94: who writes a whole chain anew is found by an anchor; with a key they cannot write one at all.
#[test]
fn a_chain_that_is_written_anew_is_told() {
    let [plain, keyed] = &*CHAINS;
    let wrong = Anchor::from_parts(plain.anchors[3], [9; 32]);
    let verdict = plain.verifier().with_anchor(wrong).verify(&plain.octets[..]);
    assert_eq!(broken(verdict), (4, BreakKind::AnchorMismatch { anchor: 4 }));

    assert_eq!(keyed.broken(&plain.octets), (1, BreakKind::NotKeyed));
    let other_key = Verifier::new().with_key(audit_key(9));
    assert_eq!(broken(other_key.verify(&keyed.octets[..])), (1, BreakKind::NoLineFits));
    assert!(matches!(plain.verdict(&keyed.octets), Err(VerifyError::KeyNeeded)));
    // A line without a key among those with one is an altered one.
    let mut lines = keyed.lines();
    lines[4] = plain.lines()[4];
    assert_eq!(keyed.broken(&lines.concat()), (5, BreakKind::Altered));
}

/// F-94: every anchor of a chain is in it, and one that lies before its first line shows nothing, which is told.
#[test]
fn anchors_are_looked_for() {
    for chain in &*CHAINS {
        let all = chain.anchors.iter().fold(chain.verifier(), |verifier, anchor| verifier.with_anchor(*anchor));
        assert!(all.verify(&chain.octets[..]).is_ok());
        let rest = chain.lines()[3..].concat();
        let gone = chain.verifier().from_any_line().with_anchor(chain.anchors[1]).verify(&rest[..]);
        assert_eq!(broken(gone), (1, BreakKind::AnchorGone { anchor: 2, first: 4 }));
        let before = Anchor::from_parts(chain.anchors[2], [9; 32]);
        let wrong = chain.verifier().from_any_line().with_anchor(before).verify(&rest[..]);
        assert_eq!(broken(wrong), (1, BreakKind::AnchorMismatch { anchor: 3 }));
    }
}

/// Makes anchors that no chain has.
trait FromParts {
    fn from_parts(like: Self, hash: [u8; 32]) -> Self;
}

impl FromParts for Anchor {
    fn from_parts(like: Self, hash: [u8; 32]) -> Self {
        let text = hash.iter().fold(format!("{}:", like.sequence()), |text, octet| format!("{text}{octet:02x}"));
        text.parse().unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// F-94: whatever stretch of a chain is replaced by whatever, it is found, unless only the end is cut off; then the
    /// anchor finds it.
    #[test]
    fn any_replaced_stretch_is_found(
        keyed in any::<bool>(), from in any::<prop::sample::Index>(), length in 0_usize..600,
        by in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            any::<prop::sample::Index>().prop_map(|at| {
                let lines = CHAINS[0].lines();
                lines[at.index(lines.len())].to_vec()
            }),
        ],
    ) {
        let chain = &CHAINS[usize::from(keyed)];
        let from = from.index(chain.octets.len());
        let to = (from + length).min(chain.octets.len());
        let mut changed = chain.octets.clone();
        changed.splice(from..to, by);
        prop_assume!(changed != chain.octets);
        let anchored = chain.verifier().with_anchor(chain.anchors[7]).verify(&changed[..]);
        prop_assert!(anchored.is_err(), "{:?}", anchored);
        if chain.verdict(&changed).is_ok() {
            prop_assert!(chain.octets.starts_with(&changed), "only a cut-off end goes unseen without an anchor");
        }
    }

    /// F-94, SE-09: whatever is read as a chain, it is judged without a panic.
    #[test]
    fn anything_is_judged(
        octets in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), keyed in any::<bool>(),
    ) {
        let chain = &CHAINS[usize::from(keyed)];
        let _ = chain.verdict(&octets);
        // The same among lines that fit.
        let at = at.index(8);
        let mut lines = chain.lines();
        lines.insert(at, &octets);
        let _ = chain.verifier().from_any_line().with_anchor(chain.anchors[at]).verify(&lines.concat()[..]);
    }
}
