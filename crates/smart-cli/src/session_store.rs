//! Where sessions are kept, and how later commands find them again.

use crate::api::audit::Auditor;
use crate::api::{
    EncryptedFileStore, Error, Expected, Filter, Key, KeyFile, Kind, Passphrase, SecretBytes, Store, user_data_folder,
};
use crate::audit_options::AuditOptions;
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use crate::registration::Registration;
use crate::session_choice::SessionChoice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder's name within the user's data folder.
const FOLDER: &str = "smart-cli";
/// The shortest beginning of an id that is shown.
const SHORTEST_ID: usize = 8;
/// What the ids of backend services begin with.
const BACKEND: &str = "backend-";

/// Where sessions are kept and what is recorded, as the person wants it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeepOptions {
    #[command(flatten)]
    store: StoreOptions,

    #[command(flatten)]
    audit: AuditOptions,
}

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

impl KeepOptions {
    /// The folder that sessions are kept in, for what is kept beside them.
    ///
    /// # Errors
    /// Internal, when there is no folder to use.
    pub(crate) fn folder(&self) -> Result<PathBuf, CliError> {
        self.store.data.clone().map_or_else(usual_folder, Ok)
    }

    /// The stored sessions, and what records.
    ///
    /// # Errors
    /// Those of [`SessionStore::open`] and [`AuditOptions::open`].
    pub(crate) fn open(&self) -> Result<SessionStore, CliError> {
        let audit = self.audit.open()?;
        Ok(SessionStore { audit, ..SessionStore::open(&self.store)? })
    }
}

/// The stored sessions.
#[derive(Clone)]
pub(crate) struct SessionStore {
    store: Arc<dyn Store>,
    /// What records what happens to them.
    pub(crate) audit: Auditor,
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
        Self { store, audit: Auditor::none() }
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
        Ok(self.list(Kind::Session).await?.into_iter().filter_map(Saved::of).collect())
    }

    /// The sessions that the person may mean.
    ///
    /// # Errors
    /// Those of the store; usage, when an id is no id.
    pub(crate) async fn matching(&self, choice: &SessionChoice) -> Result<Vec<Saved>, CliError> {
        let all = self.all().await?;
        Ok(all.into_iter().filter(|saved| saved.is_meant_by(choice)).collect())
    }

    /// The session that is chosen, or the only one.
    ///
    /// # Errors
    /// Needs login, when there is none; usage, when there are several to choose from.
    pub(crate) async fn find(&self, choice: &SessionChoice) -> Result<Saved, CliError> {
        let mut found = self.matching(choice).await?;
        match (found.pop(), found.is_empty()) {
            (Some(saved), true) => Ok(saved),
            (Some(saved), false) => {
                found.push(saved);
                Err(several(&found))
            }
            (None, _) => Err(none(choice)),
        }
    }

    /// How the client of a session is registered. A session without such a record is one of a public client.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn registration(&self, session: &Key) -> Result<Registration, CliError> {
        let stored = self.store.get(&beside(session)).await.map_err(Error::from)?;
        Ok(stored.and_then(|stored| serde_json::from_slice(stored.value.expose_secret()).ok()).unwrap_or_default())
    }

    /// Keeps how the client of a session is registered.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn remember(&self, session: &Key, registration: &Registration) -> Result<(), CliError> {
        let written = serde_json::to_vec(registration)
            .map_err(|error| CliError::new(ExitCode::Internal, format!("no record can be written: {error}")))?;
        self.tidy().await?;
        let (key, value) = (beside(session), SecretBytes::new(written));
        self.store.put(&key, value, Expected::Any).await.map_err(Error::from)?;
        Ok(())
    }

    /// Removes a session and what is kept beside it, without asking the server.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn wipe(&self, session: &Key) -> Result<(), CliError> {
        self.store.remove(session, Expected::Any).await.map_err(Error::from)?;
        self.forget(session).await
    }

    /// Removes what is kept beside a session that is gone.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn forget(&self, session: &Key) -> Result<(), CliError> {
        self.store.remove(&beside(session), Expected::Any).await.map_err(Error::from)?;
        Ok(())
    }

    /// Removes what was kept beside sessions that have ended by themselves.
    async fn tidy(&self) -> Result<(), CliError> {
        let sessions: Vec<Key> = self.list(Kind::Session).await?.iter().map(beside).collect();
        for key in self.list(Kind::App).await? {
            if !sessions.contains(&key) {
                self.store.remove(&key, Expected::Any).await.map_err(Error::from)?;
            }
        }
        Ok(())
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Key>, CliError> {
        let filter = Filter { kind: Some(kind), ..Filter::default() };
        Ok(self.store.list(&filter).await.map_err(Error::from)?)
    }
}

