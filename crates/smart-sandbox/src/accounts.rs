//! Who can log in, and whose record can be opened, as the pages show them.

use crate::data::{DataSet, UserKind};
use serde_json::Value;

/// A person on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The FHIR reference.
    pub(crate) reference: String,
    /// The name.
    pub(crate) name: String,
    /// What tells them from others of the same name.
    pub(crate) detail: String,
}

/// The practitioners.
pub(crate) fn practitioners(data: &DataSet) -> Vec<Account> {
    let all = data.users().iter().filter(|user| user.kind == UserKind::Practitioner);
    all.map(|user| Account { reference: user.reference(), name: user.name.clone(), detail: "practitioner".to_owned() })
        .collect()
}

/// The patients who can log in.
pub(crate) fn patient_users(data: &DataSet) -> Vec<Account> {
    let mut patients = patients(data);
    patients.retain(|patient| data.users().iter().any(|user| user.reference() == patient.reference));
    patients
}

/// The patients whose record can be opened.
pub(crate) fn patients(data: &DataSet) -> Vec<Account> {
    let text = |resource: &Value, pointer: &str| {
        resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    data.all("Patient")
        .iter()
        .map(|stored| {
            let patient = stored.content();
            Account {
                reference: format!("Patient/{}", stored.id()),
                name: format!("{} {}", text(patient, "/name/0/given/0"), text(patient, "/name/0/family")),
                detail: format!("{}, born {}", text(patient, "/gender"), text(patient, "/birthDate")),
            }
        })
        .collect()
}

/// A user by reference.
pub(crate) fn user(data: &DataSet, reference: &str) -> Option<Account> {
    practitioners(data).into_iter().chain(patient_users(data)).find(|account| account.reference == reference)
}

/// A patient by reference.
pub(crate) fn patient(data: &DataSet, reference: &str) -> Option<Account> {
    patients(data).into_iter().find(|account| account.reference == reference)
}
