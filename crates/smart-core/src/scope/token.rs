//! One scope of any kind.

use super::error::{Fault, ScopeError, ScopeErrorKind, check_characters};
use super::launch::LaunchScope;
use super::level::Level;
use super::resource::ResourceScope;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// One scope.
///
/// It prints as it was written. Two scopes are equal when their texts are; for meaning see
/// [`Scopes::covers`](super::Scopes::covers).
#[derive(Clone)]
#[non_exhaustive]
pub enum Scope {
    /// `patient/Observation.rs` and the like.
    Resource(ResourceScope),
    /// `launch`, `launch/patient` and the like.
    Launch(LaunchScope),
    /// `openid`: an ID token is asked for.
    OpenId,
    /// `fhirUser`: the FHIR resource of the user is asked for. Goes with `openid`.
    FhirUser,
    /// `profile`: as SMART 1 allowed in place of `fhirUser`.
    Profile,
    /// `offline_access`: a refresh token that outlives the user's presence.
    OfflineAccess,
    /// `online_access`: a refresh token while the user is present.
    OnlineAccess,
    /// Anything else, kept as it is. It grants nothing that this library knows.
    Other(OpaqueScope),
}

/// A scope that SMART does not define, or one that a server granted in a form that is not legal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpaqueScope(Box<str>);

impl OpaqueScope {
    /// The scope as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form that SMART reserves for extensions: a full URI, or two underscores first.
    pub fn is_extension(&self) -> bool {
        self.0.starts_with("__") || is_uri(&self.0)
    }

    /// What is wrong with it, if it is not legal: then it may look like a resource scope and still grants nothing.
    pub fn problem(&self) -> Option<ScopeError> {
        self.0.parse::<Scope>().err()
    }
}

const OPENID: &str = "openid";
const FHIR_USER: &str = "fhirUser";
const PROFILE: &str = "profile";
const OFFLINE_ACCESS: &str = "offline_access";
const ONLINE_ACCESS: &str = "online_access";

impl Scope {
    /// The scope `launch`.
    pub const LAUNCH: Self = Self::Launch(LaunchScope::EHR);
    /// The scope `launch/patient`.
    pub const LAUNCH_PATIENT: Self = Self::Launch(LaunchScope::PATIENT);
    /// The scope `launch/encounter`.
    pub const LAUNCH_ENCOUNTER: Self = Self::Launch(LaunchScope::ENCOUNTER);

    /// The scope as it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Resource(scope) => scope.as_str(),
            Self::Launch(scope) => scope.as_str(),
            Self::OpenId => OPENID,
            Self::FhirUser => FHIR_USER,
            Self::Profile => PROFILE,
            Self::OfflineAccess => OFFLINE_ACCESS,
            Self::OnlineAccess => ONLINE_ACCESS,
            Self::Other(scope) => scope.as_str(),
        }
    }

    /// The resource scope, if it is one.
    pub fn as_resource(&self) -> Option<&ResourceScope> {
        match self {
            Self::Resource(scope) => Some(scope),
            _ => None,
        }
    }

    /// Reads a scope, or keeps it as an opaque one if it is illegal.
    pub(super) fn parse_leniently(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self::Other(OpaqueScope(text.into())))
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        if let Some((level, rest)) = Level::split(text) {
            return ResourceScope::parse(text, level, rest).map(Self::Resource);
        }
        match text {
            OPENID => Ok(Self::OpenId),
            FHIR_USER => Ok(Self::FhirUser),
            PROFILE => Ok(Self::Profile),
            OFFLINE_ACCESS => Ok(Self::OfflineAccess),
            ONLINE_ACCESS => Ok(Self::OnlineAccess),
            launch if LaunchScope::is_meant(launch) => LaunchScope::parse(launch).map(Self::Launch),
            other => {
                check_opaque(other)?;
                Ok(Self::Other(OpaqueScope(other.into())))
            }
        }
    }
}

/// Refuses what cannot be a scope, and what SMART defines in another case: servers would ignore it in silence.
fn check_opaque(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new(ScopeErrorKind::Character, 0, "a scope"));
    }
    check_characters(text)?;
    let head = text.split_once('/').map_or("", |(head, _)| head);
    if Level::ALL.iter().any(|level| level.as_str().eq_ignore_ascii_case(head)) {
        let expected = format!("`{}/`: levels are in lower case", head.to_ascii_lowercase());
        return Err(Fault::new(ScopeErrorKind::Level, first_difference(text, &head.to_ascii_lowercase()), expected));
    }
    let words = [OPENID, FHIR_USER, PROFILE, OFFLINE_ACCESS, ONLINE_ACCESS, "launch"];
    let word = words.into_iter().find(|word| word.eq_ignore_ascii_case(text)).or_else(|| {
        // `Launch/Patient` and the like.
        head.eq_ignore_ascii_case("launch").then_some("launch")
    });
    match word {
        Some(word) => Err(Fault::new(
            ScopeErrorKind::WordCase,
            first_difference(text, word),
            format!("`{word}`: scopes are case-sensitive"),
        )),
        None => Ok(()),
    }
}

fn first_difference(text: &str, other: &str) -> usize {
    text.bytes().zip(other.bytes()).position(|(a, b)| a != b).unwrap_or(other.len())
}

/// Whether `text` begins with the scheme of a URI.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

impl FromStr for Scope {
    type Err = ScopeError;

    /// Reads one scope strictly, as is right for what the app asks for.
    ///
    /// A scope that SMART does not define is kept as [`Other`](Self::Other); one that means to be a scope of SMART and is
    /// not legal is an error.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).map_err(|fault| fault.of(text))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({:?})", self.as_str())
    }
}

impl fmt::Display for OpaqueScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OpaqueScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueScope({:?})", self.as_str())
    }
}

// A text has one reading only, so the text alone decides.
impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Scope {}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl From<ResourceScope> for Scope {
    fn from(scope: ResourceScope) -> Self {
        Self::Resource(scope)
    }
}

impl From<LaunchScope> for Scope {
    fn from(scope: LaunchScope) -> Self {
        Self::Launch(scope)
    }
}
