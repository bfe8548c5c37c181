//! `smart logout`: nothing of a session stays.

use crate::cli_error::CliError;
use crate::connect::http;
use crate::ending::{Ended, Revoked, end};
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::session_choice::SessionChoice;
use crate::session_store::{KeepOptions, Saved, SessionStore};
use crate::style::{Colour, Style};
use crate::text::{one_line, wrap};
use clap::Args;
use serde_json::json;

/// Log out: revoke the tokens at the server, and wipe the session here in any case
///
/// Without an argument it ends the only session that there is. What was not revoked is said: exit code 13 where the server should
/// have revoked and did not; 0 where it offers no revocation.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// End all sessions at this server
    #[arg(value_name = "URL", conflicts_with_all = ["session", "all"])]
    url: Option<String>,

    /// End the session with this id, as `smart sessions` shows it, or with this beginning of one
    #[arg(long, value_name = "ID", allow_hyphen_values = true, conflicts_with = "all")]
    session: Option<String>,

    /// End every session
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    keep: KeepOptions,
}

impl Logout {
    /// Logs out.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let sessions = self.keep.open()?;
        let meant = self.meant(&sessions).await?;
        let http = http();
        let mut ended = Vec::new();
        for saved in meant {
            ended.push(end(saved, &sessions, &http).await);
        }
        let told = json!(ended.iter().map(Ended::as_json).collect::<Vec<_>>());
        let failed = ended.iter().filter(|ended| ended.is_failure()).count();
        if failed > 0 {
            if !output.json {
                print_lines(lines(&ended, &output.style))?;
            }
            return Err(failure(&ended, failed).with("ended", told));
        }
        if output.json {
            print_json(&json!({"ended": told}))
        } else if ended.is_empty() {
            print_lines(["There is no stored session."])
        } else {
            print_lines(lines(&ended, &output.style))
        }
    }

    async fn meant(&self, sessions: &SessionStore) -> Result<Vec<Saved>, CliError> {
        if self.all {
            return sessions.all().await;
        }
        let choice = SessionChoice { session: self.session.clone(), ..SessionChoice::at(self.url.as_deref()) };
        if self.url.is_some() {
            let found = sessions.matching(&choice).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let only = sessions.find(&choice).await.map_err(|error| match error.code {
            ExitCode::NeedsLogin => {
                error.with_next_step("Nothing has to be done. `smart sessions` shows what there is.")
            }
            ExitCode::Usage => error.with_next_step("Choose one with --session ID, or end them all with --all."),
            _ => error,
        })?;
        Ok(vec![only])
    }
}

fn failure(ended: &[Ended], failed: usize) -> CliError {
    let message = if ended.iter().any(|ended| ended.wiped.is_err()) {
        format!("{failed} of {} sessions could not be wiped or revoked", ended.len())
    } else {
        format!("{failed} of {} sessions were wiped here, but their tokens were not revoked", ended.len())
    };
    let first = ended.iter().find_map(|ended| match &ended.revoked {
        Revoked::No(error) => Some(error.endpoint.clone().unwrap_or_else(|| ended.saved.server.clone())),
        _ => None,
    });
    CliError::new(ExitCode::NotRevoked, message).at(first)
}

fn lines(ended: &[Ended], style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    for ended in ended {
        let saved = &ended.saved;
        let done = match (&ended.revoked, ended.wiped.is_ok()) {
            (Revoked::Yes, true) => "revoked and wiped",
            (Revoked::Yes, false) => "revoked",
            (_, true) => "wiped here",
            (_, false) => "nothing could be done",
        };
        let (mark, colour) = if ended.is_failure() {
            (style.either("✗", "!!"), Colour::Bad)
        } else {
            (style.either("✓", "ok"), Colour::Good)
        };
        let what = one_line(&format!("{} at {}: {done}", saved.client_id, saved.server));
        lines.push(format!("{} {what}", style.paint(colour, mark)));
        let room = style.width.saturating_sub(2);
        for line in ended.lines() {
            lines.extend(wrap(&one_line(&line), room).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}
