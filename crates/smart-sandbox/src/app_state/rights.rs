//! Whose states a token opens.

use crate::fhir::{Access, Fault, fits};
use serde_json::Value;
use smart_core::app_state::StateSubject;
use smart_core::scope::{Interaction, Level, ResourceScope};

/// What a token may do with states.
pub(super) struct Rights<'a> {
    access: &'a Access,
    scopes: Vec<(&'a ResourceScope, Level)>,
    writes: bool,
}

impl<'a> Rights<'a> {
    /// # Errors
    /// 403 with the scope that is needed.
    pub(super) fn of(access: &'a Access, interaction: Interaction) -> Result<Self, Fault> {
        let scopes = access.scopes_for(interaction, "Basic")?;
        let writes = matches!(interaction, Interaction::Create | Interaction::Update | Interaction::Delete);
        Ok(Self { access, scopes, writes })
    }

    /// Whether a state about this subject is opened. Nobody sees what is about another user; a setting for all is read by
    /// everybody and written by who is bound to nobody's record.
    pub(super) fn open(&self, subject: Option<&StateSubject>, state: &Value) -> bool {
        let fitting = self
            .scopes
            .iter()
            .filter(|(scope, _)| scope.query().is_none_or(|query| query.pairs().all(|pair| fits(state, pair))));
        let user = self.access.user.as_deref().unwrap_or_default();
        let own_record = user.strip_prefix("Patient/");
        let about = subject.map(|subject| (subject.resource_type(), subject.id()));
        fitting.into_iter().any(|(_, level)| match (level, about) {
            (Level::System, _) => true,
            (Level::User, None) => !self.writes || own_record.is_none(),
            (Level::User, Some(("Patient", id))) => own_record.is_none_or(|own| own == id),
            (Level::User, Some((name, id))) => user == format!("{name}/{id}"),
            (Level::Patient, None) => !self.writes,
            (Level::Patient, Some((name, id))) => name == "Patient" && self.access.patient.as_deref() == Some(id),
        })
    }
}
