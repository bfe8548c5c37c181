//! A search of one resource type.

use super::{Modifier, Prefix, SearchValue, Total};
use crate::{FhirError, FhirId, Handling, ResourceTypeName, Summary};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use smart_core::scope::{AccessRequest, Interaction};
use std::fmt;

/// Everything but unreserved characters and some that mean nothing in a query and make it readable. A `+` is encoded,
/// or servers would read it as a space: the time zones of dates have one.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b',');

/// A value as it stands in a query.
pub(crate) fn encoded(value: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(value, QUERY)
}

/// How long a search's URL may be before it is sent by POST, in octets: some servers and gateways refuse more than 2,000.
const LONGEST_URL: usize = 1_800;

/// A search: resource types and parameters, all of which a match must meet.
///
/// Values are taken literally unless built by [`SearchValue`], names may have modifiers and chains
/// (`code:in`, `subject:Patient.name`), which the methods write. Debug shows the names only.
///
/// It goes by GET, or by POST to `_search` where the URL would be longer than 1,800 octets, or
/// [`by_post`](Self::by_post) says so: URLs get into the logs of servers and gateways, so names, birth dates, addresses and
/// identifiers of people belong into the body (requirement FR-10).
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
    resource_type: Option<String>,
    compartment: Option<(String, String)>,
    parameters: Vec<(String, SearchValue)>,
    handling: Option<Handling>,
    by_post: Option<bool>,
}

impl SearchQuery {
    /// A search of all resources of a type. The name is checked when the search is sent.
    pub fn new(resource_type: impl Into<String>) -> Self {
        let resource_type = Some(resource_type.into());
        Self { resource_type, compartment: None, parameters: Vec::new(), handling: None, by_post: None }
    }

    /// A search of all resource types; `_type` may choose among them. Few servers have it.
    pub fn of_all_types() -> Self {
        Self { resource_type: None, ..Self::new("") }
    }

    /// The same search among what belongs to a resource, such as `Patient` and its id (FHIR R4,
    /// compartmentdefinition.html).
    pub fn within(mut self, resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        self.compartment = Some((resource_type.into(), id.into()));
        self
    }

    /// Adds a parameter. A text is taken literally: see [`SearchValue`] for values with separators.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<SearchValue>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter with a modifier: `name:exact=..`.
    pub fn modified(self, name: &str, modifier: Modifier<'_>, value: impl Into<SearchValue>) -> Self {
        self.param(format!("{name}:{}", modifier.as_str()), value)
    }

    /// Adds a parameter that is met where there is no value for it, or where there is one: `birthdate:missing=true`.
    pub fn missing(self, name: &str, is_missing: bool) -> Self {
        self.param(format!("{name}:missing"), if is_missing { "true" } else { "false" })
    }

    /// Adds a parameter of what a reference leads to: `["subject:Patient", "name"]` is `subject:Patient.name`.
    pub fn chained(self, chain: &[&str], value: impl Into<SearchValue>) -> Self {
        self.param(chain.join("."), value)
    }

    /// Adds a condition on what refers to a match: `("Observation", "patient", "code", ..)` is
    /// `_has:Observation:patient:code`, a patient that an observation with the code is about. `parameter` may itself be a
    /// chain or another `_has:..`.
    pub fn has(self, resource_type: &str, reference: &str, parameter: &str, value: impl Into<SearchValue>) -> Self {
        self.param(format!("_has:{resource_type}:{reference}:{parameter}"), value)
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

    /// The same, of what was included as well (`_include:iterate`).
    pub fn include_iterate(self, include: &str) -> Self {
        self.param("_include:iterate", include)
    }

    /// Asks for resources that refer to matches (`_revinclude`), such as `Provenance:target`.
    pub fn rev_include(self, include: &str) -> Self {
        self.param("_revinclude", include)
    }

    /// The same, of what was included as well (`_revinclude:iterate`).
    pub fn rev_include_iterate(self, include: &str) -> Self {
        self.param("_revinclude:iterate", include)
    }

    /// Asks for some elements only (`_elements`). What comes is marked as incomplete: never write it back.
    pub fn elements<'a>(self, elements: impl IntoIterator<Item = &'a str>) -> Self {
        self.any_of("_elements", elements)
    }

