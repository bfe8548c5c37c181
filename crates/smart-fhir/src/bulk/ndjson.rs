//! NDJSON: one resource a line.

use memchr::memchr;
use serde::Deserialize;
use std::borrow::Cow;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Splits NDJSON into lines as its octets come, wherever the chunks are cut.
///
/// Lines end with LF or CRLF; the last one need not. Blank lines are passed over, and so is a byte order mark at the beginning.
/// A line that is longer than the limit is passed over and told; memory is bounded by that limit. It does no I/O.
///
/// ```
/// use smart_fhir::bulk::NdjsonSplitter;
///
/// let mut splitter = NdjsonSplitter::new(1024);
/// let mut lines = Vec::new();
/// for chunk in [&b"{\"a\""[..], b":1}\r\n\n{\"b\":2}"] {
///     splitter.push(chunk, |line| lines.push(line.map(|(number, text)| (number, text.to_vec()))));
/// }
/// splitter.finish(|line| lines.push(line.map(|(number, text)| (number, text.to_vec()))));
/// assert_eq!(lines, [Ok((1, b"{\"a\":1}".to_vec())), Ok((3, b"{\"b\":2}".to_vec()))]);
/// ```
#[derive(Debug, Clone)]
pub struct NdjsonSplitter {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    is_too_long: bool,
    /// Lines that have ended, blank ones too.
    ended: u64,
    max_line: usize,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct LineError {
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: LineFault,
}

/// The ways in which a line can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// It is longer than the limit.
    #[error("it is longer than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// It is no UTF-8.
    #[error("it is no UTF-8")]
    NotUtf8,
    /// It is no JSON.
    #[error("it is no JSON (column {column})")]
    NotJson {
        /// Where, in octets from 1.
        column: usize,
    },
    /// It is JSON, and no FHIR resource: an object with a `resourceType`.
    #[error("it is no FHIR resource")]
    NotAResource,
}

impl NdjsonSplitter {
    /// A splitter for lines of so many octets at most.
    pub fn new(max_line: usize) -> Self {
        Self { partial: Vec::new(), is_too_long: false, ended: 0, max_line }
    }

    /// Takes the next octets, and gives each line that ends in them with its number, from 1.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(Result<(u64, &[u8]), LineError>)) {
        let mut rest = chunk;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            self.end_line(line, &mut each);
        }
        self.keep(rest);
    }

    /// Tells that nothing more comes: gives the last line, where it does not end with a line feed.
    pub fn finish(&mut self, mut each: impl FnMut(Result<(u64, &[u8]), LineError>)) {
        if !self.partial.is_empty() || self.is_too_long {
            self.end_line(&[], &mut each);
        }
    }

    fn keep(&mut self, rest: &[u8]) {
        if self.is_too_long
            || self.partial.len().saturating_add(rest.len()) > self.max_line.saturating_add(BOM.len() + 1)
        {
            self.is_too_long = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(rest);
        }
    }

    fn end_line(&mut self, line: &[u8], each: &mut impl FnMut(Result<(u64, &[u8]), LineError>)) {
        let is_continued = !self.partial.is_empty() || self.is_too_long;
        if is_continued {
            self.keep(line);
        }
        let is_first = self.ended == 0;
        self.ended = self.ended.saturating_add(1);
        let whole = if is_continued { &self.partial } else { line };
        let whole = if is_first { whole.strip_prefix(BOM).unwrap_or(whole) } else { whole };
        let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
        if self.is_too_long || whole.len() > self.max_line {
            each(Err(LineError { line: self.ended, fault: LineFault::TooLong { limit: self.max_line } }));
        } else if !whole.iter().all(|octet| matches!(octet, b' ' | b'\t' | b'\r')) {
            each(Ok((self.ended, whole)));
        }
        self.partial.clear();
        self.is_too_long = false;
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "resourceType")]
    resource_type: Option<Cow<'a, str>>,
}

