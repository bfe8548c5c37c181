//! The command line.

use crate::commands::Command;
use clap::Parser;

/// The heading of the options that every command has.
const COMMON: &str = "Options of all commands";

/// Try, debug and script SMART on FHIR servers.
///
/// Begin with `smart demo`: it starts a small SMART server on this machine and does a whole launch with it. Then
/// `smart discover URL` shows what a server offers, `smart login URL` signs you in, and `smart get Patient/ID` reads.
/// `smart launch` waits for an EHR to open the app, `smart backend URL` does without a person, and `smart logout` ends it.
///
/// Every command takes `--json` and then prints exactly one JSON object, errors too. Colours are used on a terminal
/// only, and not when NO_COLOR is set.
#[derive(Debug, Parser)]
#[command(name = "smart", version, after_long_help = crate::exit_code::table_text(), propagate_version = true)]
pub(crate) struct Args {
    /// Print exactly one JSON object, errors too
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) json: bool,

    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) ascii: bool,

    /// Log to standard error; -vv logs more. RUST_LOG is heeded too
    #[arg(short, long, global = true, help_heading = COMMON, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// The definition of the command line is consistent.
    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    /// The long help has the exit codes.
    #[test]
    fn the_long_help_has_the_exit_codes() {
        let help = Args::command().render_long_help().to_string();
        assert!(help.contains("not-a-fhir-base") && help.contains("needs-login"), "{help}");
    }
}
