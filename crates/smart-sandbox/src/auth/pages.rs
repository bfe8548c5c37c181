//! What the person sees: login, patient picker, consent.

use super::authorize::{redirect, refusal, see_other};
use super::granting;
use super::html::{error_page, page};
use crate::accounts::{self, Account};
use crate::shared::{Code, Login, Shared};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::COOKIE;
use http::{HeaderMap, StatusCode};
use smart_core::authorize::CallbackOutcome;
use smart_core::scope::{Level, Scope};
use smart_core::secret::AuthorizationCode;
use smart_core::untrusted::html_escaped;
use std::fmt::Write as _;
use std::sync::Arc;
use url::form_urlencoded;

pub(super) fn value(form: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(form.as_bytes())
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.into_owned())
        .filter(|v| !v.is_empty())
}

/// The login that a request belongs to: it has to be shown by the browser that began it.
fn current(shared: &Shared, text: &str, headers: &HeaderMap) -> Result<(String, Login), Box<Response>> {
    let refused = |what: &str| Err(Box::new(error_page(StatusCode::BAD_REQUEST, what)));
    let Some((id, login)) = value(text, "login").and_then(|id| {
        let login = shared.state().logins.get(&id).cloned()?;
        Some((id, login))
    }) else {
        return refused("This sign-in is unknown, or it is done already.");
    };
    if shared.now() >= login.expires_at {
        return refused("This sign-in took too long.");
    }
    let cookie = format!("sandbox={}", login.cookie);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    if !cookies.flat_map(|c| c.split(';')).any(|c| c.trim() == cookie) {
        return refused("This sign-in was begun in another browser.");
    }
    Ok((id, login))
}

macro_rules! current {
    ($shared:expr, $text:expr, $headers:expr) => {
        match current($shared, $text, $headers) {
            Ok(found) => found,
            Err(refused) => return *refused,
        }
    };
}

pub(super) fn choices(name: &str, accounts: &[Account]) -> String {
    let mut html = String::new();
    for account in accounts {
        // None is checked beforehand: a person who presses on without looking would open somebody's record.
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<label class=\"choice\"><input type=\"radio\" name=\"{name}\" value=\"{}\" required><span>{}<small>{}</small></span></label>",
            html_escaped(&account.reference),
            html_escaped(&account.name),
            html_escaped(&account.detail)
        );
    }
    html
}

fn form(action: &str, login: &str, inner: &str, buttons: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"login\" value=\"{}\">{inner}<div class=\"actions\">{buttons}</div></form>",
        html_escaped(login)
    )
}

pub(crate) async fn login(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (id, login) = current!(&shared, query.as_deref().unwrap_or_default(), &headers);
    let people = |legend: &str, accounts: &[Account]| {
        format!("<fieldset><legend>{legend}</legend>{}</fieldset>", choices("user", accounts))
    };
    let patients = choices("user", &accounts::patient_users(&shared.data));
    let inner = format!(
        "<p>The app <strong>{}</strong> asks you to sign in. Choose who you are; no password is needed here.</p>{}<fieldset><legend>Patients</legend>{patients}</fieldset>",
        html_escaped(&login.client_id),
        people("Practitioners", &accounts::practitioners(&shared.data))
    );
    page(StatusCode::OK, "Sign in", &form("/auth/login", &id, &inner, "<button>Sign in</button>"), None)
}

pub(crate) async fn logged_in(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let (id, login) = current!(&shared, &body, &headers);
    let Some(account) = value(&body, "user").and_then(|user| accounts::user(&shared.data, &user)) else {
        return error_page(StatusCode::BAD_REQUEST, "Nobody of that name is known here.");
    };
    let own_record = account.reference.strip_prefix("Patient/").map(str::to_owned);
    let needs_patient = login.launch.is_none()
        && (login.scopes.contains(&Scope::LAUNCH_PATIENT) || grants_a_record(&shared, &login, &account.reference));
    let next = if own_record.is_none() && needs_patient { "patient" } else { "consent" };
    if let Some(login) = shared.state().logins.get_mut(&id) {
        login.user = Some(account.reference);
        if needs_patient {
            login.patient = own_record;
        }
    }
    see_other(&format!("/auth/{next}?login={id}"))
}

/// Whether scopes for one patient's record will be granted.
fn grants_a_record(shared: &Shared, login: &Login, user: &str) -> bool {
    shared.client(&login.client_id).is_some_and(|client| {
        let scopes = granting::by_person(&shared.quirks.scopes, client, &login.scopes, user, login.launch.is_some());
        scopes.resources().any(|resource| resource.level() == Level::Patient)
    })
}

