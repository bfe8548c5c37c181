//! Reads over a kept-alive connection: what smart-fhir takes beside hyper alone and reqwest.

use smart_fhir_benches::clients::{Read, client};
use smart_fhir_benches::instructions::{READ, of_a_read};
use smart_fhir_benches::peers::peers;
use smart_fhir_benches::server::{SERVE, Server, serve};
use smart_tests::side_by_side::SideBySide;
use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// What smart-fhir may take, in instructions of hyper alone.
const MOST: f64 = 1.15;
/// How many reads a client of another language does, and how many ours before and after it.
const PEER_READS: u32 = 1_000;
const OWN_READS: u32 = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [SERVE] => serve().map(|()| ExitCode::SUCCESS).map_err(Into::into),
        [READ, name, count, base] => read(name, count, base),
        _ => measure(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn read(name: &str, count: &str, base: &str) -> Result<ExitCode, Box<dyn Error>> {
    let client = client(name, base)?;
    for _ in 0..count.parse::<u32>()? {
        black_box(client.read()?);
    }
    Ok(ExitCode::SUCCESS)
}

/// How long one read takes by the clock, in seconds.
fn seconds_of_a_read(client: &dyn Read) -> Result<f64, Box<dyn Error>> {
    let begin = Instant::now();
    for _ in 0..OWN_READS {
        black_box(client.read()?);
    }
    Ok(begin.elapsed().as_secs_f64() / f64::from(OWN_READS))
}

fn measure() -> Result<ExitCode, Box<dyn Error>> {
    let server = Server::start()?;
    let once = |client: &dyn Read| drop(black_box(client.read()));
    let [own, hyper, reqwest] = ["own", "hyper", "reqwest"].map(|name| client(name, &server.base));
    let (own, hyper, reqwest) = (own?, hyper?, reqwest?);
    let expected = hyper.read()?;
    for client in [&own, &reqwest] {
        if client.read()? != expected {
            return Err("the clients do not read the same".into());
        }
    }
    let mut rows = SideBySide::new("FHIR reads");
    rows.ratio("a read by reqwest's", Some(1.0), || once(&*own), || once(&*reqwest));
    rows.ratio("a read by hyper's alone, time of the processor", None, || once(&*own), || once(&*hyper));
    match (of_a_read("own", &server.base), of_a_read("hyper", &server.base)) {
        (Some(own), Some(hyper)) => {
            let remark = format!("{own:.0} against {hyper:.0} instructions");
            rows.known("instructions of hyper alone by ours", hyper / own, "x", Some(1.0 / MOST), &remark);
        }
        _ => eprintln!("no instructions were counted: valgrind is not there"),
    }
    for peer in peers() {
        // Before and after, so that what else runs on the machine touches both.
        let before = seconds_of_a_read(&*own)?;
        let Some(theirs) = peer.seconds_of_a_read(&server.base, PEER_READS) else {
            eprintln!("{} did not run", peer.name);
            continue;
        };
        let ours = f64::midpoint(before, seconds_of_a_read(&*own)?);
        let remark = format!("{:.0} us against {:.0} us a read, one after the other", ours * 1e6, theirs * 1e6);
        rows.known(&format!("a read by {}'s", peer.name), theirs / ours, "x", Some(1.0), &remark);
    }
    Ok(rows.finish())
}
