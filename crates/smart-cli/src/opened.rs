//! A stored session, ready for use.

use crate::api::{App, HttpClient, Session, SmartClient};
use crate::cli_error::CliError;
use crate::connect::Wanted;
use crate::exit_code::ExitCode;
use crate::library_error::again;
use crate::registration::Registration;
use crate::session_store::{Saved, SessionStore};

/// The client of a stored session, as it is registered.
///
/// # Errors
/// Usage, when its secret or key is not where it was.
pub(crate) fn client_of(
    saved: &Saved,
    registration: &Registration,
    sessions: &SessionStore,
    http: &HttpClient,
) -> Result<SmartClient, CliError> {
    let wanted = Wanted {
        store: Some(sessions.store()),
        profile: registration.profile(),
        audit: sessions.audit.clone(),
        ..Wanted::new(&saved.server, registration.app(&saved.client_id)?)
    };
    Ok(wanted.client(http))
}

/// A client that can look at a stored session, and not use it where that takes a secret.
pub(crate) fn looking_client(saved: &Saved, sessions: &SessionStore, http: &HttpClient) -> SmartClient {
    let app = App::public(saved.client_id.as_str());
    Wanted { store: Some(sessions.store()), ..Wanted::new(&saved.server, app) }.client(http)
}

/// The session itself.
///
/// # Errors
/// Needs login, when it cannot be used or was removed just now.
pub(crate) async fn restored(client: &SmartClient, saved: &Saved) -> Result<Session, CliError> {
    let restored = client.restore(&saved.key).await.map_err(|error| at_its_server(again(&error), saved))?;
    restored
        .ok_or_else(|| at_its_server(CliError::new(ExitCode::NeedsLogin, "the session was removed just now"), saved))
}

/// The login that a session needs is one at its own server.
pub(crate) fn at_its_server(error: CliError, saved: &Saved) -> CliError {
    if error.code != ExitCode::NeedsLogin {
        return error;
    }
    let command = if saved.is_backend() { "backend" } else { "login" };
    error.with_next_step(format!("Run `smart {command} {}`.", saved.server))
}
