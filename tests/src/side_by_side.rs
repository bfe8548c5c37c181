//! Measuring two things side by side: in turn, in small batches, so that both see the same machine at the same time.
//! Where the system tells it, the time of the processor counts, so that what else runs on the machine does not.
//!
//! Each row has a goal. A bench that misses one ends with a failure, and `cargo xtask bench` shows all rows in a table.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// When this variable is set each row is printed once more, as `row: ` and one JSON object, for programs.
pub const ROWS: &str = "SMART_BENCH_ROWS";

/// How long both sides run before they are measured, at least.
const WARM_UP: Duration = Duration::from_millis(200);
/// How long a batch takes at least.
const BATCH: Duration = Duration::from_micros(250);
/// How many pairs of batches are measured.
const PAIRS: usize = 2001;

/// The rows of one bench.
#[derive(Debug)]
pub struct SideBySide {
    bench: String,
    is_ok: bool,
}

/// What two sides take for one run each, in seconds, and how they compare.
#[derive(Debug, Clone, Copy)]
struct Measured {
    own: f64,
    peer: f64,
    /// The peer's time by ours, batch by batch: lower quartile, median, upper quartile.
    ratio: [f64; 3],
}

impl SideBySide {
    /// For the bench of this name.
    pub fn new(bench: &str) -> Self {
        Self { bench: bench.to_owned(), is_ok: true }
    }

    /// Our speed as a share of the peer's: 1 is as fast, 2 twice as fast. Without a goal the row is for information.
    pub fn ratio(&mut self, name: &str, reach: Option<f64>, own: impl FnMut(), peer: impl FnMut()) {
        let Measured { own, peer, ratio: [low, median, high] } = measure(own, peer);
        let remark = format!("{} against {}; half of all pairs {low:.3} to {high:.3}", time(own), time(peer));
        self.row(name, median, "x", reach, &remark);
    }

    /// How often a second our work is done, with its speed as a share of the peer's for information.
    pub fn rate(&mut self, name: &str, reach: Option<f64>, own: impl FnMut(), peer_name: &str, peer: impl FnMut()) {
        let Measured { own, peer, ratio: [_, median, _] } = measure(own, peer);
        let remark = format!("{}; {median:.3} x {peer_name} ({})", time(own), time(peer));
        self.row(name, own.recip(), "/s", reach, &remark);
    }

    /// What was measured elsewhere. Without a goal the row is for information.
    pub fn known(&mut self, name: &str, value: f64, unit: &str, reach: Option<f64>, remark: &str) {
        self.row(name, value, unit, reach, remark);
    }

    /// What has to be no more than `most`. The row shows what is left to it as a share: 1 is just enough.
    pub fn at_most(&mut self, name: &str, value: f64, unit: &str, most: f64, remark: &str) {
        let remark = format!("{value:.2} {unit} of {most:.2} {unit} at most; {remark}");
        self.row(&format!("{name}, the limit by it"), most / value, "x", Some(1.0), &remark);
    }

    /// Whether all goals were reached.
    pub fn finish(self) -> ExitCode {
        if self.is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn row(&mut self, name: &str, value: f64, unit: &str, reach: Option<f64>, remark: &str) {
        let is_ok = reach.is_none_or(|reach| value >= reach);
        self.is_ok &= is_ok;
        let digits = if unit == "x" { 3 } else { 0 };
        let mut line = format!("{}: {name}: {value:.digits$} {unit}", self.bench);
        if let Some(reach) = reach {
            let _ = write!(line, " (reach {reach:.digits$}: {})", if is_ok { "ok" } else { "MISSED" });
        }
        print(&format!("{line}  {remark}"));
        if std::env::var_os(ROWS).is_some() {
            let reach = reach.map_or_else(|| "null".to_owned(), |reach| reach.to_string());
            let [bench, name, unit, remark] = [&self.bench, name, unit, remark].map(quoted);
            print(&format!(
                r#"row: {{"bench":{bench},"name":{name},"value":{value},"unit":{unit},"reach":{reach},"ok":{is_ok},"remark":{remark}}}"#
            ));
        }
    }
}

/// A text that has neither quotes nor backslashes, as JSON.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\\'], "'"))
}

#[expect(clippy::print_stdout, reason = "a bench reports on the standard output")]
fn print(line: &str) {
    println!("{line}");
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.3} ms", s * 1e3),
    }
}

fn measure(mut own: impl FnMut(), mut peer: impl FnMut()) -> Measured {
    let (own_runs, peer_runs) = (runs_of_a_batch(&mut own), runs_of_a_batch(&mut peer));
    let start = now();
    while now().saturating_sub(start) < WARM_UP {
        batch(&mut own, own_runs);
        batch(&mut peer, peer_runs);
    }
    let (mut owns, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Who comes second may find warmer caches: so each does every other time.
        let (own, peer) = if pair % 2 == 0 {
            let own = batch(&mut own, own_runs);
            (own, batch(&mut peer, peer_runs))
        } else {
            let peer = batch(&mut peer, peer_runs);
            (batch(&mut own, own_runs), peer)
        };
        owns.push(own);
        peers.push(peer);
        ratios.push(peer / own);
    }
    let ratio = [0.25, 0.5, 0.75].map(|share| quantile(&mut ratios, share));
    Measured { own: quantile(&mut owns, 0.5), peer: quantile(&mut peers, 0.5), ratio }
}

fn runs_of_a_batch(work: &mut impl FnMut()) -> u32 {
    let mut runs = 1;
    while batch(work, runs) * f64::from(runs) < BATCH.as_secs_f64() && runs < 1 << 24 {
        runs *= 2;
    }
    runs
}

/// The seconds of one run, of many in a row.
fn batch(work: &mut impl FnMut(), runs: u32) -> f64 {
    let start = now();
    for _ in 0..runs {
        work();
    }
    now().saturating_sub(start).as_secs_f64() / f64::from(runs)
}

/// The time that this thread has run.
#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time since the first call.
#[cfg(not(unix))]
fn now() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few hundred values"
)]
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_found() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(
            [0.0, 0.5, 1.0].map(|share| quantile(&mut values, share).to_bits()),
            [1.0_f64, 3.0, 5.0].map(f64::to_bits)
        );
    }

    /// The quicker side has the greater speed, whichever it is.
    #[test]
    fn the_quicker_side_is_told() {
        let wait = |micros: u64| {
            move || {
                let start = now();
                while now().saturating_sub(start) < Duration::from_micros(micros) {}
            }
        };
        let Measured { own, peer, ratio: [_, median, _] } = measure(wait(40), wait(120));
        assert!(own < peer && (2.0..4.5).contains(&median), "{own} {peer} {median}");
    }

    #[test]
    fn a_goal_that_is_missed_fails_the_bench() {
        let mut rows = SideBySide::new("test");
        rows.row("a", 1.0, "x", Some(0.9), "");
        rows.row("b", 0.1, "x", None, "");
        assert!(rows.is_ok);
        rows.row("c", 0.89, "x", Some(0.9), "");
        assert!(!rows.is_ok);
    }
}
