//! A search of one resource type.

use super::{Prefix, SearchValue};
use crate::{FhirError, ResourceTypeName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use smart_core::scope::{AccessRequest, Interaction};
use std::fmt;

/// Everything but unreserved characters and some that mean nothing in a query and make it readable. A `+` is encoded,
/// or servers would read it as a space: the time zones of dates have one.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b',');

/// A search: a resource type and parameters, all of which a match must meet.
///
/// Values are taken literally unless built by [`SearchValue`], names may have modifiers and chains
/// (`code:in`, `subject:Patient.name`). Debug shows the names only.
///
/// ```
/// use smart_fhir::{Prefix, SearchQuery};
///
/// let query = SearchQuery::new("Observation")
///     .param("patient", "123")
///     .token("code", "http://loinc.org", "8480-6")
///     .compared("date", Prefix::Ge, "2026-01-01")
///     .count(50);
/// assert_eq!(
///     query.to_relative_url()?,
///     "Observation?patient=123&code=http://loinc.org%7C8480-6&date=ge2026-01-01&_count=50"
/// );
/// # Ok::<(), smart_fhir::FhirError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct SearchQuery {
    resource_type: String,
    parameters: Vec<(String, SearchValue)>,
}

impl SearchQuery {
    /// A search of all resources of a type. The name is checked when the search is sent.
    pub fn new(resource_type: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), parameters: Vec::new() }
    }

    /// Adds a parameter. A text is taken literally: see [`SearchValue`] for values with separators.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<SearchValue>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter that matches a code of a code system, or an identifier of a namespace.
    pub fn token(self, name: impl Into<String>, system: &str, code: &str) -> Self {
        self.param(name, SearchValue::token(system, code))
    }

    /// Adds a parameter that any of several values meets.
    pub fn any_of<V: Into<SearchValue>>(self, name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.param(name, SearchValue::any_of(values))
    }

    /// Adds a parameter that compares a number, date or quantity.
    pub fn compared(self, name: impl Into<String>, prefix: Prefix, value: &str) -> Self {
        self.param(name, SearchValue::compared(prefix, value))
    }

    /// How many matches a page should have (`_count`). The server may give fewer, or more where it must.
    pub fn count(self, count: u32) -> Self {
        self.param("_count", count.to_string())
    }

    /// The order (`_sort`): names of parameters, with `-` before those that descend.
    pub fn sort<'a>(self, by: impl IntoIterator<Item = &'a str>) -> Self {
        self.any_of("_sort", by)
    }

    /// Asks for resources that matches refer to (`_include`), such as `Observation:subject`.
    pub fn include(self, include: &str) -> Self {
        self.param("_include", include)
    }

    /// Asks for resources that refer to matches (`_revinclude`), such as `Provenance:target`.
    pub fn rev_include(self, include: &str) -> Self {
        self.param("_revinclude", include)
    }

    /// Asks for some elements only (`_elements`).
    pub fn elements<'a>(self, elements: impl IntoIterator<Item = &'a str>) -> Self {
        self.any_of("_elements", elements)
    }

    /// The resource type.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// The search as a URL relative to the FHIR base, escaped and percent-encoded. It holds the search criteria: keep
    /// it out of logs.
    ///
    /// # Errors
    /// [`FhirError::InvalidType`], and [`FhirError::InvalidSearch`] when a parameter has no name.
    pub fn to_relative_url(&self) -> Result<String, FhirError> {
        let mut url = ResourceTypeName::parse(&self.resource_type)?.to_string();
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            if name.is_empty() {
                let reason = "a parameter has no name";
                return Err(FhirError::InvalidSearch { resource_type: self.resource_type.clone(), reason });
            }
            url.push(if index == 0 { '?' } else { '&' });
            url.extend(utf8_percent_encode(name, QUERY));
            url.push('=');
            url.extend(utf8_percent_encode(value.as_str(), QUERY));
        }
        Ok(url)
    }

    pub(crate) fn into_resource_type(self) -> String {
        self.resource_type
    }

    /// The search as scopes see it.
    pub(crate) fn access_request(&self) -> AccessRequest<'_> {
        let parameters = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        AccessRequest::new(Interaction::SearchType, &self.resource_type).with_parameters(parameters)
    }
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("SearchQuery")
            .field("resource_type", &self.resource_type)
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    fn pairs(query: &SearchQuery) -> Vec<(String, String)> {
        let url = format!("https://ehr.example/fhir/{}", query.to_relative_url().unwrap());
        Url::parse(&url).unwrap().query_pairs().into_owned().collect()
    }

    /// FR-11 (FHIR R4, search.html#escaping): values are escaped first and percent-encoded then.
    #[test]
    fn values_are_escaped_then_encoded() {
        for (value, expected) in [
            ("a,b", "x=a%5C,b"),
            ("a$b", "x=a%5C%24b"),
            ("a|b", "x=a%5C%7Cb"),
            ("a\\b", "x=a%5C%5Cb"),
            ("a b&c=d#e%f+g;h", "x=a%20b%26c%3Dd%23e%25f%2Bg%3Bh"),
            ("2026-01-01T00:00:00+02:00", "x=2026-01-01T00:00:00%2B02:00"),
            ("J\u{f6}rg", "x=J%C3%B6rg"),
        ] {
            let url = SearchQuery::new("Patient").param("x", value).to_relative_url().unwrap();
            assert_eq!(url, format!("Patient?{expected}"), "{value}");
        }
    }

    /// FR-11: every helper writes the parameter that it stands for, and repeated names stay.
    #[test]
    fn helpers_write_their_parameters() {
        let query = SearchQuery::new("Observation")
            .param("date", "ge2020")
            .param("date", "lt2021")
            .token("code", "http://loinc.org", "8480-6")
            .any_of("status", ["final", "amended"])
            .sort(["-date", "code"])
            .include("Observation:subject")
            .rev_include("Provenance:target")
            .elements(["code", "value"])
            .count(7);
        let expected = [
            ("date", "ge2020"),
            ("date", "lt2021"),
            ("code", "http://loinc.org|8480-6"),
            ("status", "final,amended"),
            ("_sort", "-date,code"),
            ("_include", "Observation:subject"),
            ("_revinclude", "Provenance:target"),
            ("_elements", "code,value"),
            ("_count", "7"),
        ];
        assert_eq!(pairs(&query), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(SearchQuery::new("Patient").to_relative_url().unwrap(), "Patient");
    }

    /// FR-12: a type that is none, and a parameter without a name, are refused.
    #[test]
    fn impossible_searches_are_refused() {
        for name in ["../Patient", "Patient/1", "", "Patient?x=y&"] {
            assert!(matches!(SearchQuery::new(name).to_relative_url(), Err(FhirError::InvalidType)), "{name}");
        }
        let nameless = SearchQuery::new("Patient").param("", "Smith").to_relative_url().unwrap_err();
        assert!(!format!("{nameless} {nameless:?}").contains("Smith"));
    }

    /// FR-23: Debug does not show what is searched for.
    #[test]
    fn debug_hides_values() {
        let query = SearchQuery::new("Patient").param("name", "Smith");
        assert_eq!(format!("{query:?}"), "SearchQuery { resource_type: \"Patient\", parameters: [\"name\"], .. }");
    }

    proptest! {
        /// FR-11: whatever a name and a literal value hold, the server gets just them, and nothing else.
        #[test]
        fn no_value_leaks_into_another_parameter(name in "\\PC{1,20}", value in "\\PC{0,40}") {
            let query = SearchQuery::new("Patient").param(&name, &value).param("last", "x");
            let escaped = SearchValue::literal(&value).as_str().to_owned();
            prop_assert_eq!(pairs(&query), vec![(name, escaped), ("last".to_owned(), "x".to_owned())]);
        }
    }
}
