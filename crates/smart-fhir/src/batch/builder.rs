//! Building a batch or transaction.

use super::urn::Uuid;
use crate::exchange::Call;
use crate::patch::Patch;
use crate::{
    BatchAnswer, FhirClient, FhirError, FhirId, RawResource, ResourceTypeName, Return, SearchQuery, ToResource,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde_json::{Map, Value, json};
use smart_core::entity_tag::EntityTag;
use smart_core::scope::AccessRequest;
use smart_http::{Endpoint, Repeat};
use std::collections::HashSet;
use std::fmt;

/// Many requests in one Bundle (FHIR R4, http.html#transaction): a batch, whose entries stand each by itself, or a
/// transaction, which is done as a whole or not at all.
///
/// What is to be created has a `urn:uuid:` name, by which other entries of the transaction can refer to it. What cannot be
/// right is refused before anything is sent: a reference to a name that no entry has, two changes of one resource, an entry
/// that refers to another one in a batch.
///
/// ```no_run
/// # async fn run(fhir: smart_fhir::FhirClient) -> Result<(), Box<dyn std::error::Error>> {
/// use serde_json::json;
/// use smart_fhir::Batch;
///
/// let mut transaction = Batch::transaction();
/// let patient = transaction.create(&json!({"resourceType": "Patient", "name": [{"family": "Doe"}]}));
/// let weight = transaction.create(&json!({
///     "resourceType": "Observation",
///     "subject": {"reference": patient.reference()},
/// }));
/// let answer = fhir.submit(&transaction).await?;
/// let stored = answer.get(weight)?;
/// println!("stored as {:?}", stored.location().map(|location| location.reference()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is done unless it is submitted"]
pub struct Batch {
    is_transaction: bool,
    parts: Vec<Result<Part, FhirError>>,
    returning: Option<Return>,
}

/// An entry of a [`Batch`], by which its answer is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    pub(super) at: usize,
    name: UuidShown,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct UuidShown(Uuid);

impl fmt::Debug for UuidShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Entry {
    /// The reference to what the entry creates, from other entries of the same transaction: `urn:uuid:..`.
    pub fn reference(&self) -> String {
        format!("urn:uuid:{}", self.name.0)
    }

    /// Its place, counted from 0.
    pub fn at(&self) -> usize {
        self.at
    }
}

/// One request of the Bundle.
#[derive(Clone)]
pub(super) struct Part {
    method: Method,
    /// Relative to the base, percent-encoded.
    url: String,
    resource: Option<RawResource>,
    /// Its name, where it creates something.
    name: Option<Uuid>,
    if_match: Option<EntityTag>,
    if_none_exist: Option<String>,
    /// What a read must give.
    pub(super) expected: Option<(ResourceTypeName, FhirId)>,
}

impl Part {
    fn new(method: Method, url: String) -> Self {
        Self { method, url, resource: None, name: None, if_match: None, if_none_exist: None, expected: None }
    }

    fn with(self, resource: RawResource) -> Self {
        Self { resource: Some(resource), ..self }
    }

    /// The request of an entry of a Bundle. A URL that leads elsewhere is none.
    fn of_entry(client: &FhirClient, entry: &Value) -> Option<Self> {
        let request = entry.get("request")?;
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let method = match text("method")? {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => return None,
        };
        let url = text("url")?;
        client.base().join(url).ok()?;
        let is_relative = !url.starts_with('/') && !url.split(['?', '#']).next()?.contains(':');
        let mut part = Self::new(method, url.to_owned());
        if part.method == Method::GET
            && let Some((resource_type, id)) = url.split_once('/')
            && let (Ok(resource_type), Ok(id)) = (ResourceTypeName::parse(resource_type), FhirId::parse_lenient(id))
        {
            part.expected = Some((resource_type, id));
        }
        is_relative.then_some(part)
    }

    /// The resource that it changes, if it is known beforehand.
    fn changes(&self) -> Option<&str> {
        (self.method != Method::GET && self.method != Method::POST && !self.url.contains('?')).then_some(&self.url)
    }
}

impl Batch {
    /// A batch: each entry is done by itself, in any order. No entry may refer to another.
    #[expect(clippy::new_without_default, reason = "a batch without entries is of no use")]
    pub fn new() -> Self {
        Self { is_transaction: false, parts: Vec::new(), returning: None }
    }

    /// A transaction: all entries are done, or none.
    pub fn transaction() -> Self {
        Self { is_transaction: true, ..Self::new() }
    }

    /// What the answers should have.
    pub fn returning(&mut self, preference: Return) -> &mut Self {
        self.returning = Some(preference);
        self
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Creates a resource. [`Entry::reference`] is its name in this transaction.
    pub fn create(&mut self, resource: &impl ToResource) -> Entry {
        let name = Uuid::random();
        let part = resource.to_resource().map(|resource| {
            let part = Part::new(Method::POST, resource.resource_type().to_string()).with(resource);
            Part { name: Some(name), ..part }
        });
        self.push(part, name)
    }

    /// Replaces a resource as a whole, by its type and id.
    pub fn update(&mut self, resource: &impl ToResource) -> Entry {
        let part = resource.to_resource().and_then(|resource| {
            let id = resource.id().ok_or(FhirError::InvalidRequest { reason: "the resource to update has no `id`" })?;
            let url = format!("{}/{}", resource.resource_type(), FhirId::parse_lenient(id)?);
            Ok(Part::new(Method::PUT, url).with(resource))
        });
        self.push_unnamed(part)
    }

    /// Replaces the one resource that a search finds, or creates one: then [`Entry::reference`] is its name.
    pub fn update_where(&mut self, query: &SearchQuery, resource: &impl ToResource) -> Entry {
        let name = Uuid::random();
        let part = resource.to_resource().and_then(|resource| {
            if query.resource_type() != Some(resource.resource_type().as_str()) {
                return Err(FhirError::InvalidRequest {
                    reason: "the condition searches another type than is written",
                });
            }
            let part = Part::new(Method::PUT, Self::conditional(query)?).with(resource);
            Ok(Part { name: Some(name), ..part })
        });
        self.push(part, name)
    }

    /// Changes parts of a resource. A JSON Patch goes as a Binary (FHIR R4, http.html#patch), which not every server takes.
    pub fn patch(&mut self, resource_type: &str, id: &str, patch: &Patch) -> Entry {
        let part = Self::target(resource_type, id).and_then(|(resource_type, id)| {
            let (content_type, body) = patch.to_body(crate::FhirMediaType::FhirJson)?;
            let resource = match patch {
                Patch::FhirPath(_) => RawResource::parse(body)?,
                Patch::Json(_) => {
                    let data = STANDARD.encode(&body);
                    json!({"resourceType": "Binary", "contentType": content_type, "data": data}).to_resource()?
                }
            };
            Ok(Part::new(Method::PATCH, format!("{resource_type}/{id}")).with(resource))
        });
        self.push_unnamed(part)
    }

    /// Deletes a resource.
    pub fn delete(&mut self, resource_type: &str, id: &str) -> Entry {
        let target = Self::target(resource_type, id);
        let part = target.map(|(resource_type, id)| Part::new(Method::DELETE, format!("{resource_type}/{id}")));
        self.push_unnamed(part)
    }

    /// Deletes what a search finds; see [`FhirClient::delete_where`].
    pub fn delete_where(&mut self, query: &SearchQuery) -> Entry {
        let part = Self::conditional(query).map(|url| Part::new(Method::DELETE, url));
        self.push_unnamed(part)
    }

    /// Reads a resource.
    pub fn read(&mut self, resource_type: &str, id: &str) -> Entry {
        let part = Self::target(resource_type, id).map(|(resource_type, id)| {
            let part = Part::new(Method::GET, format!("{resource_type}/{id}"));
            Part { expected: Some((resource_type, id)), ..part }
        });
        self.push_unnamed(part)
    }

    /// Searches. The answer has the first page: [`EntryAnswer::bundle`](crate::EntryAnswer::bundle).
    pub fn search(&mut self, query: &SearchQuery) -> Entry {
        let part = query.to_relative_url().map(|url| Part::new(Method::GET, url));
        self.push_unnamed(part)
    }

    /// Does an entry only if the resource still has this version. It is an update, a patch or a delete.
    pub fn if_match(&mut self, entry: Entry, etag: &EntityTag) -> &mut Self {
        self.amend(entry, |part| {
            if matches!(part.method, Method::GET | Method::POST) {
                return Err(FhirError::InvalidRequest { reason: "only what changes a resource names a version" });
            }
            Ok(Part { if_match: Some(etag.clone()), ..part })
        })
    }

    /// Creates what an entry creates unless there is one that the search finds.
    pub fn if_none_exist(&mut self, entry: Entry, query: &SearchQuery) -> &mut Self {
        self.amend(entry, |part| {
            if part.method != Method::POST || query.resource_type() != Some(part.url.as_str()) {
                return Err(FhirError::InvalidRequest {
                    reason: "the condition is for a create of the type it searches",
                });
            }
            Ok(Part { if_none_exist: Some(query.condition()?), ..part })
        })
    }

    fn amend(&mut self, entry: Entry, change: impl FnOnce(Part) -> Result<Part, FhirError>) -> &mut Self {
        if let Some(part) = self.parts.get_mut(entry.at) {
            let nothing = Err(FhirError::InvalidRequest { reason: "the entry cannot be amended" });
            *part = std::mem::replace(part, nothing).and_then(change);
        }
        self
    }

    fn conditional(query: &SearchQuery) -> Result<String, FhirError> {
        Ok(format!("{}?{}", query.path()?, query.condition()?))
    }

    fn target(resource_type: &str, id: &str) -> Result<(ResourceTypeName, FhirId), FhirError> {
        Ok((ResourceTypeName::parse(resource_type)?, FhirId::parse_lenient(id)?))
    }

    fn push_unnamed(&mut self, part: Result<Part, FhirError>) -> Entry {
        self.push(part, Uuid::random())
    }

    fn push(&mut self, part: Result<Part, FhirError>, name: Uuid) -> Entry {
        self.parts.push(part);
        Entry { at: self.parts.len() - 1, name: UuidShown(name) }
    }

    /// The entries, if all of them and all together can be right.
    pub(super) fn checked(&self) -> Result<Vec<&Part>, FhirError> {
        let at_entry = |at: usize, error: FhirError| FhirError::Entry { at, error: Box::new(error) };
        let refused = |at, reason| at_entry(at, FhirError::InvalidRequest { reason });
        let mut parts = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            parts.push(part.as_ref().map_err(|error| at_entry(at, error.clone()))?);
        }
        if parts.is_empty() {
            return Err(FhirError::InvalidRequest { reason: "the bundle has no entry" });
        }
        let names: HashSet<String> =
            parts.iter().filter_map(|part| part.name).map(|name| format!("urn:uuid:{name}")).collect();
        let mut changed = HashSet::new();
        for (at, part) in parts.iter().enumerate() {
            if self.is_transaction && part.changes().is_some_and(|resource| !changed.insert(resource)) {
                return Err(refused(at, "a transaction changes each resource once, and this one is changed before"));
            }
            let Some(resource) = &part.resource else { continue };
            let mut used = Vec::new();
            uuid_references(&resource.to_value(), &mut used);
            if used.iter().any(|name| !names.contains(name)) {
                return Err(refused(at, "it refers to a `urn:uuid:` that no entry creates"));
            }
            if !used.is_empty() && !self.is_transaction {
                return Err(refused(at, "entries of a batch cannot refer to each other; a transaction's can"));
            }
        }
        Ok(parts)
    }

    /// The Bundle. Resources are in the octets that they were given in.
    fn body(&self, client: &FhirClient, parts: &[&Part]) -> Bytes {
        let kind = if self.is_transaction { "transaction" } else { "batch" };
        let mut body = format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":["#).into_bytes();
        for (at, part) in parts.iter().enumerate() {
            let mut request = Map::new();
            let mut put = |name: &str, text: &str| request.insert(name.to_owned(), text.into());
            put("method", part.method.as_str());
            put("url", &part.url);
            if let Some(tag) = &part.if_match {
                put("ifMatch", tag.as_str());
            }
            if let Some(condition) = &part.if_none_exist {
                put("ifNoneExist", condition);
            }
            let full_url = match (part.name, part.changes()) {
                (Some(name), _) => Some(format!("urn:uuid:{name}")),
                (None, Some(url)) if part.resource.is_some() => Some(format!("{}/{url}", client.base().normalised())),
                _ => None,
            };
            body.extend(if at == 0 { "{" } else { ",{" }.bytes());
            if let Some(full_url) = full_url {
                body.extend(format!(r#""fullUrl":{},"#, Value::from(full_url)).bytes());
            }
            if let Some(resource) = &part.resource {
                body.extend(b"\"resource\":");
                body.extend(crate::resource::without_mark(resource.octets()));
                body.push(b',');
            }
            body.extend(format!(r#""request":{}}}"#, Value::Object(request)).bytes());
        }
        body.extend(b"]}");
        body.into()
    }
}

/// Collects the `urn:uuid:` texts of all members named `reference`.
fn uuid_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| uuid_references(item, into)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "reference" && text.starts_with("urn:uuid:") => {
                        into.push(text.clone());
                    }
                    _ => uuid_references(member, into),
                }
            }
        }
        _ => {}
    }
}

