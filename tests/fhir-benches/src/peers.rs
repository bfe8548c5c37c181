//! FHIR clients of other languages: scripts beside the bench, installed from their registries on the way.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A client of another language.
pub struct Peer {
    /// The name of its package.
    pub name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Peer {
    /// How long one read takes, in seconds, over so many. `None`: it cannot be run here.
    pub fn seconds_of_a_read(&self, base: &str, count: u32) -> Option<f64> {
        let run = Command::new(&self.program)
            .args(&self.arguments)
            .args([base, &count.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .ok()?;
        let seconds: f64 = String::from_utf8_lossy(&run.stdout).trim().parse().ok()?;
        run.status.success().then_some(seconds / f64::from(count))
    }
}

/// The clients that can be run here: those for Node where node and npm are, those for Python where it is.
pub fn peers() -> Vec<Peer> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = own.join("target/peers");
    let scripts = own.join("peers");
    let mut peers = Vec::new();
    if install_for_node(&scripts, &place).is_some() {
        let script = place.join("reads.mjs").display().to_string();
        for name in ["fhirclient", "fhir-kit-client"] {
            peers.push(Peer { name, program: "node".into(), arguments: vec![script.clone(), name.to_owned()] });
        }
    }
    if let Some(program) = install_for_python(&scripts, &place) {
        let script = scripts.join("reads.py").display().to_string();
        peers.push(Peer { name: "fhirpy", program, arguments: vec![script] });
    }
    peers
}

fn succeeds(command: &mut Command) -> Option<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().ok()?;
    status.success().then_some(())
}

fn install_for_node(scripts: &Path, place: &Path) -> Option<()> {
    std::fs::create_dir_all(place).ok()?;
    for file in ["package.json", "package-lock.json", "reads.mjs"] {
        std::fs::copy(scripts.join(file), place.join(file)).ok()?;
    }
    if place.join("node_modules/fhirclient").exists() && place.join("node_modules/fhir-kit-client").exists() {
        return Some(());
    }
    succeeds(
        Command::new("npm")
            .args(["ci", "--legacy-peer-deps", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(place),
    )
}

/// Gives the interpreter that has the packages.
fn install_for_python(scripts: &Path, place: &Path) -> Option<PathBuf> {
    let venv = place.join("python");
    let python = venv.join("bin/python");
    if !python.exists() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let list = scripts.join("requirements.txt");
    succeeds(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(list))?;
    Some(python)
}
