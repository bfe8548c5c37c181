//! Taking the person to a URL.

use crate::api::{Error, LoginCancel};
use crate::output::{Output, tell};
use crate::registration::SECRET_VARIABLE;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use url::Url;

/// How the person gets to a URL.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BrowserOptions {
    /// Do not open a browser: print the URL, and wait
    #[arg(long)]
    no_browser: bool,

    /// Open the URL with this command, to which the URL is added
    ///
    /// It is split at blanks, and no shell reads it. When it fails, the login is given up.
    #[arg(long, value_name = "COMMAND", env = "SMART_BROWSER")]
    browser_command: Option<String>,
}

/// Takes the person to a URL, and gives the login up when that fails later.
#[derive(Debug, Clone)]
pub(crate) struct Opener {
    way: Way,
    cancel: LoginCancel,
    failed: Arc<OnceLock<String>>,
}

#[derive(Debug, Clone)]
enum Way {
    Own,
    Print,
    Command(Vec<String>),
}

impl BrowserOptions {
    /// What opens URLs, for the login that `cancel` gives up.
    pub(crate) fn opener(&self, cancel: LoginCancel) -> Opener {
        let words = self.browser_command.as_deref().unwrap_or_default().split_whitespace();
        let command: Vec<String> = words.map(str::to_owned).collect();
        let way = match (self.no_browser, command.is_empty()) {
            (true, _) => Way::Print,
            (false, true) => Way::Own,
            (false, false) => Way::Command(command),
        };
        Opener { way, cancel, failed: Arc::default() }
    }
}

impl Opener {
    /// Takes the person to the URL, or tells them where to go.
    ///
    /// # Errors
    /// [`Error::Browser`], when there is no browser to open.
    pub(crate) async fn open(&self, url: Url, output: &Output) -> Result<(), Error> {
        match &self.way {
            Way::Own => open(url, output).await,
            Way::Print => {
                tell("Open this URL in a browser on this machine; this command waits for it:");
                tell(url.as_str());
                Ok(())
            }
            Way::Command(command) => self.start(command, &url),
        }
    }

    fn start(&self, command: &[String], url: &Url) -> Result<(), Error> {
        let Some((program, arguments)) = command.split_first() else { return Ok(()) };
        let failed = move |reason: String| format!("`{program}` {reason}");
        let child = tokio::process::Command::new(program)
            .args(arguments)
            .arg(url.as_str())
            // What it prints does not belong to the output of this command, nor are the secrets of this one its business.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .env_remove(SECRET_VARIABLE)
            .env_remove("SMART_PASSPHRASE")
            .spawn();
        let mut child = child.map_err(|error| Error::Browser(failed(format!("cannot be run: {error}"))))?;
        let (opener, program) = (self.clone(), program.clone());
        tokio::spawn(async move {
            let reason = match child.wait().await {
                Ok(status) if status.success() => return,
                Ok(status) => format!("`{program}` ended with {status}"),
                Err(error) => format!("`{program}` cannot be watched: {error}"),
            };
            opener.give_up(reason);
        });
        Ok(())
    }

    /// Gives the login up.
    pub(crate) fn give_up(&self, reason: String) {
        // Only the first reason counts.
        let _ = self.failed.set(reason);
        self.cancel.cancel();
    }

    /// The outcome of the login; where it was given up, why.
    pub(crate) fn judged<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        outcome.map_err(|error| match (error, self.failed.get()) {
            (Error::LoginCancelled, Some(reason)) => Error::Browser(reason.clone()),
            (error, _) => error,
        })
    }
}

/// Opens the person's own browser, and prints the URL for the case that nothing is seen of it.
///
/// # Errors
/// [`Error::Browser`], when there is no browser to open.
pub(crate) async fn open(url: Url, output: &Output) -> Result<(), Error> {
    output.note("Your browser opens for the login. If it does not, open this URL by hand:");
    output.note(url.as_str());
    let failed = |reason: String| Error::Browser(reason);
    match tokio::task::spawn_blocking(move || webbrowser::open(url.as_str())).await {
        Ok(opened) => opened.map_err(|e| failed(e.to_string())),
        Err(_) => Err(failed("the attempt failed".to_owned())),
    }
}
