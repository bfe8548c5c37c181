//! Scopes for FHIR resources.

use super::error::{Fault, ScopeError, ScopeErrorKind};
use super::level::Level;
use super::permissions::Permissions;
use super::query::{ScopeQuery, push_pair};
use super::syntax::Syntax;
use std::fmt;

/// A scope for FHIR resources: `patient/Observation.rs?category=laboratory`, or `user/*.read` in version 1.
///
/// The text is kept as it was written, and it is what `==` compares: `patient/*.*` and `patient/*.cruds` are two
/// texts for one meaning. [`Scopes::covers`](super::Scopes::covers) compares by meaning.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceScope {
    text: Box<str>,
    level: Level,
    permissions: Permissions,
    syntax: Syntax,
    /// Where the period after the resource type stands.
    type_end: usize,
    /// Where the query begins, after its question mark.
    query_start: Option<usize>,
}

impl ResourceScope {
    /// A scope for one resource type, in version 2 syntax.
    ///
    /// The type is not checked against any list: FHIR versions differ. For all types see [`all_types`](Self::all_types).
    ///
    /// # Errors
    /// [`ScopeError`] when the type is not in UpperCamel, letters and digits only.
    pub fn new(level: Level, resource_type: &str, permissions: Permissions) -> Result<Self, ScopeError> {
        let scope = Self::assemble(level, resource_type, permissions, Syntax::V2, None);
        let offset = level.as_str().len() + 1;
        if type_length(resource_type) == resource_type.len() && !resource_type.is_empty() {
            Ok(scope)
        } else {
            let fault = Fault::new(ScopeErrorKind::ResourceType, type_length(resource_type), TYPE_NAME);
            Err(fault.shifted(offset).of(&scope.text))
        }
    }

    /// A scope for all resource types, those of the future included, in version 2 syntax.
    ///
    /// Ask for it only where single types will not do: it is more than most apps need.
    pub fn all_types(level: Level, permissions: Permissions) -> Self {
        Self::assemble(level, "*", permissions, Syntax::V2, None)
    }

