//! FHIR requests, with resources as JSON texts.

use crate::error::SmartError;
use crate::search::Parameter;
use crate::session::Session;
use smart_on_fhir::core::entity_tag::EntityTag;
use smart_on_fhir::fhir::{Answer, Change, FhirError, Operation, Patch, RawResource, Write};

/// What came of a write.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct WriteAnswer {
    /// The status: 200, 201 when a resource was created, 204.
    pub status: u16,
    /// The resource as it is now, where the server sent it.
    pub json: Option<String>,
    /// The id, where the server said it.
    pub id: Option<String>,
    /// The version, for `if_version`.
    pub version: Option<String>,
}

impl std::fmt::Debug for WriteAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl WriteAnswer {
    fn of(answer: Answer<Option<RawResource>>) -> Self {
        let located = answer.location().map(|location| location.id().to_string());
        let (status, version) = (answer.status(), answer.version());
        let resource = answer.into_resource();
        let id = located.or_else(|| resource.as_ref()?.id().map(str::to_owned));
        Self { status, json: resource.as_ref().map(text), id, version }
    }
}

/// Requests to the FHIR server. The session's token goes along, renewed where it has to be, and to no other server.
///
/// A write is sent once: after an error `may_have_had_effect` says whether it may have been done.
#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// Reads a resource (FHIR R4, http.html#read), as it came: every digit of its decimals.
    ///
    /// # Errors
    /// `fhir/..`, `http/..`. One that needs a login (`needs_reauthorization`) is told as `fhir/authorize`; [`check`](Self::check) says why.
    pub async fn read(&self, resource_type: String, id: String) -> Result<String, SmartError> {
        Ok(text(&self.fhir.read::<RawResource>(&resource_type, &id).await?))
    }

    /// GETs any JSON of this server: a path with a query relative to the FHIR base, percent-encoded, or a URL below the base.
    ///
    /// # Errors
    /// `fhir/outside-base`: nothing was sent. Else as for [`read`](Self::read).
    pub async fn get(&self, path_and_query: String) -> Result<String, SmartError> {
        Ok(text(&self.fhir.get_as::<RawResource>(&path_and_query).await?))
    }

    /// Creates a resource (FHIR R4, http.html#create).
    ///
    /// # Errors
    /// `fhir/..`, `http/..`.
    pub async fn create(&self, json: String) -> Result<WriteAnswer, SmartError> {
        let resource = RawResource::parse(json)?;
        Ok(WriteAnswer::of(self.fhir.create(&resource).send_as().await?))
    }

    /// Puts a resource in the place of the one with its id (FHIR R4, http.html#update). `if_version`: only if that is its version now, so that
    /// nobody's change is lost.
    ///
    /// # Errors
    /// `fhir/refused/precondition-failed` or `fhir/refused/conflict`: it was changed since. Else as for [`create`](Self::create).
    #[uniffi::method(default(if_version = None))]
    pub async fn update(&self, json: String, if_version: Option<String>) -> Result<WriteAnswer, SmartError> {
        let resource = RawResource::parse(json)?;
        sent(self.fhir.update(&resource), if_version).await
    }

    /// Patches a resource (FHIR R4, http.html#patch): `patch` is a JSON Patch (RFC 6902), or a Parameters resource of a FHIRPath Patch.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    #[uniffi::method(default(if_version = None))]
    pub async fn patch(
        &self,
        resource_type: String,
        id: String,
        patch: String,
        if_version: Option<String>,
    ) -> Result<WriteAnswer, SmartError> {
        // The reason does not quote the text.
        let patch = serde_json::from_str(&patch).map_err(|_| SmartError::invalid("json", "the patch is no JSON"))?;
        let patch = Patch::from_value(patch)?;
        sent(self.fhir.patch(&resource_type, &id, &patch), if_version).await
    }

    /// Deletes a resource (FHIR R4, http.html#delete).
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    #[uniffi::method(default(if_version = None))]
    pub async fn delete(
        &self,
        resource_type: String,
        id: String,
        if_version: Option<String>,
    ) -> Result<WriteAnswer, SmartError> {
        sent(self.fhir.delete(&resource_type, &id), if_version).await
    }

    /// Calls an operation (FHIR R4, operations.html) of the system, of a type, or of a resource. With a body (a Parameters resource, or the
    /// one that is its only parameter) it goes by POST, else by GET. Gives what came, if anything.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    #[uniffi::method(default(resource_type = None, id = None, parameters = [], body = None))]
    pub async fn operation(
        &self,
        name: String,
        resource_type: Option<String>,
        id: Option<String>,
        parameters: Vec<Parameter>,
        body: Option<String>,
    ) -> Result<Option<String>, SmartError> {
        let mut operation = Operation::new(&name);
        operation = match (resource_type, id) {
            (Some(resource_type), Some(id)) => operation.on(resource_type, id),
            (Some(resource_type), None) => operation.on_type(resource_type),
            (None, None) => operation,
            (None, Some(_)) => return Err(SmartError::invalid("missing", "there is an `id` and no `resource_type`")),
        };
        for parameter in parameters {
            operation = operation.param(parameter.name, parameter.value);
        }
        if let Some(body) = body {
            operation = operation.body(&RawResource::parse(body)?);
        }
        let answer = self.fhir.operate::<RawResource>(&operation).await?;
        Ok(answer.into_resource().as_ref().map(text))
    }
}

async fn sent(write: Write<'_, Change>, if_version: Option<String>) -> Result<WriteAnswer, SmartError> {
    let write = match if_version {
        Some(version) => {
            let tag = EntityTag::of_version(&version);
            write.if_match(&tag.map_err(|error| SmartError::invalid("version", error.to_string()))?)
        }
        None => write,
    };
    let answer: Result<_, FhirError> = write.send_as().await;
    Ok(WriteAnswer::of(answer?))
}

fn text(resource: &RawResource) -> String {
    String::from_utf8_lossy(resource.octets()).into_owned()
}
