//! `smart jwks`: the public keys of a client, for its registration.

use crate::api::{Jwk, Jwks};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::key_file::public_keys;
use crate::output::{Output, print_json, print_lines, tell};
use crate::private_file::publish;
use crate::table::{Align, Table};
use crate::text::json_for_terminal;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Print the public keys of key files as one JWK set, for the registration of a client
///
/// Private members are never in it. A file may hold a private key (PEM or JWK), a public JWK, or a set of either. The thumbprints are
/// told on standard error.
#[derive(Debug, Args)]
pub(crate) struct JwksCommand {
    /// The key files; keys that sign, that will, and that did a short while ago
    #[arg(required = true, value_name = "KEYFILE")]
    files: Vec<PathBuf>,

    /// The id of the key, for a single file without one
    #[arg(long, value_name = "ID")]
    kid: Option<String>,

    /// Write the set to this file, in place of the one that there may be
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl JwksCommand {
    /// Prints the set.
    pub(crate) fn run(self, output: &Output) -> Result<(), CliError> {
        if self.kid.is_some() && self.files.len() > 1 {
            return Err(CliError::new(ExitCode::Usage, "--kid names one key, and several files are given")
                .with_next_step("Give the files one by one, or keep the keys as JWKs, which hold their ids."));
        }
        let mut keys: Vec<(PathBuf, Jwk)> = Vec::new();
        for file in &self.files {
            keys.extend(public_keys(file, self.kid.as_deref())?.into_iter().map(|key| (file.clone(), key)));
        }
        let set = Jwks::from_keys(keys.iter().map(|(_, key)| key.clone()).collect())
            .map_err(|error| {
                CliError::new(ExitCode::Usage, error.to_string())
                    .with_next_step("Give each key an id of its own, or leave one of the files out.")
            })?
            .to_json();
        let text = format!("{set:#}");
        if let Some(out) = &self.out {
            publish(out, &format!("{text}\n"))?;
        }
        if output.json {
            let told: Vec<Value> = keys.iter().map(|(file, key)| told(file, key)).collect();
            let out = self.out.as_ref().map(|out| out.display().to_string());
            return print_json(&json!({"jwks": set, "keys": told, "out": out}));
        }
        let mut table = Table::new(&[("Key", Align::Left), ("Algorithm", Align::Left), ("Thumbprint", Align::Left)]);
        for (_, key) in &keys {
            table.row([key.kid().unwrap_or_default(), key.alg().unwrap_or("any"), &key.thumbprint()]);
        }
        let style = &output.error_style;
        table.lines(style.characters, style.width).iter().for_each(|line| tell(line));
        match &self.out {
            Some(out) => {
                output.note(&format!("The set is in {}.", out.display()));
                Ok(())
            }
            None => print_lines([json_for_terminal(&text)]),
        }
    }
}

fn told(file: &std::path::Path, key: &Jwk) -> Value {
    json!({
        "file": file.display().to_string(),
        "kid": key.kid(),
        "algorithm": key.alg(),
        "thumbprint": key.thumbprint(),
    })
}
