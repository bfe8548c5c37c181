//! Scopes for launch context.

use super::error::{Fault, ScopeError, ScopeErrorKind, check_characters};
use std::borrow::Cow;
use std::fmt;

/// A scope for launch context: `launch`, `launch/patient`, `launch/list?role=..` (SMART, scopes for requesting context
/// data).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaunchScope(Cow<'static, str>);

const PREFIX: &str = "launch/";
const ROLE: &str = "?role=";

impl LaunchScope {
    /// `launch`: the context of the EHR that launched the app.
    pub const EHR: Self = Self(Cow::Borrowed("launch"));
    /// `launch/patient`: a patient must be chosen.
    pub const PATIENT: Self = Self(Cow::Borrowed("launch/patient"));
    /// `launch/encounter`: an encounter must be chosen.
    pub const ENCOUNTER: Self = Self(Cow::Borrowed("launch/encounter"));

    /// The scope for context of a resource type; its name is put in lower case.
    ///
    /// # Errors
    /// [`ScopeError`] when the type has other characters than letters and digits.
    pub fn context(resource_type: &str) -> Result<Self, ScopeError> {
        let text = format!("{PREFIX}{}", resource_type.to_ascii_lowercase());
        match text.get(PREFIX.len()..) {
            Some(rest) if rest.contains('?') => {
                let offset = text.find('?').unwrap_or_default();
                Err(Fault::new(ScopeErrorKind::LaunchContext, offset, TYPE).of(&text))
            }
            _ => Self::parse(&text).map_err(|fault| fault.of(&text)),
        }
    }

    /// This scope for resources of one role: a URI, or a word that SMART or the server defines. An app that wants several
    /// roles asks for several scopes. Experimental in SMART 2.2.
    ///
    /// # Errors
    /// [`ScopeError`] when this is the bare `launch` or has a role already, or the role is empty or has a character
    /// that may not stand in it (`&` too: percent-encode it).
    pub fn with_role(&self, role: &str) -> Result<Self, ScopeError> {
        let text = format!("{}{ROLE}{role}", self.0);
        Self::parse(&text).map_err(|fault| fault.of(&text))
    }

    /// The resource type in lower case, or `None` for the bare `launch`.
    pub fn resource_type(&self) -> Option<&str> {
        let rest = self.0.strip_prefix(PREFIX)?;
        Some(rest.split_once('?').map_or(rest, |(name, _)| name))
    }

    /// The role, if one was asked for.
    pub fn role(&self) -> Option<&str> {
        self.0.split_once(ROLE).map(|(_, role)| role)
    }

    /// Whether it is the bare `launch`, which belongs to EHR launches.
    pub fn is_ehr(&self) -> bool {
        self.resource_type().is_none()
    }

    /// The scope as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` means to be a launch scope.
    pub(super) fn is_meant(text: &str) -> bool {
        text.strip_prefix("launch").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// Reads a text that [means to be](Self::is_meant) a launch scope.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "launch" => return Ok(Self::EHR),
            "launch/patient" => return Ok(Self::PATIENT),
            "launch/encounter" => return Ok(Self::ENCOUNTER),
            _ => {}
        }
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return Err(Fault::new(
                ScopeErrorKind::LaunchContext,
                "launch".len(),
                "the end, or `/` and a resource type",
            ));
        };
        let length = rest.bytes().position(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit()).unwrap_or(rest.len());
        let type_end = PREFIX.len() + length;
        if !rest.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(Fault::new(ScopeErrorKind::LaunchContext, PREFIX.len(), TYPE));
        }
        match rest.get(length..) {
            None | Some("") => {}
            Some(after) if after.starts_with('?') => {
                let role_start = type_end + ROLE.len();
                let Some(role) = after.strip_prefix(ROLE).filter(|role| !role.is_empty()) else {
                    return Err(Fault::new(
                        ScopeErrorKind::Role,
                        type_end,
                        "`?role=` and a role after the resource type",
                    ));
                };
                check_characters(role).map_err(|fault| fault.shifted(role_start))?;
                if let Some(offset) = role.find('&').or_else(|| role.find(ROLE)) {
                    return Err(Fault::new(ScopeErrorKind::Role, role_start + offset, ONE_ROLE));
                }
            }
            Some(_) => return Err(Fault::new(ScopeErrorKind::LaunchContext, type_end, TYPE)),
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

const TYPE: &str = "a resource type in lower case such as `diagnosticreport`, letters and digits only";
const ONE_ROLE: &str = "the end: a scope has one role at most, repeat the scope for another";

impl fmt::Display for LaunchScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LaunchScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaunchScope({})", self.0)
    }
}
