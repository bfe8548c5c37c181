//! What is sent, from a file or from standard input.

use crate::api::RawResource;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// The most that is read, in octets.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The octets of a file, or of standard input for `-` and where there is none.
///
/// # Errors
/// Usage, when it cannot be read, is empty or too large.
pub(crate) fn read(file: Option<&Path>) -> Result<Vec<u8>, CliError> {
    let named = file.filter(|file| file.as_os_str() != "-");
    let (name, source): (String, std::io::Result<Box<dyn Read>>) = match named {
        Some(file) => (file.display().to_string(), std::fs::File::open(file).map(|file| Box::new(file) as _)),
        None => ("standard input".to_owned(), Ok(Box::new(std::io::stdin().lock()))),
    };
    let failed = |reason: String| {
        CliError::new(ExitCode::Usage, format!("{name} cannot be read: {reason}"))
            .with_next_step("Give a file with the JSON to send, or pass it on standard input.")
    };
    let mut octets = Vec::new();
    let read = source.and_then(|source| source.take(LARGEST + 1).read_to_end(&mut octets));
    read.map_err(|error| failed(error.to_string()))?;
    if octets.len() as u64 > LARGEST {
        return Err(failed(format!("it is longer than {LARGEST} octets")));
    }
    if octets.trim_ascii().is_empty() {
        return Err(failed("it is empty".to_owned()));
    }
    Ok(octets)
}

/// The resource in a file or on standard input, in its own octets.
///
/// # Errors
/// As for [`read`], and usage, when it is no resource.
pub(crate) fn resource(file: Option<&Path>) -> Result<RawResource, CliError> {
    Ok(RawResource::parse(read(file)?)?)
}

/// The JSON in a file or on standard input.
///
/// # Errors
/// As for [`read`], and usage, when it is no JSON.
pub(crate) fn json(file: Option<&Path>) -> Result<Value, CliError> {
    serde_json::from_slice(&read(file)?).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        CliError::new(ExitCode::Usage, format!("what is to be sent is no JSON (line {line}, column {column})"))
    })
}
