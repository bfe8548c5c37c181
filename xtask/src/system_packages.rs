//! The few packages of the operating system that the build and the tests need.

use crate::error::TaskError;
use crate::run::{Show, run, succeeds};
use crate::summary::Outcome;
use std::io::IsTerminal as _;
use std::process::Command;

/// A package: Debian's name, what it is for, and how to see that it is there.
struct Package {
    debian: &'static str,
    purpose: &'static str,
    probe: &'static [&'static [&'static str]],
}

/// Whether the workspace's toolchain can compile for pages.
const HAS_WASM_TARGET: &[&str] =
    &["sh", "-c", "test -d \"$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown\""];

const PACKAGES: [Package; 18] = [
    Package { debian: "pkg-config", purpose: "finding OpenSSL", probe: &[&["pkg-config", "--version"]] },
    Package {
        debian: "libssl-dev",
        purpose: "the josekit backend of smart-jwt",
        probe: &[&["pkg-config", "--exists", "openssl"]],
    },
    Package {
        debian: "chromium",
        purpose: "the browser tests of the sandbox",
        probe: &[&["chromium", "--version"], &["google-chrome", "--version"]],
    },
    Package {
        debian: "chromium-driver",
        purpose: "the browser tests of the sandbox",
        probe: &[&["chromedriver", "--version"]],
    },
    Package {
        debian: "dbus",
        purpose: "the credential store tests of smart-store",
        probe: &[&["dbus-run-session", "--version"]],
    },
    Package {
        debian: "gnome-keyring",
        purpose: "the credential store tests of smart-store",
        probe: &[&["gnome-keyring-daemon", "--version"]],
    },
    // A toolchain with the target of its own needs no other.
    Package {
        debian: "rustc-web",
        purpose: "the WebAssembly of smart-wasm",
        probe: &[HAS_WASM_TARGET, &["dpkg", "-s", "rustc-web"]],
    },
    Package {
        debian: "cargo-web",
        purpose: "the WebAssembly of smart-wasm",
        probe: &[HAS_WASM_TARGET, &["dpkg", "-s", "cargo-web"]],
    },
    Package {
        debian: "rust-web-src",
        purpose: "the WebAssembly of smart-wasm",
        probe: &[HAS_WASM_TARGET, &["dpkg", "-s", "rust-web-src"]],
    },
    Package {
        debian: "clang",
        purpose: "the C code in the WebAssembly of smart-wasm",
        probe: &[&["clang", "--version"]],
    },
    // Debian keeps the server's programs out of the path, one folder for each version.
    Package {
        debian: "postgresql",
        purpose: "the PostgreSQL tests of smart-store",
        probe: &[&["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb"]],
    },
    Package {
        debian: "nodejs",
        purpose: "the conformance suites against oidc-provider",
        probe: &[&["node", "--version"]],
    },
    Package { debian: "npm", purpose: "the conformance suites against oidc-provider", probe: &[&["npm", "--version"]] },
    Package {
        debian: "python3-venv",
        purpose: "the S3 server of the tests of smart-cli, and the Python binding",
        probe: &[&["python3", "-c", "import ensurepip, venv"]],
    },
    Package {
        debian: "default-jre-headless",
        purpose: "the Kotlin binding on the JVM",
        probe: &[&["java", "-version"]],
    },
    Package {
        debian: "libjna-java",
        purpose: "the Kotlin binding on the JVM",
        probe: &[&["test", "-f", "/usr/share/java/jna.jar"]],
    },
    Package { debian: "curl", purpose: "the bench of bulk exports", probe: &[&["curl", "--version"]] },
    Package { debian: "jq", purpose: "the examples of the README", probe: &[&["jq", "--version"]] },
];

impl Package {
    fn is_here(&self) -> bool {
        self.probe
            .iter()
            .any(|probe| probe.split_first().is_some_and(|(program, arguments)| succeeds(program, arguments)))
    }
}

/// Installs what is missing where this is Debian and may install; elsewhere names it.
pub fn ensure(show: Show) -> Outcome {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !package.is_here()).collect();
    if missing.is_empty() {
        return Outcome::passed("all there");
    }
    let names: Vec<&str> = missing.iter().map(|package| package.debian).collect();
    let each = |package: &&Package| format!("{} (for {})", package.debian, package.purpose);
    let told = missing.iter().map(each).collect::<Vec<_>>().join(", ");
    if !succeeds("apt-get", &["--version"]) {
        return Outcome::skipped(&format!("missing: {told}; install them with this system's package manager"));
    }
    let Some(root) = way_to_root() else {
        let list = names.join(" ");
        return Outcome::skipped(&format!("missing: {told}; run `apt-get install {list}` as root"));
    };
    show.line(&format!("installing with apt-get: {told}"));
    match install(&root, &names, show) {
        Ok(()) => Outcome::passed(&format!("installed {}", names.join(", "))),
        Err(error) => Outcome::failed(&format!("{error}; missing: {told}")),
    }
}

/// What to put before a command that root must run; empty for root itself.
fn way_to_root() -> Option<Vec<&'static str>> {
    if succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return Some(Vec::new());
    }
    if succeeds("sudo", &["-n", "true"]) {
        return Some(vec!["sudo", "-n"]);
    }
    // Somebody who can type a password is asked for it.
    (std::io::stdin().is_terminal() && succeeds("sudo", &["-V"])).then(|| vec!["sudo"])
}

fn install(root: &[&str], names: &[&str], show: Show) -> Result<(), TaskError> {
    let as_root = |arguments: &[&str]| {
        let words = [root, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or("apt-get"));
        command.args(words);
        command
    };
    run(as_root(&["update", "--quiet"]), show, |_| ())?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    run(as_root(&[install.as_slice(), names].concat()), show, |_| ())
}
