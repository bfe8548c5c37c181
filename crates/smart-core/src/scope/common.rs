//! Sets of scopes that many apps ask for, as texts for [`ScopesBuilder::text`](super::ScopesBuilder::text).
//!
//! They leave out `launch` and `launch/patient`: the builder adds those that the launch needs. Take the smallest set
//! that does; those whose names begin with `ALL` are for every resource type.

/// Who the user is.
pub const IDENTITY: &str = "openid fhirUser";

/// Who the user is, as servers of SMART 1 may want it asked.
pub const IDENTITY_V1: &str = "openid profile";

/// Who the patient is: the Patient resource.
pub const PATIENT_DEMOGRAPHICS: &str = "patient/Patient.r";

/// The laboratory results of the patient in context.
pub const PATIENT_LABORATORY: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";

/// The vital signs of the patient in context.
pub const PATIENT_VITAL_SIGNS: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";

/// What a summary of the patient in context shows, type by type.
pub const PATIENT_SUMMARY: &str = "patient/Patient.r patient/AllergyIntolerance.rs patient/Condition.rs \
    patient/Immunization.rs patient/MedicationRequest.rs patient/Observation.rs patient/Procedure.rs";

/// Finding a patient among those that the user may see.
pub const USER_PATIENT_SEARCH: &str = "user/Patient.rs";

/// All data of the patient in context, read only.
pub const ALL_PATIENT_READ: &str = "patient/*.rs";

/// All that the user may see, read only.
pub const ALL_USER_READ: &str = "user/*.rs";

/// All that a backend service may see, read only: what a bulk export of everything needs.
pub const ALL_SYSTEM_READ: &str = "system/*.rs";

/// Each of these sets with its name.
pub const SETS: [(&str, &str); 10] = [
    ("IDENTITY", IDENTITY),
    ("IDENTITY_V1", IDENTITY_V1),
    ("PATIENT_DEMOGRAPHICS", PATIENT_DEMOGRAPHICS),
    ("PATIENT_LABORATORY", PATIENT_LABORATORY),
    ("PATIENT_VITAL_SIGNS", PATIENT_VITAL_SIGNS),
    ("PATIENT_SUMMARY", PATIENT_SUMMARY),
    ("USER_PATIENT_SEARCH", USER_PATIENT_SEARCH),
    ("ALL_PATIENT_READ", ALL_PATIENT_READ),
    ("ALL_USER_READ", ALL_USER_READ),
    ("ALL_SYSTEM_READ", ALL_SYSTEM_READ),
];