pub(crate) async fn patient(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let (id, _) = current!(&shared, &query, &headers);
    let wanted = value(&query, "name").unwrap_or_default();
    let mut patients = accounts::patients(&shared.data);
    patients.retain(|p| p.name.to_lowercase().contains(&wanted.to_lowercase()));
    let filter = format!(
        "<form method=\"get\" action=\"/auth/patient\" role=\"search\"><input type=\"hidden\" name=\"login\" value=\"{}\">\
         <label for=\"name\">Find by name</label><input type=\"search\" id=\"name\" name=\"name\" value=\"{}\">\
         <div class=\"actions\"><button class=\"second\">Search</button></div></form>",
        html_escaped(&id),
        html_escaped(&wanted)
    );
    let list = if patients.is_empty() {
        "<p>No patient has a name like that.</p>".to_owned()
    } else {
        let inner = format!(
            "<fieldset><legend>Patients ({})</legend>{}</fieldset>",
            patients.len(),
            choices("patient", &patients)
        );
        form("/auth/patient", &id, &inner, "<button>Open this record</button>")
    };
    page(StatusCode::OK, "Choose a patient", &format!("{filter}{list}"), None)
}

pub(crate) async fn patient_chosen(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let (id, login) = current!(&shared, &body, &headers);
    let chosen = value(&body, "patient").and_then(|p| accounts::patient(&shared.data, &p));
    let may_choose = login.user.as_deref().is_some_and(|user| user.starts_with("Practitioner/"));
    match (chosen, may_choose) {
        (Some(account), true) => {
            if let Some(login) = shared.state().logins.get_mut(&id) {
                login.patient = account.reference.strip_prefix("Patient/").map(str::to_owned);
            }
            see_other(&format!("/auth/consent?login={id}"))
        }
        _ => error_page(StatusCode::BAD_REQUEST, "This patient cannot be chosen."),
    }
}

pub(crate) async fn consent(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (id, login) = current!(&shared, query.as_deref().unwrap_or_default(), &headers);
    let data = &shared.data;
    let Some(user) = login.user.as_deref().and_then(|user| accounts::user(data, user)).map(|a| html_escaped(&a.name))
    else {
        return error_page(StatusCode::BAD_REQUEST, "Sign in first.");
    };
    let mut asked = String::new();
    for scope in &login.scopes {
        let _ = writeln!(asked, "<li>{} <code>{}</code></li>", in_words(scope), html_escaped(scope.as_str()));
    }
    let record = login
        .patient
        .as_ref()
        .and_then(|p| accounts::patient(data, &format!("Patient/{p}")))
        .map(|patient| format!(", for the record of <strong>{}</strong>", html_escaped(&patient.name)))
        .unwrap_or_default();
    let inner = format!(
        "<p><strong>{}</strong> asks you, <strong>{user}</strong>{record}, for this:</p><ul>{asked}</ul>\
         <p class=\"note\">You will return to <code>{}</code>.</p>",
        html_escaped(&login.client_id),
        html_escaped(&login.redirect_uri)
    );
    let buttons = "<button name=\"decision\" value=\"approve\">Allow</button><button class=\"second\" name=\"decision\" value=\"deny\">Do not allow</button>";
    page(StatusCode::OK, "Allow this app?", &form("/auth/consent", &id, &inner, buttons), None)
}

fn in_words(scope: &Scope) -> String {
    match scope {
        Scope::Resource(resource) => {
            let verbs: Vec<&str> = resource
                .permissions()
                .letters()
                .map(|letter| match letter {
                    'c' => "create",
                    'r' => "read",
                    'u' => "change",
                    'd' => "delete",
                    _ => "search",
                })
                .collect();
            let whose = match resource.level() {
                Level::Patient => "of this patient",
                Level::User => "that you can see",
                Level::System => "of the whole system",
            };
            let what = html_escaped(resource.resource_type().unwrap_or("all records"));
            format!("To {} {what} {whose}", verbs.join(" and "))
        }
        Scope::Launch(_) => "To know what it is opened for".to_owned(),
        Scope::OpenId | Scope::FhirUser | Scope::Profile => "To know who you are".to_owned(),
        Scope::OfflineAccess => "To stay signed in when you are away".to_owned(),
        Scope::OnlineAccess => "To stay signed in while you are here".to_owned(),
        _ => "Something that this server does not know".to_owned(),
    }
}

pub(crate) async fn decided(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let (id, login) = current!(&shared, &body, &headers);
    if login.user.is_none() {
        return error_page(StatusCode::BAD_REQUEST, "Sign in first.");
    }
    // The decision ends the login: going back and sending it again finds nothing.
    shared.state().logins.remove(&id);
    if value(&body, "decision").as_deref() != Some("approve") {
        let outcome = refusal("access_denied", "the person did not allow it");
        return redirect(&shared, &login.redirect_uri, &login.state, outcome);
    }
    let code = {
        let mut state = shared.state();
        let code = state.secret();
        let expires_at = shared.now().saturating_add(shared.code_lifetime);
        state.codes.insert(code.clone(), Code { login: login.clone(), expires_at, redeemed: None });
        code
    };
    redirect(&shared, &login.redirect_uri, &login.state, CallbackOutcome::Code(AuthorizationCode::new(code)))
}
