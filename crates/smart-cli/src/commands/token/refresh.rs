//! `smart token refresh`: another token, now.

use super::TokenOptions;
use crate::api::Error;
use crate::cli_error::CliError;
use crate::library_error::again;
use crate::mask::Reveal;
use crate::opened::at_its_server;
use crate::output::{Output, print_json, print_lines};
use crate::session_view;
use clap::Args;

/// Renew the token now: with the refresh token, or with the client's key for a backend service
///
/// `smart get` renews by itself where need be.
#[derive(Debug, Args)]
pub(super) struct Refresh {
    /// Show tokens in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    options: TokenOptions,
}

impl Refresh {
    pub(super) async fn run(self, output: &Output) -> Result<(), CliError> {
        let chosen = self.options.find().await?;
        let session = chosen.open().await?;
        let refused = |error: &Error| at_its_server(again(error), &chosen.saved);
        if !session.can_refresh() {
            let none = Error::Expired { fhir_base: session.fhir_base().to_string() };
            let message = "the server gave no refresh token, so the token cannot be renewed".to_owned();
            let step = format!("Run `smart login {}` with offline_access among the --scopes.", chosen.saved.server);
            return Err(CliError { message, ..refused(&none) }.with_next_step(step));
        }
        session.touch().await.map_err(|error| refused(&error))?;
        session.refresh().await.map_err(|error| refused(&error))?;
        let reveal = Reveal::from_flag(self.reveal);
        if output.json {
            print_json(&session_view::as_json(&session, reveal)?)
        } else {
            output.note("The token was renewed.");
            print_lines(session_view::lines(&session, reveal, &output.style)?)
        }
    }
}
