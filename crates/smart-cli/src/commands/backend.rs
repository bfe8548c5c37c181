//! `smart backend`: a token as a backend service.

use crate::api::{Discovered, HttpClient, Session, SmartClient, Syntax};
use crate::cli_error::CliError;
use crate::client_options::{KeyOptions, ProfileOption, no_client_id};
use crate::commands::login::found;
use crate::connect::{BACKEND_SCOPES, BACKEND_SCOPES_V1, Wanted, check_base, http, with_scopes};
use crate::exit_code::ExitCode;
use crate::mask::Reveal;
use crate::output::Output;
use crate::registration::Registration;
use crate::session_store::{KeepOptions, SessionStore};
use crate::session_view::{self, granted};
use crate::steps::{Outcome, Place, Steps};
use clap::Args;
use serde_json::{Value, json};

/// Get a token as a backend service, without a person, and keep the session for `smart get`
///
/// The client authenticates with its key, whose public half the server has to know: see `smart keygen` and `smart jwks`. A new token
/// is got each time; later commands renew it with the key where need be.
#[derive(Debug, Args)]
pub(crate) struct Backend {
    /// The base URL of the FHIR server, such as `https://ehr.example/fhir`
    url: String,

    /// The client id that is registered at the server
    #[arg(long, value_name = "ID", env = "SMART_CLIENT_ID")]
    client_id: Option<String>,

    #[command(flatten)]
    key: KeyOptions,

    #[command(flatten)]
    server: ProfileOption,

    /// The scopes to ask for, separated by blanks
    #[arg(long)]
    scopes: Option<String>,

    /// Show the token in the clear
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    keep: KeepOptions,
}

impl Backend {
    /// Gets the token.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        check_base(&self.url)?;
        let client_id = self.client_id.as_deref().ok_or_else(no_client_id)?;
        let registration = Registration { authentication: self.key.authentication()?, profile: self.server.name() };
        let app = registration.app(client_id)?;
        let app = match &self.scopes {
            Some(scopes) => with_scopes(app, scopes)?,
            None => app,
        };
        if let Some(warning) = registration.warning() {
            output.note(&warning);
        }
        let place = if output.json { Place::Nowhere } else { Place::Stderr };
        let mut steps = Steps::new(place, output.error_style);
        let http = http();
        let sessions = self.keep.open()?;
        let client = self.client(app, &registration, &sessions, &http);
        let server = steps.run("discover", "Discover the server", discover(&client, &self.url)).await?;
        let scopes = self.scopes.as_deref().unwrap_or(match server.configuration.scope_syntax() {
            Syntax::V1 => BACKEND_SCOPES_V1,
            Syntax::V2 => BACKEND_SCOPES,
        });
        let get = Box::pin(self.token(&client, scopes));
        let session = steps.run("token", "Get a token", get).await.map_err(with_key_hint)?;
        sessions.remember(session.key(), &registration).await?;

        let hint = format!("smart get 'Patient?_count=5' --server {}", self.url);
        session_view::print_new(&session, Reveal::from_flag(self.reveal), &steps, output, &hint)
    }

    fn client(
        &self,
        app: crate::api::App,
        registration: &Registration,
        sessions: &SessionStore,
        http: &HttpClient,
    ) -> SmartClient {
        let wanted = Wanted {
            store: Some(sessions.store()),
            profile: registration.profile(),
            audit: sessions.audit.clone(),
            ..Wanted::new(&self.url, app)
        };
        wanted.client(http)
    }

    async fn token(&self, client: &SmartClient, scopes: &str) -> Result<(Session, Outcome), CliError> {
        let known = client.sessions(Some(&self.url)).await?;
        let session = client.backend(&self.url, scopes).await?;
        if known.contains(session.key()) {
            // One from the store says nothing of this key.
            session.refresh().await?;
        }
        let comparison = session.scope_comparison()?;
        let detail = granted(&session)?;
        let missing: Vec<String> = comparison.missing.iter().map(ToString::to_string).collect();
        let detail = if missing.is_empty() { detail } else { format!("{detail}, not {}", missing.join(" ")) };
        Ok((session, Outcome::new(detail, json!({"missing_scopes": missing}))))
    }
}

/// Most refusals are of a key that the server does not know.
fn with_key_hint(error: CliError) -> CliError {
    if error.code != ExitCode::TokenRefused {
        return error;
    }
    error.with_next_step(
        "Check --client-id and --scopes, and that the server knows this key: `smart jwks KEYFILE` prints what it has to have.",
    )
}

async fn discover(client: &SmartClient, url: &str) -> Result<(Discovered, Outcome), CliError> {
    let server = client.discover(url).await?;
    let detail = found(&server);
    Ok((server, Outcome::new(detail, Value::Null)))
}
