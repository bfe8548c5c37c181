//! Writes: create, update, patch and delete, with their conditions.

use crate::exchange::Call;
use crate::patch::Patch;
use crate::{
    Answer, FhirClient, FhirError, FhirId, FromResource, Handling, RawResource, ResourceTypeName, Return, SearchQuery,
    ToResource,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use smart_core::entity_tag::EntityTag;
use smart_core::scope::{AccessRequest, Interaction};
use smart_http::Repeat;
use std::fmt;
use std::marker::PhantomData;

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// A write that is to be sent. Nothing is before [`send`](Self::send); what is wrong with it is said there.
///
/// It is sent once. It is sent again only where the try before certainly had no effect: there was no connection, or the
/// server counted it and did not take it up (429), or did not take the token (401). After any other failure
/// [`FhirError::may_have_had_effect`] tells whether it may have been done. Debug does not show what is written.
#[must_use = "nothing is written unless it is sent"]
pub struct Write<'c, Kind> {
    client: &'c FhirClient,
    draft: Result<Draft, FhirError>,
    kind: PhantomData<Kind>,
}

/// The kind of a [`Write`] that creates.
#[derive(Debug)]
pub struct Create(());

/// The kind of a [`Write`] that changes or deletes what is there.
#[derive(Debug)]
pub struct Change(());

#[derive(Clone)]
pub(crate) struct Draft {
    method: Method,
    path: String,
    interaction: Interaction,
    resource_type: ResourceTypeName,
    id: Option<FhirId>,
    headers: HeaderMap,
    body: Bytes,
}

impl Draft {
    fn new(method: Method, interaction: Interaction, resource_type: ResourceTypeName, id: Option<FhirId>) -> Self {
        let path = match &id {
            Some(id) => format!("{resource_type}/{id}"),
            None => resource_type.to_string(),
        };
        Self { method, path, interaction, resource_type, id, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The same on what a search finds, which must be of the type.
    fn conditional(method: Method, interaction: Interaction, query: &SearchQuery) -> Result<Self, FhirError> {
        let condition = query.condition()?;
        let resource_type = ResourceTypeName::parse(query.resource_type().unwrap_or_default())?;
        let draft = Self::new(method, interaction, resource_type, None);
        Ok(Self { path: format!("{}?{condition}", draft.path), ..draft })
    }

    fn with_resource(mut self, client: &FhirClient, resource: &RawResource) -> Result<Self, FhirError> {
        if resource.resource_type() != &self.resource_type {
            let reason = "the resource is of another type than the URL";
            return Err(FhirError::InvalidRequest { reason });
        }
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(client.media_type().as_str()));
        self.body = resource.octets().clone();
        Ok(self)
    }

    fn with_patch(mut self, client: &FhirClient, patch: &Patch) -> Result<Self, FhirError> {
        let (content_type, body) = patch.to_body(client.media_type())?;
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body;
        Ok(self)
    }
}

impl FhirClient {
    /// Creates a resource; the server chooses its id (FHIR R4, http.html#create).
    ///
    /// ```no_run
    /// # async fn run(fhir: smart_fhir::FhirClient) -> Result<(), smart_fhir::FhirError> {
    /// use smart_fhir::SearchQuery;
    /// let patient = serde_json::json!({"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "7"}]});
    /// let same = SearchQuery::new("Patient").token("identifier", "urn:x", "7");
    /// let answer = fhir.create(&patient).if_none_exist(&same).send().await?;
    /// println!("{} at {:?}", answer.is_created(), answer.location().map(|l| l.reference()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, resource: &impl ToResource) -> Write<'_, Create> {
        let draft = resource.to_resource().and_then(|resource| {
            let draft = Draft::new(Method::POST, Interaction::Create, resource.resource_type().clone(), None);
            draft.with_resource(self, &resource)
        });
        Write { client: self, draft, kind: PhantomData }
    }

    /// Replaces a resource as a whole, by its type and id (FHIR R4, http.html#update). Where there is none, servers that let
    /// clients choose ids create it. Name the version that is replaced with [`if_match`](Write::if_match): without it, what
    /// somebody else has changed meanwhile is lost.
    pub fn update(&self, resource: &impl ToResource) -> Write<'_, Change> {
        let draft = resource.to_resource().and_then(|resource| {
            let id = resource.id().ok_or(FhirError::InvalidRequest { reason: "the resource to update has no `id`" })?;
            let id = FhirId::parse_lenient(id)?;
            let draft = Draft::new(Method::PUT, Interaction::Update, resource.resource_type().clone(), Some(id));
            draft.with_resource(self, &resource)
        });
        Write { client: self, draft, kind: PhantomData }
    }

    /// Replaces the one resource that a search finds, or creates one where it finds none (FHIR R4, http.html#cond-update).
    /// Where it finds several the server refuses (412).
    pub fn update_where(&self, query: &SearchQuery, resource: &impl ToResource) -> Write<'_, Change> {
        let draft = Draft::conditional(Method::PUT, Interaction::Update, query)
            .and_then(|draft| draft.with_resource(self, &resource.to_resource()?));
        Write { client: self, draft, kind: PhantomData }
    }

    /// Changes parts of a resource (FHIR R4, http.html#patch).
    pub fn patch(&self, resource_type: &str, id: &str, patch: &Patch) -> Write<'_, Change> {
        let draft = Self::target(resource_type, id).and_then(|(resource_type, id)| {
            Draft::new(Method::PATCH, Interaction::Patch, resource_type, Some(id)).with_patch(self, patch)
        });
        Write { client: self, draft, kind: PhantomData }
    }

    /// Changes parts of the one resource that a search finds (FHIR R4, http.html#patch).
    pub fn patch_where(&self, query: &SearchQuery, patch: &Patch) -> Write<'_, Change> {
        let draft = Draft::conditional(Method::PATCH, Interaction::Patch, query)
            .and_then(|draft| draft.with_patch(self, patch));
        Write { client: self, draft, kind: PhantomData }
    }

    /// Deletes a resource (FHIR R4, http.html#delete). Deleting what is not there is a success on many servers.
    pub fn delete(&self, resource_type: &str, id: &str) -> Write<'_, Change> {
        let draft = Self::target(resource_type, id)
            .map(|(resource_type, id)| Draft::new(Method::DELETE, Interaction::Delete, resource_type, Some(id)));
        Write { client: self, draft, kind: PhantomData }
    }

    /// Deletes what a search finds (FHIR R4, http.html#3.1.0.7.1). **Some servers delete all of several matches**; those that
    /// do not refuse (412). A search without criteria is refused here.
    pub fn delete_where(&self, query: &SearchQuery) -> Write<'_, Change> {
        let draft = Draft::conditional(Method::DELETE, Interaction::Delete, query);
        Write { client: self, draft, kind: PhantomData }
    }

    fn target(resource_type: &str, id: &str) -> Result<(ResourceTypeName, FhirId), FhirError> {
        Ok((ResourceTypeName::parse(resource_type)?, FhirId::parse_lenient(id)?))
    }
}

