//! Reading a file line by line, none longer than may be.

use super::line::LONGEST_LINE;
use std::io::{self, BufRead};

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A line with its end.
    Ended(&'a [u8]),
    /// The rest of the file, which has no line end.
    Unended(&'a [u8]),
    /// More octets than any line has, up to the next line end.
    TooLong,
}

/// Lines of a reader, the memory bounded by the longest line.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(match (too_long, self.buffer.is_empty()) {
                    (true, _) => Some(Piece::TooLong),
                    (false, true) => None,
                    (false, false) => Some(Piece::Unended(&self.buffer)),
                });
            }
            let (taken, ended) = match available.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            if too_long || self.buffer.len() + taken > LONGEST_LINE + 1 {
                too_long = true;
            } else {
                self.buffer.extend_from_slice(available.get(..taken).unwrap_or_default());
            }
            self.reader.consume(taken);
            if ended {
                return Ok(Some(if too_long { Piece::TooLong } else { Piece::Ended(&self.buffer) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn pieces(text: &[u8], capacity: usize) -> Vec<(u8, Vec<u8>)> {
        let mut lines = Lines::new(BufReader::with_capacity(capacity, text));
        let mut pieces = Vec::new();
        while let Some(piece) = lines.next().unwrap() {
            pieces.push(match piece {
                Piece::Ended(line) => (1, line.to_vec()),
                Piece::Unended(line) => (2, line.to_vec()),
                Piece::TooLong => (3, Vec::new()),
            });
        }
        pieces
    }

    /// Lines are told apart from what has no end, however the reader cuts them.
    #[test]
    fn lines_are_told_from_what_has_no_end() {
        for capacity in [1, 2, 3, 100] {
            assert_eq!(
                pieces(b"ab\n\nc", capacity),
                [(1, b"ab\n".to_vec()), (1, b"\n".to_vec()), (2, b"c".to_vec())],
                "{capacity}"
            );
        }
        assert!(pieces(b"", 8).is_empty());
    }

    /// SE-09: a line that is too long is passed over without being kept.
    #[test]
    fn lines_that_are_too_long_are_passed_over() {
        let mut text = vec![b'x'; LONGEST_LINE + 1];
        text.extend_from_slice(b"\nafter\n");
        assert_eq!(pieces(&text, 1000), [(3, Vec::new()), (1, b"after\n".to_vec())]);
        text.truncate(LONGEST_LINE);
        assert_eq!(pieces(&text, 1000).len(), 1);
    }
}
