//! Where the security events of a command are recorded.

use crate::api::audit::{AuditError, AuditKey, AuditPolicy, Auditor, JsonLinesSink};
use crate::api::{SystemClock, SystemRandom};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use std::path::PathBuf;
use std::sync::Arc;

/// The audit trail that the person wants.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AuditOptions {
    /// Record every security event in this file; what cannot be recorded is not done
    ///
    /// Its lines form a chain: see `smart audit verify`. Tokens are in it by a hash only, patients not at all.
    #[arg(long, value_name = "FILE", env = "SMART_AUDIT", hide_env_values = true)]
    audit: Option<PathBuf>,

    /// The file with the key of the audit trail, in hexadecimal digits
    #[arg(long, value_name = "FILE", env = "SMART_AUDIT_KEY", hide_env_values = true)]
    audit_key: Option<PathBuf>,
}

impl AuditOptions {
    /// What records, or nothing where no file is named.
    ///
    /// # Errors
    /// Audit-broken, when the file is not as it was written; usage, when the key is of no use; internal.
    pub(crate) fn open(&self) -> Result<Auditor, CliError> {
        let Some(path) = &self.audit else { return Ok(Auditor::none()) };
        let mut options = JsonLinesSink::options(path);
        if let Some(key) = &self.audit_key {
            options = options.key(AuditKey::read_file(key).map_err(|error| failed(&error))?);
        }
        let sink = options.open().map_err(|error| failed(&error))?;
        Ok(Auditor::builder(Arc::new(SystemClock), Arc::new(SystemRandom::new()))
            .policy(AuditPolicy::Strict)
            .sink(sink)
            .build())
    }
}

/// What an audit error means for the person.
pub(crate) fn failed(error: &AuditError) -> CliError {
    let plain = |code| CliError::new(code, error.to_string());
    match error {
        AuditError::Broken { .. } => plain(ExitCode::AuditBroken).with_next_step(
            "Run `smart audit verify` on it; with --audit-key, if it has a key. Keep it, and begin a new file.",
        ),
        AuditError::Key { .. } => {
            plain(ExitCode::Usage).with_next_step("Give a file of 64 hexadecimal digits that nobody else may read.")
        }
        _ => {
            plain(ExitCode::Internal).with_next_step("Check the path of --audit, its folder, and your rights to both.")
        }
    }
}
