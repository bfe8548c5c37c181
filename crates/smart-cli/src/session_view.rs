//! A session as it is shown.
//!
//! The patient is shown: which record is open is what keeps people from reading in a wrong one. Tokens are shown where that is
//! asked for.

use crate::api::Session;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::mask::{self, Reveal, secret};
use crate::output::{Output, print_json, print_lines};
use crate::session_store::Saved;
use crate::steps::Steps;
use crate::style::Style;
use crate::table::Table;
use crate::time_text::{rfc3339, seconds_until, with_distance};
use serde_json::{Value, json};

/// A session as one JSON object. The token is in it only in the clear.
///
/// # Errors
/// Needs login, when the session is over or locked.
pub(crate) fn as_json(session: &Session, reveal: Reveal) -> Result<Value, CliError> {
    let named = named(session)?;
    let context = session.context()?;
    let user = session.user()?;
    let details = serde_json::to_value(&context)
        .map_err(|error| CliError::new(ExitCode::Internal, format!("no JSON can be made: {error}")))?;
    let expires_at = session.expires_at()?;
    let mut value = json!({
        "session": named.id(),
        "server": session.fhir_base().as_str(),
        "client_id": named.client_id,
        "backend": session.is_backend(),
        "patient": context.patient,
        "encounter": context.encounter,
        "context": mask::json(details, reveal),
        "fhir_user": session.fhir_user()?.map(|user| user.reference()),
        "id_token": user.map(|user| json!({"issuer": user.issuer, "subject": user.subject, "algorithm": user.algorithm})),
        "scopes": session.granted_scopes()?.to_string(),
        "token_type": "Bearer",
        "expires_at": expires_at.and_then(rfc3339),
        "expires_in": expires_at.map(seconds_until),
        "can_refresh": session.can_refresh(),
    });
    if let (Reveal::Shown, Some(members)) = (reveal, value.as_object_mut()) {
        let token = session.held_access_token()?;
        members.insert("access_token".to_owned(), json!(token.expose_secret()));
    }
    Ok(value)
}

/// A session as a table.
///
/// # Errors
/// Needs login, when the session is over or locked.
pub(crate) fn lines(session: &Session, reveal: Reveal, style: &Style) -> Result<Vec<String>, CliError> {
    let named = named(session)?;
    let context = session.context()?;
    let user = session.user()?;
    let token = session.held_access_token()?;
    let renewable = match (session.can_refresh(), session.is_backend()) {
        (true, true) => "yes, with the client's key",
        (true, false) => "yes",
        (false, _) => "no: ask for offline_access",
    };
    let fhir_user = session.fhir_user()?.map(|user| user.reference());
    let known = [
        ("Session", Some(named.id().to_owned())),
        ("Server", Some(session.fhir_base().to_string())),
        (
            "Client",
            Some(if session.is_backend() {
                format!("{}, a backend service", named.client_id)
            } else {
                named.client_id
            }),
        ),
        ("Patient", context.patient),
        ("Encounter", context.encounter),
        ("Intent", context.intent),
        ("Tenant", context.tenant),
        ("User", fhir_user.or_else(|| user.map(|user| format!("{} at {}", user.subject, user.issuer)))),
        ("Scopes", Some(session.granted_scopes()?.to_string())),
        ("Access token", Some(format!("{}, Bearer", secret(token.expose_secret(), reveal)))),
        ("Until", Some(session.expires_at()?.map_or_else(|| "the server did not say".to_owned(), with_distance))),
        ("Renewable", Some(renewable.to_owned())),
    ];
    let mut table = Table::of_pairs();
    for (label, value) in known {
        if let Some(value) = value {
            table.row([label, &value]);
        }
    }
    Ok(table.lines(style.characters, style.width))
}

/// Prints a session that has just begun, and what to try with it.
///
/// # Errors
/// As for [`as_json`], and when the output cannot be written.
pub(crate) fn print_new(
    session: &Session,
    reveal: Reveal,
    steps: &Steps,
    output: &Output,
    hint: &str,
) -> Result<(), CliError> {
    if output.json {
        let mut value = as_json(session, reveal)?;
        if let Some(members) = value.as_object_mut() {
            members.insert("steps".to_owned(), json!(steps.done()));
        }
        return print_json(&value);
    }
    let mut lines = lines(session, reveal, &output.style)?;
    lines.push(format!("Try: {hint}"));
    print_lines(lines)
}

/// How many scopes were granted, in words.
///
/// # Errors
/// As for [`as_json`].
pub(crate) fn granted(session: &Session) -> Result<String, CliError> {
    Ok(match session.granted_scopes()?.len() {
        1 => "1 scope was granted".to_owned(),
        count => format!("{count} scopes were granted"),
    })
}

fn named(session: &Session) -> Result<Saved, CliError> {
    Saved::of(session.key().clone())
        .ok_or_else(|| CliError::new(ExitCode::Internal, "the session has a name of another form"))
}
