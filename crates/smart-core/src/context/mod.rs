//! Launch context: what the EHR says the app is launched for (SMART App Launch 2.2, launch context arrives with your
//! access token).
//!
//! It comes from token responses only, never from launch or callback parameters.

mod fhir_context;
mod fhir_user;
mod launch_context;

pub use fhir_context::FhirContextItem;
pub use fhir_user::{FhirUser, FhirUserError, FhirUserType};
pub use launch_context::{LaunchContext, MissingContext};

pub(crate) use launch_context::is_fhir_id;
