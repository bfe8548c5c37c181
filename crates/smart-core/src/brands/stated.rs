//! Values that may be missing for a stated reason.

use crate::fhir_json::{DATA_ABSENT_REASON, extensions, text};
use crate::open_codes::open_codes;
use serde_json::Value;

open_codes! {
    /// Why a required value is not there. A bundle of brands may give the first two alone (SMART App Launch 2.2, brands,
    /// must-support and data absent reasons).
    AbsentReason {
        /// The brand was asked and declined to say.
        AskedDeclined = "asked-declined",
        /// The brand was asked and does not know.
        AskedUnknown = "asked-unknown",
    }
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stated<T> {
    /// The value.
    Value(T),
    /// There is none, and this is why.
    Absent(AbsentReason),
    /// There is none, and nothing is said about it.
    #[default]
    Missing,
}

impl<T> Stated<T> {
    /// The value, where there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent(_) | Self::Missing => None,
        }
    }

    /// The reason, where there is one.
    pub fn absent_reason(&self) -> Option<&AbsentReason> {
        match self {
            Self::Absent(reason) => Some(reason),
            Self::Value(_) | Self::Missing => None,
        }
    }
}

/// The reason that an element, or the companion of one of its primitive members, gives for a missing value.
pub(super) fn absent_reason(element: &Value, member: &str) -> Option<AbsentReason> {
    let companion = element.get(format!("_{member}"));
    [companion, Some(element)].into_iter().flatten().find_map(|holder| {
        let code = extensions(holder, DATA_ABSENT_REASON).find_map(|extension| text(extension, "valueCode"));
        code.map(AbsentReason::from)
    })
}
