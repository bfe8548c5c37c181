//! `cargo xtask bindings`: smart-ffi for other languages. The Python side as a wheel, tested against a sandbox; the Kotlin side compiled and
//! run on the JVM; the Swift side written. All of it lies below `target`.

use crate::error::TaskError;
use crate::python;
use crate::run::{Show, cargo, run, succeeds};
use crate::summary::Outcome;
use crate::workspace;
use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The versions are fixed, so that a check does not change from one day to the next.
const MATURIN: &str = "maturin==1.16.0";
const KOTLIN: &str = "kotlin-compiler@2.4.20";
/// Where Debian keeps JNA, and its native half.
const JNA: &str = "/usr/share/java/jna.jar";
const JNA_NATIVE: &str = "/usr/lib/x86_64-linux-gnu/jni";

/// Builds the wheel, and runs the Python tests and the example.
pub fn python_wheel(show: Show) -> Outcome {
    match python_steps(&workspace::root(), show) {
        Ok(()) => Outcome::passed("wheel built, tests and example run"),
        Err(error) => Outcome::failed(&error.to_string()),
    }
}

/// Writes the Kotlin and the Swift side, and compiles and runs Kotlin's. After [`python_wheel`], which builds the library.
pub fn kotlin_and_swift(show: Show) -> Outcome {
    let root = workspace::root();
    let written = write(&root, "swift", show).and_then(|()| write(&root, "kotlin", show));
    if let Err(error) = written {
        return Outcome::failed(&error.to_string());
    }
    let is_here = succeeds("java", &["-version"]) && succeeds("npm", &["--version"]) && Path::new(JNA).is_file();
    if !is_here && std::env::var_os("CI").is_none() {
        return Outcome::skipped("both written; Kotlin's not run, as java, npm or libjna-java is missing");
    }
    match kotlin_steps(&root, show) {
        Ok(()) => Outcome::passed("Kotlin's compiled and run; Swift's written, and not compiled"),
        Err(error) => Outcome::failed(&error.to_string()),
    }
}

fn crate_folder(root: &Path) -> PathBuf {
    root.join("crates/smart-ffi")
}

/// The library that the wheel has.
fn library(root: &Path) -> PathBuf {
    root.join("target/debug/libsmart_ffi.so")
}

fn python_steps(root: &Path, show: Show) -> Result<(), TaskError> {
    let environment = root.join("target/python");
    let program = |name: &str| environment.join("bin").join(name);
    if !succeeds(&program("maturin").to_string_lossy(), &["--version"]) {
        python::environment(&environment, MATURIN, show)?;
    }
    let mut bindgen = cargo();
    bindgen.args(["build", "--locked", "--manifest-path"]).arg(crate_folder(root).join("bindgen/Cargo.toml"));
    bindgen.arg("--target-dir").arg(root.join("target/bindgen"));
    run(bindgen, show, |_| ())?;
    let wheels = root.join("target/python/wheels");
    if wheels.is_dir() {
        std::fs::remove_dir_all(&wheels).map_err(TaskError::file(&wheels))?;
    }
    let mut wheel = Command::new(program("maturin"));
    wheel.args(["build", "--profile", "dev", "--auditwheel", "skip", "--out"]).arg(&wheels);
    wheel.current_dir(crate_folder(root)).env("CARGO_TARGET_DIR", root.join("target"));
    wheel.env("PATH", path_with(&root.join("target/bindgen/debug")));
    run(wheel, show, |_| ())?;
    let wheel = ["--no-index", "--force-reinstall", "--find-links"].map(AsRef::as_ref);
    python::install(
        &environment,
        &[wheel.as_slice(), &[wheels.as_ref(), "smart-on-fhir-client".as_ref()]].concat(),
        show,
    )?;
    let smart = smart(root, show)?;
    for arguments in [["-m", "unittest"].as_slice(), &["example.py"]] {
        let mut python = Command::new(program("python"));
        python.args(arguments).current_dir(crate_folder(root).join("python")).env("SMART", &smart);
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        run(python, show, |_| ())?;
    }
    Ok(())
}