    /// Asks for a part of each resource only (`_summary`). What comes is marked as incomplete: never write it back.
    pub fn summary(self, summary: Summary) -> Self {
        self.param("_summary", summary.as_str())
    }

    /// How exactly the server should count all matches (`_total`).
    pub fn total(self, total: Total) -> Self {
        self.param("_total", total.as_str())
    }

    /// What the server does with parameters that it does not know. By default most pass over them and find too much.
    pub fn handling(mut self, handling: Handling) -> Self {
        self.handling = Some(handling);
        self
    }

    /// Sends the search by POST, so that no URL has its criteria.
    pub fn by_post(mut self) -> Self {
        self.by_post = Some(true);
        self
    }

    /// Sends the search by GET however long its URL is, for servers without `_search`.
    pub fn by_get(mut self) -> Self {
        self.by_post = Some(false);
        self
    }

    /// The resource type; none where all are searched.
    pub fn resource_type(&self) -> Option<&str> {
        self.resource_type.as_deref()
    }

    /// The search as a URL relative to the FHIR base, escaped and percent-encoded. It holds the search criteria: keep
    /// it out of logs.
    ///
    /// # Errors
    /// [`FhirError::InvalidType`], [`FhirError::InvalidId`], and [`FhirError::InvalidSearch`] when a parameter has no name.
    pub fn to_relative_url(&self) -> Result<String, FhirError> {
        let (path, criteria) = (self.path()?, self.criteria()?);
        Ok(if criteria.is_empty() { path } else { format!("{path}?{criteria}") })
    }

    /// The criteria alone, as they stand in a URL after `?`, in an `If-None-Exist` header or in a form.
    pub(crate) fn criteria(&self) -> Result<String, FhirError> {
        let mut criteria = String::new();
        for (name, value) in &self.parameters {
            if name.is_empty() {
                return Err(self.invalid("a parameter has no name"));
            }
            if !criteria.is_empty() {
                criteria.push('&');
            }
            criteria.extend(utf8_percent_encode(name, QUERY));
            criteria.push('=');
            criteria.extend(utf8_percent_encode(value.as_str(), QUERY));
        }
        Ok(criteria)
    }

    /// The criteria of a conditional write, which must say something: without any it would be about everything.
    pub(crate) fn condition(&self) -> Result<String, FhirError> {
        let says_something = |(name, value): &(String, SearchValue)| {
            !value.as_str().is_empty()
                && !matches!(name.as_str(), "_count" | "_sort" | "_format" | "_summary" | "_elements" | "_total")
        };
        if self.compartment.is_some() || self.resource_type.is_none() {
            return Err(self.invalid("a condition is on one resource type, in no compartment"));
        }
        if self.parameters.iter().any(says_something) {
            self.criteria()
        } else {
            Err(self.invalid("a condition without criteria would be about everything"))
        }
    }

    /// The path relative to the FHIR base.
    pub(crate) fn path(&self) -> Result<String, FhirError> {
        let own = match &self.resource_type {
            Some(name) => ResourceTypeName::parse(name)?.to_string(),
            None if self.compartment.is_some() => "*".to_owned(),
            None => String::new(),
        };
        let Some((resource_type, id)) = &self.compartment else { return Ok(own) };
        Ok(format!("{}/{}/{own}", ResourceTypeName::parse(resource_type)?, FhirId::parse_lenient(id)?))
    }

    /// Where and how it is sent: the URL relative to the base, and the form where it goes by POST.
    pub(crate) fn to_send(&self) -> Result<(String, Option<String>), FhirError> {
        let url = self.to_relative_url()?;
        if !self.by_post.unwrap_or(url.len() > LONGEST_URL) {
            return Ok((url, None));
        }
        let path = self.path()?;
        let path = match path.strip_suffix('*').unwrap_or(&path) {
            "" => "_search".to_owned(),
            path => format!("{}/_search", path.trim_end_matches('/')),
        };
        Ok((path, Some(self.criteria()?)))
    }

    pub(crate) fn handled(&self) -> Option<Handling> {
        self.handling
    }