    /// This scope narrowed by search parameters, which are added to those that it has. The result has version 2 syntax.
    ///
    /// Values are given as they are meant; what may not stand in a scope is percent-encoded. To give several values for
    /// one parameter (OR), join them by commas. Servers support few parameters: ask theirs.
    ///
    /// # Errors
    /// [`ScopeError`] when a name is not that of a search parameter, or a value is empty.
    pub fn narrowed<'p>(&self, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, ScopeError> {
        let mut query = self.query().map(ScopeQuery::as_str).unwrap_or_default().to_owned();
        for (name, value) in pairs {
            push_pair(&mut query, name, value);
        }
        let query = Some(query).filter(|query| !query.is_empty());
        let scope = self.with(self.permissions, Syntax::V2, query.as_deref());
        match scope.query_start {
            Some(start) => ScopeQuery::check(query.as_deref().unwrap_or_default())
                .map_err(|fault| fault.shifted(start).of(&scope.text))
                .map(|()| scope),
            None => Ok(scope),
        }
    }

    /// Whose data it is about.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The resource type, or `None` for the wildcard `*`.
    pub fn resource_type(&self) -> Option<&str> {
        Some(self.type_text()).filter(|name| *name != "*")
    }

    /// Whether it is for all resource types, those of the future included.
    pub fn is_wildcard(&self) -> bool {
        self.type_text() == "*"
    }

    /// What it permits.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// How its permissions are written.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The constraint of a granular scope.
    pub fn query(&self) -> Option<ScopeQuery<'_>> {
        self.text.get(self.query_start?..).map(ScopeQuery::unchecked)
    }

    /// Whether its query uses features that SMART marks as experimental.
    pub fn is_experimental(&self) -> bool {
        self.query().is_some_and(ScopeQuery::is_experimental)
    }

    /// The scope as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// This scope in version 1 syntax, if there is one that means exactly the same: for `rs`, `cud` and `cruds`
    /// without a query.
    pub fn to_v1(&self) -> Option<Self> {
        self.permissions.v1_word()?;
        self.query_start.is_none().then(|| self.with(self.permissions, Syntax::V1, None))
    }

    /// This scope in version 2 syntax, which can say all that version 1 says.
    pub fn to_v2(&self) -> Self {
        self.with_permissions(self.permissions)
    }

    /// This scope with other permissions, in version 2 syntax.
    pub(super) fn with_permissions(&self, permissions: Permissions) -> Self {
        self.with(permissions, Syntax::V2, self.query().map(ScopeQuery::as_str))
    }

    /// The smallest version 1 scope for all that this one permits; it may permit more.
    pub(super) fn widened_to_v1(&self) -> Self {
        self.with(self.permissions.widened_to_v1(), Syntax::V1, None)
    }

    /// Whether this reaches every resource that `other` reaches, be its permissions as they may.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.level == other.level
            && (self.type_text() == other.type_text() || self.is_wildcard())
            && match (self.query(), other.query()) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(own), Some(others)) => own.covers(others),
            }
    }

    /// `*` or the name of the type.
    pub(super) fn type_text(&self) -> &str {
        self.text.get(self.level.as_str().len() + 1..self.type_end).unwrap_or_default()
    }

    fn with(&self, permissions: Permissions, syntax: Syntax, query: Option<&str>) -> Self {
        Self::assemble(self.level, self.type_text(), permissions, syntax, query)
    }

    fn assemble(level: Level, type_text: &str, permissions: Permissions, syntax: Syntax, query: Option<&str>) -> Self {
        let mut text = format!("{level}/{type_text}.");
        let type_end = text.len() - 1;
        match permissions.v1_word().filter(|_| syntax == Syntax::V1) {
            Some(word) => text.push_str(word),
            None => text.extend(permissions.letters()),
        }
        let query_start = query.map(|query| {
            text.push('?');
            text.push_str(query);
            text.len() - query.len()
        });
        Self { text: text.into(), level, permissions, syntax, type_end, query_start }
    }

    /// Reads a scope of which the level was read already; `rest` is what follows the slash.
    pub(super) fn parse(text: &str, level: Level, rest: &str) -> Result<Self, Fault> {
        let type_start = text.len() - rest.len();
        let type_length = if rest.starts_with('*') { 1 } else { type_length(rest) };
        let type_end = type_start + type_length;
        if type_length == 0 {
            return Err(Fault::new(ScopeErrorKind::ResourceType, type_start, TYPE));
        }
        let Some(after) = text.get(type_end..).and_then(|after| after.strip_prefix('.')) else {
            return Err(Fault::new(ScopeErrorKind::ResourceType, type_end, AFTER_TYPE));
        };
        let (suffix, query) = after.split_at(after.bytes().position(|byte| byte == b'?').unwrap_or(after.len()));
        let query = query.strip_prefix('?');
        // The words come first: the `r` and `d` of `read` are not the letters of version 2.
        let (permissions, syntax) = match Permissions::from_v1_word(suffix) {
            Some(permissions) => (permissions, Syntax::V1),
            None => (Permissions::parse_letters(suffix).map_err(|fault| fault.shifted(type_end + 1))?, Syntax::V2),
        };
        let query_start = match query {
            None => None,
            Some(_) if syntax == Syntax::V1 => {
                return Err(Fault::new(ScopeErrorKind::Query, type_end + 1 + suffix.len(), NO_V1_QUERY));
            }
            Some(query) => {
                let start = text.len() - query.len();
                ScopeQuery::check(query).map_err(|fault| fault.shifted(start))?;
                Some(start)
            }
        };
        Ok(Self { text: text.into(), level, permissions, syntax, type_end, query_start })
    }
}

const TYPE: &str = "a resource type in UpperCamel such as `Observation`, or `*`";
const TYPE_NAME: &str = "a resource type in UpperCamel such as `Observation`, letters and digits only";
const AFTER_TYPE: &str = "`.` and the permissions after the resource type";
const NO_V1_QUERY: &str = "the end: only the letters of version 2 may have a query";

/// How many bytes of the start of `text` are the name of a resource type.
pub(super) fn type_length(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_uppercase()) {
        text.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len())
    } else {
        0
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceScope({})", self.text)
    }
}
