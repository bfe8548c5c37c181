//! The commands, one file each.

mod audit;
mod backend;
mod demo;
mod discover;
mod exit_codes;
mod get;
mod jwks;
mod keygen;
mod launch;
mod login;
mod logout;
mod sandbox;
mod sessions;
mod token;

use crate::cli_error::CliError;
use crate::output::Output;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Discover(discover::Discover),
    Login(Box<login::Login>),
    Launch(Box<launch::Launch>),
    Backend(Box<backend::Backend>),
    Get(get::Get),
    Token(token::TokenCommand),
    Sessions(sessions::Sessions),
    Logout(logout::Logout),
    Keygen(keygen::Keygen),
    Jwks(jwks::JwksCommand),
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
            Self::Launch(command) => command.run(output).await,
            Self::Backend(command) => command.run(output).await,
            Self::Get(command) => command.run(output).await,
            Self::Token(command) => command.run(output).await,
            Self::Sessions(command) => command.run(output).await,
            Self::Logout(command) => command.run(output).await,
            Self::Keygen(command) => command.run(output),
            Self::Jwks(command) => command.run(output),
            Self::Sandbox(command) => command.run(output).await,
            Self::Audit(command) => command.run(output),
            Self::ExitCodes(command) => command.run(output),
        }
    }
}
