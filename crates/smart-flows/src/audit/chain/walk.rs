//! Going along a chain, line by line.

use super::anchor::Anchor;
use super::line::{Content, Line, Pruned, Torn};
use super::lines::Piece;
use super::report::{BreakKind, ChainReport};
use super::seal::{Algorithm, Seal};
use crate::audit::hex;
use crate::audit::key::Digest;

/// A line of one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) line: u64,
}

/// Why the walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Broken(Place, BreakKind),
    KeyNeeded,
}

/// What is expected of a chain besides that its lines fit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) seal: Seal,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) any_start: bool,
}

/// A walk along a chain. Its memory does not grow with the chain.
pub(crate) struct Walk<'e> {
    expected: &'e Expected,
    /// The line that is being looked at.
    place: Place,
    /// Where the first line that fits says to stand, and where it stood.
    first: Option<(Anchor, Place)>,
    /// The last line that fits, and where it stood.
    last: Option<(Anchor, Place)>,
    /// Whether a line of the chain says that what came before the first one was removed on purpose.
    head_is_told: bool,
    junk: Option<Junk>,
    gap: Option<Gap>,
    lines: u64,
    events: u64,
    torn: u64,
}

/// What is no line that fits, after the last one that does.
struct Junk {
    place: Place,
    octets: u64,
    digest: Digest,
    /// What the first of it says of its hash, where it has the form of a line: then it was not torn, but altered.
    whole: Option<Algorithm>,
    /// Whether a line among it is longer than any that was ever begun.
    too_long: bool,
    unended: bool,
}

/// Lines are missing. Whether they come later is being looked at.
struct Gap {
    place: Place,
    first: u64,
    last: u64,
}

impl<'e> Walk<'e> {
    pub(crate) fn new(expected: &'e Expected) -> Self {
        Self {
            expected,
            place: Place::default(),
            first: None,
            last: None,
            head_is_told: false,
            junk: None,
            gap: None,
            lines: 0,
            events: 0,
            torn: 0,
        }
    }

    /// The next file begins.
    pub(crate) fn next_file(&mut self, file: usize) -> Result<(), Stop> {
        if let Some(junk) = self.junk.take().filter(|_| self.gap.is_none()) {
            // A file is closed with a whole line.
            return Err(self.verdict_on(&junk));
        }
        self.place = Place { file, line: 0 };
        Ok(())
    }

    /// The next line.
    pub(crate) fn step(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        self.place.line += 1;
        let ended = match piece {
            Piece::Ended(octets) => octets.strip_suffix(b"\n"),
            _ => None,
        };
        let read = ended.and_then(Line::read);
        let fitting = read.filter(|line| line.fits(&self.expected.seal));
        if let Some(gap) = &self.gap {
            return match fitting {
                Some(line) if line.sequence == gap.first => Err(Stop::Broken(gap.place, BreakKind::Reordered)),
                _ => Ok(()),
            };
        }
        if let Some(line) = fitting {
            return self.fits(&line);
        }
        self.is_junk(piece, read.map(|line| line.algorithm));
        Ok(())
    }

    fn is_junk(&mut self, piece: Piece<'_>, whole: Option<Algorithm>) {
        let junk = self.junk.get_or_insert_with(|| Junk {
            place: self.place,
            octets: 0,
            digest: Digest::new(),
            whole: None,
            too_long: false,
            unended: false,
        });
        junk.whole = junk.whole.or(whole);
        match piece {
            Piece::Ended(octets) | Piece::Unended(octets) => {
                junk.octets = junk.octets.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
                junk.digest.update(octets);
                junk.unended = matches!(piece, Piece::Unended(_));
            }
            Piece::TooLong => junk.too_long = true,
        }
    }

