//! `smart login`: a standalone launch in the person's own browser.

use crate::api::{Discovered, Expected, LoopbackListener, Session, SmartClient, Syntax};
use crate::browser;
use crate::cli_error::CliError;
use crate::connect::{SANDBOX_CLIENT, USUAL_SCOPES, USUAL_SCOPES_V1, Wanted, http, is_loopback_http};
use crate::exit_code::ExitCode;
use crate::mask::{Reveal, secret};
use crate::output::{Output, print_json, print_lines, tell};
use crate::session_store::{SessionStore, StoreOptions};
use crate::steps::{Outcome, Place, Steps};
use crate::style::Style;
use crate::table::Table;
use crate::time_text::rfc3339;
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;

/// Log in at a server in your own browser, and keep the session for `smart get`
///
/// The session is sealed on disk. A new login takes the place of the one before at the same server with the same
/// client: the old one's tokens are revoked.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The base URL of the FHIR server, such as `https://ehr.example/fhir`
    url: String,

    /// The client id that is registered at the server; for a sandbox on this machine it may be left out
    #[arg(long, env = "SMART_CLIENT_ID")]
    client_id: Option<String>,

    /// The scopes to ask for, separated by blanks
    #[arg(long)]
    scopes: Option<String>,

    /// Do not open a browser: print the URL, and wait
    #[arg(long)]
    no_browser: bool,

    /// The port of the redirect URI `http://127.0.0.1:PORT/callback`, where the server wants a certain one
    #[arg(long, value_name = "PORT")]
    redirect_port: Option<u16>,

    /// How long to wait for the browser, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Show tokens in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    store: StoreOptions,
}

impl Login {
    /// Logs in.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let client_id = self.client_id()?;
        let place = if output.json { Place::Nowhere } else { Place::Stderr };
        let mut steps = Steps::new(place, output.error_style);
        let http = http();

        let asking = Wanted::new(&self.url, &client_id).client(&http)?;
        let server = steps.run("discover", "Discover the server", discover(&asking, &self.url)).await?;
        let usual = match server.configuration.scope_syntax() {
            Syntax::V1 => USUAL_SCOPES_V1,
            Syntax::V2 => USUAL_SCOPES,
        };
        let sessions = SessionStore::open(&self.store)?;
        let wanted = Wanted {
            scopes: self.scopes.as_deref().unwrap_or(usual),
            store: Some(sessions.store()),
            login_timeout: Duration::from_secs(self.timeout),
            ..Wanted::new(&self.url, &client_id)
        };
        let client = wanted.client(&http)?;
        let session = steps.run_unannounced("login", "Log in", Box::pin(self.log_in(&client, output))).await?;
        steps.run("replace", "Keep the session", replace_others(&client, &sessions, &self.url, &session)).await?;

        let reveal = if self.reveal { Reveal::Shown } else { Reveal::Masked };
        if output.json {
            return print_json(&as_json(&session, &client_id, reveal, &steps).await?);
        }
        print_lines(lines(&session, &client_id, reveal, &output.style).await?)
    }

    /// The client id, or that of the sandbox where the server runs on this machine.
    fn client_id(&self) -> Result<String, CliError> {
        match &self.client_id {
            Some(id) => Ok(id.clone()),
            None if is_loopback_http(&self.url) => Ok(SANDBOX_CLIENT.to_owned()),
            None => {
                // A URL that may not be used at all is told first.
                crate::connect::check_base(&self.url)?;
                Err(CliError::new(ExitCode::Usage, "the client id is missing")
                    .with_next_step("Register an app at the server, and give its id with --client-id ID."))
            }
        }
    }

    async fn log_in(&self, client: &SmartClient, output: &Output) -> Result<(Session, Outcome), CliError> {
        let launch = client.standalone(&self.url).await?;
        let listener = match self.redirect_port {
            Some(port) => LoopbackListener::bind_port(port).await,
            None => LoopbackListener::bind().await,
        };
        let listener = listener.map_err(crate::api::Error::from)?;
        let no_browser = self.no_browser;
        let session = launch
            .with_listener(listener, |url| async move {
                if no_browser {
                    tell("Open this URL in a browser on this machine; this command waits for it:");
                    tell(url.as_str());
                    return Ok(());
                }
                browser::open(url, output).await
            })
            .await?;
        let detail = format!("{} scopes were granted", session.granted_scopes()?.len());
        Ok((session, Outcome::new(detail, Value::Null)))
    }
}

async fn discover(client: &SmartClient, url: &str) -> Result<(Discovered, Outcome), CliError> {
    let server = client.discover(url).await?;
    let detail = format!("SMART {} or later, {} capabilities", server.version, server.configuration.capabilities.len());
    Ok((server, Outcome::new(detail, Value::Null)))
}

/// Ends the other sessions of this client at this server: of tokens that nobody uses any more, none should live on.
async fn replace_others(
    client: &SmartClient,
    sessions: &SessionStore,
    url: &str,
    session: &Session,
) -> Result<((), Outcome), CliError> {
    let mut ended = 0;
    for key in client.sessions(Some(url)).await?.into_iter().filter(|key| key != session.key()) {
        if let Ok(Some(old)) = client.restore(&key).await {
            // Where the server does not revoke, the record is wiped all the same.
            old.logout().await;
        } else {
            sessions.store().remove(&key, Expected::Any).await.map_err(crate::api::Error::from)?;
        }
        ended += 1;
    }
    let detail = match ended {
        0 => "sealed on disk".to_owned(),
        _ => format!("sealed on disk, in place of {ended} older"),
    };
    Ok(((), Outcome::new(detail, json!({"replaced": ended}))))
}

async fn as_json(session: &Session, client_id: &str, reveal: Reveal, steps: &Steps) -> Result<Value, CliError> {
    let user = session.user()?;
    let context = session.context()?;
    let mut value = json!({
        "server": session.fhir_base().as_str(),
        "client_id": client_id,
        "patient": context.patient,
        "encounter": context.encounter,
        "fhir_user": session.fhir_user()?.map(|user| user.reference()),
        "id_token": user.map(|user| json!({"issuer": user.issuer, "subject": user.subject, "algorithm": user.algorithm})),
        "scopes": session.granted_scopes()?.to_string(),
        "expires_at": session.expires_at()?.and_then(rfc3339),
        "can_refresh": session.can_refresh(),
        "steps": steps.done(),
    });
    if let (Reveal::Shown, Some(members)) = (reveal, value.as_object_mut()) {
        let token = session.access_token().await?;
        members.insert("access_token".to_owned(), json!(token.expose_secret()));
    }
    Ok(value)
}

async fn lines(session: &Session, client_id: &str, reveal: Reveal, style: &Style) -> Result<Vec<String>, CliError> {
    let mut table = Table::of_pairs();
    table.row(["Server", session.fhir_base().as_str()]);
    table.row(["Client", client_id]);
    let token = session.access_token().await?;
    let known = [
        ("Patient", session.context()?.patient),
        ("User", session.fhir_user()?.map(|user| user.reference())),
        ("Scopes", Some(session.granted_scopes()?.to_string())),
        ("Access token", Some(secret(token.expose_secret(), reveal))),
        ("Until", session.expires_at()?.and_then(rfc3339)),
        (
            "Renewable",
            Some(if session.can_refresh() { "yes".to_owned() } else { "no: ask for offline_access".to_owned() }),
        ),
    ];
    for (label, value) in known {
        if let Some(value) = value {
            table.row([label, &value]);
        }
    }
    let mut lines = table.lines(style.characters, style.width);
    lines.push("Try: smart get 'Patient/{patient}'".to_owned());
    Ok(lines)
}
