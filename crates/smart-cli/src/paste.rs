//! A line that the person pastes.

use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use std::io::{BufRead as _, Read as _};
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

/// The longest line that is read, in octets.
const LONGEST: u64 = 32 * 1024;

/// The URL on the next line of standard input.
///
/// # Errors
/// Callback-refused, when there is none in time or it is no URL.
pub(crate) async fn url(limit: Duration) -> Result<Url, CliError> {
    let (sender, line) = oneshot::channel();
    // A thread of its own: nothing waits for it when the time is over, and the program can end.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().take(LONGEST).read_line(&mut line);
        // Nobody may wait any more.
        let _ = sender.send(read.map(|_| line));
    });
    let refused = |message: String| CliError::new(ExitCode::CallbackRefused, message).with_next_step(NEXT_STEP);
    match tokio::time::timeout(limit, line).await {
        Ok(Ok(Ok(line))) if line.trim().is_empty() => Err(refused("no URL was pasted".to_owned())),
        Ok(Ok(Ok(line))) => Url::parse(line.trim()).map_err(|_| refused("what was pasted is no URL".to_owned())),
        Ok(Ok(Err(error))) => Err(refused(format!("standard input cannot be read: {error}"))),
        Ok(Err(_)) => Err(refused("standard input cannot be read".to_owned())),
        Err(_) => Err(refused(format!("no URL was pasted within {} seconds", limit.as_secs()))),
    }
}

const NEXT_STEP: &str =
    "Begin the login anew, and paste the whole address that the browser shows after you have allowed the app.";
