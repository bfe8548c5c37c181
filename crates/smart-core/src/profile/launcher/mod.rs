//! The settings code of the SMART Health IT launcher.
//!
//! The launcher keeps no accounts: all that it has to know of a launch stands in a code, the base64url form of a JSON
//! array. In a standalone launch the code is a segment of the FHIR base, in an EHR launch it is the `launch` value. Order and
//! meaning were read in smart-on-fhir/smart-launcher-v2 (`src/isomorphic/codec.ts`, commit 6437425 of 2025-05-19).
//!
//! ```
//! use smart_core::profile::launcher::{LaunchType, LauncherSettings};
//!
//! let mut settings = LauncherSettings::new(LaunchType::PatientStandalone);
//! settings.patients = vec!["87a339d0-8cae-418e-89c7-8651e6aab3c6".to_owned()];
//! settings.skip_login = true;
//! let base = settings.fhir_base("https://launch.smarthealthit.org", "r4")?;
//! assert!(base.as_str().starts_with("https://launch.smarthealthit.org/v/r4/sim/WzMs"));
//! assert_eq!(LauncherSettings::from_fhir_base(&base).ok_or("no code")??, settings);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code;
mod error;
mod legacy;
mod settings;

pub use error::LauncherCodeError;
pub use settings::{EncounterChoice, LaunchType, LauncherClientType, LauncherPkce, LauncherSettings, SimulatedError};
