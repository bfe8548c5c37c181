//! The clinician's web app, request by request: cookies, logout, time-outs, and what its pages say when something fails.

use crate::program::{Program, browser};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERRER_POLICY, REFRESH,
    SET_COOKIE,
};
use http::{HeaderName, Method, Request, Response};
use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, FhirFault, Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// The app as a program, the sandbox that launches it, and a browser's cookies at the app.
struct Clinic {
    sandbox: Sandbox,
    app: Url,
    http: HttpClient,
    cookies: BTreeMap<String, String>,
    _program: Program,
}

impl Clinic {
    async fn start(client: Client, more: &[&str]) -> Self {
        let config = SandboxConfig { clients: vec![client], ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let base = sandbox.fhir_base();
        let port: &[&str] = if more.contains(&"--port") { &[] } else { &["--port", "0"] };
        let arguments = [&["--issuer", &base], port, more].concat();
        let mut program = Program::start("clinician_web", &arguments);
        let app = program.line_after("The app is at ").await.parse().unwrap();
        let http = HttpClient::new(HyperTransport::new());
        Self { sandbox, app, http, cookies: BTreeMap::new(), _program: program }
    }

    async fn plain() -> Self {
        Self::start(Client::public("clinician-web"), &[]).await
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Response<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = self.app.join(path).unwrap().as_str().parse().unwrap();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let response = self.http.fetch(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    async fn get(&mut self, path: &str) -> Response<Bytes> {
        self.send(Method::GET, path, &[]).await
    }

    fn launch_path(&self, patient: &str) -> String {
        let launch = self.sandbox.new_launch(Some(patient), None);
        format!("/launch?iss={}&launch={launch}", self.sandbox.fhir_base())
    }

    /// The EHR opens the app for a patient, and a clinician signs in. Gives the path that the browser comes back to.
    async fn sign_in(&mut self, patient: &str) -> String {
        let launched = self.get(&self.launch_path(patient)).await;
        let authorize = location(&launched).parse().unwrap();
        let callback = browser(Person::default()).authorize(&authorize).await.unwrap();
        format!("/callback?{}", callback.query().unwrap())
    }

    /// The same to its end. Gives the path of the patient's page.
    async fn open(&mut self, patient: &str) -> String {
        let callback = self.sign_in(patient).await;
        location(&self.get(&callback).await)
    }
}

fn location(response: &Response<Bytes>) -> String {
    assert_eq!(response.status(), 303, "{}", text(response));
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

fn header<'r>(response: &'r Response<Bytes>, name: &HeaderName) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// F-128, SE-04: the pages allow no script, are kept by no cache, and ask again once the session is over; the cookies are the
/// browser's alone.
#[tokio::test]
async fn pages_are_locked_down() {
    let mut clinic = Clinic::plain().await;
    let page = clinic.open("p1003").await;
    let shown = clinic.get(&page).await;
    assert_eq!(shown.status(), 200);
    let policy = header(&shown, &CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("script"), "{policy}");
    assert!(!policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(header(&shown, &CACHE_CONTROL), "no-store");
    assert_eq!(header(&shown, &REFERRER_POLICY), "same-origin");
    assert_eq!(header(&shown, &REFRESH), "901");
    let text = text(&shown);
    assert!(!text.contains("<script") && !text.contains(" style="), "nothing inline");
    for cookie in clinic.cookies.values() {
        assert!(clinic.sandbox.issued_secrets().iter().all(|secret| secret != cookie));
    }
    let style = clinic.get("/style.css").await;
    assert_eq!(header(&style, &CONTENT_TYPE), "text/css; charset=utf-8");
    assert_eq!(clinic.get("/nowhere").await.status(), 404);

    // Behind TLS the cookies are for TLS alone, and for this host.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = ["--public-url", "https://app.example", "--port", &free.to_string()];
    let mut behind_tls = Clinic::start(Client::public("clinician-web"), &more).await;
    assert_eq!(behind_tls.app.as_str(), "https://app.example/");
    behind_tls.app = format!("http://127.0.0.1:{free}").parse().unwrap();
    let launched = behind_tls.get(&behind_tls.launch_path("p1001")).await;
    let cookie = header(&launched, &SET_COOKIE);
    assert!(cookie.starts_with("__Host-smart-login=") && cookie.ends_with("; Secure"), "{cookie}");
}

/// F-128 (RFC 9700, 4.7): only the app's own pages can log out; afterwards the record is closed, here and at the server.
#[tokio::test]
async fn only_own_pages_log_out() {
    let mut clinic = Clinic::plain().await;
    let page = clinic.open("p1001").await;
    let logout = page.replace("/patient", "/logout");
    let site = HeaderName::from_static("sec-fetch-site");
    let own = clinic.app.origin().ascii_serialization();
    assert_eq!(clinic.get(&logout).await.status(), 405, "not by a link");
    for foreign in [
        vec![],
        vec![(ORIGIN, "https://evil.example")],
        vec![(ORIGIN, "null")],
        vec![(site.clone(), "cross-site")],
        vec![(site.clone(), "same-site"), (ORIGIN, own.as_str())],
    ] {
        let refused = clinic.send(Method::POST, &logout, &foreign).await;
        assert_eq!(refused.status(), 403, "{foreign:?}");
        assert!(text(&refused).contains("nothing was done"), "{}", text(&refused));
        assert_eq!(clinic.get(&page).await.status(), 200, "the record is open still");
    }
    let done = clinic.send(Method::POST, &logout, &[(site, "same-origin"), (ORIGIN, own.as_str())]).await;
    assert_eq!(location(&done), "/signed-out");
    assert!(text(&clinic.get("/signed-out").await).contains("You are signed out"));
    let closed = clinic.get(&page).await;
    assert_eq!(closed.status(), 401);
    assert!(!text(&closed).contains("Okafor"));
}

/// F-128: a session that nobody uses ends, and the page says what to do.
#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    let mut clinic = Clinic::start(Client::public("clinician-web"), &["--idle-seconds", "6"]).await;
    let page = clinic.open("p1001").await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(clinic.get(&page).await.status(), 200, "somebody uses it");
    }
    tokio::time::sleep(Duration::from_millis(7200)).await;
    let over = clinic.get(&page).await;
    assert_eq!(over.status(), 401);
    let text = text(&over);
    assert!(text.contains("You are signed out") && text.contains("Please open the app again"), "{text}");
    assert!(!text.contains("Okafor"), "{text}");
}

/// F-128, F-02: registered as a confidential client, the app shows its secret to the token endpoint and nowhere else.
#[tokio::test]
async fn a_confidential_app_has_its_secret_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    for (secret, status) in [("s3cret-of-the-clinic", 200), ("another", 502)] {
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        let client = Client::symmetric("clinician-web", "s3cret-of-the-clinic");
        let mut clinic = Clinic::start(client, &["--client-secret-file", file.to_str().unwrap()]).await;
        let callback = clinic.sign_in("p1001").await;
        let response = clinic.get(&callback).await;
        assert!(!text(&response).contains(secret) && !format!("{:?}", response.headers()).contains(secret));
        let shown = if status == 200 { clinic.get(&location(&response)).await } else { response };
        assert_eq!(shown.status(), status, "{}", text(&shown));
    }
}

/// F-128: what the app may not read is shown as unknown, and never as nothing.
#[tokio::test]
async fn what_was_not_granted_is_unknown() {
    let client = Client::public("clinician-web").with_scopes("launch openid fhirUser patient/Patient.r");
    let mut clinic = Clinic::start(client, &[]).await;
    let page = clinic.open("p1001").await;
    let text = text(&clinic.get(&page).await);
    assert!(text.contains("Okafor"), "{text}");
    assert_eq!(text.matches("<strong>Unknown.</strong> The EHR does not let this app read").count(), 3, "{text}");
    assert!(!text.contains("The record has no"), "{text}");
}

/// F-128: errors are pages with the next step: a server that nobody listed, a callback without a login, and an EHR that fails.
#[tokio::test]
async fn errors_are_pages_with_the_next_step() {
    let mut clinic = Clinic::plain().await;
    let refused = clinic.get("/launch?iss=https://evil.example/fhir&launch=x").await;
    assert_eq!(refused.status(), 403);
    assert!(text(&refused).contains("tell whoever runs the app"), "{}", text(&refused));
    let lost = clinic.get("/callback?code=x&state=y").await;
    assert_eq!(lost.status(), 400);
    assert!(text(&lost).contains("Please open the app again"), "{}", text(&lost));

    let page = clinic.open("p1001").await;
    clinic.sandbox.always_fail_fhir(FhirFault::HtmlPage);
    let failed = clinic.get(&page).await;
    assert_eq!(failed.status(), 502);
    let text = text(&failed);
    assert!(text.contains("The record could not be read") && text.contains(">Try again</a>"), "{text}");
    assert!(text.contains(&format!("href=\"{page}\"")), "{text}");
    clinic.sandbox.always_fail_fhir(FhirFault::WrongPatient);
    let other = clinic.get(&page).await;
    assert_eq!(other.status(), 502, "another patient's record is not shown");
    clinic.sandbox.heal_fhir();
    assert_eq!(clinic.get(&page).await.status(), 200);
}
