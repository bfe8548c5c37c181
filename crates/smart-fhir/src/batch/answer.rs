//! What came of a batch or transaction.

use super::builder::{Entry, Part};
use crate::{Bundle, FhirClient, FhirError, FromResource, Location, OperationOutcome, RawResource, RefusalKind};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use smart_core::entity_tag::EntityTag;
use smart_http::Endpoint;
use std::fmt;

/// The answers to the entries of a [`Batch`](crate::Batch), in their order.
#[derive(Debug, Clone)]
pub struct BatchAnswer {
    entries: Vec<EntryAnswer>,
}

/// What came of one entry. Debug shows the status only.
#[derive(Clone)]
pub struct EntryAnswer {
    status: StatusCode,
    location: Option<Location>,
    etag: Option<EntityTag>,
    last_modified: Option<String>,
    resource: Option<RawResource>,
    outcome: Option<OperationOutcome>,
    /// Why a success is none.
    problem: Option<&'static str>,
}

/// One entry of a batch was not done, or what came of it cannot be used. The server's texts are had by name only.
#[derive(Debug, Clone, thiserror::Error)]
#[error("entry {at} of the bundle was answered with status {status}{}{}", problem.map(|text| format!(": {text}")).unwrap_or_default(), issues(outcome.as_ref()))]
#[non_exhaustive]
pub struct EntryError {
    /// Its place, counted from 0.
    pub at: usize,
    /// The status.
    pub status: u16,
    /// What the status means.
    pub kind: RefusalKind,
    /// What the server says.
    pub outcome: Option<OperationOutcome>,
    /// Why a success cannot be used.
    pub problem: Option<&'static str>,
}

fn issues(outcome: Option<&OperationOutcome>) -> String {
    outcome.filter(|o| !o.issues().is_empty()).map(|o| format!(" (issues: {o})")).unwrap_or_default()
}

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow, default)]
    entry: Vec<Answer<'a>>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    status: String,
    location: Option<String>,
    etag: Option<String>,
    #[serde(rename = "lastModified")]
    last_modified: Option<String>,
    outcome: Option<Value>,
}

impl BatchAnswer {
    pub(super) fn read(
        client: &FhirClient,
        endpoint: &Endpoint,
        bundle: &RawResource,
        parts: &[&Part],
    ) -> Result<Self, FhirError> {
        let octets = bundle.octets();
        let invalid = |reason| FhirError::InvalidResponse { endpoint: endpoint.clone(), reason };
        let answers: Answers<'_> = serde_json::from_slice(crate::resource::without_mark(octets))
            .map_err(|_| invalid("its answer to the bundle is malformed; what was done cannot be told"))?;
        if answers.entry.len() != parts.len() {
            let (sent, got) = (parts.len(), answers.entry.len());
            return Err(FhirError::EntriesMissing { endpoint: endpoint.clone(), sent, got });
        }
        let mut entries = Vec::new();
        for (answer, part) in answers.entry.into_iter().zip(parts) {
            let response = answer.response.ok_or_else(|| invalid("an entry of its answer has no `response`"))?;
            let status = response.status.trim_start().get(..3).and_then(|code| code.parse::<StatusCode>().ok());
            let status = status.ok_or_else(|| invalid("an entry of its answer has no status"))?;
            let outcome = |value: &Value| OperationOutcome::from_resource(value.as_object()?);
            let mut resource =
                answer.resource.and_then(|raw| RawResource::parse(octets.slice_ref(raw.get().as_bytes())).ok());
            let mut said = response.outcome.as_ref().and_then(outcome);
            if resource.as_ref().is_some_and(|own| own.resource_type().as_str() == "OperationOutcome") {
                said = said.or_else(|| outcome(&resource.as_ref()?.to_value()));
                resource = None;
            }
            let mut problem = None;
            if let Some((resource_type, id)) = &part.expected
                && status.is_success()
                && resource
                    .as_ref()
                    .is_none_or(|own| own.resource_type() != resource_type || own.id() != Some(id.as_str()))
            {
                // It may be another patient's.
                problem = Some("it is not the resource that was asked for");
                resource = None;
            }
            entries.push(EntryAnswer {
                status,
                location: response.location.and_then(|text| Location::read(client.base(), client.base().url(), &text)),
                etag: response.etag.and_then(|tag| EntityTag::parse(&tag).ok()),
                last_modified: response.last_modified,
                resource,
                outcome: said,
                problem,
            });
        }
        Ok(Self { entries })
    }

    /// What came of an entry.
    ///
    /// # Errors
    /// [`EntryError`] when it was not done, or what came of it cannot be used. Panics never: an entry of another batch gets
    /// the error of status 404.
    pub fn get(&self, entry: Entry) -> Result<&EntryAnswer, EntryError> {
        self.at(entry.at)
    }

    /// The same by its place, counted from 0.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn at(&self, at: usize) -> Result<&EntryAnswer, EntryError> {
        match self.entries.get(at) {
            Some(answer) => match answer.error(at) {
                Some(error) => Err(error),
                None => Ok(answer),
            },
            None => Err(EntryError {
                at,
                status: 404,
                kind: RefusalKind::NotFound,
                outcome: None,
                problem: Some("the bundle has no such entry"),
            }),
        }
    }

    /// All answers, done and refused.
    pub fn entries(&self) -> &[EntryAnswer] {
        &self.entries
    }

    /// What was not done.
    pub fn errors(&self) -> impl Iterator<Item = EntryError> {
        self.entries.iter().enumerate().filter_map(|(at, answer)| answer.error(at))
    }
}

impl EntryAnswer {
    fn error(&self, at: usize) -> Option<EntryError> {
        let is_good = self.status.is_success() && self.problem.is_none();
        (!is_good).then(|| EntryError {
            at,
            status: self.status.as_u16(),
            kind: RefusalKind::of(self.status, None),
            outcome: self.outcome.clone(),
            problem: self.problem,
        })
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether a resource was created.
    pub fn is_created(&self) -> bool {
        self.status == StatusCode::CREATED
    }

    /// Where it was stored.
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// The version.
    pub fn etag(&self) -> Option<&EntityTag> {
        self.etag.as_ref()
    }

    /// When, as the server writes it (an instant).
    pub fn last_modified(&self) -> Option<&str> {
        self.last_modified.as_deref()
    }

    /// The resource, where one came.
    pub fn resource(&self) -> Option<&RawResource> {
        self.resource.as_ref()
    }

    /// The resource as a Rust type; `None` where none came or it does not fit.
    pub fn to<T: FromResource>(&self) -> Option<T> {
        self.resource.as_ref()?.to()
    }

    /// The resource as a Bundle: the first page of a search.
    pub fn bundle(&self) -> Option<Bundle> {
        Bundle::parse(self.resource.as_ref()?.octets().clone()).ok()
    }

    /// What the server says about it.
    pub fn outcome(&self) -> Option<&OperationOutcome> {
        self.outcome.as_ref()
    }
}

impl fmt::Debug for EntryAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryAnswer({})", self.status.as_u16())
    }
}
