//! `smart login`: a standalone launch in the person's own browser.

use crate::api::{Discovered, Error, LoopbackListener, RedirectUri, Session, SmartClient, StandaloneLaunch, Syntax};
use crate::browser::BrowserOptions;
use crate::cli_error::CliError;
use crate::client_options::ClientOptions;
use crate::connect::{USUAL_SCOPES, USUAL_SCOPES_V1, Wanted, http, with_scopes};
use crate::exit_code::ExitCode;
use crate::mask::Reveal;
use crate::output::{Output, tell};
use crate::paste;
use crate::replace::{keep, note_replaced};
use crate::session_store::KeepOptions;
use crate::session_view::{self, granted};
use crate::steps::{Outcome, Place, Steps};
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// The port of the redirect URI where nobody listens on it and none is given.
const PASTE_PORT: u16 = 4014;

/// Log in at a server in your own browser, and keep the session for `smart get`
///
/// The session is sealed on disk. A new login takes the place of the one before at the same server with the same
/// client: the old one's tokens are revoked. The patient's id is shown; tokens are masked unless --reveal is given.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The base URL of the FHIR server, such as `https://ehr.example/fhir`
    url: String,

    #[command(flatten)]
    client: ClientOptions,

    /// The scopes to ask for, separated by blanks
    #[arg(long)]
    scopes: Option<String>,

    #[command(flatten)]
    browser: BrowserOptions,

    /// Listen to nobody: print the URL to open anywhere, and read the URL of the redirect that you paste
    ///
    /// For machines without a browser. After you have allowed the app, the browser goes to the redirect URI and may say that it
    /// cannot connect: copy the address that it shows then.
    #[arg(long)]
    paste: bool,

    /// The redirect URI that is registered for the app, where it is not one on this machine
    #[arg(long, value_name = "URI", requires = "paste", conflicts_with = "port")]
    redirect_uri: Option<String>,

    /// The port of the redirect URI `http://127.0.0.1:PORT/callback`, where the server wants a certain one
    #[arg(long, value_name = "PORT", visible_alias = "redirect-port")]
    port: Option<u16>,

    /// How long to wait for the browser, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Show tokens in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    keep: KeepOptions,
}

impl Login {
    /// Logs in.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let client_id = self.client.client_id(&[&self.url])?;
        let registration = self.client.registration()?;
        crate::connect::check_base(&self.url)?;
        let place = if output.json { Place::Nowhere } else { Place::Stderr };
        let mut steps = Steps::new(place, output.error_style);
        let http = http();

        let app = registration.app(&client_id)?;
        let app = match &self.scopes {
            Some(scopes) => with_scopes(app, scopes)?,
            None => app,
        };
        if let Some(warning) = registration.warning() {
            output.note(&warning);
        }
        let sessions = self.keep.open()?;
        let wanted = Wanted {
            store: Some(sessions.store()),
            login_timeout: Duration::from_secs(self.timeout),
            profile: registration.profile(),
            audit: sessions.audit.clone(),
            ..Wanted::new(&self.url, app)
        };
        let client = wanted.client(&http);
        let launch = steps.run("discover", "Discover the server", self.discover(&client)).await?;
        let session = steps.run_unannounced("login", "Log in", Box::pin(self.log_in(&client, launch, output))).await?;
        let kept = keep(&session, &registration, &sessions, &http);
        let replaced = steps.run("replace", "Keep the session", Box::pin(kept)).await?;

        note_replaced(&replaced, output);
        session_view::print_new(
            &session,
            Reveal::from_flag(self.reveal),
            &steps,
            output,
            "smart get 'Patient/{patient}'",
        )
    }

    /// The launch, with the scopes that this server understands.
    async fn discover(&self, client: &SmartClient) -> Result<(StandaloneLaunch, Outcome), CliError> {
        let launch = client.standalone(&self.url).await?;
        let detail = found(launch.server());
        if self.scopes.is_some() {
            return Ok((launch, Outcome::new(detail, Value::Null)));
        }
        let usual = match launch.server().configuration.scope_syntax() {
            Syntax::V1 => USUAL_SCOPES_V1,
            Syntax::V2 => USUAL_SCOPES,
        };
        let scopes = usual.parse().map_err(Error::from)?;
        Ok((launch.with_scopes(scopes), Outcome::new(detail, Value::Null)))
    }

    async fn log_in(
        &self,
        client: &SmartClient,
        launch: StandaloneLaunch,
        output: &Output,
    ) -> Result<(Session, Outcome), CliError> {
        let session = if self.paste {
            self.by_paste(client, &launch).await?
        } else {
            let listener = match self.port {
                Some(port) => LoopbackListener::bind_port(port).await,
                None => LoopbackListener::bind().await,
            };
            let opener = self.browser.opener(launch.cancel_handle());
            let outcome = launch.with_listener(listener.map_err(Error::from)?, |url| opener.open(url, output)).await;
            opener.judged(outcome)?
        };
        let detail = granted(&session)?;
        Ok((session, Outcome::new(detail, Value::Null)))
    }

    /// The person carries URL and answer between two machines.
    async fn by_paste(&self, client: &SmartClient, launch: &StandaloneLaunch) -> Result<Session, CliError> {
        let given = match &self.redirect_uri {
            Some(given) => given.clone(),
            None => format!("http://127.0.0.1:{}/callback", self.port.unwrap_or(PASTE_PORT)),
        };
        let redirect_uri = RedirectUri::parse(&given).map_err(|error| {
            CliError::new(ExitCode::Usage, error.to_string())
                .with_next_step("Give the redirect URI as it is registered, with --redirect-uri.")
        })?;
        let (request, pending) = launch.authorize(&redirect_uri)?;
        tell("Open this URL in any browser:");
        tell(request.url().as_str());
        tell(&format!("Then paste the address that it shows, which begins with {given}:"));
        let url = paste::url(Duration::from_secs(self.timeout)).await?;
        Ok(client.complete_url(pending, &url).await?)
    }
}

/// What discovery found, in a line.
pub(crate) fn found(server: &Discovered) -> String {
    format!("SMART {} or later, {} capabilities", server.version, server.configuration.capabilities.len())
}