/// The resource type of a line that is well-formed JSON.
pub(super) fn type_of_line(line: &[u8]) -> Result<Cow<'_, str>, LineFault> {
    let text = std::str::from_utf8(line).map_err(|_| LineFault::NotUtf8)?;
    match serde_json::from_str::<Head<'_>>(text) {
        Ok(head) => head.resource_type.filter(|name| !name.is_empty()).ok_or(LineFault::NotAResource),
        Err(error) if error.is_data() => Err(LineFault::NotAResource),
        Err(error) => Err(LineFault::NotJson { column: error.column() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Lines = Vec<Result<(u64, Vec<u8>), LineError>>;

    fn split(chunks: &[&[u8]], max_line: usize) -> Lines {
        let mut splitter = NdjsonSplitter::new(max_line);
        let mut lines = Vec::new();
        let mut each = |line: Result<(u64, &[u8]), LineError>| lines.push(line.map(|(n, text)| (n, text.to_vec())));
        for chunk in chunks {
            splitter.push(chunk, &mut each);
        }
        splitter.finish(&mut each);
        lines
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands beside errors")]
    fn line(number: u64, text: &str) -> Result<(u64, Vec<u8>), LineError> {
        Ok((number, text.as_bytes().to_vec()))
    }

    /// BK-38 (NDJSON): LF and CRLF, blank lines, a mark at the beginning, no line feed at the end.
    #[test]
    fn lines_end_with_lf_or_crlf_or_the_file() {
        let expected = vec![line(1, "{}"), line(4, "{\"a\":1}"), line(5, "{}")];
        assert_eq!(split(&[b"\xef\xbb\xbf{}\r\n\n \t\r\n{\"a\":1}\n{}"], 100), expected);
        assert_eq!(split(&[b"{}\n"], 100), [line(1, "{}")]);
        assert!(split(&[b""], 100).is_empty() && split(&[b"\n\r\n"], 100).is_empty());
        assert_eq!(
            split(&[b"{}\n\xef\xbb\xbf{}"], 100),
            [line(1, "{}"), line(2, "\u{feff}{}")],
            "a mark elsewhere is no mark"
        );
    }

    /// BK-38, SE-08: a line beyond the limit is told by its number, and those after it come.
    #[test]
    fn lines_beyond_the_limit_are_told() {
        let long = LineError { line: 2, fault: LineFault::TooLong { limit: 4 } };
        for chunks in [&[&b"1234\n12345\n12\n"[..]][..], &[b"1234\n1", b"2", b"345", b"\n12"]] {
            assert_eq!(split(chunks, 4), [line(1, "1234"), Err(long), line(3, "12")]);
        }
        let mut splitter = NdjsonSplitter::new(10);
        for _ in 0..1000 {
            splitter.push(&[b'x'; 1000], |_| panic!("no line has ended"));
            assert!(splitter.partial.capacity() < 100, "memory is bounded by the limit");
        }
    }

    /// BK-38, BK-37: each line is JSON with a resource type, or told why not, by line.
    #[test]
    fn lines_are_resources_or_told() {
        assert_eq!(type_of_line(b"{\"id\":\"1\",\"resourceType\":\"Patient\",\"x\":[{}]}").unwrap(), "Patient");
        assert_eq!(
            type_of_line("{\"resourceType\":\"Pati\\u0065nt\",\"n\":\"\u{e9}\"}".as_bytes()).unwrap(),
            "Patient"
        );
        for (text, fault) in [
            (&b"\xff{}"[..], LineFault::NotUtf8),
            (b"{\"resourceType\":\"Patient\",\"x\":\"\xc3\"}", LineFault::NotUtf8),
            (b"{\"resourceType\":\"Patient\"", LineFault::NotJson { column: 25 }),
            (b"{\"resourceType\":\"Patient\"}{}", LineFault::NotJson { column: 27 }),
            (b"<html>", LineFault::NotJson { column: 1 }),
            (b"{}", LineFault::NotAResource),
            (b"[1]", LineFault::NotAResource),
            (b"{\"resourceType\":1}", LineFault::NotAResource),
            (b"{\"resourceType\":\"\"}", LineFault::NotAResource),
        ] {
            assert_eq!(type_of_line(text), Err(fault), "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        /// BK-38: however a file is cut into chunks, the lines are the same, and they are those of a plain split.
        #[test]
        fn chunk_borders_do_not_matter(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'{'), Just(0xc3), Just(0xa9), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0_usize..200, 0..10),
            limit in 0_usize..50,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&text[from..cut]);
                from = cut;
            }
            chunks.push(&text[from..]);
            let lines = split(&chunks, limit);
            prop_assert_eq!(&lines, &split(&[&text], limit));

            let plain = text.split(|octet| *octet == b'\n').zip(1_u64..).filter_map(|(line, number)| {
                let line = if number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if line.len() > limit {
                    return Some(Err(LineError { line: number, fault: LineFault::TooLong { limit } }));
                }
                let is_blank = line.iter().all(|octet| b" \t\r".contains(octet));
                (!is_blank).then(|| Ok((number, line.to_vec())))
            });
            prop_assert_eq!(lines, plain.collect::<Lines>());
        }

        /// BK-37: any octets are a resource or not, without a panic.
        #[test]
        fn any_line_is_decided(line in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(name) = type_of_line(&line) {
                prop_assert!(!name.is_empty());
            }
        }
    }
}
