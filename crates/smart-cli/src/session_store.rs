//! Where the sessions of `smart login` are kept, and how `smart get` finds them again.

use crate::api::{EncryptedFileStore, Filter, Key, KeyFile, Kind, Passphrase, Store, user_data_folder};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder's name within the user's data folder.
const FOLDER: &str = "smart-cli";

/// Where sessions are kept, as the person wants it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StoreOptions {
    /// Keep sessions in this folder instead of the user's data folder
    ///
    /// They are sealed: with the passphrase in SMART_PASSPHRASE where that is set, else with a key file in the folder
    /// that only you may read.
    #[arg(long, value_name = "FOLDER", env = "SMART_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

/// The stored sessions.
#[derive(Clone)]
pub(crate) struct SessionStore {
    store: Arc<dyn Store>,
}

/// A stored session, by what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    /// The FHIR base.
    pub(crate) server: String,
    /// The client id.
    pub(crate) client_id: String,
    /// Under what it is stored.
    pub(crate) key: Key,
}

impl SessionStore {
    /// Sealed files. The key comes from the passphrase in `SMART_PASSPHRASE` where that is set, else from a key file
    /// that only the user may read.
    ///
    /// # Errors
    /// Internal, when there is no folder to use.
    pub(crate) fn open(options: &StoreOptions) -> Result<Self, CliError> {
        let folder = match &options.data {
            Some(folder) => folder.clone(),
            None => usual_folder()?,
        };
        let passphrase = std::env::var("SMART_PASSPHRASE").ok().filter(|text| !text.is_empty());
        Ok(Self::with(sealed_files(&folder, passphrase)))
    }

    /// Any store.
    pub(crate) fn with(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store, for the library's client.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// All stored sessions.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn all(&self) -> Result<Vec<Saved>, CliError> {
        let filter = Filter { kind: Some(Kind::Session), ..Filter::default() };
        let keys = self.store.list(&filter).await.map_err(crate::api::Error::from)?;
        Ok(keys.into_iter().filter_map(Saved::of).collect())
    }

    /// The session at `server`, or the only one.
    ///
    /// # Errors
    /// Needs login, when there is none; usage, when there are several to choose from.
    pub(crate) async fn find(&self, server: Option<&str>, client_id: Option<&str>) -> Result<Saved, CliError> {
        let all = self.all().await?;
        let wanted = |saved: &&Saved| {
            server.is_none_or(|server| is_same_server(server, &saved.server))
                && client_id.is_none_or(|id| id == saved.client_id)
        };
        let mut found: Vec<&Saved> = all.iter().filter(wanted).collect();
        match (found.pop(), found.is_empty()) {
            (Some(saved), true) => Ok(saved.clone()),
            (Some(_), false) => Err(several(&all, server.is_some())),
            (None, _) => Err(none(server)),
        }
    }
}

impl Saved {
    /// The library names a session's server and client in its key: the base, a blank, and the client id.
    fn of(key: Key) -> Option<Self> {
        let (server, client_id) = key.issuer().split_once(' ')?;
        Some(Self { server: server.to_owned(), client_id: client_id.to_owned(), key })
    }
}

/// Whether what the person typed names a stored server: slashes at the end make no difference.
fn is_same_server(typed: &str, stored: &str) -> bool {
    let normalised = |text: &str| url::Url::parse(text).map(|url| url.as_str().trim_end_matches('/').to_owned()).ok();
    normalised(typed).is_some_and(|typed| Some(typed) == normalised(stored))
}

fn none(server: Option<&str>) -> CliError {
    let (at, step) = match server {
        Some(server) => (format!(" at {server}"), format!("Run `smart login {server}`.")),
        None => (String::new(), ExitCode::NeedsLogin.next_step().to_owned()),
    };
    CliError::new(ExitCode::NeedsLogin, format!("there is no stored session{at}"))
        .at(server.map(str::to_owned))
        .with_next_step(step)
}

fn several(all: &[Saved], by_client: bool) -> CliError {
    let names: Vec<String> = all.iter().map(|saved| format!("{} (client {})", saved.server, saved.client_id)).collect();
    let option = if by_client { "--client-id ID" } else { "--server URL" };
    CliError::new(ExitCode::Usage, format!("there are several stored sessions: {}", names.join(", ")))
        .with_next_step(format!("Choose one with {option}."))
}

fn sealed_files(folder: &Path, passphrase: Option<String>) -> Arc<dyn Store> {
    let sessions = folder.join("sessions");
    match passphrase {
        Some(passphrase) => Arc::new(EncryptedFileStore::new(sessions, Passphrase::new(folder, passphrase))),
        None => Arc::new(EncryptedFileStore::new(sessions, KeyFile::new(folder.join("sessions.key")))),
    }
}

fn usual_folder() -> Result<PathBuf, CliError> {
    user_data_folder(FOLDER).map_err(|error| CliError::from(crate::api::Error::from(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Expected, MemoryStore, SecretBytes};

    async fn with(issuers: &[&str]) -> SessionStore {
        let store = MemoryStore::new();
        for issuer in issuers {
            let key = Key::new(Kind::Session, *issuer, "user", "1");
            store.put(&key, SecretBytes::new(Vec::new()), Expected::Absent).await.unwrap();
        }
        SessionStore::with(Arc::new(store))
    }

    /// The only session needs no name; of several one has to be chosen.
    #[tokio::test]
    async fn the_only_session_needs_no_name() {
        let store = with(&["https://ehr.example/r4 app"]).await;
        let saved = store.find(None, None).await.unwrap();
        assert_eq!((saved.server.as_str(), saved.client_id.as_str()), ("https://ehr.example/r4", "app"));

        let store =
            with(&["https://ehr.example/r4 app", "https://ehr.example/r4 other", "https://b.example/r4 app"]).await;
        assert_eq!(store.find(None, None).await.unwrap_err().code, ExitCode::Usage);
        let error = store.find(Some("https://EHR.example:443/r4/"), None).await.unwrap_err();
        assert!(error.next_step.contains("--client-id"), "{error:?}");
        let saved = store.find(Some("https://EHR.example:443/r4/"), Some("other")).await.unwrap();
        assert_eq!(saved.client_id, "other");
    }

    /// Where there is no session, a login is needed; another path is another server.
    #[tokio::test]
    async fn without_a_session_a_login_is_needed() {
        assert_eq!(with(&[]).await.find(None, None).await.unwrap_err().code, ExitCode::NeedsLogin);
        let store = with(&["https://ehr.example/r4 app"]).await;
        for server in ["https://ehr.example/r5", "https://ehr.example", "http://ehr.example/r4", "nonsense"] {
            assert_eq!(store.find(Some(server), None).await.unwrap_err().code, ExitCode::NeedsLogin, "{server}");
        }
    }
}
