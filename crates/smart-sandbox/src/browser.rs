//! A stand-in for a person with a browser: it reads the sandbox's pages and fills in their forms, over real HTTP.

use crate::error::SandboxError;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response};
use smart_http::HttpClient;
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
        let mut cookie = None;
        let mut request = (Method::GET, url.clone(), String::new());
        for _ in 0..MAX_STEPS {
            let (method, at, body) = request;
            let response = self.send(method, &at, body, cookie.as_deref()).await?;
            if let Some(set) = header(&response, SET_COOKIE.as_str()) {
                cookie = set.split(';').next().map(str::to_owned);
            }
            if response.status().is_redirection() {
                let target = header(&response, LOCATION.as_str()).and_then(|l| at.join(l).ok());
                let target = target.ok_or_else(|| SandboxError::Browser("a redirect goes nowhere".into()))?;
                if target.origin() != url.origin() || !target.path().starts_with("/auth/") {
                    return Ok(target);
                }
                request = (Method::GET, target, String::new());
                continue;
            }
            let page = String::from_utf8_lossy(response.body()).into_owned();
            let form = read_form(&page).ok_or_else(|| {
                let text = between(&page, "<main>", "</main>").unwrap_or("a page without text");
                SandboxError::Browser(format!("status {}: {}", response.status().as_u16(), plain(text)))
            })?;
            let action = at.join(&form.action).map_err(|_| SandboxError::Browser("a form goes nowhere".into()))?;
            request = (Method::POST, action, self.filled_in(form, &page));
        }
        Err(SandboxError::Browser("the login does not end".into()))
    }

    /// Logs in and goes to the redirect URI as a browser would: for a listener on this machine.
    ///
    /// # Errors
    /// [`SandboxError::Browser`].
    pub async fn browse(&self, url: &Url) -> Result<(), SandboxError> {
        let callback = self.authorize(url).await?;
        self.send(Method::GET, &callback, String::new(), None).await.map(|_| ())
    }

    fn filled_in(&self, form: Form, page: &str) -> String {
        let mut serializer = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form.fields {
            serializer.append_pair(&name, &value);
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

    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: String,
        cookie: Option<&str>,
    ) -> Result<Response<Bytes>, SandboxError> {
        let mut request = Request::new(Bytes::from(body));
        *request.uri_mut() = url.as_str().parse().map_err(|_| SandboxError::Browser("a page has no address".into()))?;
        if method == Method::POST {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        *request.method_mut() = method;
        if let Some(Ok(cookie)) = cookie.map(HeaderValue::from_str) {
            request.headers_mut().insert(COOKIE, cookie);
        }
        self.http.fetch(request).await.map_err(|e| SandboxError::Browser(e.to_string()))
    }
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
    let action = between(form, "action=\"", "\"")?.to_owned();
    let fields = form
        .split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|field| {
            Some((between(field, "name=\"", "\"")?.to_owned(), between(field, "value=\"", "\"")?.to_owned()))
        })
        .collect();
    Some(Form { action, fields })
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
    smart_core::untrusted::shown(text.trim(), 300)
}
