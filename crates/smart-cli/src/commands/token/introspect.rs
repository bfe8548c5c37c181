//! `smart token introspect`: what the server says of the token.

use super::TokenOptions;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::library_error::again;
use crate::mask::{self, Reveal};
use crate::opened::at_its_server;
use crate::output::{Output, print_json, print_lines};
use crate::style::Colour;
use crate::table::Table;
use crate::time_text::with_distance;
use clap::Args;
use serde_json::{Map, Value, json};

/// Ask the server about the token (RFC 7662)
///
/// It ends with exit code 0 whether or not the token is good: `active` says which. The patient's id is shown.
#[derive(Debug, Args)]
pub(super) struct Introspect {
    /// Show in the clear what the answer has under the name of a secret
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    options: TokenOptions,
}

impl Introspect {
    pub(super) async fn run(self, output: &Output) -> Result<(), CliError> {
        let chosen = self.options.find().await?;
        let session = chosen.open().await?;
        let answer = session.introspect().await.map_err(|error| {
            let shown = at_its_server(again(&error), &chosen.saved);
            match error {
                crate::api::Error::NotSupported { .. } => {
                    shown.with_next_step("Look at what is known of the token here: `smart token show`.")
                }
                _ => shown,
            }
        })?;
        let members = mask::json(Value::Object(answer.to_object()), Reveal::from_flag(self.reveal));
        if output.json {
            return print_json(&json!({
                "session": chosen.saved.id(),
                "server": chosen.saved.server,
                "active": answer.is_active(),
                "introspection": members,
            }));
        }
        let Value::Object(members) = members else {
            return Err(CliError::new(ExitCode::Internal, "the answer is no object"));
        };
        let style = &output.style;
        let verdict = if answer.is_active() {
            format!("{} the token is good", style.paint(Colour::Good, style.either("✓", "ok")))
        } else {
            let mark = style.paint(Colour::Bad, style.either("✗", "!!"));
            format!("{mark} the token is not good: expired, revoked, or unknown to the server")
        };
        let mut lines = vec![verdict];
        lines.extend(table(&members).lines(style.characters, style.width));
        print_lines(lines)
    }
}

fn table(members: &Map<String, Value>) -> Table {
    let mut table = Table::of_pairs();
    for (name, value) in members {
        let time = value.as_i64().filter(|_| matches!(name.as_str(), "exp" | "iat" | "nbf"));
        let text = match (time, value) {
            (Some(seconds), _) => with_distance(crate::api::Timestamp::from_unix_seconds(seconds)),
            (None, Value::String(text)) => text.clone(),
            (None, other) => other.to_string(),
        };
        table.row([name, &text]);
    }
    table
}
