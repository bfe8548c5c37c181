//! The commands, one file each.

mod audit;
mod backend;
mod batch;
mod create;
mod delete;
mod demo;
mod discover;
mod exit_codes;
mod export;
#[cfg(test)]
mod fhir_tests;
mod get;
mod jwks;
mod keygen;
mod launch;
mod login;
mod logout;
mod op;
mod patch;
mod sandbox;
mod search;
mod sessions;
mod token;
mod update;
mod written;

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
    Search(search::Search),
    Create(create::Create),
    Update(update::Update),
    Patch(patch::PatchCommand),
    Delete(delete::Delete),
    Batch(batch::BatchCommand),
    Op(op::Op),
    Export(Box<export::Export>),
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
            Self::Search(command) => command.run(output).await,
            Self::Create(command) => command.run(output).await,
            Self::Update(command) => command.run(output).await,
            Self::Patch(command) => command.run(output).await,
            Self::Delete(command) => command.run(output).await,
            Self::Batch(command) => command.run(output).await,
            Self::Op(command) => command.run(output).await,
            Self::Export(command) => command.run(output).await,
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
