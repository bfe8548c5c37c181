//! `smart token revoke`: the token is good for nothing any more.

use super::TokenOptions;
use crate::api::Error;
use crate::cli_error::CliError;
use crate::library_error::again;
use crate::opened::at_its_server;
use crate::output::{Output, print_json, print_lines};
use crate::style::Colour;
use crate::text::one_line;
use clap::Args;
use serde_json::json;

/// Revoke the tokens at the server (RFC 7009), and remove the session
///
/// When the server does not revoke, the session stays as it is: `smart logout` removes it in any case.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    options: TokenOptions,
}

impl Revoke {
    pub(super) async fn run(self, output: &Output) -> Result<(), CliError> {
        let chosen = self.options.find().await?;
        let session = chosen.open().await?;
        session.revoke().await.map_err(|error| {
            let shown = at_its_server(again(&error), &chosen.saved);
            match error {
                Error::NotSupported { .. } => shown.with_next_step(
                    "The tokens are good until they end. `smart logout` removes the session here all the same.",
                ),
                _ => shown,
            }
        })?;
        chosen.sessions.forget(&chosen.saved.key).await?;
        if output.json {
            return print_json(&json!({
                "session": chosen.saved.id(),
                "server": chosen.saved.server,
                "client_id": chosen.saved.client_id,
                "revoked": true,
            }));
        }
        let style = &output.style;
        let mark = style.paint(Colour::Good, style.either("✓", "ok"));
        let done = one_line(&format!("{} revoked the tokens of {}", chosen.saved.server, chosen.saved.client_id));
        print_lines([format!("{mark} {done}")])
    }
}
