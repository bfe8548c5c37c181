//! Keeping a new session, in place of the ones before.

use crate::api::{HttpClient, Session};
use crate::cli_error::CliError;
use crate::ending::{Ended, end};
use crate::exit_code::ExitCode;
use crate::output::Output;
use crate::registration::Registration;
use crate::session_choice::SessionChoice;
use crate::session_store::{Saved, SessionStore};
use crate::steps::Outcome;
use crate::text::one_line;
use serde_json::json;

/// Keeps what belongs to a new login beside it, and ends the other logins of this client at this server: of tokens that nobody
/// uses any more, none should live on. Backend services stay.
///
/// # Errors
/// Those of the store.
pub(crate) async fn keep(
    session: &Session,
    registration: &Registration,
    sessions: &SessionStore,
    http: &HttpClient,
) -> Result<(Vec<Ended>, Outcome), CliError> {
    sessions.remember(session.key(), registration).await?;
    let own = Saved::of(session.key().clone())
        .ok_or_else(|| CliError::new(ExitCode::Internal, "the session has a name of another form"))?;
    let others = SessionChoice { client_id: Some(own.client_id), ..SessionChoice::at(Some(&own.server)) };
    let mut ended = Vec::new();
    for saved in sessions.matching(&others).await? {
        if saved.key != own.key && !saved.is_backend() {
            ended.push(end(saved, sessions, http).await);
        }
    }
    let detail = match ended.len() {
        0 => "sealed on disk".to_owned(),
        count => format!("sealed on disk, in place of {count} older"),
    };
    let result = json!({"replaced": ended.len(), "ended": ended.iter().map(Ended::as_json).collect::<Vec<_>>()});
    Ok((ended, Outcome::new(detail, result)))
}

/// Tells the person what they have to know of the sessions that were replaced.
pub(crate) fn note_replaced(ended: &[Ended], output: &Output) {
    for line in ended.iter().flat_map(Ended::lines) {
        output.note(&one_line(&format!("The older session: {line}")));
    }
}