/// The command, which is the sandbox and the person of the tests: the one that the tests of the workspace have built, or a new one where there
/// is none. To build it anew with other features than theirs would take a minute.
fn smart(root: &Path, show: Show) -> Result<PathBuf, TaskError> {
    let program = root.join("target/debug/smart");
    if !program.is_file() {
        let mut build = cargo();
        build.args(["build", "--locked", "-p", "smart-cli"]);
        run(build, show, |_| ())?;
    }
    Ok(program)
}

fn write(root: &Path, language: &str, show: Show) -> Result<(), TaskError> {
    let mut bindgen = Command::new(root.join("target/bindgen/debug/uniffi-bindgen"));
    bindgen.args(["generate", "--no-format", "--language", language, "--out-dir"]);
    bindgen.arg(root.join("target/bindings").join(language)).arg(library(root)).current_dir(crate_folder(root));
    run(bindgen, show, |_| ())
}

fn kotlin_steps(root: &Path, show: Show) -> Result<(), TaskError> {
    let folder = root.join("target/kotlin");
    let jars = folder.join("node_modules/kotlin-compiler/lib");
    if !jars.is_dir() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix"]).arg(&folder);
        npm.arg(KOTLIN);
        run(npm, show, |_| ())?;
    }
    let jar = |name: &str| jars.join(name);
    let libraries = [jar("kotlin-stdlib.jar"), jar("kotlinx-coroutines-core-jvm.jar"), PathBuf::from(JNA)];
    let compiler = ["kotlin-compiler.jar", "kotlin-script-runtime.jar", "kotlin-reflect.jar", "annotations-13.0.jar"];
    let classes = folder.join("classes");
    let mut compile = Command::new("java");
    compile.args(["-Xmx1500m", "-cp"]).arg(class_path(compiler.into_iter().map(jar).chain(libraries.clone())));
    compile.arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
    compile.args(["-no-stdlib", "-no-reflect", "-nowarn", "-jvm-target", "17", "-classpath"]);
    compile.arg(class_path(libraries.clone())).arg("-d").arg(&classes);
    compile.arg(root.join("target/bindings/kotlin/org/smart_on_fhir/smart_on_fhir.kt"));
    compile.arg(crate_folder(root).join("kotlin/Launch.kt"));
    run(compile, show, |_| ())?;
    let smart = smart(root, show)?;
    let sandbox = Sandbox::start(&smart)?;
    let mut launch = Command::new("java");
    let folder_of_library = library(root).parent().map(Path::to_path_buf).unwrap_or_default();
    launch.arg(format!("-Djna.library.path={}", folder_of_library.display()));
    launch.arg(format!("-Djna.boot.library.path={JNA_NATIVE}"));
    launch.arg("-cp").arg(class_path(libraries.into_iter().chain([classes]))).arg("LaunchKt");
    launch.arg(&smart).arg(&sandbox.fhir_base);
    run(launch, show, |_| ())
}

fn class_path(parts: impl IntoIterator<Item = PathBuf>) -> OsString {
    std::env::join_paths(parts).unwrap_or_default()
}

fn path_with(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// A sandbox on a free port, until it is dropped. What it writes on goes through the pipe, which stays open: it ends when that is closed.
struct Sandbox {
    process: Child,
    fhir_base: String,
    _written: Option<BufReader<ChildStdout>>,
}

impl Sandbox {
    fn start(smart: &Path) -> Result<Self, TaskError> {
        let mut command = Command::new(smart);
        command.args(["--json", "sandbox", "--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let started = |source| TaskError::Start { program: "smart sandbox".to_owned(), source };
        let mut process = command.spawn().map_err(started)?;
        let mut written = process.stdout.take().map(BufReader::new);
        let mut fhir_base = String::new();
        for line in written.as_mut().into_iter().flat_map(std::io::BufRead::lines).map_while(Result::ok) {
            if let Some(value) = line.trim().strip_prefix("\"fhir_base\": \"") {
                value.trim_end_matches([',', '"']).clone_into(&mut fhir_base);
            }
            if line == "}" {
                break;
            }
        }
        let sandbox = Self { process, fhir_base, _written: written };
        if sandbox.fhir_base.is_empty() {
            return Err(TaskError::Failed { command: "smart sandbox".to_owned() });
        }
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
