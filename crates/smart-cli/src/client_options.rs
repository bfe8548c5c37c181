//! The client, as the person describes it.

use crate::api::ServerKind;
use crate::cli_error::CliError;
use crate::connect::{SANDBOX_CLIENT, is_loopback_http};
use crate::exit_code::ExitCode;
use crate::registration::{Authentication, Registration, Sent, is_secret_in_environment};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::{Path, PathBuf};

/// How a client is registered with the server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClientOptions {
    /// The client id that is registered at the server; for a public client at a sandbox on this machine it may be left out
    #[arg(long, value_name = "ID", env = "SMART_CLIENT_ID")]
    client_id: Option<String>,

    /// A file with the client's secret
    ///
    /// Else it is taken from SMART_CLIENT_SECRET, where that is set and no --key is given. It is not copied: the file or the
    /// variable has to be there as well when the session is renewed or revoked.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    client_secret_file: Option<PathBuf>,

    /// Send the secret in the body of requests, for servers that want it there (client_secret_post)
    #[arg(long, conflicts_with_all = ["raw_basic", "key"])]
    secret_in_body: bool,

    /// Send id and secret as they are, for servers that do not decode them
    #[arg(long, conflicts_with = "key")]
    raw_basic: bool,

    #[command(flatten)]
    key: KeyOptions,

    #[command(flatten)]
    server: ProfileOption,
}

/// The key of a client.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyOptions {
    /// The client's private key, in PEM, as a JWK or in a JWK set: it signs an assertion for each request
    ///
    /// It is not copied: the file has to be there as well when the session is renewed or revoked.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The id that the key is registered under [default: the key's own, else its thumbprint]
    #[arg(long, value_name = "ID", requires = "key")]
    kid: Option<String>,
}

/// What kind of server it is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ProfileOption {
    /// Treat the server as one of this kind: with all that such servers need, also where that makes a check weaker
    #[arg(long, visible_alias = "profile", value_name = "SERVER", value_parser = server_kinds())]
    like: Option<ServerKind>,
}

/// The kinds of servers by name.
pub(crate) fn server_kinds() -> impl TypedValueParser<Value = ServerKind> {
    let names = ServerKind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<ServerKind>())
}

impl ClientOptions {
    /// The client id, or that of the sandbox for a public client where the servers run on this machine.
    ///
    /// # Errors
    /// Usage, when it is missing.
    pub(crate) fn client_id(&self, servers: &[&str]) -> Result<String, CliError> {
        let at_sandbox = !servers.is_empty() && servers.iter().all(|server| is_loopback_http(server));
        match &self.client_id {
            Some(id) => Ok(id.clone()),
            None if at_sandbox && self.is_public() => Ok(SANDBOX_CLIENT.to_owned()),
            None => {
                // A URL that may not be used at all is told first.
                servers.iter().try_for_each(|server| crate::connect::check_base(server))?;
                Err(no_client_id())
            }
        }
    }

    fn is_public(&self) -> bool {
        self.client_secret_file.is_none() && self.key.key.is_none() && !is_secret_in_environment()
    }

    /// How the client is registered.
    ///
    /// # Errors
    /// Usage, when the options do not fit.
    pub(crate) fn registration(&self) -> Result<Registration, CliError> {
        let sent = match (self.secret_in_body, self.raw_basic) {
            (true, _) => Sent::Body,
            (false, true) => Sent::RawBasic,
            (false, false) => Sent::Basic,
        };
        let authentication = match (&self.key.key, &self.client_secret_file) {
            (Some(_), _) => self.key.authentication()?,
            (None, Some(file)) => Authentication::Secret { file: Some(absolute(file)?), sent },
            (None, None) if is_secret_in_environment() => Authentication::Secret { file: None, sent },
            (None, None) if sent != Sent::Basic => {
                return Err(CliError::new(ExitCode::Usage, "there is no secret to send")
                    .with_next_step("Give it by --client-secret-file FILE or in SMART_CLIENT_SECRET."));
            }
            (None, None) => Authentication::Public,
        };
        Ok(Registration { authentication, profile: self.server.name() })
    }
}

impl KeyOptions {
    /// That the client has this key.
    ///
    /// # Errors
    /// Usage, when no key is given.
    pub(crate) fn authentication(&self) -> Result<Authentication, CliError> {
        let file = self.key.as_deref().ok_or_else(|| {
            CliError::new(ExitCode::Usage, "the client's key is missing")
                .with_next_step("Give it with --key FILE; `smart keygen` makes one.")
        })?;
        Ok(Authentication::Key { file: absolute(file)?, kid: self.kid.clone() })
    }
}

impl ProfileOption {
    /// Its name.
    pub(crate) fn name(&self) -> Option<String> {
        self.like.map(|kind| kind.name().to_owned())
    }
}

/// The client id is missing.
pub(crate) fn no_client_id() -> CliError {
    CliError::new(ExitCode::Usage, "the client id is missing")
        .with_next_step("Register an app at the server, and give its id with --client-id ID.")
}

/// The path from the root: the session is used from other folders too.
fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path)
        .map_err(|error| CliError::new(ExitCode::Usage, format!("{} is no path: {error}", path.display())))
}