impl Write<'_, Create> {
    /// Creates it unless there is one that this search finds (`If-None-Exist`; FHIR R4, http.html#ccreate): the answer says
    /// [`is_created`](Answer::is_created). Where several are found the server refuses (412).
    pub fn if_none_exist(mut self, query: &SearchQuery) -> Self {
        self.draft = self.draft.and_then(|mut draft| {
            let condition = query.condition()?;
            if query.resource_type() != Some(draft.resource_type.as_str()) {
                return Err(FhirError::InvalidRequest {
                    reason: "the condition searches another type than is created",
                });
            }
            let value = HeaderValue::from_str(&condition);
            let reason = "the condition has characters that no header may have";
            draft.headers.insert(IF_NONE_EXIST, value.map_err(|_| FhirError::InvalidRequest { reason })?);
            Ok(draft)
        });
        self
    }
}

impl Write<'_, Change> {
    /// Only if the resource still has this version (FHIR R4, http.html#concurrency); else the server refuses, and
    /// [`FhirError::is_conflict`] is true.
    pub fn if_match(self, etag: &EntityTag) -> Self {
        self.header(header::IF_MATCH, etag.as_str())
    }
}

impl<Kind> Write<'_, Kind> {
    /// What the answer should have.
    pub fn returning(mut self, preference: Return) -> Self {
        if let Ok(draft) = &mut self.draft {
            preference.put(&mut draft.headers);
        }
        self
    }

    /// How strict the server should be.
    pub fn handling(mut self, handling: Handling) -> Self {
        if let Ok(draft) = &mut self.draft {
            handling.put(&mut draft.headers);
        }
        self
    }

    /// Another header, such as `X-Request-Id`.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.draft = self.draft.and_then(|mut draft| {
            let reason = "a header has characters that none may have";
            let value = HeaderValue::from_str(value).map_err(|_| FhirError::InvalidRequest { reason })?;
            draft.headers.insert(name, value);
            Ok(draft)
        });
        self
    }

    /// Sends it. The resource is there where the server gives it back.
    ///
    /// # Errors
    /// [`FhirError::InvalidResource`], [`FhirError::InvalidRequest`] and the like before anything is sent;
    /// [`FhirError::Refused`]; see [`FhirError::may_have_had_effect`].
    pub async fn send(self) -> Result<Answer<Option<Value>>, FhirError> {
        self.send_as().await
    }

    /// The same with the answer as another type.
    ///
    /// # Errors
    /// As for [`send`](Self::send). An answer that does not fit is an error although the write was done.
    pub async fn send_as<T: FromResource>(self) -> Result<Answer<Option<T>>, FhirError> {
        let Self { client, draft, .. } = self;
        let Draft { method, path, interaction, resource_type, id, headers, body } = draft?;
        // An update without a version may create: then the id is of this client's choice.
        let may_create = interaction == Interaction::Update && !headers.contains_key(header::IF_MATCH);
        if may_create && id.as_ref().is_some_and(|id| !id.is_strict()) {
            let reason = "the id is none by FHIR's rule; name the version of what is there (if_match)";
            return Err(FhirError::InvalidRequest { reason });
        }
        let url = client.url(&path)?;
        client.check_permitted(&AccessRequest::new(interaction, resource_type.as_str()), &url)?;
        let is_delete = method == Method::DELETE;
        let call = Call { method, url, headers, body, repeat: Repeat::WithoutEffect };
        let reply = client.call(call).await?;
        // What a delete gives back, if anything, is the server's choice.
        let expected = if is_delete { None } else { Some(resource_type.as_str()) };
        reply.answer(client, expected, id.as_ref().filter(|_| !is_delete).map(FhirId::as_str))
    }
}

impl<Kind> fmt::Debug for Write<'_, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.draft {
            Ok(draft) => write!(f, "Write({} {})", draft.method, draft.resource_type),
            Err(error) => write!(f, "Write({error:?})"),
        }
    }
}
