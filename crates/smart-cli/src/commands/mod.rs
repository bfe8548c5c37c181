//! The commands, one file each.

mod audit;
mod demo;
mod discover;
mod exit_codes;
mod get;
mod login;
mod sandbox;

use crate::cli_error::CliError;
use crate::output::Output;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Discover(discover::Discover),
    Login(login::Login),
    Get(get::Get),
    Sandbox(sandbox::SandboxCommand),
    Audit(audit::AuditCommand),
    ExitCodes(exit_codes::ExitCodes),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What the command came to.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        match self {
            Self::Demo(command) => command.run(output).await,
            Self::Discover(command) => command.run(output).await,
            Self::Login(command) => command.run(output).await,
            Self::Get(command) => command.run(output).await,
            Self::Sandbox(command) => command.run(output).await,
            Self::Audit(command) => command.run(output),
            Self::ExitCodes(command) => command.run(output),
        }
    }
}
