//! How a client is registered with a server: remembered beside each session, so that its token can be renewed later.

use crate::api::{App, ClientSecret, ServerKind};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::{key_file, private_file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where a client secret can be, besides a file.
pub(crate) const SECRET_VARIABLE: &str = "SMART_CLIENT_SECRET";

/// How a client is registered. The secret and the key themselves are not in it: they stay where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// How it shows who it is.
    pub(crate) authentication: Authentication,
    /// The name of the profile that was chosen for the server.
    pub(crate) profile: Option<String>,
}

/// How a client shows who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub(crate) enum Authentication {
    /// By its id alone.
    #[default]
    Public,
    /// By a shared secret.
    Secret {
        /// The file that it is in; else the environment has it.
        file: Option<PathBuf>,
        /// Where it stands in a request.
        sent: Sent,
    },
    /// By assertions.
    Key {
        /// The file of the private key.
        file: PathBuf,
        /// The id that it is registered under.
        kid: Option<String>,
    },
}

/// Where a secret stands in a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sent {
    /// In the Authorization header, form-encoded as OAuth says.
    #[default]
    Basic,
    /// In the Authorization header as it is.
    RawBasic,
    /// In the body.
    Body,
}

impl Registration {
    /// The app of this registration, for launches and, where it has a key, for backend services.
    ///
    /// # Errors
    /// Usage, when the secret or key is not where it was.
    pub(crate) fn app(&self, client_id: &str) -> Result<App, CliError> {
        match &self.authentication {
            Authentication::Public => Ok(App::public(client_id)),
            Authentication::Secret { file, sent } => {
                let app = App::symmetric(client_id, secret(file.as_deref())?);
                Ok(match sent {
                    Sent::Basic => app,
                    Sent::RawBasic => app.with_raw_basic(),
                    Sent::Body => app.with_secret_in_body(),
                })
            }
            Authentication::Key { file, kid } => {
                Ok(App::asymmetric(client_id, key_file::signing_key(file, kid.as_deref())?))
            }
        }
    }

    /// The profile of the server, unless this version does not know it.
    pub(crate) fn profile(&self) -> Option<ServerKind> {
        self.profile.as_deref()?.parse().ok()
    }

    /// The file with the secret or key.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.authentication {
            Authentication::Public => None,
            Authentication::Secret { file, .. } => file.as_deref(),
            Authentication::Key { file, .. } => Some(file),
        }
    }

    /// What others may find out about the file, for a warning.
    pub(crate) fn warning(&self) -> Option<String> {
        let file = self.file().filter(|file| private_file::is_readable_by_others(file))?;
        let file = file.display();
        Some(format!("Warning: others may read {file}. Take their rights: chmod 600 {file}"))
    }

    /// In a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self.authentication {
            Authentication::Public => "public",
            Authentication::Secret { .. } => "secret",
            Authentication::Key { .. } => "key",
        }
    }
}

/// Whether the environment has a secret.
pub(crate) fn is_secret_in_environment() -> bool {
    std::env::var_os(SECRET_VARIABLE).is_some_and(|value| !value.is_empty())
}

fn secret(file: Option<&Path>) -> Result<ClientSecret, CliError> {
    let missing = |message: String| {
        CliError::new(ExitCode::Usage, message)
            .with_next_step(format!("Give the secret by --client-secret-file FILE or in {SECRET_VARIABLE}."))
    };
    let Some(file) = file else {
        let value = std::env::var(SECRET_VARIABLE).ok().filter(|value| !value.is_empty());
        return value.map(ClientSecret::new).ok_or_else(|| {
            missing(format!("this client has a secret, and {SECRET_VARIABLE} is not set or is no text"))
        });
    };
    let text = private_file::read(file, "the file of the client secret")?;
    // Editors end a file with a line end; anything else belongs to the secret.
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() || secret.contains('\n') {
        return Err(missing(format!("{} holds no secret, or more than one line", file.display())));
    }
    Ok(ClientSecret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-05, CA-17: what is remembered of a client says where its secret or key is, and not what it is.
    #[test]
    fn what_is_remembered_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hunter2\r\n").unwrap();
        let authentication = Authentication::Secret { file: Some(file.clone()), sent: Sent::Body };
        let registration = Registration { authentication, profile: Some("epic".into()) };
        let kept = serde_json::to_string(&registration).unwrap();
        assert!(!kept.contains("hunter2"), "{kept}");
        assert_eq!(serde_json::from_str::<Registration>(&kept).unwrap(), registration);
        assert!(!registration.app("a").unwrap().is_public());
        assert_eq!((registration.profile(), registration.kind()), (Some(ServerKind::Epic), "secret"));
        assert_eq!(secret(Some(&file)).unwrap().expose_secret(), "hunter2");
        for text in ["", "\n", "one\ntwo"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(secret(Some(&file)).unwrap_err().code, ExitCode::Usage, "{text:?}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(registration.app("a").unwrap_err().message.contains(&file.display().to_string()));
    }

    /// A record without anything, and one with a profile that is not known any more, are of public clients.
    #[test]
    fn unknown_profiles_are_passed_over() {
        let read: Registration =
            serde_json::from_str(r#"{"authentication":{"by":"public"},"profile":"gone"}"#).unwrap();
        assert_eq!((read.profile(), read.kind()), (None, "public"));
        assert!(read.app("a").unwrap().is_public() && Registration::default().file().is_none());
    }
}
