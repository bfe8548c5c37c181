//! The built-in data set: invented people with coherent histories.
//!
//! It is made in code from tables, the same each time, and ends at 2026-01-01 whatever the clock says.

mod allergies;
mod calendar;
mod codes;
mod conditions;
mod encounters;
mod history;
mod labs;
mod medications;
mod noise;
mod observations;
mod patients;
mod people;
mod repository;
mod resource;
mod staff;
mod store;
mod users;
mod visits;
mod vitals;

pub(crate) use repository::{Change, Repository, StorageFull, Version, instant};
pub(crate) use staff::{HOSPITAL, HOSPITAL_IDENTIFIER};
pub(crate) use store::{DataSet, StoredResource, each_reference};
pub(crate) use users::UserKind;

use serde_json::Value;

/// All resources, in the order in which searches give them.
fn built_in_resources() -> Vec<Value> {
    let mut all = staff::resources();
    all.extend(people::PATIENTS.iter().map(patients::patient));
    for person in &people::PATIENTS {
        let visits = visits::visits(person);
        let problems = person.problems.iter().enumerate();
        all.extend(problems.map(|(index, problem)| conditions::condition(person, index, problem)));
        let prescriptions = person.prescriptions.iter().enumerate();
        all.extend(prescriptions.map(|(index, it)| medications::medication_request(person, index, it)));
        let allergies = person.allergies.iter().enumerate();
        all.extend(allergies.map(|(index, allergy)| allergies::allergy_intolerance(person, index, allergy)));
        for visit in &visits {
            all.push(encounters::encounter(person, visit));
            all.extend(vitals::vital_signs(person, visit));
            all.extend(labs::results(person, visit));
        }
    }
    all
}
