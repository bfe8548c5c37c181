//! Which of the stored sessions is meant.

use clap::Args;

/// What the person says of the session.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SessionChoice {
    /// The FHIR server, where sessions at several are stored
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// The client id, where sessions of several are stored
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,

    /// The session's id as `smart sessions` shows it, or the beginning of it
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) session: Option<String>,
}

impl SessionChoice {
    /// Any session at a server, or anywhere.
    pub(crate) fn at(server: Option<&str>) -> Self {
        Self { server: server.map(str::to_owned), ..Self::default() }
    }
}
