//! Which resources a token opens.

use super::search::{matches_parameter, value_list};
use crate::data::StoredResource;
use smart_core::scope::{Interaction, Level, Permissions, ResourceScope, Scope, Scopes};

/// The part of a token that access rests on.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) scopes: Scopes,
    pub(crate) patient: Option<String>,
}

/// The scopes of a token that permit an interaction on a type.
pub(crate) struct Grant<'a> {
    access: &'a Access,
    scopes: Vec<&'a ResourceScope>,
}

impl Access {
    /// Reading whatever there is.
    pub(crate) fn everything() -> Self {
        let all = ResourceScope::all_types(Level::System, Permissions::READ_SEARCH);
        Self { scopes: Scopes::from(Scope::from(all)), patient: None }
    }

    /// `None`: no scope permits it.
    pub(crate) fn grant(&self, interaction: Interaction, resource_type: &str) -> Option<Grant<'_>> {
        let scopes: Vec<_> = self
            .scopes
            .resources()
            .filter(|s| s.resource_type().is_none_or(|t| t == resource_type))
            .filter(|s| s.permissions().contains(interaction.permission()))
            .collect();
        (!scopes.is_empty()).then_some(Grant { access: self, scopes })
    }
}

impl Grant<'_> {
    /// Whether one of the scopes opens this resource: patient scopes within the patient's compartment, and a scope's
    /// own query narrows it.
    pub(crate) fn opens(&self, resource: &StoredResource) -> bool {
        self.scopes.iter().any(|scope| {
            let in_reach = scope.level() != Level::Patient || self.in_compartment(resource);
            let fits = scope.query().is_none_or(|query| {
                query
                    .pairs()
                    .all(|(name, value)| matches_parameter(resource.content(), name, &value_list(value)) == Some(true))
            });
            in_reach && fits
        })
    }

    fn in_compartment(&self, resource: &StoredResource) -> bool {
        // People and places are nobody's record.
        resource.patient().is_none() || resource.patient() == self.access.patient.as_deref()
    }
}
