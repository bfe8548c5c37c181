//! `smart sessions`: what is stored.

use crate::api::Session;
use crate::cli_error::CliError;
use crate::connect::http;
use crate::opened::{looking_client, restored};
use crate::output::{Output, print_json, print_lines};
use crate::session_store::{Saved, SessionStore, StoreOptions, short_ids};
use crate::style::Style;
use crate::table::{Align, Table};
use crate::time_text::{in_words, rfc3339, seconds_until};
use clap::Args;
use serde_json::{Value, json};

/// List the stored sessions
///
/// No patient and no token is shown, and nothing is renewed. --session of other commands takes the id, or the beginning of it.
#[derive(Debug, Args)]
pub(crate) struct Sessions {
    #[command(flatten)]
    store: StoreOptions,
}

/// A stored session, as far as it can be read.
struct Listed {
    saved: Saved,
    registration: &'static str,
    read: Result<Known, CliError>,
}

/// What a session says of itself.
struct Known {
    user: Option<String>,
    backend: bool,
    locked: bool,
    /// What a locked session does not tell.
    open: Option<Open>,
    last_active: crate::api::Timestamp,
}

struct Open {
    scopes: usize,
    expires_at: Option<crate::api::Timestamp>,
    can_refresh: bool,
}

impl Sessions {
    /// Lists them.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let sessions = SessionStore::open(&self.store)?;
        let mut listed = Vec::new();
        for saved in sessions.all().await? {
            listed.push(Listed::of(saved, &sessions).await);
        }
        if output.json {
            return print_json(&json!({"sessions": listed.iter().map(Listed::as_json).collect::<Vec<_>>()}));
        }
        if listed.is_empty() {
            return print_lines(["There is no stored session. Run `smart login URL`."]);
        }
        print_lines(lines(&listed, &output.style))
    }
}

impl Listed {
    async fn of(saved: Saved, sessions: &SessionStore) -> Self {
        let registration = sessions.registration(&saved.key).await.map_or("unknown", |known| known.kind());
        let client = looking_client(&saved, sessions, &http());
        let read = restored(&client, &saved).await.map(|session| Known::of(&session));
        Self { saved, registration, read }
    }

    fn as_json(&self) -> Value {
        let mut value = json!({
            "session": self.saved.id(),
            "server": self.saved.server,
            "client_id": self.saved.client_id,
            "client": self.registration,
        });
        let more = match &self.read {
            Ok(known) => json!({
                "backend": known.backend,
                "user": known.user,
                "locked": known.locked,
                "scope_count": known.open.as_ref().map(|open| open.scopes),
                "expires_at": known.open.as_ref().and_then(|open| open.expires_at).and_then(rfc3339),
                "expires_in": known.open.as_ref().and_then(|open| open.expires_at).map(seconds_until),
                "can_refresh": known.open.as_ref().map(|open| open.can_refresh),
                "last_active_at": rfc3339(known.last_active).filter(|_| !known.backend),
            }),
            Err(error) => json!({"unusable": error.message}),
        };
        if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
            members.extend(more);
        }
        value
    }
}

impl Known {
    fn of(session: &Session) -> Self {
        let open = session.granted_scopes().ok().map(|scopes| Open {
            scopes: scopes.len(),
            expires_at: session.expires_at().unwrap_or_default(),
            can_refresh: session.can_refresh(),
        });
        let user = session.user().ok().flatten();
        Self {
            user: user.map(|user| user.fhir_user.map_or(user.subject, |fhir_user| fhir_user.reference())),
            backend: session.is_backend(),
            locked: session.is_locked(),
            open,
            last_active: session.last_active_at(),
        }
    }
}

/// Each session in three rows, so that a terminal of 80 columns has room for all of it.
fn lines(listed: &[Listed], style: &Style) -> Vec<String> {
    let saved: Vec<Saved> = listed.iter().map(|listed| listed.saved.clone()).collect();
    let mut table =
        Table::new(&[("Session", Align::Left), ("Server, client, user", Align::Left), ("Token", Align::Left)]);
    for (listed, id) in listed.iter().zip(short_ids(&saved)) {
        let client = match listed.registration {
            "public" => listed.saved.client_id.clone(),
            kind => format!("{} (with a {kind})", listed.saved.client_id),
        };
        match &listed.read {
            Ok(known) => {
                let user = match (&known.user, known.backend) {
                    (_, true) => "a backend service",
                    (Some(user), false) => user,
                    (None, false) => "unknown user",
                };
                let [first, second, third] = known.token();
                table.row([&id, &listed.saved.server, &first]);
                table.row(["", &client, &second]);
                table.row(["", user, &third]);
            }
            Err(error) => {
                table.row([&id, &listed.saved.server, "cannot be used:"]);
                table.row(["", &client, &error.message]);
            }
        }
    }
    table.lines(style.characters, style.width)
}

impl Known {
    /// The token in three lines.
    fn token(&self) -> [String; 3] {
        let active = || format!("active {}", in_words(seconds_until(self.last_active).min(-1)));
        let Some(open) = &self.open else {
            let state = if self.locked { "locked" } else { "over: unused for too long" };
            return [state.to_owned(), String::new(), active()];
        };
        let end = match open.expires_at.map(seconds_until) {
            None => "the end is unknown".to_owned(),
            Some(left) if left < 0 => format!("ended {}", in_words(left)),
            Some(left) => format!("ends {}", in_words(left)),
        };
        let renewable = if open.can_refresh { "renewable" } else { "not renewable" };
        let plural = if open.scopes == 1 { "" } else { "s" };
        let third = if self.backend { String::new() } else { active() };
        [end, format!("{} scope{plural}, {renewable}", open.scopes), third]
    }
}
