//! Operations: `$everything`, `$validate` and any other.

use crate::bundle::Content;
use crate::exchange::Call;
use crate::search::{PageStream, encoded};
use crate::{
    Answer, FhirClient, FhirError, FhirId, FromResource, OperationOutcome, RawResource, ResourceTypeName, SearchStream,
    ToResource,
};
use http::{HeaderValue, Method, header};
use serde_json::Value;
use smart_http::Repeat;
use std::fmt;

/// A call of an operation (FHIR R4, operations.html). Debug does not show its parameters.
///
/// It goes by GET with simple parameters in the URL, or by POST once it has a [`body`](Self::body) or
/// [`by_post`](Self::by_post) says so. No scope speaks of operations: whether one is permitted the server decides.
#[derive(Clone)]
#[must_use]
pub struct Operation {
    name: String,
    at: Option<(String, Option<String>)>,
    parameters: Vec<(String, String)>,
    body: Option<Result<RawResource, FhirError>>,
    by_post: bool,
    is_safe: bool,
}

impl Operation {
    /// An operation of the whole system, such as `$convert`; the `$` may be left out.
    pub fn new(name: &str) -> Self {
        let name = name.strip_prefix('$').unwrap_or(name).to_owned();
        Self { name, at: None, parameters: Vec::new(), body: None, by_post: false, is_safe: false }
    }

    /// The operation of a resource type.
    pub fn on_type(mut self, resource_type: impl Into<String>) -> Self {
        self.at = Some((resource_type.into(), None));
        self
    }

    /// The operation of a resource.
    pub fn on(mut self, resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        self.at = Some((resource_type.into(), Some(id.into())));
        self
    }

    /// Adds a simple parameter to the URL.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// What is sent by POST: a Parameters resource, or the resource that is the operation's only parameter.
    pub fn body(mut self, body: &impl ToResource) -> Self {
        self.body = Some(body.to_resource());
        self.by_post = true;
        self
    }

    /// Sends it by POST, though it has no body: an operation that changes something must not go by GET.
    pub fn by_post(mut self) -> Self {
        self.by_post = true;
        self
    }

    /// The operation changes nothing (`affectsState` is false), so that it may be sent again as a read is. One that goes by
    /// GET is taken to be so.
    pub fn safe(mut self) -> Self {
        self.is_safe = true;
        self
    }

    fn call(&self, client: &FhirClient) -> Result<Call, FhirError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(legal) || self.name.starts_with('.') {
            return Err(FhirError::InvalidRequest { reason: "the name of the operation is none" });
        }
        let mut url = match &self.at {
            None => String::new(),
            Some((name, None)) => format!("{}/", ResourceTypeName::parse(name)?),
            Some((name, Some(id))) => format!("{}/{}/", ResourceTypeName::parse(name)?, FhirId::parse_lenient(id)?),
        };
        url.extend(["$", &self.name]);
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.extend(encoded(name));
            url.push('=');
            url.extend(encoded(value));
        }
        let mut call = Call::get(client.url(&url)?);
        if self.by_post {
            call.method = Method::POST;
            call.repeat = if self.is_safe { Repeat::Freely } else { Repeat::WithoutEffect };
            if let Some(body) = self.body.clone().transpose()? {
                call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(client.media_type().as_str()));
                call.body = body.octets().clone();
            }
        }
        Ok(call)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation(${})", self.name)
    }
}

impl FhirClient {
    /// Calls an operation. What comes is a Parameters, or the resource that is its only result, or nothing.
    ///
    /// # Errors
    /// [`FhirError::InvalidRequest`] and the like before anything is sent; [`FhirError::Refused`]; see
    /// [`FhirError::may_have_had_effect`].
    pub async fn operate<T: FromResource>(&self, operation: &Operation) -> Result<Answer<Option<T>>, FhirError> {
        self.call(operation.call(self)?).await?.answer(self, None, None)
    }

    /// Calls an operation whose result is a Bundle, maybe on several pages, such as `$everything` and `$lastn`.
    pub fn operate_paged(&self, operation: &Operation) -> SearchStream {
        SearchStream::new(PageStream::new(self.clone(), Content::Any, operation.call(self)))
    }

    /// All that a server has about a patient (FHIR R4, patient-operation-everything.html), over all pages.
    pub fn everything(&self, patient: &str) -> SearchStream {
        self.operate_paged(&Operation::new("everything").on("Patient", patient))
    }

    /// Has the server check a resource, without storing it (FHIR R4, resource-operation-validate.html). The issues say what
    /// is wrong with it: [`OperationOutcome::is_error`].
    ///
    /// # Errors
    /// As for [`operate`](Self::operate). A server that answers 400 or 422 with an outcome gives that as the result too.
    pub async fn validate(&self, resource: &impl ToResource) -> Result<OperationOutcome, FhirError> {
        let resource = resource.to_resource()?;
        let operation = Operation::new("validate").on_type(resource.resource_type().as_str()).body(&resource).safe();
        match self.operate::<Value>(&operation).await {
            Ok(answer) => answer.outcome().cloned().ok_or_else(|| FhirError::InvalidResponse {
                endpoint: self.base().url().into(),
                reason: "`$validate` gave no OperationOutcome",
            }),
            Err(FhirError::Refused(refusal)) if matches!(refusal.status(), 400 | 412 | 422) => {
                match refusal.outcome() {
                    Some(outcome) => Ok(outcome.clone()),
                    None => Err(FhirError::Refused(refusal)),
                }
            }
            Err(error) => Err(error),
        }
    }
}