/// Where what belongs to a session is kept.
fn beside(session: &Key) -> Key {
    Key::new(Kind::App, session.issuer(), session.user(), session.id())
}

impl Saved {
    /// The library names a session's server and client in its key: the base, a blank, and the client id.
    pub(crate) fn of(key: Key) -> Option<Self> {
        let (server, client_id) = key.issuer().split_once(' ')?;
        Some(Self { server: server.to_owned(), client_id: client_id.to_owned(), key })
    }

    /// The session's id.
    pub(crate) fn id(&self) -> &str {
        self.key.id()
    }

    /// Whether it is of a backend service: the library names such sessions so.
    pub(crate) fn is_backend(&self) -> bool {
        self.id().starts_with(BACKEND)
    }

    fn is_meant_by(&self, choice: &SessionChoice) -> bool {
        choice.server.as_deref().is_none_or(|server| is_same_server(server, &self.server))
            && choice.client_id.as_ref().is_none_or(|id| *id == self.client_id)
            && choice.session.as_ref().is_none_or(|id| !id.is_empty() && self.id().starts_with(id.as_str()))
    }
}

/// The beginnings of the sessions' ids that tell them apart.
pub(crate) fn short_ids(sessions: &[Saved]) -> Vec<String> {
    let beginning = |saved: &Saved, length: usize| {
        let same = if saved.is_backend() { BACKEND.len() } else { 0 };
        saved.id().chars().take(same + length).collect::<String>()
    };
    let differ = |length: usize| {
        let mut ids: Vec<String> = sessions.iter().map(|saved| beginning(saved, length)).collect();
        ids.sort_unstable();
        ids.windows(2).all(|pair| pair.first() != pair.last())
    };
    let longest = sessions.iter().map(|saved| saved.id().len()).max().unwrap_or(0);
    let length = (SHORTEST_ID..longest).find(|length| differ(*length)).unwrap_or(longest);
    sessions.iter().map(|saved| beginning(saved, length)).collect()
}

/// Whether what the person typed names a stored server: slashes at the end make no difference.
fn is_same_server(typed: &str, stored: &str) -> bool {
    let normalised = |text: &str| url::Url::parse(text).map(|url| url.as_str().trim_end_matches('/').to_owned()).ok();
    normalised(typed).is_some_and(|typed| Some(typed) == normalised(stored))
}

fn none(choice: &SessionChoice) -> CliError {
    let wanted: String =
        [("at", &choice.server), ("of the client", &choice.client_id), ("with the id", &choice.session)]
            .iter()
            .filter_map(|(word, value)| value.as_ref().map(|value| format!(" {word} {value}")))
            .collect();
    let step = match choice {
        SessionChoice { session: Some(_), .. } => "Look at the ids with `smart sessions`.".to_owned(),
        SessionChoice { server: Some(server), .. } => format!("Run `smart login {server}`."),
        _ => ExitCode::NeedsLogin.next_step().to_owned(),
    };
    CliError::new(ExitCode::NeedsLogin, format!("there is no stored session{wanted}"))
        .at(choice.server.clone())
        .with_next_step(step)
}

fn several(found: &[Saved]) -> CliError {
    let names: Vec<String> = found
        .iter()
        .zip(short_ids(found))
        .map(|(saved, id)| format!("{id} (client {} at {})", saved.client_id, saved.server))
        .collect();
    let one_server = found.iter().all(|saved| Some(&saved.server) == found.first().map(|first| &first.server));
    let step = if one_server {
        "Choose one with --session ID."
    } else {
        "Choose one with --session ID, or with --server URL where that is enough."
    };
    CliError::new(ExitCode::Usage, format!("there are several stored sessions: {}", names.join(", ")))
        .with_next_step(step)
}

fn sealed_files(folder: &Path, passphrase: Option<String>) -> Arc<dyn Store> {
    let sessions = folder.join("sessions");
    match passphrase {
        Some(passphrase) => Arc::new(EncryptedFileStore::new(sessions, Passphrase::new(folder, passphrase))),
        None => Arc::new(EncryptedFileStore::new(sessions, KeyFile::new(folder.join("sessions.key")))),
    }
}

