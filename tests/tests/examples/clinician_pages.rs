//! The clinician's web app in a real browser, from the EHR's page to the logout.

use crate::chromium::Browser;
use crate::program::Program;
use serde_json::json;
use smart_sandbox::{Client, Sandbox, SandboxConfig};

/// The app as a program, and the sandbox that launches it.
struct Clinic {
    sandbox: Sandbox,
    app: String,
    _program: Program,
}

impl Clinic {
    async fn start() -> Self {
        let clients = vec![Client::public("clinician-web")];
        let sandbox = Sandbox::start(SandboxConfig { clients, ..SandboxConfig::default() }).await.unwrap();
        let mut program = Program::start("clinician_web", &["--issuer", &sandbox.fhir_base(), "--port", "0"]);
        let app = program.line_after("The app is at ").await;
        Self { sandbox, app, _program: program }
    }

    /// Opens the app from the EHR's page for a patient, and signs in.
    async fn launch(&self, browser: &Browser, patient: &str) {
        browser.open(&format!("{}?launch_url={}launch", self.sandbox.endpoints().launcher, self.app)).await;
        browser.click(&format!("input[value='Patient/{patient}']")).await;
        browser.click("button").await;
        sign_in(browser).await;
    }
}

async fn sign_in(browser: &Browser) {
    browser.wait_for("document.querySelector('h1')?.textContent", "Sign in").await;
    browser.click("input[value='Practitioner/pr2002']").await;
    browser.click("button").await;
    browser.wait_for("document.querySelector('h1')?.textContent", "Allow this app?").await;
    browser.click("button[value=approve]").await;
}

/// A colour scheme, as the person's system asks for it.
async fn prefer(browser: &Browser, scheme: &str) {
    let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
    browser
        .post("/goog/cdp/execute", json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}))
        .await;
}

const HEADING: &str = "document.querySelector('h1')?.textContent";

/// F-128, F-02, ST-07 (SMART, EHR launch; a wrong patient): a clinician opens two patients in two tabs; each page shows its own patient with
/// charts, also when the other one is newer, and a logout closes its own.
#[tokio::test]
async fn a_clinician_opens_two_patients() {
    let Some(browser) = Browser::start().await else { return };
    let clinic = Clinic::start().await;
    clinic.launch(&browser, "p1001").await;
    browser.wait_for(HEADING, "Amara Ngozi Okafor").await;
    assert_eq!(browser.script("return document.title").await, "Amara Ngozi Okafor");
    let text = browser.script("return document.querySelector('.banner').innerText").await;
    for fact in ["1958-04-17", "female", "MRN-1001"] {
        assert!(text.as_str().unwrap().contains(fact), "{text}");
    }
    for (what, found) in [
        ("the chart of the blood pressure has two lines", "svg[aria-labelledby~=pressure-title] polyline"),
        ("each of its values is in the table", "svg[aria-labelledby~=pressure-title] circle"),
    ] {
        let count = browser.script(&format!("return document.querySelectorAll('{found}').length")).await;
        let rows = "return document.querySelector('section.card table').tBodies[0].rows.length";
        let wanted = if found.ends_with("polyline") { json!(2) } else { browser.script(rows).await };
        assert!(count == wanted && count.as_u64() > Some(1), "{what}: {count}, not {wanted}");
    }
    let named = "return [...document.querySelectorAll('svg')].every(svg => svg.getAttribute('role') === 'img' && \
                 svg.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent))";
    assert_eq!(browser.script(named).await, true, "each chart has a title and a description");
    // Nothing is drawn over something else, or beyond the drawing.
    let overlaps = "return [...document.querySelectorAll('svg')].flatMap(svg => { \
        const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]); \
        const outside = texts.filter(([, b]) => b.left < frame.left || b.right > frame.right || b.top < frame.top || b.bottom > frame.bottom); \
        const over = texts.filter(([, a], i) => texts.some(([, b], j) => i < j && a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)); \
        return [...outside, ...over].map(([text]) => text) })";
    assert_eq!(browser.script(overlaps).await, json!([]));
    for scheme in ["light", "dark"] {
        prefer(&browser, scheme).await;
        browser.look(&format!("clinician-{scheme}"), "Amara Ngozi Okafor").await;
        let scrolled =
            "return [...document.querySelectorAll('.chart')].filter(it => it.scrollWidth > it.clientWidth).length";
        assert_eq!(browser.script(scrolled).await, 0, "charts fit into their place");
    }
    prefer(&browser, "light").await;

    let first = browser.get("/window").await;
    let second = browser.post("/window/new", json!({"type": "tab"})).await;
    browser.post("/window", json!({"handle": second["handle"]})).await;
    clinic.launch(&browser, "p1003").await;
    browser.wait_for(&format!("{HEADING} !== 'Allow this app?' && document.querySelectorAll('svg').length"), 2).await;
    let other = browser.script(&format!("return {HEADING}")).await.as_str().unwrap().to_owned();
    assert_ne!(other, "Amara Ngozi Okafor");
    browser.post("/window", json!({"handle": first})).await;
    browser.post("/refresh", json!({})).await;
    browser.wait_for(HEADING, "Amara Ngozi Okafor").await;
    browser.click("header button").await;
    browser.look("clinician-signed-out", "You are signed out").await;
    browser.post("/back", json!({})).await;
    browser.look("clinician-closed", "You are signed out").await;
    assert_eq!(browser.script("return document.body.innerText.includes('Okafor')").await, false);

    browser.post("/window", json!({"handle": second["handle"]})).await;
    browser.post("/refresh", json!({})).await;
    browser.wait_for(HEADING, other.as_str()).await;
    browser.open(&clinic.app).await;
    browser.look("clinician-home", "No record is open").await;
}

