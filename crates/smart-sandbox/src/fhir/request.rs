//! A request to the FHIR API, by HTTP or as an entry of a Bundle.

use super::answer::Fault;
use super::resource_types::{is_id, is_served};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use smart_core::entity_tag::EntityTag;
use std::time::SystemTime;
use url::form_urlencoded;

/// A request as it came.
#[derive(Debug)]
pub(crate) struct FhirRequest {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) conditions: Conditions,
    pub(crate) preferences: Preferences,
    pub(crate) body: Body,
    /// Where a page begins.
    pub(crate) offset: usize,
    /// The id that a transaction has given to what is to be created.
    pub(crate) assigned: Option<String>,
}

impl FhirRequest {
    /// Whether it may change anything.
    pub(crate) fn is_change(&self) -> bool {
        match self.method {
            Method::PUT | Method::PATCH | Method::DELETE => true,
            Method::POST => matches!(self.target, Target::Type(_)),
            _ => false,
        }
    }
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    System,
    SystemHistory,
    SystemSearch,
    SystemOperation(String),
    Type(String),
    TypeHistory(String),
    TypeSearch(String),
    TypeOperation(String, String),
    Instance(String, String),
    History(String, String),
    Version(String, String, String),
    Operation(String, String, String),
}

/// The body, as far as it was read.
#[derive(Debug)]
pub(crate) enum Body {
    Nothing,
    /// FHIR JSON.
    Resource(Value),
    /// A JSON Patch.
    Patch(Value),
}

/// On what a request depends.
#[derive(Debug, Default, Clone)]
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<SystemTime>,
    pub(crate) if_none_exist: Option<String>,
}

/// What a client would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) returned: Returned,
    /// Whether unknown search parameters are refused.
    pub(crate) strict: bool,
}

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    Minimal,
    Representation,
    Outcome,
}

impl Target {
    /// Reads a path below the base.
    ///
    /// # Errors
    /// 404 for what is not served.
    pub(crate) fn parse(path: &str) -> Result<Self, Fault> {
        let unknown = || Fault::not_found("there is nothing here");
        let mut segments = Vec::new();
        for segment in path.trim_matches('/').split('/') {
            segments.push(percent_decode_str(segment).decode_utf8().map_err(|_| unknown())?.into_owned());
            if segments.len() > 4 {
                return Err(unknown());
            }
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        let target = match segments.as_slice() {
            [""] => Self::System,
            ["_history"] => Self::SystemHistory,
            ["_search"] => Self::SystemSearch,
            [operation] if operation.starts_with('$') => Self::SystemOperation(own(operation)),
            [name] => Self::Type(own(name)),
            [name, "_history"] => Self::TypeHistory(own(name)),
            [name, "_search"] => Self::TypeSearch(own(name)),
            [name, operation] if operation.starts_with('$') => Self::TypeOperation(own(name), own(operation)),
            [name, id] => Self::Instance(own(name), own(id)),
            [name, id, "_history"] => Self::History(own(name), own(id)),
            [name, id, operation] if operation.starts_with('$') => Self::Operation(own(name), own(id), own(operation)),
            [name, id, "_history", version] => Self::Version(own(name), own(id), own(version)),
            _ => return Err(unknown()),
        };
        match target.id() {
            Some(id) if !is_id(id) => Err(Fault::not_found("this is no id")),
            _ => Ok(target),
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Self::Instance(_, id) | Self::History(_, id) | Self::Version(_, id, _) | Self::Operation(_, id, _) => {
                Some(id)
            }
            _ => None,
        }
    }
}

/// The refusal of a type that FHIR R4 does not have. Access is decided before, so that it is not told to everybody.
pub(crate) fn served_type(resource_type: &str) -> Result<(), Fault> {
    if is_served(resource_type) {
        return Ok(());
    }
    let text = format!("there is no resource type {}", smart_core::untrusted::shown(resource_type, 40));
    Err(Fault::new(StatusCode::NOT_FOUND, "not-supported", text))
}

impl Conditions {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
            if_modified_since: text("if-modified-since").and_then(|date| httpdate::parse_http_date(&date).ok()),
            if_none_exist: text("if-none-exist"),
        }
    }

    /// Whether a list of tags, or `*`, has this version. Weak or strong makes no difference.
    pub(crate) fn names(tags: &str, version: u64) -> bool {
        let version = version.to_string();
        tags.split(',').any(|tag| tag.trim() == "*" || EntityTag::parse(tag).is_ok_and(|tag| tag.opaque() == version))
    }
}

impl Preferences {
    /// Reads the `Prefer` header. Without it a write answers with the resource; within a Bundle it does not.
    pub(crate) fn of(headers: &HeaderMap, otherwise: Returned) -> Self {
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut it = Self { returned: otherwise, strict: false };
        for preference in values.flat_map(|value| value.split([',', ';'])) {
            match preference.trim() {
                "return=minimal" => it.returned = Returned::Minimal,
                "return=representation" => it.returned = Returned::Representation,
                "return=OperationOutcome" => it.returned = Returned::Outcome,
                "handling=strict" => it.strict = true,
                "handling=lenient" => it.strict = false,
                _ => {}
            }
        }
        it
    }
}

/// The pairs of a query.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FHIR R4, datatypes, id: a path is read segment by segment, and what is no id leads nowhere.
    #[test]
    fn paths_are_read() {
        let own = |text: &str| text.to_owned();
        for (path, target) in [
            ("", Target::System),
            ("Patient", Target::Type(own("Patient"))),
            ("/Patient/", Target::Type(own("Patient"))),
            ("Patient/_search", Target::TypeSearch(own("Patient"))),
            ("Patient/7", Target::Instance(own("Patient"), own("7"))),
            ("Patient/7/%24everything", Target::Operation(own("Patient"), own("7"), own("$everything"))),
            ("Patient/7/_history/2", Target::Version(own("Patient"), own("7"), own("2"))),
            ("$export", Target::SystemOperation(own("$export"))),
        ] {
            assert_eq!(Target::parse(path).unwrap(), target, "{path}");
        }
        for path in
            ["Patient/a%2Fb", "Patient/..%2f", "Patient/a_b", "Patient/7/Observation", "a/b/c/d/e", "Patient//7"]
        {
            assert!(Target::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        /// Whatever a path is, what it leads to has a legal id or none.
        #[test]
        fn no_path_leads_to_a_wrong_id(path in "[A-Za-z0-9/%_.$-]{0,40}|.{0,20}") {
            if let Ok(target) = Target::parse(&path) {
                prop_assert!(target.id().is_none_or(is_id), "{path}: {target:?}");
            }
        }
    }

    /// FHIR R4, http, concurrency: tags name versions, weak or not; any of a list does.
    #[test]
    fn tags_name_versions() {
        for (tags, is_named) in [
            ("W/\"3\"", true),
            ("\"3\"", true),
            ("*", true),
            ("W/\"2\", W/\"3\"", true),
            ("3", false),
            ("W/\"33\"", false),
            ("W/\"2\"", false),
            ("", false),
        ] {
            assert_eq!(Conditions::names(tags, 3), is_named, "{tags}");
        }
    }
}
