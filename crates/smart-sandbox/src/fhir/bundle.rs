//! Batches and transactions.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::perform::perform;
use super::request::{Body, Conditions, FhirRequest, Preferences, Target, pairs};
use super::structure::set_member;
use super::write::{existing, select, several};
use crate::data::Repository;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, UNIX_EPOCH};

/// A Bundle has no more entries.
const MAX_ENTRIES: usize = 500;

/// An entry that is ready to be done.
enum Planned {
    Perform(Box<FhirRequest>),
    /// A conditional create whose resource is there already.
    Existing(String, String, Box<FhirRequest>),
}

impl Planned {
    fn request(&self) -> &FhirRequest {
        match self {
            Self::Perform(request) | Self::Existing(_, _, request) => request,
        }
    }
}

/// Does what a Bundle asks for: each entry for itself, or all of them or none.
///
/// # Errors
/// [`Fault`]: of a transaction then nothing has changed.
pub(crate) fn process(
    context: &mut Context<'_>,
    resources: &mut Repository,
    bundle: &Value,
    preferences: Preferences,
) -> Result<Answer, Fault> {
    let text = |name: &str| bundle.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("resourceType") != "Bundle" {
        return Err(Fault::bad("what is posted to the base has to be a Bundle"));
    }
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if entries.len() > MAX_ENTRIES {
        let text = format!("a Bundle may have at most {MAX_ENTRIES} entries");
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too-costly", text));
    }
    let (kind, answers) = match text("type") {
        "batch" => ("batch-response", batch(context, resources, entries, preferences)),
        "transaction" => ("transaction-response", transaction(context, resources, entries, preferences)?),
        _ => return Err(Fault::not_supported("a Bundle of type batch or transaction is taken here")),
    };
    let answers: Vec<Value> = answers.into_iter().map(Answer::into_entry).collect();
    let mut response = json!({"resourceType": "Bundle", "type": kind});
    if !answers.is_empty() {
        set_member(&mut response, "entry", answers.into());
    }
    Ok(Answer::made(StatusCode::OK, response))
}

fn batch(
    context: &Context<'_>,
    resources: &mut Repository,
    entries: &[Value],
    preferences: Preferences,
) -> Vec<Answer> {
    let mut each = |entry| perform(context, resources, &read(context, entry, preferences)?);
    entries.iter().map(|entry| each(entry).unwrap_or_else(Fault::into_answer)).collect()
}

fn transaction(
    context: &mut Context<'_>,
    resources: &mut Repository,
    entries: &[Value],
    preferences: Preferences,
) -> Result<Vec<Answer>, Fault> {
    let mut work = resources.clone();
    let planned = plan(context, &mut work, entries, preferences)?;
    let mut order: Vec<usize> = (0..planned.len()).collect();
    order.sort_by_key(|index| planned.get(*index).map(|entry| rank(&entry.request().method)));
    let mut answers: Vec<Option<Answer>> = planned.iter().map(|_| None).collect();
    for index in order {
        let Some(entry) = planned.get(index) else { continue };
        let answer = match entry {
            Planned::Perform(request) => perform(context, &mut work, request).map_err(|fault| fault.in_entry(index))?,
            Planned::Existing(name, id, request) => existing(context, &work, name, id, request),
        };
        if let Some(place) = answers.get_mut(index) {
            *place = Some(answer);
        }
    }
    *resources = work;
    Ok(answers.into_iter().flatten().collect())
}

/// The order in which a transaction is done (FHIR R4, http, transaction processing rules).
fn rank(method: &Method) -> u8 {
    match *method {
        Method::DELETE => 0,
        Method::POST => 1,
        Method::PUT | Method::PATCH => 2,
        _ => 3,
    }
}

