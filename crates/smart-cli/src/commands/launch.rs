//! `smart launch`: waits for an EHR to open the app.

use crate::api::{AllowedIssuers, EhrLaunch, Error, FhirBaseUrl, LaunchReceiver, LoopbackListener, Session, UrlPolicy};
use crate::browser::BrowserOptions;
use crate::cli_error::CliError;
use crate::client_options::ClientOptions;
use crate::connect::{EHR_SCOPES, Wanted, http, is_loopback_http, with_scopes};
use crate::exit_code::ExitCode;
use crate::mask::Reveal;
use crate::output::{Output, tell};
use crate::replace::{keep, note_replaced};
use crate::session_store::KeepOptions;
use crate::session_view::{self, granted};
use crate::steps::{Outcome, Place, Steps};
use clap::{ArgGroup, Args};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Wait for an EHR to open the app, log in, and keep the session for `smart get`
///
/// Listens on 127.0.0.1 for one launch (http://127.0.0.1:PORT/launch?iss=..&launch=..), sends the browser on to sign in, and takes
/// its return at http://127.0.0.1:PORT/callback. Both URLs have to be registered with the EHR, or typed into its launcher.
/// The session is kept as by `smart login`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("issuers").required(true).multiple(false))]
pub(crate) struct Launch {
    /// A FHIR server that may launch the app; may be given more than once
    #[arg(long, value_name = "URL", group = "issuers")]
    iss_allow: Vec<String>,

    /// Let any https server on a public address launch the app: whoever makes you follow a link then chooses the server
    #[arg(long, group = "issuers")]
    dangerous_any_issuer: bool,

    #[command(flatten)]
    client: ClientOptions,

    /// The scopes to ask for, separated by blanks
    #[arg(long, default_value = EHR_SCOPES)]
    scopes: String,

    /// The port on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 4014)]
    port: u16,

    /// Do not wait for the EHR: take the launch from this URL, and open the browser
    #[arg(long = "launch-url", value_name = "URL")]
    given: Option<String>,

    #[command(flatten)]
    browser: BrowserOptions,

    /// How long to wait for the EHR, and then for the browser, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Show tokens in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    keep: KeepOptions,
}

impl Launch {
    /// Waits for the launch and completes it.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let allowed = self.allowed()?;
        let servers: Vec<&str> = self.iss_allow.iter().map(String::as_str).collect();
        let client_id = self.client.client_id(&servers)?;
        let registration = self.client.registration()?;
        let launch = self.given.as_deref().map(|given| launch_query(given, &allowed)).transpose()?;
        let app = with_scopes(registration.app(&client_id)?, &self.scopes)?;
        if let Some(warning) = registration.warning() {
            output.note(&warning);
        }
        let place = if output.json { Place::Nowhere } else { Place::Stderr };
        let mut steps = Steps::new(place, output.error_style);
        let http = http();
        let sessions = self.keep.open()?;
        let wanted = Wanted {
            loopback_http: servers.iter().any(|server| is_loopback_http(server)),
            store: Some(sessions.store()),
            login_timeout: Duration::from_secs(self.timeout),
            profile: registration.profile(),
            audit: sessions.audit.clone(),
            ..Wanted::new("", app)
        };
        let listener = LoopbackListener::bind_port(self.port).await.map_err(Error::from)?;
        let receiver = wanted.client(&http).launch_receiver(listener, allowed);
        let receive = Box::pin(self.receive(receiver, launch, output));
        let session = steps.run_unannounced("launch", "EHR launch", receive).await?;
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

    /// Which servers may launch the app.
    fn allowed(&self) -> Result<AllowedIssuers, CliError> {
        if self.dangerous_any_issuer {
            return Ok(AllowedIssuers::dangerous_any());
        }
        let mut bases = Vec::new();
        for given in &self.iss_allow {
            let policy = if is_loopback_http(given) { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
            bases.push(FhirBaseUrl::parse_with(given, policy).map_err(Error::from)?);
        }
        Ok(AllowedIssuers::only(bases))
    }

    async fn receive(
        &self,
        receiver: LaunchReceiver,
        launch: Option<String>,
        output: &Output,
    ) -> Result<(Session, Outcome), CliError> {
        let own_url = receiver.launch_url();
        let opener = self.browser.opener(receiver.cancel_handle());
        let go = async {
            let Some(query) = launch else {
                tell("Waiting for an EHR to open this URL, with iss and launch added:");
                tell(&own_url);
                return;
            };
            let done = match Url::parse(&format!("{own_url}?{query}")) {
                Ok(url) => opener.open(url, output).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = done {
                opener.give_up(reason);
            }
        };
        let (outcome, ()) = tokio::join!(receiver.receive(), go);
        let session = opener.judged(outcome)?;
        let detail = granted(&session)?;
        Ok((session, Outcome::new(detail, Value::Null)))
    }
}

/// The query of a launch URL that may be followed.
fn launch_query(given: &str, allowed: &AllowedIssuers) -> Result<String, CliError> {
    let url = Url::parse(given).map_err(|error| {
        CliError::new(ExitCode::Usage, format!("--launch-url is no URL: {error}"))
            .with_next_step("Give the whole URL that the EHR opens, with iss and launch in its query.")
    })?;
    let query = url.query().unwrap_or_default();
    EhrLaunch::from_query(query, allowed).map_err(Error::from)?;
    Ok(query.to_owned())
}
