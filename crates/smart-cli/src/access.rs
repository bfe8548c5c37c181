//! A stored session for requests to its FHIR server.

use crate::api::{Error, FhirClient, FhirSession as _, Session};
use crate::cli_error::CliError;
use crate::connect::http;
use crate::exit_code::ExitCode;
use crate::library_error::again;
use crate::opened::{at_its_server, client_of, restored};
use crate::session_choice::SessionChoice;
use crate::session_store::{KeepOptions, Saved};
use clap::Args;

/// Which session is used, and where it is kept.
#[derive(Debug, Args)]
pub(crate) struct Access {
    #[command(flatten)]
    choice: SessionChoice,

    #[command(flatten)]
    keep: KeepOptions,
}

/// A session whose token is fresh.
pub(crate) struct Opened {
    saved: Saved,
    session: Session,
}

impl Access {
    /// Opens the session.
    ///
    /// # Errors
    /// Those of finding it, and of a token that has to be renewed and cannot be.
    pub(crate) async fn open(&self) -> Result<Opened, CliError> {
        if let Some(server) = &self.choice.server {
            crate::connect::check_base(server)?;
        }
        let sessions = self.keep.open()?;
        let saved = sessions.find(&self.choice).await?;
        let registration = sessions.registration(&saved.key).await?;
        let client = client_of(&saved, &registration, &sessions, &http())?;
        let session = restored(&client, &saved).await?;
        session.touch().await.map_err(|error| at_its_server(again(&error), &saved))?;
        // A token that has to be renewed is renewed here, where it can be told why that failed.
        let renewed = session.access_token().await.map(drop);
        renewed.map_err(|error| at_its_server(again(&error), &saved))?;
        Ok(Opened { saved, session })
    }
}

impl Opened {
    /// The FHIR client of the session.
    pub(crate) fn fhir(&self) -> FhirClient {
        self.session.fhir()
    }

    /// The error with the login that it needs, if it needs one.
    pub(crate) fn at_its_server(&self, error: CliError) -> CliError {
        at_its_server(error, &self.saved)
    }

    /// Puts the id of the patient in context in the place of `{patient}`.
    ///
    /// # Errors
    /// Needs login, or usage, when there is no patient in context.
    pub(crate) fn with_patient(&self, text: &str) -> Result<String, CliError> {
        if !text.contains("{patient}") {
            return Ok(text.to_owned());
        }
        let patient = self.session.patient().map_err(|error| match (&error, self.session.is_backend()) {
            (Error::NoPatient { .. }, true) => {
                CliError::new(ExitCode::Usage, "a backend service has no patient in context")
                    .with_next_step("Name the patient in the path, such as Patient/123.")
            }
            _ => error.into(),
        })?;
        Ok(text.replace("{patient}", &patient))
    }
}