    /// A line whose own hash is right: does it follow?
    fn fits(&mut self, line: &Line<'_>) -> Result<(), Stop> {
        let after = self.last.map_or(Anchor::START, |(anchor, _)| anchor);
        // The first line may say itself where it stands: whether that is good is decided at the end.
        let follows = line.after() == after || self.last.is_none() && self.junk.is_none() && line.sequence > 1;
        if let Some(junk) = self.junk.take() {
            let begins_later = self.last.is_none() && line.sequence > 1;
            return if junk.is_told_by(line) && (line.after() == after || begins_later) {
                self.torn += 1;
                self.accept(line)
            } else if line.after() == after && line.content != Content::Torn {
                Err(Stop::Broken(junk.place, BreakKind::Inserted))
            } else {
                Err(Stop::Broken(junk.place, BreakKind::Altered))
            };
        }
        if follows {
            if line.content == Content::Torn {
                // What it tells of is not there.
                return Err(Stop::Broken(self.place, BreakKind::Altered));
            }
            return self.accept(line);
        }
        let next = after.sequence.saturating_add(1);
        if line.sequence > next {
            self.gap = Some(Gap { place: self.place, first: next, last: line.sequence - 1 });
            return Ok(());
        }
        Err(match (self.last, self.first) {
            // Its own hash is right and its number too, so that the one before it is another than was written.
            (Some((_, place)), _) if line.sequence == next => Stop::Broken(place, BreakKind::Altered),
            (_, Some((first, place))) if line.sequence <= first.sequence => Stop::Broken(place, BreakKind::Reordered),
            (None, _) => Stop::Broken(self.place, BreakKind::Altered),
            _ => Stop::Broken(self.place, BreakKind::Inserted),
        })
    }

    fn accept(&mut self, line: &Line<'_>) -> Result<(), Stop> {
        let anchor = line.anchor();
        let (first, _) = *self.first.get_or_insert((line.after(), self.place));
        self.last = Some((anchor, self.place));
        self.lines += 1;
        match line.content {
            Content::Event => self.events += 1,
            Content::Torn => {}
            Content::Pruned => {
                let told = serde_json::from_slice::<Pruned>(line.payload).ok().and_then(|pruned| pruned.anchor());
                self.head_is_told |= told == Some(first);
            }
        }
        let other = |known: &&Anchor| known.sequence == anchor.sequence && known.hash != anchor.hash;
        match self.expected.anchors.iter().find(other) {
            Some(known) => Err(Stop::Broken(self.place, BreakKind::AnchorMismatch { anchor: known.sequence })),
            None => Ok(()),
        }
    }

    /// Junk that no later line explains.
    fn verdict_on(&self, junk: &Junk) -> Stop {
        let kind = match (junk.whole, &self.expected.seal) {
            (Some(Algorithm::HmacSha256), Seal::Plain) if self.lines == 0 => return Stop::KeyNeeded,
            (Some(Algorithm::Sha256), Seal::Keyed(_)) if self.lines == 0 => BreakKind::NotKeyed,
            (Some(_), Seal::Keyed(_)) if self.lines == 0 => BreakKind::NoLineFits,
            (None, _) if junk.unended && !junk.too_long => BreakKind::Torn,
            _ => BreakKind::Altered,
        };
        Stop::Broken(junk.place, kind)
    }

    /// The end of the last file.
    pub(crate) fn finish(mut self) -> Result<ChainReport, Stop> {
        if let Some(gap) = self.gap {
            return Err(Stop::Broken(gap.place, BreakKind::Removed { first: gap.first, last: gap.last }));
        }
        if let Some(junk) = self.junk.take() {
            return Err(self.verdict_on(&junk));
        }
        let (before, place) = self.first.unwrap_or((Anchor::START, Place::default()));
        let head_is_known = self.head_is_told || self.expected.anchors.contains(&before);
        if before.sequence > 0 && !self.expected.any_start && !head_is_known {
            return Err(Stop::Broken(place, BreakKind::MissingHead { first: before.sequence + 1 }));
        }
        let (end, last_place) = self.last.unwrap_or((Anchor::START, Place::default()));
        for anchor in &self.expected.anchors {
            let sequence = anchor.sequence;
            let wrong = |place, kind| Err(Stop::Broken(place, kind));
            if sequence > end.sequence {
                return wrong(last_place, BreakKind::Truncated { last: end.sequence, anchor: sequence });
            }
            if sequence == before.sequence && anchor.hash != before.hash {
                return wrong(place, BreakKind::AnchorMismatch { anchor: sequence });
            }
            if sequence < before.sequence {
                return wrong(place, BreakKind::AnchorGone { anchor: sequence, first: before.sequence + 1 });
            }
        }
        Ok(ChainReport {
            lines: self.lines,
            events: self.events,
            torn: self.torn,
            removed_before: before.sequence,
            last: self.last.map(|(anchor, _)| anchor),
        })
    }
}

impl Junk {
    /// Whether a line says that this was left behind by a killed process.
    fn is_told_by(&self, line: &Line<'_>) -> bool {
        if line.content != Content::Torn || self.too_long {
            return false;
        }
        let told = serde_json::from_slice::<Torn>(line.payload).ok();
        told.is_some_and(|torn| torn.octets == self.octets && torn.sha256 == hex::encode(&self.digest.clone().finish()))
    }
}
