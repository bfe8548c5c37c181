//! Taking typed members out of a JSON object, leaving what could not be read, and noting why.

use super::report::{Finding, FindingCode};
use crate::fhir_base::FhirBaseUrl;
use crate::untrusted::shown;
use crate::url_policy::{UrlError, UrlPolicy, has_stray_characters};
use serde_json::{Map, Value};
use url::Url;

/// A document that is being read. A member that is taken is gone from `left`; one that is unreadable stays there.
pub(super) struct Members<'a> {
    left: Map<String, Value>,
    base: Option<&'a FhirBaseUrl>,
    policy: UrlPolicy,
    findings: Vec<Finding>,
}

impl<'a> Members<'a> {
    /// With a `base`, relative URLs are resolved against it; without, they are refused.
    pub(super) fn new(object: Map<String, Value>, base: Option<&'a FhirBaseUrl>, policy: UrlPolicy) -> Self {
        Self { left: object, base, policy, findings: Vec::new() }
    }

    pub(super) fn note(&mut self, code: FindingCode, message: impl Into<String>) {
        self.findings.push(Finding::new(code, message));
    }

    /// Whether a member is there; one that is `null` is not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn policy(&self) -> UrlPolicy {
        self.policy
    }

    /// What is left, and what was found.
    pub(super) fn finish(self) -> (Map<String, Value>, Vec<Finding>) {
        (self.left, self.findings)
    }

    /// Takes a member; one that is `null` is gone and as good as absent.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        self.left.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Puts a member back that turned out unreadable.
    pub(super) fn unreadable(&mut self, name: &str, value: Value, expected: &str) {
        self.note(FindingCode::MemberMalformed, format!("`{name}` is not {expected}; it was not read"));
        self.left.insert(name.to_owned(), value);
    }

    /// Puts a URL back that may not be used.
    pub(super) fn refuse(&mut self, name: &str, value: Value, reason: &UrlError) {
        self.note(FindingCode::EndpointRefused, format!("`{name}` is left out: {reason}"));
        self.left.insert(name.to_owned(), value);
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            other => {
                self.unreadable(name, other, "a string");
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            other => {
                self.unreadable(name, other, "true or false");
                None
            }
        }
    }

    /// A list of strings. One string is read as a list parted by spaces; what is no string in a list is passed over.
    pub(super) fn strings(&mut self, name: &str) -> Option<Vec<String>> {
        match self.value(name)? {
            Value::Array(items) => {
                let count = items.len();
                let texts: Vec<_> = items
                    .into_iter()
                    .filter_map(|item| match item {
                        Value::String(text) => Some(text),
                        _ => None,
                    })
                    .collect();
                if texts.len() != count {
                    let message = format!("`{name}` has entries that are no strings; they were passed over");
                    self.note(FindingCode::MemberMalformed, message);
                }
                Some(texts)
            }
            Value::String(text) => {
                let message = format!("`{name}` is a string, not a list; it was read as parted by spaces");
                self.note(FindingCode::MemberMalformed, message);
                Some(text.split_whitespace().map(str::to_owned).collect())
            }
            other => {
                self.unreadable(name, other, "a list of strings");
                None
            }
        }
    }

    /// A URL that may be used; one that may not is noted and left where it was.
    pub(super) fn url(&mut self, name: &str) -> Option<Url> {
        match self.checked_url(name) {
            Ok(url) => url,
            Err(reason) => {
                self.note(FindingCode::EndpointRefused, format!("`{name}` is left out: {reason}"));
                None
            }
        }
    }

    /// A URL that may be used, or why it may not.
    pub(super) fn checked_url(&mut self, name: &str) -> Result<Option<Url>, UrlError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let result = match &value {
            Value::String(text) => self.endpoint(name, text),
            _ => Err(UrlError::NotAbsolute { given: "(no string)".into(), reason: "it is not a string".into() }),
        };
        if result.is_err() {
            self.left.insert(name.to_owned(), value);
        }
        result.map(Some)
    }

    /// Resolves and checks the URL of an endpoint.
    pub(super) fn endpoint(&mut self, name: &str, text: &str) -> Result<Url, UrlError> {
        let given = text;
        let text = given.trim();
        let is_relative = matches!(Url::parse(text), Err(url::ParseError::RelativeUrlWithoutBase));
        let url = match self.base.filter(|_| is_relative && !text.is_empty() && !has_stray_characters(text)) {
            Some(base) => base.resolve_endpoint(text)?,
            None => self.policy.parse(text)?,
        };
        check_endpoint(self.policy, &url)?;
        if is_relative {
            let message = format!("`{name}` is the relative URL `{}`; it was resolved to {url}", shown(text, 200));
            self.note(FindingCode::RelativeEndpoint, message);
        }
        if text != given {
            self.note(FindingCode::MemberMalformed, format!("`{name}` has blanks around it; they were passed over"));
        }
        Ok(url)
    }
}

/// An endpoint is https, without credentials and without a fragment (RFC 6749, sections 3.1 and 3.2).
pub(super) fn check_endpoint(policy: UrlPolicy, url: &Url) -> Result<(), UrlError> {
    policy.check(url)?;
    match url.fragment() {
        Some(_) => Err(UrlError::UnexpectedPart { given: shown(url.as_str(), 200), part: "fragment" }),
        None => Ok(()),
    }
}

/// A JSON object under construction: absent members are not written, and none is written twice.
#[derive(Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn put(&mut self, name: &str, value: Option<impl serde::Serialize>) {
        // A string, a list of strings or a flag: what these documents hold always serialises.
        if let Some(Ok(value)) = value.map(serde_json::to_value) {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Adds the members that are not there yet.
    pub(crate) fn with_other(mut self, other: &Map<String, Value>) -> Map<String, Value> {
        for (name, value) in other {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        self.0
    }
}
