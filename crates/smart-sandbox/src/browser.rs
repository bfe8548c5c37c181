//! A stand-in for a person with a browser: it reads the sandbox's pages and fills in their forms, over real HTTP.

use crate::error::SandboxError;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use smart_core::url_policy::is_loopback;
use smart_http::HttpClient;
use std::collections::HashMap;
use url::{Url, form_urlencoded};

/// How many pages and redirects one login may take.
const MAX_STEPS: usize = 20;

/// Who logs in, whose record is opened, and whether the app is allowed.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user, as `Practitioner/…` or `Patient/…`.
    pub user: String,
    /// The patient that is picked, as `Patient/…`; the first on the list when there is none.
    pub patient: Option<String>,
    /// Whether the person presses Allow.
    pub allows: bool,
}

impl Default for Person {
    /// The first practitioner opens the record of the first patient and allows the app.
    fn default() -> Self {
        Self { user: "Practitioner/pr2001".into(), patient: Some("Patient/p1001".into()), allows: true }
    }
}

/// Walks a login from the authorization URL to the redirect.
#[derive(Debug, Clone)]
pub struct AutoBrowser {
    http: HttpClient,
    person: Person,
}

/// A form of a page: where it goes, and its fields as they stand.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl AutoBrowser {
    /// A browser in this person's hands.
    pub fn new(http: HttpClient, person: Person) -> Self {
        Self { http, person }
    }

    /// Logs in. Gives the URL that the sandbox redirects to at the end, without going there.
    ///
    /// # Errors
    /// [`SandboxError::Browser`] when a page is not what it should be.
    pub async fn authorize(&self, url: &Url) -> Result<Url, SandboxError> {
        let mut jar = Jar::default();
        let mut asked = Asked::page(url.clone());
        for _ in 0..MAX_STEPS {
            match self.look_at(asked, &mut jar).await? {
                Seen::Redirect(target) if target.origin() != url.origin() || !target.path().starts_with("/auth/") => {
                    return Ok(target);
                }
                Seen::Redirect(target) => asked = Asked::page(target),
                Seen::Form(next) => asked = next,
                Seen::End { status, text, .. } => return Err(stuck(status, &text)),
            }
        }
        Err(SandboxError::Browser("the login does not end".into()))
    }

    /// Logs in and goes to the redirect URI as a browser would: for a listener on this machine.
    ///
    /// # Errors
    /// [`SandboxError::Browser`].
    pub async fn browse(&self, url: &Url) -> Result<(), SandboxError> {
        let callback = self.authorize(url).await?;
        self.send(Asked::page(callback), &Jar::default()).await.map(|_| ())
    }

    /// Goes wherever the pages lead, as a browser would, from the sandbox's launcher or an app's own URL to the page on which
    /// the app says how it went. It stays on this machine.
    ///
    /// # Errors
    /// [`SandboxError::Browser`] when a page is not what it should be, says that something went wrong, or leads away from this
    /// machine.
    pub async fn visit(&self, url: &Url) -> Result<Visited, SandboxError> {
        let mut jar = Jar::default();
        let mut asked = Asked::page(url.clone());
        for _ in 0..MAX_STEPS {
            if !is_loopback(&asked.url) {
                let host = asked.url.host_str().unwrap_or("nowhere");
                return Err(SandboxError::Browser(format!("the way leads to {host}, away from this machine")));
            }
            let at = asked.url.clone();
            match self.look_at(asked, &mut jar).await? {
                Seen::Redirect(target) => asked = Asked::page(target),
                Seen::Form(next) => asked = next,
                Seen::End { status, title, .. } if status.is_success() => return Ok(Visited { url: at, title }),
                Seen::End { status, text, .. } => return Err(stuck(status, &text)),
            }
        }
        Err(SandboxError::Browser("the way does not end".into()))
    }

    /// Asks for a page, and does what a person does with it.
    async fn look_at(&self, asked: Asked, jar: &mut Jar) -> Result<Seen, SandboxError> {
        let at = asked.url.clone();
        let response = self.send(asked, jar).await?;
        jar.take(&at, &response);
        if response.status().is_redirection() {
            let target = header(&response, LOCATION.as_str()).and_then(|location| at.join(location).ok());
            return target.map(Seen::Redirect).ok_or_else(|| SandboxError::Browser("a redirect goes nowhere".into()));
        }
        let page = String::from_utf8_lossy(response.body()).into_owned();
        let Some(form) = read_form(&page) else {
            let title = plain(between(&page, "<title>", "</title>").unwrap_or_default());
            let text = plain(between(&page, "<main>", "</main>").unwrap_or("a page without text"));
            return Ok(Seen::End { status: response.status(), title, text });
        };
        let url = at.join(&form.action).map_err(|_| SandboxError::Browser("a form goes nowhere".into()))?;
        Ok(Seen::Form(Asked { method: Method::POST, url, body: self.filled_in(form, &page) }))
    }

    fn filled_in(&self, form: Form, page: &str) -> String {
        let mut serializer = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form.fields {
            serializer.append_pair(&name, &value);
        }
        if let Some(launch_url) = between(page, "name=\"launch_url\" value=\"", "\"") {
            serializer.append_pair("launch_url", &unescaped(launch_url));
        }
        if page.contains("name=\"user\"") {
            serializer.append_pair("user", &self.person.user);
        } else if page.contains("name=\"patient\"") {
            let first = between(page, "name=\"patient\" value=\"", "\"").unwrap_or_default().to_owned();
            serializer.append_pair("patient", self.person.patient.as_ref().unwrap_or(&first));
        } else if page.contains("name=\"decision\"") {
            serializer.append_pair("decision", if self.person.allows { "approve" } else { "deny" });
        }
        serializer.finish()
    }

    async fn send(&self, asked: Asked, jar: &Jar) -> Result<Response<Bytes>, SandboxError> {
        let Asked { method, url, body } = asked;
        let mut request = Request::new(Bytes::from(body));
        *request.uri_mut() = url.as_str().parse().map_err(|_| SandboxError::Browser("a page has no address".into()))?;
        if method == Method::POST {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        *request.method_mut() = method;
        if let Some(cookies) = jar.of(&url) {
            request.headers_mut().insert(COOKIE, cookies);
        }
        self.http.fetch(request).await.map_err(|e| SandboxError::Browser(e.to_string()))
    }
}

