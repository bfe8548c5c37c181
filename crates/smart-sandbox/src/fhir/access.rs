//! What a token opens: smart-core decides by the scopes, and here it is kept within a patient's record.

use super::answer::Fault;
use super::resource_types::is_for_everybody;
use super::search::fits;
use crate::data::StoredResource;
use smart_core::scope::{AccessRequest, Decision, Interaction, Level, Permissions, ResourceScope, Scope, Scopes};

/// The part of a token that access rests on.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) scopes: Scopes,
    pub(crate) patient: Option<String>,
    /// Who logged in, as a FHIR reference.
    pub(crate) user: Option<String>,
}

/// What a token opens for one interaction.
pub(crate) struct Grant<'a> {
    scopes: Vec<(&'a ResourceScope, Reach<'a>)>,
}

/// How far a scope reaches.
#[derive(Debug, Clone, Copy)]
enum Reach<'a> {
    Everything,
    /// One patient's record, and what is everybody's.
    Within(&'a str),
}

impl Access {
    /// Whatever there is.
    pub(crate) fn everything() -> Self {
        let all = ResourceScope::all_types(Level::System, Permissions::ALL);
        Self { scopes: Scopes::from(Scope::from(all)), patient: None, user: None }
    }

    /// What the token opens for an interaction on a type.
    ///
    /// # Errors
    /// 403 with the scope that is needed.
    pub(crate) fn grant(&self, interaction: Interaction, resource_type: &str) -> Result<Grant<'_>, Fault> {
        self.decided(&AccessRequest::new(interaction, resource_type))
    }

    /// What the token opens for an interaction on all types.
    ///
    /// # Errors
    /// 403 with the scope that is needed.
    pub(crate) fn grant_on_all(&self, interaction: Interaction) -> Result<Grant<'_>, Fault> {
        self.decided(&AccessRequest::on_all_types(interaction))
    }

    /// The scopes that permit an interaction on a type, with their levels.
    ///
    /// # Errors
    /// 403 with the scope that is needed.
    pub(crate) fn scopes_for(
        &self,
        interaction: Interaction,
        resource_type: &str,
    ) -> Result<Vec<(&ResourceScope, Level)>, Fault> {
        self.permitting(&AccessRequest::new(interaction, resource_type))
    }

    fn decided(&self, request: &AccessRequest<'_>) -> Result<Grant<'_>, Fault> {
        let scopes = self.permitting(request)?;
        Ok(Grant { scopes: scopes.into_iter().map(|(scope, level)| (scope, self.reach(level))).collect() })
    }

    fn permitting(&self, request: &AccessRequest<'_>) -> Result<Vec<(&ResourceScope, Level)>, Fault> {
        let mut scopes = Vec::new();
        for level in [Level::System, Level::User, Level::Patient] {
            let by = match self.scopes.decide(&request.clone().at_level(level)) {
                Decision::Allowed { by } => vec![by],
                Decision::AllowedWithin { by } => by,
                Decision::Denied { .. } => continue,
            };
            scopes.extend(by.into_iter().map(|scope| (scope, level)));
        }
        if !scopes.is_empty() {
            return Ok(scopes);
        }
        let decision = self.scopes.decide(request);
        let reason = decision.denial().map(ToString::to_string).unwrap_or_default();
        let needed = decision.needed().map(ToString::to_string).unwrap_or_default();
        Err(Fault::insufficient_scope(&needed, &reason))
    }

    /// A scope of the level `user` opens what its user may see: a patient who logs in, their own record.
    fn reach(&self, level: Level) -> Reach<'_> {
        let own = self.user.as_deref().and_then(|user| user.strip_prefix("Patient/"));
        match (level, own) {
            // Nobody has an empty id: without a patient there is no record.
            (Level::Patient, _) => Reach::Within(self.patient.as_deref().unwrap_or_default()),
            (Level::User, Some(own)) => Reach::Within(own),
            _ => Reach::Everything,
        }
    }
}

impl Grant<'_> {
    /// Whether one of the scopes opens this resource for reading.
    pub(crate) fn opens(&self, resource: &StoredResource) -> bool {
        self.any(resource, |patient| is_in_record(resource, patient))
    }

    /// Whether one of the scopes lets this be written, or deleted.
    pub(crate) fn lets_write(&self, resource: &StoredResource) -> bool {
        self.any(resource, |patient| resource.patient() == Some(patient))
    }

    fn any(&self, resource: &StoredResource, within: impl Fn(&str) -> bool) -> bool {
        self.scopes.iter().any(|(scope, reach)| {
            let in_reach = match reach {
                Reach::Everything => true,
                Reach::Within(patient) => within(patient),
            };
            in_reach && scope.query().is_none_or(|query| query.pairs().all(|pair| fits(resource.content(), pair)))
        })
    }

    /// Whether all that it opens is one patient's record, or what the query of a scope leaves over: there may be more than
    /// the token may know of.
    pub(crate) fn is_confined(&self) -> bool {
        !self.scopes.iter().any(|(scope, reach)| matches!(reach, Reach::Everything) && scope.query().is_none())
    }

    /// Whether what is written may refer to this resource: it must not lie in somebody else's record.
    pub(crate) fn may_refer_to(&self, target: &StoredResource) -> bool {
        self.scopes.iter().any(|(_, reach)| match reach {
            Reach::Everything => true,
            Reach::Within(patient) => is_in_record(target, patient),
        })
    }
}

/// Whether a resource is of this patient's record, or everybody's. What also speaks of another patient is not.
fn is_in_record(resource: &StoredResource, patient: &str) -> bool {
    match resource.patients() {
        [] => is_for_everybody(resource.resource_type()),
        [one] => one == patient,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// SC-16 (SMART, scopes): how far a scope reaches depends on its level, on the patient in context, and on who logged in.
    #[test]
    fn scopes_reach_as_far_as_their_level() {
        let access = |scopes: &str, patient: Option<&str>, user: &str| Access {
            scopes: Scopes::parse_granted(scopes),
            patient: patient.map(str::to_owned),
            user: Some(user.to_owned()),
        };
        let of = |patient: &str| {
            let subject = json!({"reference": format!("Patient/{patient}")});
            StoredResource::new(json!({"resourceType": "Observation", "id": "o", "subject": subject}))
        };
        for (scopes, patient, user, opens_a, opens_b) in [
            ("patient/*.rs", Some("a"), "Practitioner/x", true, false),
            ("patient/*.rs", None, "Practitioner/x", false, false),
            ("user/*.rs", Some("a"), "Practitioner/x", true, true),
            ("user/*.rs", None, "Patient/a", true, false),
            ("user/*.rs patient/*.rs", Some("b"), "Patient/a", true, true),
            ("system/*.rs", None, "", true, true),
        ] {
            let access = access(scopes, patient, user);
            let grant = access.grant(Interaction::Read, "Observation").unwrap();
            assert_eq!(
                (grant.opens(&of("a")), grant.opens(&of("b"))),
                (opens_a, opens_b),
                "{scopes} {patient:?} {user}"
            );
            let nobodys = StoredResource::new(json!({"resourceType": "Observation", "id": "o"}));
            assert_eq!(grant.opens(&nobodys), opens_a && opens_b && !scopes.contains("patient"));
        }
        let refused =
            access("patient/Patient.rs", Some("a"), "").grant(Interaction::Create, "Observation").err().unwrap();
        assert!(refused.diagnostics.contains("patient/Observation.c"), "{}", refused.diagnostics);
    }
}
