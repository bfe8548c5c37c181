//! What the caller refuses a server for.

use super::overrides::EndpointOverrides;
use super::report::{Finding, FindingCode, Severity};
use crate::url_policy::UrlPolicy;
use std::collections::BTreeSet;

/// What is asked of `code_challenge_methods_supported`. Whatever it is, S256 is what is sent: PKCE is never weakened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum S256Policy {
    /// A list without `S256` refuses the server; no list at all is a warning, since SMART 1 has none. The default.
    #[default]
    IfListed,
    /// `S256` must be listed, which a CapabilityStatement cannot do. Endpoints that are the caller's own need no list.
    Always,
    /// Nothing is asked: some servers take S256 and do not say so.
    Unchecked,
}

/// Which findings refuse a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryPolicy {
    fatal: BTreeSet<FindingCode>,
}

impl Default for DiscoveryPolicy {
    /// A server that lists its PKCE methods without S256 is refused; all else is reported.
    fn default() -> Self {
        Self { fatal: BTreeSet::from([FindingCode::S256NotListed]) }
    }
}

impl DiscoveryPolicy {
    /// Refuses a server for every finding that is usually an error, and for missing PKCE methods.
    pub fn strict() -> Self {
        let errors = FindingCode::ALL.iter().copied().filter(|c| c.usual_severity() >= Severity::Error);
        Self { fatal: errors.chain([FindingCode::CodeChallengeMethodsMissing]).collect() }
    }

    /// Refuses nothing that can be read: for tools that show the report.
    pub fn report_only() -> Self {
        Self { fatal: BTreeSet::new() }
    }

    /// Sets what is asked of the PKCE methods.
    pub fn s256(self, policy: S256Policy) -> Self {
        let (listed, missing) = (FindingCode::S256NotListed, FindingCode::CodeChallengeMethodsMissing);
        match policy {
            S256Policy::IfListed => self.fatal(listed).tolerate(missing),
            S256Policy::Always => self.fatal(listed).fatal(missing),
            S256Policy::Unchecked => self.tolerate(listed).tolerate(missing),
        }
    }

    /// Refuses a server for this finding.
    pub fn fatal(mut self, code: FindingCode) -> Self {
        self.fatal.insert(code);
        self
    }

    /// Reports this finding without refusing the server.
    pub fn tolerate(mut self, code: FindingCode) -> Self {
        self.fatal.remove(&code);
        self
    }

    /// Whether this finding refuses a server.
    pub fn is_fatal(&self, code: FindingCode) -> bool {
        self.fatal.contains(&code)
    }

    /// Raises the findings that this policy refuses to [`Severity::Fatal`].
    pub(super) fn grade(&self, findings: &mut [Finding]) {
        for finding in findings.iter_mut().filter(|f| self.is_fatal(f.code)) {
            finding.severity = Severity::Fatal;
        }
    }
}

/// How discovery is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiscoveryOptions {
    /// Whether http on loopback passes. Default: https only.
    pub url_policy: UrlPolicy,
    /// What refuses a server.
    pub policy: DiscoveryPolicy,
    /// Endpoints that the caller knows better than the server's documents.
    pub overrides: EndpointOverrides,
}