fn usual_folder() -> Result<PathBuf, CliError> {
    user_data_folder(FOLDER).map_err(|error| CliError::from(Error::from(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MemoryStore;
    use crate::registration::Authentication;

    async fn with(issuers: &[&str]) -> SessionStore {
        let store = MemoryStore::new();
        for (at, issuer) in issuers.iter().enumerate() {
            let key = Key::new(Kind::Session, *issuer, "user", format!("session{at}"));
            store.put(&key, SecretBytes::new(Vec::new()), Expected::Absent).await.unwrap();
        }
        SessionStore::with(Arc::new(store))
    }

    fn at(server: &str) -> SessionChoice {
        SessionChoice::at(Some(server))
    }

    /// The only session needs no name; of several one has to be chosen, and the ids to choose by are told.
    #[tokio::test]
    async fn the_only_session_needs_no_name() {
        let store = with(&["https://ehr.example/r4 app"]).await;
        let saved = store.find(&SessionChoice::default()).await.unwrap();
        assert_eq!((saved.server.as_str(), saved.client_id.as_str()), ("https://ehr.example/r4", "app"));

        let store =
            with(&["https://ehr.example/r4 app", "https://ehr.example/r4 other", "https://b.example/r4 app"]).await;
        let error = store.find(&SessionChoice::default()).await.unwrap_err();
        assert!(error.code == ExitCode::Usage && error.next_step.contains("--server"), "{error:?}");
        let error = store.find(&at("https://EHR.example:443/r4/")).await.unwrap_err();
        assert!(error.next_step == "Choose one with --session ID.", "{error:?}");
        assert!(error.message.contains("session0 (client app") && error.message.contains("session1"), "{error:?}");
        let by_client = SessionChoice { client_id: Some("other".into()), ..at("https://EHR.example:443/r4/") };
        assert_eq!(store.find(&by_client).await.unwrap().client_id, "other");
        let by_id = |id: &str| SessionChoice { session: Some(id.into()), ..SessionChoice::default() };
        assert_eq!(store.find(&by_id("session2")).await.unwrap().server, "https://b.example/r4");
        assert_eq!(store.find(&by_id("sess")).await.unwrap_err().code, ExitCode::Usage);
        assert_eq!(store.find(&by_id("")).await.unwrap_err().code, ExitCode::NeedsLogin);
        let error = store.find(&by_id("x")).await.unwrap_err();
        assert!(error.next_step.contains("smart sessions"), "{error:?}");
    }

    /// Where there is no session, a login is needed; another path is another server.
    #[tokio::test]
    async fn without_a_session_a_login_is_needed() {
        let nobody = with(&[]).await.find(&SessionChoice::default()).await.unwrap_err();
        assert_eq!(nobody.code, ExitCode::NeedsLogin);
        let store = with(&["https://ehr.example/r4 app"]).await;
        for server in ["https://ehr.example/r5", "https://ehr.example", "http://ehr.example/r4", "nonsense"] {
            assert_eq!(store.find(&at(server)).await.unwrap_err().code, ExitCode::NeedsLogin, "{server}");
        }
    }

    /// The ids that are shown are as short as they may be, and tell the sessions apart.
    #[test]
    fn short_ids_differ() {
        let saved = |id: &str| Saved::of(Key::new(Kind::Session, "https://a.example b", "", id)).unwrap();
        let ids = |ids: &[&str]| short_ids(&ids.iter().map(|id| saved(id)).collect::<Vec<_>>());
        assert_eq!(ids(&["abcdefghijkl", "xbcdefghijkl"]), ["abcdefgh", "xbcdefgh"]);
        let long = ids(&["backend-123456789ab", "backend-123456788ab", "other-session"]);
        assert_eq!(long, ["backend-123456789", "backend-123456788", "other-ses"]);
        assert_eq!(ids(&["abc"]), ["abc"]);
        assert!(ids(&[]).is_empty());
    }

    /// How a client is registered is kept beside its session, and goes with it; what is left of others goes with the next.
    #[tokio::test]
    async fn registrations_are_kept_beside_sessions() {
        let store = with(&["https://ehr.example/r4 app", "https://b.example/r4 app"]).await;
        let [first, second] = <[Saved; 2]>::try_from(store.all().await.unwrap()).unwrap();
        assert_eq!(store.registration(&first.key).await.unwrap(), Registration::default());
        let file = PathBuf::from("/keys/app.pem");
        let authentication = Authentication::Key { file, kid: Some("k1".into()) };
        let registration = Registration { authentication, profile: None };
        for session in [&first, &second] {
            store.remember(&session.key, &registration).await.unwrap();
        }
        assert_eq!(store.registration(&first.key).await.unwrap(), registration);
        store.wipe(&first.key).await.unwrap();
        assert_eq!((store.all().await.unwrap().len(), store.list(Kind::App).await.unwrap().len()), (1, 1));
        // A session that the library removed by itself.
        store.store().remove(&second.key, Expected::Any).await.unwrap();
        let key = Key::new(Kind::Session, "https://c.example/r4 app", "", "new");
        store.remember(&key, &registration).await.unwrap();
        assert_eq!(store.list(Kind::App).await.unwrap(), [beside(&key)]);
    }
}
