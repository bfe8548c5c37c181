//! The smart command: try, debug and script SMART on FHIR servers from a terminal.

#![allow(rustdoc::bare_urls, reason = "these are help texts: a terminal shows marks of links as they are")]

mod access;
mod api;
mod args;
mod audit_options;
mod body;
mod browser;
mod cli_error;
mod client_options;
mod commands;
mod connect;
mod ending;
mod exit_code;
mod export_progress;
mod export_since;
mod fhir_output;
mod key_file;
mod library_error;
mod mask;
mod opened;
mod output;
mod paste;
mod patient_summary;
mod plot;
mod private_file;
#[cfg(test)]
mod reference;
mod registration;
mod replace;
mod session_choice;
mod session_store;
mod session_view;
mod steps;
mod style;
mod table;
mod text;
mod time_text;

use args::Args;
use clap::Parser as _;
use cli_error::CliError;
use exit_code::ExitCode;
use output::Output;
use std::ffi::OsString;

fn main() -> std::process::ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let code = match Args::try_parse_from(&given) {
        Ok(args) => run(args),
        Err(error) => usage(&error, &given),
    };
    code.number().into()
}

fn run(args: Args) -> ExitCode {
    let output = Output::new(args.json, args.ascii);
    start_log(args.verbose);
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::new(ExitCode::Internal, format!("no runtime can be started: {e}")))
        .and_then(|runtime| runtime.block_on(args.command.run(&output)));
    match done {
        Ok(()) => ExitCode::Ok,
        Err(error) => {
            if error.code != ExitCode::Ok {
                output.error(&error);
            }
            error.code
        }
    }
}

/// What clap has to say: help and version, or what is wrong with the command line.
fn usage(error: &clap::Error, given: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe, as after `| head`, is no failure.
        let _ = error.print();
        return ExitCode::Ok;
    }
    let options = || given.iter().skip(1).take_while(|argument| *argument != "--");
    if options().any(|argument| argument == "--json") {
        let output = Output::new(true, false);
        let rendered = error.render().to_string();
        let message = rendered.trim().strip_prefix("error: ").unwrap_or(rendered.trim());
        output.error(&CliError::new(ExitCode::Usage, message));
    } else {
        let _ = error.print();
    }
    ExitCode::Usage
}

/// Logs to standard error: warnings, more with `-v`, or what `RUST_LOG` asks for.
fn start_log(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    let level = match verbose {
        0 => "error",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // It fails only when a log was started before.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
