//! Counting instructions, where valgrind is there.

use std::process::{Command, Stdio};

/// The argument that makes the bench a client that reads so many times: `read CLIENT COUNT BASE`.
pub const READ: &str = "read";

/// The instructions that one read of a client takes in its own process, the kernel's left out. Two runs of different
/// lengths are compared, so that what happens once is not in it. `None`: valgrind is not there, or does not run this.
pub fn of_a_read(client: &str, base: &str) -> Option<f64> {
    let (few, many) = (200, 1_200);
    let counted = of_a_run(client, few, base)?;
    let more = of_a_run(client, many, base)?;
    Some((more - counted) / f64::from(many - few))
}

fn of_a_run(client: &str, count: u32, base: &str) -> Option<f64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args([READ, client, &count.to_string(), base])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&run.stderr);
    let collected = told.lines().find_map(|line| line.split("Collected :").nth(1))?;
    run.status.success().then_some(collected.trim().parse().ok()?)
}
