//! `$validate`: the checks that the sandbox does before it stores something, and no more than that.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::read::not_there;
use super::request::{Body, FhirRequest, served_type};
use super::structure::{COVERED, problems};
use crate::data::Repository;
use http::StatusCode;
use serde_json::{Value, json};
use smart_core::scope::Interaction;

/// Validates the body, or the stored resource where there is none. The answer is 200 whatever was found.
pub(super) fn validate(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    id: Option<&str>,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let stored = if let Some(id) = id {
        let grant = context.access.grant(Interaction::Read, resource_type)?;
        let found = resources.live(resource_type, id).filter(|it| grant.opens(it));
        Some(found.ok_or_else(|| not_there(resource_type))?)
    } else {
        // Nothing stored is told: any right to the type will do.
        let rights = [Interaction::Create, Interaction::Update, Interaction::Read, Interaction::SearchType];
        if rights.iter().all(|right| context.access.grant(*right, resource_type).is_err()) {
            context.access.grant(Interaction::Create, resource_type)?;
        }
        None
    };
    served_type(resource_type)?;
    let sent = match &request.body {
        Body::Resource(body) if body.get("resourceType").is_some_and(|name| name == "Parameters") => {
            let parameters = body.get("parameter").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            parameters
                .iter()
                .find(|it| it.get("name").is_some_and(|name| name == "resource"))
                .and_then(|it| it.get("resource"))
        }
        Body::Resource(body) => Some(body),
        _ => None,
    };
    let resource = sent.or(stored.map(|stored| stored.content()));
    let resource = resource.ok_or_else(|| Fault::bad("there is no resource to validate"))?;
    let mut issues: Vec<Value> = problems(resource)
        .into_iter()
        .map(|it| json!({"severity": "error", "code": it.code, "diagnostics": it.text, "expression": [it.path]}))
        .collect();
    if resource.get("resourceType").and_then(Value::as_str) != Some(resource_type) {
        issues.push(
            json!({"severity": "error", "code": "structure", "diagnostics": format!("this is no {resource_type}")}),
        );
    }
    issues.push(json!({"severity": "information", "code": "informational", "diagnostics": COVERED}));
    Ok(Answer::made(StatusCode::OK, json!({"resourceType": "OperationOutcome", "issue": issues})))
}
