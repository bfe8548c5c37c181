//! The people who can log in: every practitioner and every patient of the data set.

use super::patients::display_name;
use super::people::PATIENTS;
use super::staff::{PRACTITIONERS, practitioner_name};

/// What a user is to the hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum UserKind {
    /// Works there: may see every patient.
    Practitioner,
    /// Is treated there: may see their own record.
    Patient,
}

/// Someone who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The name to log in with, such as `pr2001`. It is also the id of the FHIR resource.
    pub(crate) username: String,
    /// The name of the person.
    pub(crate) name: String,
    /// What they are.
    pub(crate) kind: UserKind,
}

impl User {
    /// The FHIR reference, relative to the base: `Practitioner/pr2001`.
    pub(crate) fn reference(&self) -> String {
        match self.kind {
            UserKind::Practitioner => format!("Practitioner/{}", self.username),
            UserKind::Patient => format!("Patient/{}", self.username),
        }
    }
}

/// All users, practitioners first. Who died logs in no more.
pub(super) fn users() -> Vec<User> {
    let practitioners = PRACTITIONERS.iter().map(|one| User {
        username: one.id.to_owned(),
        name: practitioner_name(one),
        kind: UserKind::Practitioner,
    });
    let patients = PATIENTS.iter().filter(|one| one.died.is_none()).map(|one| User {
        username: one.id.to_owned(),
        name: display_name(one),
        kind: UserKind::Patient,
    });
    practitioners.chain(patients).collect()
}