    /// The search as scopes see it.
    pub(crate) fn access_request(&self) -> AccessRequest<'_> {
        let parameters = self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = match &self.resource_type {
            Some(name) => AccessRequest::new(Interaction::SearchType, name),
            None => AccessRequest::on_all_types(Interaction::SearchSystem),
        };
        request.with_parameters(parameters)
    }

    fn invalid(&self, reason: &'static str) -> FhirError {
        let resource_type = self.resource_type.as_deref().and_then(|name| ResourceTypeName::parse(name).ok());
        let resource_type = resource_type.map_or_else(|| "all types".to_owned(), |name| name.to_string());
        FhirError::InvalidSearch { resource_type, reason }
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

    /// FR-11, F-105 (FHIR R4, search.html): modifiers, chains, reverse chains, iterated includes, summaries and totals.
    #[test]
    fn modifiers_and_chains_are_written() {
        let query = SearchQuery::new("Patient")
            .modified("name", Modifier::Exact, "O'Neil, Ann")
            .modified("subject", Modifier::Type("Patient"), "1")
            .missing("birthdate", true)
            .chained(&["general-practitioner:Practitioner", "name"], "Joe")
            .has("Observation", "patient", "code", SearchValue::token("http://loinc.org", "1234-5"))
            .has("Observation", "patient", "_has:AuditEvent:entity:agent", "MyUser")
            .param("identifier:of-type", SearchValue::of_type("http://t", "MR", "1|2"))
            .param("organization", SearchValue::reference("Organization", "1"))
            .include_iterate("PractitionerRole:practitioner")
            .rev_include_iterate("Provenance:target")
            .summary(Summary::Data)
            .total(Total::Accurate);
        let expected = [
            ("name:exact", "O'Neil\\, Ann"),
            ("subject:Patient", "1"),
            ("birthdate:missing", "true"),
            ("general-practitioner:Practitioner.name", "Joe"),
            ("_has:Observation:patient:code", "http://loinc.org|1234-5"),
            ("_has:Observation:patient:_has:AuditEvent:entity:agent", "MyUser"),
            ("identifier:of-type", "http://t|MR|1\\|2"),
            ("organization", "Organization/1"),
            ("_include:iterate", "PractitionerRole:practitioner"),
            ("_revinclude:iterate", "Provenance:target"),
            ("_summary", "data"),
            ("_total", "accurate"),
        ];
        assert_eq!(pairs(&query), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    /// FR-10 (FHIR R4, search.html): where a search goes, by GET and by POST, for one type, all types and compartments.
    #[test]
    fn searches_have_their_place() {
        let short = |query: SearchQuery| query.param("name", "Smith");
        for (query, get, post) in [
            (SearchQuery::new("Patient"), "Patient?name=Smith", "Patient/_search"),
            (SearchQuery::of_all_types(), "?name=Smith", "_search"),
            (
                SearchQuery::new("Observation").within("Patient", "1"),
                "Patient/1/Observation?name=Smith",
                "Patient/1/Observation/_search",
            ),
            (SearchQuery::of_all_types().within("Patient", "1"), "Patient/1/*?name=Smith", "Patient/1/_search"),
        ] {
            assert_eq!(short(query.clone()).to_send().unwrap(), (get.to_owned(), None));
            assert_eq!(short(query).by_post().to_send().unwrap(), (post.to_owned(), Some("name=Smith".to_owned())));
        }
        let long = SearchQuery::new("Patient").any_of("_id", vec!["x".repeat(60); 40]);
        assert_eq!(long.to_send().unwrap().0, "Patient/_search");
        assert!(long.by_get().to_send().unwrap().1.is_none());
        assert!(SearchQuery::new("Observation").within("Patient", "../x").to_send().is_err());
    }

    /// FR-14 (patient safety): a condition that says nothing would be about everything, and is refused.
    #[test]
    fn conditions_must_say_something() {
        let patients = || SearchQuery::new("Patient");
        assert_eq!(patients().token("identifier", "urn:x", "1").condition().unwrap(), "identifier=urn:x%7C1");
        for empty in [
            patients(),
            patients().count(1),
            patients().param("identifier", ""),
            SearchQuery::of_all_types().param("identifier", "1"),
            patients().param("identifier", "1").within("Patient", "1"),
        ] {
            assert!(matches!(empty.condition(), Err(FhirError::InvalidSearch { .. })), "{empty:?}");
        }
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
        assert_eq!(
            format!("{query:?}"),
            "SearchQuery { resource_type: Some(\"Patient\"), parameters: [\"name\"], .. }"
        );
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
