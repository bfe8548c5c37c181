//! A bulk export of 8 files over loopback to disk: against curl, which downloads the same files in parallel in the same run, and its
//! memory, for files of two sizes.
//!
//! The server and each export are processes of their own: what they need is told apart. `SMART_BENCH_MIB` is how large the files of
//! the comparison are together; 512 MiB unless said otherwise.

#![allow(clippy::print_stdout, reason = "the processes of a bench tell each other on the standard output")]

use smart_core::fhir_base::FhirBaseUrl;
use smart_core::profile::ServerKind;
use smart_core::url_policy::UrlPolicy;
use smart_fhir::FhirClient;
use smart_fhir::bulk::download::{Destination, DownloadOptions};
use smart_fhir::bulk::{BulkClient, ExportRequest, Manifest};
use smart_http::{HttpClient, HyperTransport, NoAuthorization};
use smart_sandbox::{BulkConfig, BulkMode, Sandbox, SandboxConfig};
use smart_tests::side_by_side::SideBySide;
use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

const FILES: u32 = 8;
const ROUNDS: usize = 5;
/// What the process may need, in MiB.
const MEMORY: f64 = 64.0;
/// How much more memory the larger files may take: what differs from run to run.
const FLAT: f64 = 1.25;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", size] => serve(size),
        ["export", base, place] => export(base, place),
        _ => return compare().unwrap_or_else(|error| failed(error.as_ref())),
    };
    done.map_or_else(|error| failed(error.as_ref()), |()| ExitCode::SUCCESS)
}

#[expect(clippy::print_stderr, reason = "a bench reports there")]
fn failed(error: &dyn Error) -> ExitCode {
    eprintln!("bulk export: {error}");
    ExitCode::FAILURE
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The server: tells its FHIR base, and serves until it is killed.
fn serve(size: &str) -> Outcome<()> {
    let bulk = BulkConfig { files: FILES, file_size: size.parse()?, ..BulkConfig::default() };
    let bulk = bulk.with_modes([BulkMode::OtherOrigin]);
    runtime()?.block_on(async {
        let sandbox = Sandbox::start(SandboxConfig { bulk, ..SandboxConfig::like(ServerKind::Hapi) }).await?;
        println!("{}", sandbox.fhir_base());
        std::future::pending::<()>().await;
        Ok(())
    })
}

fn client(base: &str) -> Outcome<BulkClient> {
    let base = FhirBaseUrl::parse_with(base, UrlPolicy::AllowLoopbackHttp)?;
    Ok(FhirClient::new(base, HttpClient::new(HyperTransport::new()), Arc::new(NoAuthorization)).bulk())
}

/// An export: tells how long the download took, in seconds, and the most memory that the process had, in MiB.
fn export(base: &str, place: &str) -> Outcome<()> {
    let (seconds, octets) = runtime()?.block_on(async {
        let job = client(base)?.start(ExportRequest::system()).await?;
        job.wait().await?;
        let begun = Instant::now();
        let options = DownloadOptions::default().parallel(usize::try_from(FILES)?);
        let report = job.download(&Destination::folder(place), options).await?;
        Outcome::Ok((begun.elapsed().as_secs_f64(), report.octets()))
    })?;
    println!("{seconds} {} {octets}", peak_memory()?);
    Ok(())
}

/// `VmHWM` of this process, in MiB.
fn peak_memory() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system tells no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// A server that ends with its value.
struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(file_size: u64) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(["serve", &file_size.to_string()]).stdout(Stdio::piped()).spawn()?;
        let mut base = String::new();
        let stdout = child.stdout.take().ok_or("the server has no standard output")?;
        BufReader::new(stdout).read_line(&mut base)?;
        Ok(Self { child, base: base.trim().to_owned() })
    }

    /// Seconds, MiB and octets of an export in a process of its own.
    fn export(&self, place: &Path) -> Outcome<(f64, f64, f64)> {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.arg("export").arg(&self.base).arg(place).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        match numbers.as_slice() {
            [seconds, memory, octets] => Ok((*seconds, *memory, *octets)),
            _ => Err("the export did not end well".into()),
        }
    }

    fn manifest(&self) -> Outcome<Vec<Manifest>> {
        runtime()?.block_on(async { Ok(client(&self.base)?.start(ExportRequest::system()).await?.wait().await?) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is this bench's own process; one that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Downloads the files with curl, all at once, and gives the seconds that it takes until it ends, and until the files are on the disk
/// as ours are.
fn curl(manifests: &[Manifest], place: &Path) -> Outcome<(f64, f64)> {
    std::fs::create_dir_all(place)?;
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--parallel", "--parallel-immediate", "--parallel-max", &FILES.to_string()]);
    for (number, file) in manifests.iter().flat_map(Manifest::output).enumerate() {
        command.arg(file.url.as_str()).arg("--output").arg(place.join(number.to_string()));
    }
    let begun = Instant::now();
    // What it says there is its progress.
    if !command.stderr(Stdio::null()).status()?.success() {
        return Err("curl failed".into());
    }
    let ended = begun.elapsed().as_secs_f64();
    for entry in std::fs::read_dir(place)? {
        std::fs::File::open(entry?.path())?.sync_all()?;
    }
    Ok((ended, begun.elapsed().as_secs_f64()))
}

fn compare() -> Outcome<ExitCode> {
    let mib: u64 = std::env::var("SMART_BENCH_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(512);
    let small_size = mib * 1024 * 1024 / 8 / u64::from(FILES);
    let (large, small) = (Server::start(small_size * 8)?, Server::start(small_size)?);
    // On the disk that the build is on: `/tmp` may be in memory.
    let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(place)?;
    let folder = tempfile::tempdir_in(place)?;
    let manifests = large.manifest()?;
    let (mut ours, mut theirs, mut unflushed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut least, mut octets) = (0.0_f64, 0.0_f64, 0.0);
    for round in 0..ROUNDS {
        let (own, peer) = (folder.path().join("own"), folder.path().join("curl"));
        // Who comes second may find the disk busier: so each does every other time.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                let (seconds, most, all) = large.export(&own)?;
                (memory, octets) = (memory.max(most), all);
                ours.push(seconds);
            } else {
                let (ended, flushed) = curl(&manifests, &peer)?;
                unflushed.push(ended);
                theirs.push(flushed);
            }
        }
        std::fs::remove_dir_all(&own)?;
        std::fs::remove_dir_all(&peer)?;
        let (_, most, _) = small.export(&own)?;
        least = least.max(most);
        std::fs::remove_dir_all(&own)?;
    }
    let (own, peer) = (median(&mut ours), median(&mut theirs));
    let rate = |seconds: f64| octets / seconds / 1024.0 / 1024.0;
    let mut rows = SideBySide::new("bulk export");
    let remark = format!(
        "{:.0} MiB/s against {:.0} MiB/s, {FILES} files of {} MiB",
        rate(own),
        rate(peer),
        mib / u64::from(FILES)
    );
    rows.known("by parallel curl, files on the disk", peer / own, "x", Some(0.9), &remark);
    let peer = median(&mut unflushed);
    let remark = format!("{:.0} MiB/s; curl leaves the files in memory", rate(peer));
    rows.known("the same, curl not flushing", peer / own, "x", None, &remark);
    rows.at_most("peak memory", memory, "MiB", MEMORY, "of the process (VmHWM)");
    rows.at_most(
        "its growth with files 8 times as large",
        memory / least,
        "x",
        FLAT,
        &format!("{least:.0} MiB for the small files"),
    );
    Ok(rows.finish())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
