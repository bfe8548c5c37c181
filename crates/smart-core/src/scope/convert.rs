//! From one syntax version to the other.

use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::token::Scope;

/// Whether a conversion to version 1 may ask for more than was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Widening {
    /// No: a scope that version 1 cannot express is an error. The default.
    #[default]
    Refuse,
    /// Yes: letters are rounded up to a word, and queries are dropped.
    Allow,
}

/// A scope has no version 1 form of the same meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{scope}` cannot be said in version 1 syntax: the nearest, `{nearest}`, permits more; allow widening to ask for it"
)]
pub struct V1Error {
    scope: ResourceScope,
    nearest: ResourceScope,
}

impl V1Error {
    /// The scope without a version 1 form.
    pub fn scope(&self) -> &ResourceScope {
        &self.scope
    }

    /// The smallest version 1 scope that includes it.
    pub fn nearest(&self) -> &ResourceScope {
        &self.nearest
    }
}

impl Scopes {
    /// The same set in version 1 syntax, for servers of SMART 1: `rs` is `read`, `cud` is `write`, `cruds` is `*`.
    ///
    /// Scopes that differ in their letters only are taken together where single ones have no version 1 form: `X.r X.s`
    /// is `X.read`.
    ///
    /// # Errors
    /// [`V1Error`] when that would permit more (`X.r`, or a query) and `widening` does not allow it.
    pub fn to_v1(&self, widening: Widening) -> Result<Self, V1Error> {
        self.iter()
            .map(|scope| match scope {
                Scope::Resource(resource) => self.resource_to_v1(resource, widening),
                other => Ok(other.clone()),
            })
            .collect()
    }

    fn resource_to_v1(&self, resource: &ResourceScope, widening: Widening) -> Result<Scope, V1Error> {
        let nearest = resource.widened_to_v1();
        // Where the whole set permits as much anyway, nothing is widened.
        if widening == Widening::Allow || self.uncovered(&nearest).is_none() {
            Ok(nearest.into())
        } else {
            Err(V1Error { scope: resource.clone(), nearest })
        }
    }

    /// The same set in version 2 syntax.
    #[must_use]
    pub fn to_v2(&self) -> Self {
        self.iter()
            .map(|scope| match scope {
                Scope::Resource(resource) => resource.to_v2().into(),
                other => other.clone(),
            })
            .collect()
    }
}
