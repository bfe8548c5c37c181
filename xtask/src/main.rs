//! Development tasks: `cargo xtask <task>`.

use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;
use xtask::error::TaskError;
use xtask::requirements::Requirements;
use xtask::run::Show;
use xtask::summary::{Summary, Verdict};
use xtask::{bench, bindings, book, ci, conformance, coverage, features, fuzz, public_api, wasm, workspace};

/// Development tasks of smart-on-fhir.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check everything: format, lints, tests, documentation, licences, layers, requirements.
    Ci(Report),
    /// Compare the tables of requirements and features with the tests.
    Requirements {
        /// Write the tables' last column anew from the tests' tags.
        #[arg(long, conflicts_with = "check")]
        write: bool,
        /// Fail on any problem, also on a table that is behind the tests.
        #[arg(long)]
        check: bool,
    },
    /// Run the fuzz targets in tests/fuzz, one after the other.
    Fuzz {
        /// For how long each.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// This target alone.
        #[arg(long)]
        target: Option<String>,
        #[command(flatten)]
        report: Report,
    },
    /// Run the benches and compare what they measure with their goals.
    Bench {
        /// Those alone whose name contains this.
        filter: Option<String>,
        #[command(flatten)]
        report: Report,
    },
    /// Run the client against a SMART server, check by check; `-- --help` shows the options.
    Conformance {
        /// Options of the suites.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Compare the public API of the libraries with its lists in docs/api.
    Api {
        /// Write the lists anew.
        #[arg(long)]
        write: bool,
    },
    /// Check that the libraries compile with each of their features alone, with none and with all.
    Features,
    /// Build the WebAssembly of smart-wasm and its npm package into target/web.
    Wasm,
    /// Build and test the bindings for Python and Kotlin, and write Swift's.
    Bindings,
    /// Build the book in docs, with an mdbook of its own.
    Docs,
    /// Show which lines the tests reach.
    Coverage {
        /// Write pages to target/llvm-cov instead of a table.
        #[arg(long)]
        html: bool,
    },
}

#[derive(Debug, Args)]
struct Report {
    /// Print one JSON object on the standard output; everything else goes to the standard error.
    #[arg(long)]
    json: bool,
}

impl Report {
    fn show(&self) -> Show {
        if self.json { Show::Stderr } else { Show::Stdout }
    }

    fn print(&self, summary: &Summary) -> bool {
        Show::Stdout.line(&if self.json { summary.json().to_string() } else { summary.table() });
        summary.is_ok()
    }
}

fn main() -> ExitCode {
    match done(Cli::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            Show::Stderr.line(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Does a task; `false` when something is not as it should be and has been told.
fn done(task: Task) -> Result<bool, TaskError> {
    let (root, show) = (workspace::root(), Show::Stdout);
    match task {
        Task::Ci(report) => Ok(report.print(&ci::ci(report.show()))),
        Task::Requirements { write, check } => requirements(write, check),
        Task::Fuzz { seconds, target, report } => {
            Ok(report.print(&fuzz::fuzz(&root, seconds, target.as_deref(), report.show())?))
        }
        Task::Bench { filter, report } => {
            let measured = bench::bench(&root, filter.as_deref(), report.show())?;
            Show::Stdout.line(&if report.json { measured.json().to_string() } else { measured.table() });
            Ok(measured.is_ok())
        }
        Task::Conformance { options } => conformance::run(&root, &options),
        Task::Api { write: true } => public_api::write(&root, show).map(|()| true),
        Task::Api { write: false } => {
            let problems = public_api::problems(&root, show)?;
            for problem in &problems {
                show.line(problem);
            }
            Ok(problems.is_empty())
        }
        Task::Features => features::check(&root, show).map(|()| true),
        Task::Wasm => {
            let built = wasm::build(&root, show);
            show.line(&built.remark);
            Ok(built.verdict == Verdict::Passed)
        }
        Task::Bindings => {
            let outcomes = [bindings::python_wheel(show), bindings::kotlin_and_swift(show)];
            for outcome in &outcomes {
                show.line(&outcome.remark);
            }
            Ok(outcomes.iter().all(|outcome| outcome.verdict != Verdict::Failed))
        }
        Task::Docs => book::build(&root, show).map(|()| true),
        Task::Coverage { html } => coverage::coverage(&root, html, show).map(|()| true),
    }
}

fn requirements(write: bool, check: bool) -> Result<bool, TaskError> {
    let (root, show) = (workspace::root(), Show::Stdout);
    if write {
        for path in Requirements::read(&root)?.write(&root)? {
            show.line(&format!("{path} written"));
        }
    }
    let requirements = Requirements::read(&root)?;
    let (problems, stale) = (requirements.problems(), requirements.stale());
    for problem in &problems {
        show.line(problem);
    }
    for (path, ids) in &stale {
        show.line(&format!("{path} is behind the tests at {}; --write brings it up to date", ids.join(", ")));
    }
    for table in requirements.progress() {
        let (shown, planned, rest) = (table.shown, table.planned, table.not_applicable);
        show.line(&format!("{}: {shown} shown by tests, {planned} planned, {rest} not applicable", table.path));
    }
    Ok(problems.is_empty() && (stale.is_empty() || !check))
}
