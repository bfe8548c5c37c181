//! How many tests ran, out of what nextest and libtest print.

/// Counts of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Those that passed.
    pub passed: u64,
    /// Those that failed, ran too long or could not be started.
    pub failed: u64,
    /// Those that were ignored or left out.
    pub skipped: u64,
}

impl TestCounts {
    /// Adds what `line` says, if it is the summary of a test run.
    pub fn look(&mut self, line: &str) {
        let line = line.trim();
        let nextest = line.strip_prefix("Summary [").and_then(|rest| rest.split_once(" run: "));
        if let Some((_, counts)) = nextest {
            counts.split(',').for_each(|part| self.add(part));
        } else if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) {
            counts.split(';').for_each(|part| self.add(part));
        }
    }

    fn add(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { return };
        match words.next() {
            Some("passed") => self.passed += number,
            Some("failed" | "timed" | "exec") => self.failed += number,
            Some("skipped" | "ignored") => self.skipped += number,
            _ => {}
        }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl std::fmt::Display for TestCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let mut counts = TestCounts::default();
        for line in [
            "        PASS [   0.004s] smart-core pkce::tests::verifier",
            "     Summary [   0.513s] 128 tests run: 120 passed (2 slow), 5 failed, 1 timed out, 2 exec failed, 3 skipped",
            "     Summary [   0.5s] 1/3 test run: 1 passed, 0 skipped",
            "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "12 passed, all is well",
        ] {
            counts.look(line);
        }
        assert_eq!(counts, TestCounts { passed: 129, failed: 10, skipped: 4 });
        assert_eq!(counts.to_string(), "129 passed, 10 failed, 4 skipped");
        assert_eq!(
            TestCounts::default().plus(TestCounts { passed: 1, ..TestCounts::default() }).to_string(),
            "1 passed, 0 failed"
        );
    }
}
