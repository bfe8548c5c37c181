//! How an app is started: from within an EHR, or on its own (SMART App Launch 2.2, Launch App).
//!
//! A standalone launch has no message: the app knows the FHIR base and begins with discovery.

mod allowed_issuers;
mod ehr_launch;
mod task_launch;

pub use allowed_issuers::{AllowedIssuers, IssuerRefused, is_private_address};
pub use ehr_launch::{EhrLaunch, LaunchError};
pub use task_launch::{SMART_CODES, TaskLaunch, TaskLaunchError, TaskLaunchKind, TaskReference};