/// F-128, CB-08: names and texts of a record that are markup are shown as text.
#[tokio::test]
async fn markup_in_a_record_is_text() {
    let Some(browser) = Browser::start().await else { return };
    let clinic = Clinic::start().await;
    let name = "<script>document.title='owned'</script>";
    let text = "\"><img src=x onerror=\"document.title='owned'\">";
    let subject = json!({"reference": "Patient/p9001"});
    for resource in [
        json!({"resourceType": "Patient", "id": "p9001", "gender": "unknown", "birthDate": "1980-05-06", "name": [{"family": name, "given": ["</title>"]}]}),
        json!({"resourceType": "Condition", "subject": subject, "code": {"text": text}, "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}}),
        json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject, "medicationCodeableConcept": {"text": text}, "dosageInstruction": [{"text": text}]}),
    ] {
        clinic.sandbox.put_resource(&resource.to_string()).unwrap();
    }
    let launch = clinic.sandbox.new_launch(Some("p9001"), None);
    browser.open(&format!("{}launch?iss={}&launch={launch}", clinic.app, clinic.sandbox.fhir_base())).await;
    sign_in(&browser).await;
    browser.look("clinician-markup", &format!("</title> {name}")).await;
    assert_eq!(browser.script("return document.title").await, format!("</title> {name}"));
    assert_eq!(browser.script("return document.querySelectorAll('script, img').length").await, 0);
    let shown = browser.script("return document.querySelector('main').innerText").await;
    assert_eq!(shown.as_str().unwrap().matches(text).count(), 3, "{shown}");
    assert_eq!(shown.as_str().unwrap().matches("No values are recorded.").count(), 2, "{shown}");
}

/// F-128: `--sandbox` leads from the app's own page to the EHR's and into the record, with one command.
#[tokio::test]
async fn the_app_shows_itself() {
    let Some(browser) = Browser::start().await else { return };
    let mut program = Program::start("clinician_web", &["--sandbox", "--port", "0"]);
    let app = program.line_after("The app is at ").await;
    program.line_after("Open it from the sandbox's EHR: ").await;
    browser.open(&app).await;
    browser.click("a.button").await;
    browser.wait_for(HEADING, "Start an app").await;
    browser.click("input[value='Patient/p1001']").await;
    browser.click("button").await;
    sign_in(&browser).await;
    browser.wait_for(HEADING, "Amara Ngozi Okafor").await;
}
