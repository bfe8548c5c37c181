//! What is wrong with an illegal scope, and where.

use std::borrow::Cow;
use std::fmt;

/// How many characters of an illegal scope an error repeats.
const SHOWN: usize = 200;

/// An illegal scope: which character at which position, and what is expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScopeError {
    scope: String,
    kind: ScopeErrorKind,
    position: usize,
    found: Option<char>,
    expected: Cow<'static, str>,
}

/// Which part of a scope is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeErrorKind {
    /// A character that no scope may have: a blank, a double quote, a backslash, or one outside of printable ASCII
    /// (RFC 6749, section 3.3). An empty scope too.
    Character,
    /// The level: `patient`, `user` or `system`, in lower case.
    Level,
    /// The resource type: UpperCamel, or `*`.
    ResourceType,
    /// The permissions: letters of `cruds` in this order, or a version 1 word.
    Permissions,
    /// The query of a granular scope.
    Query,
    /// The resource type of a `launch/` scope: lower case.
    LaunchContext,
    /// The role of a `launch/` scope: one at most.
    Role,
    /// A word that SMART defines, in another case: scopes are case-sensitive.
    WordCase,
}

impl ScopeError {
    /// The illegal scope, for showing: control characters are replaced and a long scope is cut.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Which part is wrong.
    pub fn kind(&self) -> ScopeErrorKind {
        self.kind
    }

    /// Where, in characters, the first being 1.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The character found there, or `None` where the scope ends too early.
    pub fn found(&self) -> Option<char> {
        self.found
    }

    /// What belongs there.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "illegal scope `{}`: ", self.scope)?;
        match self.found {
            Some(found) => write!(f, "found `{}` at position {}", found.escape_debug(), self.position)?,
            None => write!(f, "it ends at position {}", self.position)?,
        }
        write!(f, ", expected {}", self.expected)
    }
}

/// A fault inside a text, before the text itself is known: cheap to make, for the reader that never fails.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ScopeErrorKind,
    /// In bytes, from the start of the text.
    pub(super) offset: usize,
    pub(super) expected: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(kind: ScopeErrorKind, offset: usize, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, offset, expected: expected.into() }
    }

    /// The same fault in a longer text that has `bytes` before this one.
    pub(super) fn shifted(mut self, bytes: usize) -> Self {
        self.offset += bytes;
        self
    }

    pub(super) fn of(self, scope: &str) -> ScopeError {
        let (before, after) = scope.split_at_checked(self.offset).unwrap_or((scope, ""));
        ScopeError {
            scope: crate::untrusted::shown(scope, SHOWN),
            kind: self.kind,
            position: before.chars().count() + 1,
            found: after.chars().next(),
            expected: self.expected,
        }
    }
}

/// Whether `byte` may stand in a scope (RFC 6749, section 3.3).
pub(super) fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// Checks that `text` has only characters that may stand in a scope.
pub(super) fn check_characters(text: &str) -> Result<(), Fault> {
    match text.bytes().position(|byte| !is_scope_byte(byte)) {
        None => Ok(()),
        Some(offset) => Err(Fault::new(
            ScopeErrorKind::Character,
            offset,
            "a printable ASCII character other than space, `\"` and `\\`; percent-encode it",
        )),
    }
}