/// Resolves conditions, gives out ids, and puts them into the references.
fn plan(
    context: &mut Context<'_>,
    work: &mut Repository,
    entries: &[Value],
    preferences: Preferences,
) -> Result<Vec<Planned>, Fault> {
    let mut planned = Vec::with_capacity(entries.len());
    let mut names = HashMap::new();
    let mut touched = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let one = read(context, entry, preferences).and_then(|request| identify(context, work, request));
        let (one, identity) = one.map_err(|fault| fault.in_entry(index))?;
        let full_url = entry.get("fullUrl").and_then(Value::as_str).filter(|url| !url.is_empty());
        if let Some(identity) = identity {
            let is_change = one.request().is_change() && matches!(one, Planned::Perform(_));
            if is_change && !touched.insert(identity.clone()) {
                return Err(Fault::bad("two entries are about the same resource").in_entry(index));
            }
            if let Some(url) = full_url
                && names.insert(url.to_owned(), format!("{}/{}", identity.0, identity.1)).is_some()
            {
                return Err(Fault::bad("two entries have the same fullUrl").in_entry(index));
            }
        }
        planned.push(one);
    }
    let written = planned.iter().map(Planned::request).filter(|request| request.method != Method::DELETE);
    let new = written.filter_map(|request| match (&request.target, &request.assigned) {
        (Target::Type(name), Some(id)) => Some((name.clone(), id.clone())),
        (Target::Instance(name, id), _) if request.method == Method::PUT => Some((name.clone(), id.clone())),
        _ => None,
    });
    context.pending = new.collect();
    for (index, one) in planned.iter_mut().enumerate() {
        if let Planned::Perform(request) = one
            && let Body::Resource(body) = &mut request.body
        {
            resolve(context, work, &names, body).map_err(|fault| fault.in_entry(index))?;
        }
    }
    Ok(planned)
}

/// Says which resource an entry is about, and gives an id to what is to be created.
fn identify(
    context: &Context<'_>,
    work: &mut Repository,
    mut request: FhirRequest,
) -> Result<(Planned, Option<(String, String)>), Fault> {
    let Target::Type(name) = &request.target else {
        let identity = match &request.target {
            Target::Instance(name, id) => Some((name.clone(), id.clone())),
            _ => None,
        };
        return Ok((Planned::Perform(Box::new(request)), identity));
    };
    let name = name.clone();
    let is_create = request.method == Method::POST;
    let query = if is_create {
        request.conditions.if_none_exist.take().map(|query| pairs(query.rsplit('?').next().unwrap_or_default()))
    } else if request.method == Method::GET {
        return Ok((Planned::Perform(Box::new(request)), None));
    } else {
        Some(request.query.clone())
    };
    let found = query.map(|query| select(context, work, &name, &query)).transpose()?.unwrap_or_default();
    let own = match &request.body {
        Body::Resource(body) if !is_create => body.get("id").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    match (found.as_slice(), &request.method) {
        ([_, _, ..], _) => Err(several()),
        ([id], &Method::POST) => {
            let identity = (name.clone(), id.clone());
            Ok((Planned::Existing(name, id.clone(), Box::new(request)), Some(identity)))
        }
        ([id], _) => {
            if own.is_some_and(|own| own != *id) {
                return Err(Fault::bad("the resource that matches has another id"));
            }
            let identity = (name.clone(), id.clone());
            request.target = Target::Instance(name, id.clone());
            request.query = Vec::new();
            if let Body::Resource(body) = &mut request.body
                && request.method == Method::PUT
            {
                set_member(body, "id", id.as_str().into());
            }
            Ok((Planned::Perform(Box::new(request)), Some(identity)))
        }
        ([], &Method::POST | &Method::PUT) => {
            let id = own.unwrap_or_else(|| work.fresh_id(&name));
            request.assigned = Some(id.clone());
            Ok((Planned::Perform(Box::new(request)), Some((name, id))))
        }
        // A patch of nothing is refused, a deletion of nothing is done: as outside of a transaction.
        ([], _) => Ok((Planned::Perform(Box::new(request)), None)),
    }
}

/// Puts the ids that were given out into the references, and looks for what conditional references mean.
fn resolve(
    context: &Context<'_>,
    work: &Repository,
    names: &HashMap<String, String>,
    value: &mut Value,
) -> Result<(), Fault> {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match inner {
                    Value::String(text) if is_link(name) => {
                        if let Some(to) = link(context, work, names, name, text)? {
                            *text = to;
                        }
                    }
                    inner => resolve(context, work, names, inner)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|inner| resolve(context, work, names, inner)),
        _ => Ok(()),
    }
}