impl FhirClient {
    /// Sends a batch or transaction (FHIR R4, http.html#transaction). The answer has one entry for each request, whether it was
    /// done or refused; a transaction that is refused is an error as a whole.
    ///
    /// It is repeated as a write is, or as a read is where it only reads.
    ///
    /// # Errors
    /// [`FhirError::Entry`] and [`FhirError::InvalidRequest`] before anything is sent; [`FhirError::Refused`];
    /// [`FhirError::EntriesMissing`]; see [`FhirError::may_have_had_effect`].
    pub async fn submit(&self, batch: &Batch) -> Result<BatchAnswer, FhirError> {
        let parts = batch.checked()?;
        let body = batch.body(self, &parts);
        self.submit_parts(&parts, body, batch.returning).await
    }

    /// Sends a Bundle of the type `batch` or `transaction` that is there already, as it is.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit). How the entries refer to each other is left to the server.
    pub async fn submit_bundle(&self, bundle: &impl ToResource) -> Result<BatchAnswer, FhirError> {
        let bundle = bundle.to_resource()?;
        let value = bundle.to_value();
        let kind = value.get("type").and_then(Value::as_str);
        if bundle.resource_type().as_str() != "Bundle" || !matches!(kind, Some("batch" | "transaction")) {
            return Err(FhirError::InvalidRequest { reason: "it is no Bundle of the type `batch` or `transaction`" });
        }
        let entries = value.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut parts = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let part = Part::of_entry(self, entry).ok_or(FhirError::InvalidRequest {
                reason: "it has no request with a method and a URL relative to the FHIR base",
            });
            parts.push(part.map_err(|error| FhirError::Entry { at, error: Box::new(error) })?);
        }
        if parts.is_empty() {
            return Err(FhirError::InvalidRequest { reason: "the bundle has no entry" });
        }
        self.submit_parts(&parts.iter().collect::<Vec<_>>(), bundle.octets().clone(), None).await
    }

    async fn submit_parts(
        &self,
        parts: &[&Part],
        body: Bytes,
        returning: Option<Return>,
    ) -> Result<BatchAnswer, FhirError> {
        let url = self.base().url().clone();
        for (at, part) in parts.iter().enumerate() {
            let Some(request) = AccessRequest::from_http(part.method.as_str(), &part.url) else { continue };
            let permitted = self.check_permitted(&request, &url);
            permitted.map_err(|error| FhirError::Entry { at, error: Box::new(error) })?;
        }
        let only_reads = parts.iter().all(|part| part.method == Method::GET);
        let mut call = Call::get(url);
        call.method = Method::POST;
        call.repeat = if only_reads { Repeat::Freely } else { Repeat::WithoutEffect };
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type().as_str()));
        if let Some(preference) = returning {
            preference.put(&mut call.headers);
        }
        call.body = body;
        let reply = self.call(call).await?;
        let bundle: RawResource = reply.resource(Some("Bundle"), None)?;
        BatchAnswer::read(self, &Endpoint::from(&reply.url), &bundle, parts)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_transaction { "Transaction" } else { "Batch" };
        write!(f, "{kind}({} entries)", self.parts.len())
    }
}
