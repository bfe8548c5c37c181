//! How exports are set up.

use std::fmt;
use std::str::FromStr;

/// The set-up of exports. By default four files of 256 KiB, the next poll after the kick-off finds them ready, and parts of files
/// are given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkConfig {
    /// How many files with resources there are.
    pub files: u32,
    /// How large each of them is at most, in octets: as many whole lines as fit, and one at least.
    pub file_size: u64,
    /// What the data depends on: the same seed gives the same octets.
    pub seed: u64,
    /// The troubles, and what else is special.
    pub modes: Vec<BulkMode>,
}

/// A way in which exports are special.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BulkMode {
    /// The first kick-off and the second poll are asked too often (429), and so is the second request for a file.
    Throttled,
    /// Five polls until the files are ready, and a pause after each 64 KiB of a file.
    Slow,
    /// The first two polls fail in a way that passes.
    Faults,
    /// The export fails for good.
    Failing,
    /// Each response with a file breaks off: after a third of the file, or 4 MiB if that is less.
    Cut,
    /// Links are good for three requests; then the manifest has to be asked for again.
    Expiring,
    /// Files are compressed for those who take that.
    Gzip,
    /// Parts of files are not given out.
    NoRanges,
    /// Files are given out at another origin, to those without a token only.
    OtherOrigin,
    /// The files are spread over several manifests, for those who allow that.
    Partial,
    /// There is a file of errors.
    Errors,
    /// There is a file of what was deleted.
    Deleted,
}

impl BulkMode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Slow,
        Self::Faults,
        Self::Failing,
        Self::Cut,
        Self::Expiring,
        Self::Gzip,
        Self::NoRanges,
        Self::OtherOrigin,
        Self::Partial,
        Self::Errors,
        Self::Deleted,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Slow => "slow",
            Self::Faults => "faults",
            Self::Failing => "failing",
            Self::Cut => "cut",
            Self::Expiring => "expiring",
            Self::Gzip => "gzip",
            Self::NoRanges => "no-ranges",
            Self::OtherOrigin => "other-origin",
            Self::Partial => "partial",
            Self::Errors => "errors",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for BulkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BulkMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| format!("it is none of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl Default for BulkConfig {
    fn default() -> Self {
        Self { files: 4, file_size: 256 * 1024, seed: 1, modes: Vec::new() }
    }
}

impl BulkConfig {
    /// The same with these modes.
    pub fn with_modes(self, modes: impl IntoIterator<Item = BulkMode>) -> Self {
        Self { modes: modes.into_iter().collect(), ..self }
    }

    pub(super) fn is(&self, mode: BulkMode) -> bool {
        self.modes.contains(&mode)
    }
}