/// Whether a member is of a type in which links are replaced.
fn is_link(name: &str) -> bool {
    matches!(name, "reference" | "url" | "uri" | "valueUri" | "valueUrl" | "valueUuid" | "valueOid" | "valueCanonical")
}

fn link(
    context: &Context<'_>,
    work: &Repository,
    names: &HashMap<String, String>,
    member: &str,
    text: &str,
) -> Result<Option<String>, Fault> {
    if let Some(to) = names.get(text) {
        return Ok(Some(to.clone()));
    }
    if member != "reference" {
        return Ok(None);
    }
    if text.starts_with("urn:uuid:") || text.starts_with("urn:oid:") {
        return Err(Fault::bad("a reference by urn names no entry of the transaction"));
    }
    let Some((name, query)) = text.split_once('?').filter(|(name, _)| !name.contains([':', '/', '#'])) else {
        return Ok(None);
    };
    match select(context, work, name, &pairs(query))?.as_slice() {
        [id] => Ok(Some(format!("{name}/{id}"))),
        [] => Err(Fault::precondition("not-found", "a conditional reference matches nothing that the token opens")),
        _ => Err(several()),
    }
}

/// Reads an entry as a request.
fn read(context: &Context<'_>, entry: &Value, preferences: Preferences) -> Result<FhirRequest, Fault> {
    let request = entry.get("request").ok_or_else(|| Fault::bad("an entry has no request"))?;
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let method = match text("method") {
        Some("GET" | "HEAD") => Method::GET,
        Some("POST") => Method::POST,
        Some("PUT") => Method::PUT,
        Some("PATCH") => Method::PATCH,
        Some("DELETE") => Method::DELETE,
        _ => return Err(Fault::bad("an entry has no method that is served")),
    };
    let url = text("url").ok_or_else(|| Fault::bad("an entry has no url"))?;
    let url = url.strip_prefix(context.root).unwrap_or(url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let target = Target::parse(path)?;
    if target == Target::System && method == Method::POST {
        return Err(Fault::bad("a Bundle within a Bundle is not taken"));
    }
    let body = match entry.get("resource") {
        None => Body::Nothing,
        Some(resource) if method == Method::PATCH => patch_body(resource)?,
        Some(resource) => Body::Resource(resource.clone()),
    };
    let own = |name: &str| text(name).map(str::to_owned);
    let conditions = Conditions {
        if_match: own("ifMatch"),
        if_none_match: own("ifNoneMatch"),
        if_modified_since: text("ifModifiedSince")
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(at.as_second()).ok()?))),
        if_none_exist: own("ifNoneExist"),
    };
    Ok(FhirRequest { method, target, query: pairs(query), conditions, preferences, body, offset: 0, assigned: None })
}

/// A JSON Patch comes in a Binary, a FHIRPath Patch as it is.
fn patch_body(resource: &Value) -> Result<Body, Fault> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    if text("resourceType") != Some("Binary") {
        return Ok(Body::Resource(resource.clone()));
    }
    let is_patch = text("contentType") == Some("application/json-patch+json");
    let data = text("data").filter(|_| is_patch).and_then(|data| STANDARD.decode(data).ok());
    let patch = data.and_then(|data| serde_json::from_slice(&data).ok());
    patch.map(Body::Patch).ok_or_else(|| Fault::bad("the Binary of a patch holds no JSON Patch"))
}
