//! FHIR requests, with JSON texts as pages have them.

use crate::error::PageError;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use serde_json::Value;
use smart_core::entity_tag::EntityTag;
use smart_core::fhir_base::FhirBaseUrl;
use smart_fhir::{Answer, FhirClient, FhirError, Patch, RawResource, ReferenceTarget};
use std::collections::BTreeMap;

fn text(octets: &[u8]) -> Result<String, PageError> {
    String::from_utf8(octets.to_vec()).map_err(|_| PageError::new("response", "the server's answer is no UTF-8"))
}

fn json(text: &str, what: &str) -> Result<Value, PageError> {
    serde_json::from_str(text).map_err(|_| PageError::new("request", format!("{what} is no JSON")))
}

/// The resource of an answer, or the empty text.
fn answered(answer: Answer<Option<RawResource>>) -> Result<String, PageError> {
    answer.into_resource().map_or(Ok(String::new()), |resource| text(resource.octets()))
}

fn tag(version: &str) -> Result<EntityTag, PageError> {
    EntityTag::of_version(version).map_err(|error| PageError::new("request", error.to_string()))
}

pub(crate) async fn read(client: &FhirClient, resource_type: &str, id: &str) -> Result<String, PageError> {
    let resource: RawResource = client.read(resource_type, id).await?;
    text(resource.octets())
}

pub(crate) async fn get(client: &FhirClient, path: &str) -> Result<String, PageError> {
    // What reads as `Type/id` has to bring that very resource.
    if let Ok(ReferenceTarget::Here { .. }) = client.resolve(path) {
        let resource: RawResource = client.read_ref(path).await?;
        return text(resource.octets());
    }
    let resource: RawResource = client.get_as(path).await?;
    text(resource.octets())
}

pub(crate) fn next_page(base: &FhirBaseUrl, bundle: &str) -> Result<Option<String>, PageError> {
    let bundle = json(bundle, "the page")?;
    let links = bundle.get("link").and_then(Value::as_array).into_iter().flatten();
    let mut next = links.filter(|link| link.get("relation").and_then(Value::as_str) == Some("next"));
    let Some(url) = next.find_map(|link| link.get("url").and_then(Value::as_str)) else { return Ok(None) };
    let url = base
        .resolve(url)
        .map_err(|error| PageError::new("response", format!("the link to the next page cannot be used: {error}")))?;
    if !base.contains(&url) {
        let origin = url.origin().ascii_serialization();
        let reason = format!("the next page lies at {origin}, not below the FHIR base; the result is incomplete");
        return Err(PageError::new("outside-base", reason));
    }
    Ok(Some(url.into()))
}

pub(crate) async fn send(
    client: &FhirClient,
    method: &str,
    path: &str,
    headers: &str,
    body: Option<String>,
) -> Result<String, PageError> {
    let bad = |what: &str| PageError::new("request", format!("{what} cannot be sent"));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| bad("this method"))?;
    let given: BTreeMap<String, String> = serde_json::from_str(headers).map_err(|_| bad("these headers"))?;
    let mut sent = HeaderMap::new();
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("a header's name"))?;
        sent.insert(name, HeaderValue::from_str(&value).map_err(|_| bad("a header's value"))?);
    }
    if body.is_some() && !sent.contains_key(header::CONTENT_TYPE) {
        sent.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    }
    let url = client.base().resolve(path).map_err(|_| bad("a request to this URL"))?;
    let mut request = Request::new(Bytes::from(body.unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = url.as_str().parse().map_err(|_| bad("a request to this URL"))?;
    *request.headers_mut() = sent;
    let response = client.send(request).await?;
    if response.status().is_success() {
        return text(response.body());
    }
    Err(PageError::refused(response.status().as_u16(), response.body()))
}

pub(crate) async fn create(client: &FhirClient, resource: String) -> Result<String, PageError> {
    answered(client.create(&RawResource::parse(resource)?).send_as().await?)
}

pub(crate) async fn update(client: &FhirClient, resource: String, version: Option<&str>) -> Result<String, PageError> {
    let resource = RawResource::parse(resource)?;
    let mut write = client.update(&resource);
    if let Some(version) = version {
        write = write.if_match(&tag(version)?);
    }
    answered(write.send_as().await?)
}

/// The type and id that a reference leads to on this server.
fn here(client: &FhirClient, reference: &str) -> Result<(String, String), PageError> {
    match client.resolve(reference).map_err(FhirError::from)? {
        ReferenceTarget::Here { resource_type, id, version: None } => Ok((resource_type.to_string(), id.to_string())),
        _ => Err(PageError::new("request", "it has to be the reference of one resource of this server: `Type/id`")),
    }
}

pub(crate) async fn patch(
    client: &FhirClient,
    reference: &str,
    patch: &str,
    version: Option<&str>,
) -> Result<String, PageError> {
    let (resource_type, id) = here(client, reference)?;
    let patch = Patch::from_value(json(patch, "the patch")?)?;
    let mut write = client.patch(&resource_type, &id, &patch);
    if let Some(version) = version {
        write = write.if_match(&tag(version)?);
    }
    answered(write.send_as().await?)
}

pub(crate) async fn delete(client: &FhirClient, reference: &str) -> Result<String, PageError> {
    let (resource_type, id) = here(client, reference)?;
    answered(client.delete(&resource_type, &id).send_as().await?)
}
