//! Paths of a FHIRPath Patch, and what they lead to.

use super::MAX_STEPS;
use crate::fhir::answer::Fault;
use serde_json::{Map, Value};

/// Elements whose name goes on with the type of their value.
pub(super) const CHOICES: &[&str] =
    &["abatement", "deceased", "effective", "medication", "multipleBirth", "occurrence", "onset", "performed", "value"];

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Member(&'a str),
    Index(usize),
}

pub(super) fn nowhere() -> Fault {
    Fault::unprocessable("processing", "a path leads nowhere in this resource")
}

/// Reads a path: the type, then members and indices.
pub(super) fn steps(path: &str) -> Result<Vec<Step<'_>>, Fault> {
    let refused = || {
        let text = "only paths of members and indices such as Patient.name[0].given are supported; use a JSON Patch";
        Fault::unprocessable("not-supported", text)
    };
    let mut found = Vec::new();
    for (at, segment) in path.split('.').enumerate() {
        if at > MAX_STEPS {
            return Err(Fault::bad(format!("a path has more than {MAX_STEPS} steps")));
        }
        let (name, index) = match segment.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']').ok_or_else(refused)?)),
            None => (segment, None),
        };
        let is_name = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric());
        if !is_name || (at == 0) != name.starts_with(|c: char| c.is_ascii_uppercase()) || (at == 0 && index.is_some()) {
            return Err(refused());
        }
        if at > 0 {
            found.push(Step::Member(name));
        }
        if let Some(index) = index {
            found.push(Step::Index(index.parse().map_err(|_| refused())?));
        }
    }
    Ok(found)
}

/// The name under which a member stands: a choice has its type at the end.
fn actual(object: &Map<String, Value>, name: &str) -> Option<String> {
    if object.contains_key(name) {
        return Some(name.to_owned());
    }
    let is_of_choice =
        |full: &&String| full.strip_prefix(name).is_some_and(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()));
    CHOICES.contains(&name).then(|| object.keys().find(is_of_choice).cloned()).flatten()
}

/// What a path leads to; a list of one stands for its item, as in FHIRPath.
pub(super) fn one<'v>(content: &'v mut Value, path: &[Step<'_>]) -> Result<&'v mut Value, Fault> {
    let found = walk(content, path)?;
    match found {
        Value::Array(items) => match items.as_mut_slice() {
            [item] => Ok(item),
            _ => Err(Fault::unprocessable("multiple-matches", "a path leads to none or to several elements")),
        },
        found => Ok(found),
    }
}

pub(super) fn list<'v>(content: &'v mut Value, path: &[Step<'_>]) -> Result<&'v mut Vec<Value>, Fault> {
    walk(content, path)?.as_array_mut().ok_or_else(nowhere)
}

fn walk<'v>(content: &'v mut Value, path: &[Step<'_>]) -> Result<&'v mut Value, Fault> {
    let mut at = content;
    for step in path {
        at = match (step, at) {
            (Step::Index(index), Value::Array(items)) => items.get_mut(*index).ok_or_else(nowhere)?,
            (Step::Member(name), Value::Object(object)) => {
                let name = actual(object, name).ok_or_else(nowhere)?;
                object.get_mut(&name).ok_or_else(nowhere)?
            }
            (Step::Member(name), Value::Array(items)) => match items.as_mut_slice() {
                [Value::Object(object)] => {
                    let name = actual(object, name).ok_or_else(nowhere)?;
                    object.get_mut(&name).ok_or_else(nowhere)?
                }
                _ => return Err(Fault::unprocessable("multiple-matches", "a path leads to several elements")),
            },
            _ => return Err(nowhere()),
        };
    }
    Ok(at)
}

/// Deletes an element. One that is not there needs no deleting (FHIR R4, fhirpatch).
pub(super) fn delete(content: &mut Value, path: &[Step<'_>]) -> Result<(), Fault> {
    let Some((last, parents)) = path.split_last() else {
        return Err(Fault::unprocessable("processing", "a patch does not delete the resource"));
    };
    let parent = match walk(content, parents) {
        Ok(parent) => parent,
        Err(fault) if fault.code == "multiple-matches" => return Err(fault),
        Err(_) => return Ok(()),
    };
    match (last, parent) {
        (Step::Index(index), Value::Array(items)) => {
            if *index < items.len() {
                items.remove(*index);
            }
        }
        (Step::Member(name), Value::Object(object)) => {
            if let Some(name) = actual(object, name) {
                if object.get(&name).and_then(Value::as_array).is_some_and(|items| items.len() > 1) {
                    return Err(Fault::unprocessable("multiple-matches", "a path leads to several elements"));
                }
                object.shift_remove(&name);
            }
        }
        (Step::Member(_), Value::Array(items)) if items.len() == 1 => {
            return items.first_mut().map_or(Ok(()), |item| delete(item, std::slice::from_ref(last)));
        }
        _ => return Err(nowhere()),
    }
    drop_empty(content, parents);
    Ok(())
}

/// FHIR has no empty lists and objects.
fn drop_empty(content: &mut Value, path: &[Step<'_>]) {
    let Some((last, parents)) = path.split_last() else { return };
    let is_empty =
        |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
    if walk(content, path).is_ok_and(|value| is_empty(value)) {
        match (last, walk(content, parents)) {
            (Step::Member(name), Ok(Value::Object(object))) => {
                object.shift_remove(*name);
            }
            (Step::Index(index), Ok(Value::Array(items))) if *index < items.len() => {
                items.remove(*index);
            }
            _ => return,
        }
        drop_empty(content, parents);
    }
}
