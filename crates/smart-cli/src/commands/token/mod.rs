//! `smart token`: the token of a stored session.

mod introspect;
mod refresh;
mod revoke;
mod show;

use crate::api::{HttpClient, Session};
use crate::cli_error::CliError;
use crate::connect::http;
use crate::opened::{client_of, looking_client, restored};
use crate::output::Output;
use crate::session_choice::SessionChoice;
use crate::session_store::{KeepOptions, Saved, SessionStore};
use clap::{Args, Subcommand};

/// Look at the token of a stored session, renew it, examine it, revoke it
#[derive(Debug, Args)]
pub(crate) struct TokenCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Show(show::Show),
    Refresh(refresh::Refresh),
    Introspect(introspect::Introspect),
    Revoke(revoke::Revoke),
}

impl TokenCommand {
    /// Does what is asked.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        match self.what {
            What::Show(command) => command.run(output).await,
            What::Refresh(command) => command.run(output).await,
            What::Introspect(command) => command.run(output).await,
            What::Revoke(command) => command.run(output).await,
        }
    }
}

/// Which session.
#[derive(Debug, Args)]
struct TokenOptions {
    #[command(flatten)]
    choice: SessionChoice,

    #[command(flatten)]
    keep: KeepOptions,
}

/// The session that is meant.
struct Chosen {
    saved: Saved,
    sessions: SessionStore,
    http: HttpClient,
}

impl TokenOptions {
    async fn find(&self) -> Result<Chosen, CliError> {
        let sessions = self.keep.open()?;
        let saved = sessions.find(&self.choice).await?;
        Ok(Chosen { saved, sessions, http: http() })
    }
}

impl Chosen {
    /// The session, to be looked at.
    async fn look(&self) -> Result<Session, CliError> {
        restored(&looking_client(&self.saved, &self.sessions, &self.http), &self.saved).await
    }

    /// The session, to be used as its client.
    async fn open(&self) -> Result<Session, CliError> {
        let registration = self.sessions.registration(&self.saved.key).await?;
        restored(&client_of(&self.saved, &registration, &self.sessions, &self.http)?, &self.saved).await
    }
}
