//! SMART scopes: version 1 and 2, their sets, and what they permit.
//!
//! ```
//! use smart_core::scope::{AccessRequest, Interaction, Scopes};
//!
//! let asked: Scopes = "launch/patient patient/Observation.rs".parse()?;
//! let granted = Scopes::parse_granted("launch/patient patient/Observation.r");
//!
//! let comparison = Scopes::compare(&asked, &granted);
//! assert_eq!(comparison.missing.to_string(), "patient/Observation.rs");
//! assert_eq!(comparison.narrower[0].lacking.as_str(), "patient/Observation.s");
//!
//! assert!(granted.permits(Interaction::Read, "Observation"));
//! let search = granted.decide(&AccessRequest::new(Interaction::SearchType, "Observation"));
//! assert_eq!(
//!     search.to_string(),
//!     "denied: search-type needs the permission `s`, and only `r` is granted for Observation; ask for `patient/Observation.s`"
//! );
//! # Ok::<(), smart_core::scope::ScopeError>(())
//! ```
//!
//! Two ways to read: `parse` (`FromStr`) is strict, for what the app asks for; [`Scopes::parse_granted`] never fails, for
//! what a server grants. Both keep each scope as it was written.

mod algebra;
mod builder;
pub mod common;
mod compare;
mod convert;
mod decide;
mod decision;
mod error;
mod interaction;
mod launch;
mod level;
mod permissions;
mod query;
mod request;
mod resource;
mod scopes;
mod syntax;
mod token;
mod uri_form;
mod warning;

pub use builder::{BuiltScopes, ScopesBuilder};
pub use compare::{Narrowed, ScopeComparison};
pub use convert::{V1Error, Widening};
pub use decision::{BundleDecision, Decision, Denial};
pub use error::{ScopeError, ScopeErrorKind};
pub use interaction::Interaction;
pub use launch::LaunchScope;
pub use level::Level;
pub use permissions::Permissions;
pub use query::ScopeQuery;
pub use request::AccessRequest;
pub use resource::ResourceScope;
pub use scopes::Scopes;
pub use syntax::Syntax;
pub use token::{OpaqueScope, Scope};
pub use warning::ScopeWarning;
