//! Ending stored sessions: at the server where that can be done, and here in any case.

use crate::api::{Error, HttpClient, Timestamp};
use crate::cli_error::CliError;
use crate::opened::{client_of, looking_client, restored};
use crate::session_store::{Saved, SessionStore};
use crate::time_text::rfc3339;
use serde_json::{Value, json};

/// What became of a session.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Which one.
    pub(crate) saved: Saved,
    /// What the server did.
    pub(crate) revoked: Revoked,
    /// Whether nothing of it is left here.
    pub(crate) wiped: Result<(), CliError>,
    /// When its access token ends by itself, where that is known.
    pub(crate) token_ends: Option<Timestamp>,
}

/// What the server did about the tokens.
#[derive(Debug)]
pub(crate) enum Revoked {
    /// It revoked them.
    Yes,
    /// It offers no revocation: they are good until they end.
    NotOffered,
    /// It did not: they have to be taken for good until they end.
    No(CliError),
}

impl Ended {
    /// Whether something that should have been done was not.
    pub(crate) fn is_failure(&self) -> bool {
        self.wiped.is_err() || matches!(self.revoked, Revoked::No(_))
    }

    /// For programs.
    pub(crate) fn as_json(&self) -> Value {
        let reason = match &self.revoked {
            Revoked::Yes => Value::Null,
            Revoked::NotOffered => json!({"code": "not-offered", "message": NOT_OFFERED}),
            Revoked::No(error) => json!({"code": error.code.name(), "message": error.message}),
        };
        json!({
            "session": self.saved.id(),
            "server": self.saved.server,
            "client_id": self.saved.client_id,
            "revoked": matches!(self.revoked, Revoked::Yes),
            "not_revoked_because": reason,
            "wiped": self.wiped.is_ok(),
            "access_token_ends_at": self.token_ends.and_then(rfc3339),
        })
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let until = self.token_ends.and_then(rfc3339).map_or_else(
            || "until they end by themselves".to_owned(),
            |end| format!("until they end by themselves: the access token at {end}, a refresh token maybe never"),
        );
        match &self.revoked {
            Revoked::Yes => {}
            Revoked::NotOffered => {
                lines.push(format!("NOT revoked: {NOT_OFFERED}. Whoever has the tokens can use them {until}."));
            }
            Revoked::No(error) => {
                lines.push(format!("NOT revoked: {}. Whoever has the tokens can use them {until}.", error.message));
            }
        }
        if let Err(error) = &self.wiped {
            lines.push(format!("NOT wiped here: {}", error.message));
        }
        lines
    }
}

const NOT_OFFERED: &str = "the server offers no revocation";

/// Ends a session.
pub(crate) async fn end(saved: Saved, sessions: &SessionStore, http: &HttpClient) -> Ended {
    let token_ends = ends_at(&saved, sessions, http).await;
    let (revoked, wiped) = match log_out(&saved, sessions, http).await {
        Ok((revoked, wiped)) => (revoked, wiped),
        // Whatever the reason, nothing of it is to stay.
        Err(error) => (Revoked::No(error), Ok(())),
    };
    let wiped = match wiped {
        Ok(()) => sessions.wipe(&saved.key).await,
        Err(error) => Err(error),
    };
    Ended { saved, revoked, wiped, token_ends }
}

async fn log_out(
    saved: &Saved,
    sessions: &SessionStore,
    http: &HttpClient,
) -> Result<(Revoked, Result<(), CliError>), CliError> {
    let registration = sessions.registration(&saved.key).await?;
    let client = client_of(saved, &registration, sessions, http)?;
    let report = restored(&client, saved).await?.logout().await;
    let revoked = match report.revoked {
        Ok(()) => Revoked::Yes,
        Err(Error::NotSupported { .. }) => Revoked::NotOffered,
        Err(error) => Revoked::No(error.into()),
    };
    Ok((revoked, report.wiped.map_err(CliError::from)))
}

async fn ends_at(saved: &Saved, sessions: &SessionStore, http: &HttpClient) -> Option<Timestamp> {
    let session = looking_client(saved, sessions, http).restore(&saved.key).await.ok()??;
    session.expires_at().ok()?
}
