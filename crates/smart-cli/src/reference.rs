//! The reference in the documents is that of the command.

use crate::args::Args;
use crate::exit_code::ExitCode;
use clap::CommandFactory as _;
use std::collections::{BTreeMap, BTreeSet};

/// The sections of the reference by their headings.
fn sections() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/cli.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        if let Some(next) = line.strip_prefix("## ") {
            next.trim_matches('`').clone_into(&mut heading);
        } else {
            let section: &mut String = sections.entry(heading.clone()).or_default();
            section.push_str(line);
            section.push('\n');
        }
    }
    sections
}

/// What the first cells of a section's tables name, up to the first blank.
fn first_cells(section: &str, beginning: &str) -> BTreeSet<String> {
    let cell = |line: &str| {
        let rest = line.strip_prefix("| `")?.split('`').next()?.split(' ').next()?.to_owned();
        rest.starts_with(beginning).then_some(rest)
    };
    section.lines().filter_map(cell).collect()
}

/// The commands without commands below them, and those that do something by themselves too.
fn commands(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let path = format!("{path} {}", below.get_name());
        if !below.has_subcommands() || !below.is_subcommand_required_set() {
            found.push((path.clone(), below.clone()));
        }
        commands(below, &path, found);
    }
}

/// The long options of a command, by name.
fn options(command: &clap::Command) -> BTreeSet<String> {
    command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect()
}

/// The reference has each command of the help and no other, with each of its options and no other.
#[test]
fn every_command_and_option_is_in_the_reference() {
    let sections = sections();
    let mut root = Args::command();
    root.build();
    let mut all = Vec::new();
    commands(&root, "smart", &mut all);
    let documented: BTreeSet<&str> =
        sections.keys().map(String::as_str).filter(|heading| heading.starts_with("smart ")).collect();
    assert_eq!(documented, all.iter().map(|(path, _)| path.as_str()).collect::<BTreeSet<_>>());

    let common = first_cells(&sections["Options of all commands"], "--");
    let kept = first_cells(&sections["Where sessions and events go"], "--");
    for (path, command) in &all {
        let mut own = options(command);
        own.retain(|option| !common.contains(option) && !kept.contains(option));
        assert_eq!(first_cells(&sections[path], "--"), own, "{path}");
        assert!(common.is_subset(&options(command)), "{path}: {common:?}");
    }
}

/// The reference says what each exit code means, in the order of the numbers.
#[test]
fn every_exit_code_is_in_the_reference() {
    let rows: Vec<String> = sections()["Exit codes"]
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| c"))
        .map(str::to_owned)
        .collect();
    let expected: Vec<String> = ExitCode::ALL
        .iter()
        .map(|code| format!("| {} | `{}` | {} |", code.number(), code.name(), code.meaning()))
        .collect();
    assert_eq!(rows, expected);
}

/// The reference names every variable that the command heeds, and no other of its own.
#[test]
fn every_variable_is_in_the_reference() {
    fn variables(command: &clap::Command, found: &mut BTreeSet<String>) {
        found.extend(command.get_arguments().filter_map(|a| a.get_env()?.to_str().map(str::to_owned)));
        command.get_subcommands().for_each(|below| variables(below, found));
    }
    let mut known = BTreeSet::from([crate::registration::SECRET_VARIABLE, "SMART_PASSPHRASE"].map(str::to_owned));
    variables(&Args::command(), &mut known);
    assert_eq!(first_cells(&sections()["Variables"], "SMART_"), known);
}
