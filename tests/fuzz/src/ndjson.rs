//! The splitter of NDJSON: wherever a file is cut into chunks the lines are the same, they are those of the file, and none is longer
//! than the limit.

use smart_fhir::bulk::{LineError, NdjsonSplitter};

type Lines = Vec<Result<(u64, Vec<u8>), LineError>>;

fn split<'a>(chunks: impl Iterator<Item = &'a [u8]>, limit: usize) -> Lines {
    let mut splitter = NdjsonSplitter::new(limit);
    let mut lines = Lines::new();
    let mut each =
        |line: Result<(u64, &[u8]), LineError>| lines.push(line.map(|(number, text)| (number, text.to_vec())));
    for chunk in chunks {
        splitter.push(chunk, &mut each);
    }
    splitter.finish(&mut each);
    lines
}

/// Tries `file`: its length decides about limit and chunks, so that a file alone is the input.
pub fn hold(file: &[u8]) {
    let limit = file.len() % 97 + 1;
    let whole = split(std::iter::once(file), limit);
    for size in [1, 2, 3, file.len() % 13 + 1] {
        assert_eq!(split(file.chunks(size), limit), whole);
    }
    let ends = file.split(|octet| *octet == b'\n').count();
    let mut last = 0;
    for line in &whole {
        let number = match line {
            Ok((number, text)) => {
                assert!(!text.is_empty() && text.len() <= limit && !text.contains(&b'\n'));
                *number
            }
            Err(error) => error.line,
        };
        assert!(number > last && number <= ends as u64);
        last = number;
    }
}
