//! `cargo xtask ci`: everything that has to be right before a change goes in.

use crate::error::TaskError;
use crate::requirements::Requirements;
use crate::run::{Show, cargo, run};
use crate::summary::{Outcome, Step, Summary};
use crate::{
    bindings, cargo_deny, features, layers, metadata, nextest, public_api, s3_server, system_packages, wasm, workspace,
};
use std::path::Path;
use std::time::Instant;

/// The whole workspace.
const ALL: [&str; 4] = [workspace::ALL[0], workspace::ALL[1], workspace::ALL[2], "--locked"];
/// The selection of smart-jwt with its other backend.
const RING: [&str; 6] = ["-p", "smart-jwt", "--no-default-features", "--features", "ring", "--locked"];

/// Does all steps, one after the other, also after one has failed.
pub fn ci(show: Show) -> Summary {
    let root = workspace::root();
    let has_nextest = nextest::is_here();
    let mut ci = Ci { show, summary: Summary::default() };
    ci.step("system packages", system_packages::ensure);
    ci.step("S3 server", s3_server::ensure);
    ci.cargo("format", &["fmt", "--all", "--check"]);
    ci.cargo("clippy", &[&["clippy", "--all-targets"], ALL.as_slice(), &["--", "-D", "warnings"]].concat());
    ci.cargo("clippy, ring", &[&["clippy", "--all-targets"], RING.as_slice(), &["--", "-D", "warnings"]].concat());
    // Before the tests: those in a browser load what it builds.
    ci.step("wasm", |show| wasm::build(&root, show));
    ci.tests("tests", &ALL, has_nextest);
    ci.tests("tests, ring", &RING, has_nextest);
    ci.cargo("doc tests", &[["test", "--doc"].as_slice(), &ALL].concat());
    ci.step("Python binding", bindings::python_wheel);
    ci.step("Kotlin and Swift bindings", bindings::kotlin_and_swift);
    ci.step("rustdoc", |show| {
        let mut command = cargo();
        command.args(["doc", "--no-deps"]).args(ALL).env("RUSTDOCFLAGS", "-D warnings");
        Outcome::of(run(command, show, |_| ()))
    });
    ci.step("public API", |show| match public_api::problems(&root, show) {
        Ok(problems) => told(&problems, "as docs/api has it", show),
        Err(error) => Outcome::failed(&error.to_string()),
    });
    ci.step("features", |show| match features::check(&root, show) {
        Ok(()) => Outcome::passed("each by itself, none, all"),
        Err(error) => Outcome::failed(&error.to_string()),
    });
    ci.step("cargo deny", cargo_deny::check);
    ci.step("layers", |show| match metadata::read(&root) {
        Ok(metadata) => told(&layers::problems(&metadata), "no arrow runs upward", show),
        Err(error) => Outcome::failed(&error.to_string()),
    });
    ci.step("requirements", |show| match requirements(&root, has_nextest) {
        Ok((problems, remark)) => told(&problems, &remark, show),
        Err(error) => Outcome::failed(&error.to_string()),
    });
    ci.summary
}

fn told(problems: &[String], remark: &str, show: Show) -> Outcome {
    for problem in problems {
        show.line(problem);
    }
    Outcome::of_problems(problems, remark)
}

/// The problems of the tables, and a remark for when there are none.
fn requirements(root: &Path, has_nextest: bool) -> Result<(Vec<String>, String), TaskError> {
    let requirements = Requirements::read(root)?;
    let mut problems = requirements.problems();
    for (path, ids) in requirements.stale() {
        let ids = ids.join(", ");
        problems.push(format!("{path} is behind the tests at {ids}: run `cargo xtask requirements --write`"));
    }
    let progress: Vec<String> = requirements
        .progress()
        .iter()
        .map(|table| {
            let file = Path::new(table.path).file_stem().unwrap_or_default().to_string_lossy();
            format!("{file}: {} shown, {} planned, {} n/a", table.shown, table.planned, table.not_applicable)
        })
        .collect();
    let mut remark = progress.join("; ");
    if has_nextest {
        let mut compiled = nextest::list(root, &ALL)?;
        compiled.extend(nextest::list(root, &RING)?);
        let missing = requirements.not_compiled(&compiled);
        problems.extend(missing.into_iter().map(|name| format!("{name} is in a table but in no test binary")));
    } else {
        remark.push_str("; names not compared with the test binaries, as nextest is not here");
    }
    Ok((problems, remark))
}

struct Ci {
    show: Show,
    summary: Summary,
}

impl Ci {
    fn step(&mut self, name: &str, work: impl FnOnce(Show) -> Outcome) {
        self.show.line(&format!("\n==> {name}"));
        let start = Instant::now();
        let outcome = work(self.show);
        self.summary.steps.push(Step { name: name.to_owned(), outcome, took: start.elapsed() });
    }

    /// A cargo command; the tests that it reports are counted.
    fn cargo(&mut self, name: &str, arguments: &[&str]) {
        self.step(name, |show| {
            let mut command = cargo();
            command.args(arguments);
            let mut tests = crate::test_counts::TestCounts::default();
            let result = run(command, show, |line| tests.look(line));
            Outcome { tests, ..Outcome::of(result) }
        });
    }

    fn tests(&mut self, name: &str, selection: &[&str], has_nextest: bool) {
        let quiet = ["--no-fail-fast", "--status-level", "fail", "--final-status-level", "fail"];
        if has_nextest {
            self.cargo(name, &[["nextest", "run"].as_slice(), &quiet, selection].concat());
        } else {
            self.cargo(name, &[["test", "--tests", "--no-fail-fast"].as_slice(), selection].concat());
        }
    }
}