/// The end of the way: the page of the app, or of whoever says how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visited {
    /// Where it ended. It may hold a code: keep it out of logs.
    pub url: Url,
    /// The title of the page.
    pub title: String,
}

/// A page that is asked for.
struct Asked {
    method: Method,
    url: Url,
    body: String,
}

impl Asked {
    fn page(url: Url) -> Self {
        Self { method: Method::GET, url, body: String::new() }
    }
}

/// What came.
enum Seen {
    Redirect(Url),
    /// A page with a form, and what a person makes of it.
    Form(Asked),
    /// A page without one.
    End {
        status: StatusCode,
        title: String,
        text: String,
    },
}

/// The cookies, each for the origin that set it.
#[derive(Default)]
struct Jar(HashMap<(String, String), String>);

impl Jar {
    fn take(&mut self, from: &Url, response: &Response<Bytes>) {
        let origin = from.origin().ascii_serialization();
        for set in response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((name, value)) = set.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.0.insert((origin.clone(), name.trim().to_owned()), value.to_owned());
            }
        }
    }

    fn of(&self, url: &Url) -> Option<HeaderValue> {
        let origin = url.origin().ascii_serialization();
        let own = self.0.iter().filter(|((from, _), _)| *from == origin);
        let pairs: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}

fn stuck(status: StatusCode, text: &str) -> SandboxError {
    SandboxError::Browser(format!("status {}: {text}", status.as_u16()))
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn between<'p>(page: &'p str, start: &str, end: &str) -> Option<&'p str> {
    let rest = page.split_once(start)?.1;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// The page's POST form with its hidden fields.
fn read_form(page: &str) -> Option<Form> {
    let form = between(page, "<form method=\"post\"", "</form>")?;
    let action = unescaped(between(form, "action=\"", "\"")?);
    let fields = form
        .split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|field| {
            Some((unescaped(between(field, "name=\"", "\"")?), unescaped(between(field, "value=\"", "\"")?)))
        })
        .collect();
    Some(Form { action, fields })
}

/// An attribute's value as it is meant.
fn unescaped(value: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |text, (escaped, meant)| text.replace(escaped, meant))
}

fn plain(markup: &str) -> String {
    let mut inside = false;
    let text: String = markup
        .chars()
        .filter(|c| {
            inside = (inside || *c == '<') && *c != '>';
            !inside && *c != '>'
        })
        .collect();
    smart_core::untrusted::shown(unescaped(text.trim()).as_str(), 300)
}
