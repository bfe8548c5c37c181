//! `smart token show`: what is known of the token here.

use super::TokenOptions;
use crate::cli_error::CliError;
use crate::library_error::again;
use crate::mask::Reveal;
use crate::opened::at_its_server;
use crate::output::{Output, print_json, print_lines};
use crate::session_view;
use clap::Args;

/// Show what is known of the token here: scopes, end, patient, user
///
/// The server is not asked, and nothing is renewed. The patient's id is shown; the token is masked unless --reveal is given.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Show tokens in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    options: TokenOptions,
}

impl Show {
    pub(super) async fn run(self, output: &Output) -> Result<(), CliError> {
        let chosen = self.options.find().await?;
        let session = chosen.look().await?;
        let reveal = Reveal::from_flag(self.reveal);
        session.check().await.map_err(|error| at_its_server(again(&error), &chosen.saved))?;
        if output.json {
            print_json(&session_view::as_json(&session, reveal)?)
        } else {
            print_lines(session_view::lines(&session, reveal, &output.style)?)
        }
    }
}
