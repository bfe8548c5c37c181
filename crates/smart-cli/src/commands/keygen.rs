//! `smart keygen`: a key for a client.

use crate::api::{KeyError, KeyKind, SigningKey};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::output::{Output, print_json, print_lines};
use crate::private_file;
use crate::text::json_for_terminal;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Make a private key for a client that signs assertions, and print its public half
///
/// The file is yours alone (0600). The public half is for the registration at the server: `smart jwks` prints it again, as a set.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The kind of key; SMART names ec-p384 (ES384) and RSA (RS384)
    #[arg(long, value_enum, default_value_t = Kind::EcP384)]
    kind: Kind,

    /// The file for the private key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The key's id [default: its thumbprint]
    #[arg(long, value_name = "ID")]
    kid: Option<String>,

    /// Write the private key as a JWK, which keeps its id and algorithm, in place of PEM
    #[arg(long)]
    jwk: bool,

    /// Replace the file if there is one: the key in it is lost
    #[arg(long)]
    force: bool,
}

/// What kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    EcP384,
    EcP256,
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
}

impl Kind {
    fn of_key(self) -> KeyKind {
        match self {
            Self::EcP384 => KeyKind::EcP384,
            Self::EcP256 => KeyKind::EcP256,
            Self::Rsa2048 => KeyKind::Rsa2048,
            Self::Rsa3072 => KeyKind::Rsa3072,
            Self::Rsa4096 => KeyKind::Rsa4096,
        }
    }
}

impl Keygen {
    /// Makes the key.
    pub(crate) fn run(self, output: &Output) -> Result<(), CliError> {
        let key = self.key().map_err(|error| {
            let code = if matches!(error, KeyError::Member { .. }) { ExitCode::Usage } else { ExitCode::Internal };
            CliError::new(code, format!("no key was made: {error}"))
        })?;
        if self.jwk {
            private_file::write(&self.out, key.to_jwk().expose_secret(), self.force)?;
        } else {
            private_file::write(&self.out, key.to_pem().expose_secret(), self.force)?;
        }
        let public = key.public_jwk();
        if output.json {
            return print_json(&json!({
                "private_key": self.out.display().to_string(),
                "form": if self.jwk { "jwk" } else { "pem" },
                "algorithm": key.algorithm().as_str(),
                "kid": key.key_id(),
                "thumbprint": public.thumbprint(),
                "public_jwk": public.to_json(),
            }));
        }
        output.note(&format!("The private key is in {}; keep it to yourself. The public half:", self.out.display()));
        if let (Some(kid), false) = (&self.kid, self.jwk) {
            output.note(&format!("PEM holds no id: give --kid {kid} wherever the key is used, or make it with --jwk."));
        }
        print_lines([json_for_terminal(&format!("{:#}", public.to_json()))])
    }

    fn key(&self) -> Result<SigningKey, KeyError> {
        let key = SigningKey::generate(self.kind.of_key())?;
        match &self.kid {
            Some(kid) => key.with_kid(kid),
            None => Ok(key),
        }
    }
}
