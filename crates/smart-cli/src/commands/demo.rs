//! `smart demo`: a whole SMART launch on this machine, step by step.

use crate::api::{
    App, Discovered, Error, FhirClient, FhirSession as _, HttpClient, Introspection, LoopbackListener, SearchQuery,
    Session, SmartClient,
};
use crate::browser;
use crate::cli_error::CliError;
use crate::connect::{SANDBOX_CLIENT, USUAL_SCOPES, http};
use crate::exit_code::ExitCode;
use crate::mask::{self, Reveal};
use crate::output::{Output, print_json, print_lines};
use crate::patient_summary::PatientSummary;
use crate::plot::Plot;
use crate::steps::{Outcome, Place, Steps, milliseconds};
use crate::style::{Colour, Style};
use crate::time_text::rfc3339;
use clap::Args;
use serde_json::{Value, json};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::time::{Duration, Instant};

/// How long the person may take with `--browser`, and the stand-in at most.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(5);
/// How many resources a page should have: few enough that there are several pages.
const PAGE_SIZE: u32 = 20;
/// How many pages are read at most.
const MAX_PAGES: u64 = 100;

/// Start a small SMART server on this machine and do a whole launch with it, step by step
///
/// Nothing leaves this machine, and the patients are made up. A stand-in for a person logs in, picks a patient and
/// allows the app, over real HTTP; with --browser you do so yourself.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Open your own browser, and log in there yourself
    #[arg(long)]
    browser: bool,

    /// Show tokens and one-time values in the clear
    #[arg(long)]
    reveal: bool,
}

/// What was read of the record.
struct Record {
    patient: Value,
    conditions: Vec<Value>,
    medications: Vec<Value>,
    observations: Vec<Value>,
}

impl Demo {
    /// Does the launch.
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let begin = Instant::now();
        let place = if output.json { Place::Nowhere } else { Place::Stdout };
        let mut steps = Steps::new(place, output.style);
        let sandbox = steps.run("sandbox", "Start the sandbox", start()).await?;
        let walked = self.walk(&sandbox, &mut steps, output).await;
        sandbox.shutdown().await;
        let elapsed_ms = milliseconds(begin.elapsed());
        match walked {
            Ok((record, summary)) if output.json => print_json(&json!({
                "ok": true,
                "patient": record.patient,
                "summary": summary,
                "steps": steps.done(),
                "elapsed_ms": elapsed_ms,
            })),
            Ok(_) => print_lines(last_words(&steps, elapsed_ms, &output.style)),
            Err(error) => Err(error.with("steps", json!(steps.done()))),
        }
    }

    /// Everything between the sandbox's start and its end.
    async fn walk(
        &self,
        sandbox: &Sandbox,
        steps: &mut Steps,
        output: &Output,
    ) -> Result<(Record, PatientSummary), CliError> {
        let http = http();
        let app = App::public(SANDBOX_CLIENT).scopes(USUAL_SCOPES).map_err(Error::from)?;
        let client =
            SmartClient::builder(app).http(http.clone()).allow_loopback_http().login_timeout(LOGIN_TIMEOUT).build();
        let base = sandbox.fhir_base();
        steps.run("discover", "Discover the server", discover(&client, &base)).await?;
        let session = self.log_in(&client, &base, &http, steps, output).await?;
        let fhir = session.fhir();

        let patient = steps.run("patient", "Read the patient", read_patient(&fhir, &session)).await?;
        let observations =
            steps.run("observations", "Page through observations", search(&fhir, &session, "Observation")).await?;
        let conditions = steps.run("conditions", "Search conditions", search(&fhir, &session, "Condition")).await?;
        let medications =
            steps.run("medications", "Search medications", search(&fhir, &session, "MedicationRequest")).await?;
        let record = Record { patient, conditions, medications, observations };
        let summary = summary(&record);
        if !output.json {
            print_lines(summary_lines(&summary, &output.style))?;
        }

        steps.run("refresh", "Refresh the token", self.refresh(&session)).await?;
        steps.run("introspect", "Introspect the token", introspect(&session)).await?;
        let token = session.access_token().await?;
        steps.run("revoke", "Revoke the tokens", revoke(&session)).await?;
        let url = format!("{base}/Patient/{}", record.patient.get("id").and_then(Value::as_str).unwrap_or_default());
        steps.run("use_revoked", "Use the revoked token", refused(&http, &url, token.expose_secret())).await?;
        Ok((record, summary))
    }

    fn reveal(&self) -> Reveal {
        if self.reveal { Reveal::Shown } else { Reveal::Masked }
    }

    /// The launch: the browser's way to the callback, then the code for tokens.
    async fn log_in(
        &self,
        client: &SmartClient,
        base: &str,
        http: &HttpClient,
        steps: &mut Steps,
        output: &Output,
    ) -> Result<Session, CliError> {
        let launch = client.standalone(base).await?;
        let listener = LoopbackListener::bind().await.map_err(Error::from)?;
        let redirect_uri = listener.redirect_uri().clone();
        let (request, pending) = launch.authorize(&redirect_uri)?;
        let url = request.url();
        let authorize = async {
            let receive = async { listener.receive(LOGIN_TIMEOUT).await.map_err(Error::from) };
            let browse = async {
                if self.browser {
                    return browser::open(url.clone(), output).await;
                }
                let person = AutoBrowser::new(http.clone(), Person::default());
                person.browse(&url).await.map_err(|e| Error::Browser(e.to_string()))
            };
            let (callback, ()) = tokio::try_join!(receive, browse)?;
            let who = if self.browser { "you logged in" } else { "login, patient and consent over HTTP" };
            let detail = format!("{who}; back at {}", redirect_uri.as_str());
            let result = json!({
                "authorization_url": mask::url(&url, self.reveal()),
                "redirect_uri": redirect_uri.as_str(),
                "browser": if self.browser { "yours" } else { "a stand-in" },
            });
            Ok((callback, Outcome::new(detail, result)))
        };
        let title = "Log in and allow";
        let callback = if self.browser {
            steps.run_unannounced("authorize", title, authorize).await?
        } else {
            steps.run("authorize", title, authorize).await?
        };
        let redeem = async {
            let session = client.complete_callback(pending, callback).await?;
            let outcome = self.tokens(&session).await?;
            Ok((session, outcome))
        };
        steps.run("tokens", "Redeem the code", Box::pin(redeem)).await
    }

    /// What the token response brought.
    async fn tokens(&self, session: &Session) -> Result<Outcome, CliError> {
        let user = session.user()?.ok_or_else(|| CliError::new(ExitCode::TokenRefused, "no ID token came"))?;
        let fhir_user = session.fhir_user()?.map(|user| user.reference());
        let token = session.access_token().await?;
        let scopes = session.granted_scopes()?;
        let detail = format!(
            "ID token of {} is valid ({}); {} scopes; access token {}",
            fhir_user.as_deref().unwrap_or(&user.subject),
            user.algorithm,
            scopes.len(),
            mask::secret(token.expose_secret(), self.reveal())
        );
        let result = json!({
            "id_token": {"issuer": user.issuer, "subject": user.subject, "algorithm": user.algorithm, "fhir_user": fhir_user},
            "patient": session.patient()?,
            "scopes": scopes.to_string(),
            "access_token": mask::secret(token.expose_secret(), self.reveal()),
            "expires_at": session.expires_at()?.and_then(rfc3339),
            "can_refresh": session.can_refresh(),
        });
        Ok(Outcome::new(detail, result))
    }

    async fn refresh(&self, session: &Session) -> Result<((), Outcome), CliError> {
        let before = session.access_token().await?;
        session.refresh().await?;
        let after = session.access_token().await?;
        if before == after {
            return Err(CliError::new(ExitCode::TokenRefused, "the refresh gave the same access token again"));
        }
        let shown = mask::secret(after.expose_secret(), self.reveal());
        let result = json!({"access_token": shown, "expires_at": session.expires_at()?.and_then(rfc3339)});
        Ok(((), Outcome::new(format!("a new access token: {shown}"), result)))
    }
}

async fn start() -> Result<(Sandbox, Outcome), CliError> {
    let config = SandboxConfig::default();
    let sandbox = Sandbox::start(config).await.map_err(|error| super::sandbox::failed(&error))?;
    let base = sandbox.fhir_base();
    let outcome = Outcome::new(base.clone(), json!({"fhir_base": base, "issuer": sandbox.issuer()}));
    Ok((sandbox, outcome))
}

async fn discover(client: &SmartClient, base: &str) -> Result<((), Outcome), CliError> {
    let server: Discovered = client.discover(base).await?;
    let configuration = &server.configuration;
    let methods = configuration.code_challenge_methods_supported.clone().unwrap_or_default();
    let detail = format!(
        "{} capabilities, PKCE {}, {} findings",
        configuration.capabilities.len(),
        methods.join(", "),
        server.report.findings.len()
    );
    let result = json!({
        "source": server.source,
        "version": server.version,
        "authorization_endpoint": configuration.authorization_endpoint,
        "token_endpoint": configuration.token_endpoint,
        "capabilities": configuration.capabilities,
        "code_challenge_methods_supported": methods,
        "findings": server.report.findings,
    });
    Ok(((), Outcome::new(detail, result)))
}

async fn read_patient(fhir: &FhirClient, session: &Session) -> Result<(Value, Outcome), CliError> {
    let id = session.patient()?;
    let patient: Value = fhir.read("Patient", &id).await?;
    let name = crate::patient_summary::codes::name(&patient).unwrap_or_default();
    let outcome = Outcome::new(format!("Patient/{id} {name}"), json!({"id": id, "name": name}));
    Ok((patient, outcome))
}

async fn search(fhir: &FhirClient, session: &Session, what: &str) -> Result<(Vec<Value>, Outcome), CliError> {
    let query = SearchQuery::new(what).param("patient", session.patient()?).count(PAGE_SIZE);
    let mut pages = fhir.search(query).pages().max_pages(MAX_PAGES);
    let (mut count, mut resources) = (0_u64, Vec::new());
    while let Some(page) = pages.try_next().await? {
        count += 1;
        resources.extend(page.matches().cloned());
    }
    let detail = format!("{} resources on {count} page{}", resources.len(), if count == 1 { "" } else { "s" });
    let result = json!({"resource_type": what, "resources": resources.len(), "pages": count});
    Ok((resources, Outcome::new(detail, result)))
}

async fn introspect(session: &Session) -> Result<((), Outcome), CliError> {
    match session.introspect().await? {
        Introspection::Inactive => Err(CliError::new(ExitCode::TokenRefused, "the server calls a live token inactive")),
        Introspection::Active(token) => {
            let until = token.expires_at.and_then(rfc3339);
            let detail = format!("active until {}", until.as_deref().unwrap_or("no known time"));
            let result = json!({
                "active": true,
                "client_id": token.client_id.as_ref().map(ToString::to_string),
                "scope": token.scope.as_ref().map(ToString::to_string),
                "patient": token.context.patient,
                "fhir_user": token.fhir_user,
                "expires_at": until,
            });
            Ok(((), Outcome::new(detail, result)))
        }
    }
}

async fn revoke(session: &Session) -> Result<((), Outcome), CliError> {
    session.revoke().await?;
    Ok(((), Outcome::new("refresh token and access token", json!({"revoked": true}))))
}

/// Shows the server a token that was revoked: it has to refuse it.
async fn refused(http: &HttpClient, url: &str, token: &str) -> Result<((), Outcome), CliError> {
    let failed = |reason: String| CliError::new(ExitCode::Internal, reason).at(url.to_owned());
    let request = http::Request::get(url)
        .header(http::header::ACCEPT, "application/fhir+json")
        .header(http::header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Vec::new().into())
        .map_err(|e| failed(e.to_string()))?;
    let status = http.fetch(request).await.map_err(Error::from)?.status().as_u16();
    if status == 401 {
        return Ok(((), Outcome::new("refused with status 401, as it should be", json!({"status": status}))));
    }
    let message = format!("a revoked token was answered with status {status}, not 401");
    Err(CliError::new(ExitCode::FhirError, message).at(url.to_owned()))
}

fn summary(record: &Record) -> PatientSummary {
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    PatientSummary::new(&record.patient, &record.conditions, &record.medications, &record.observations, today)
}

/// The summary: who the patient is, the last vital signs, and one of them over time.
fn summary_lines(summary: &PatientSummary, style: &Style) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(summary.person_table().lines(style.characters, style.width));
    let vitals = summary.vitals_table();
    if !vitals.is_empty() {
        lines.extend(vitals.lines(style.characters, style.width));
    }
    if let Some(course) = &summary.course {
        lines.push(String::new());
        let plot = Plot { title: &course.name, unit: &course.unit, points: &course.points };
        lines.extend(plot.lines(style.characters, style.width));
    }
    lines.push(String::new());
    lines
}

fn last_words(steps: &Steps, elapsed_ms: f64, style: &Style) -> Vec<String> {
    let done = format!("{} steps worked, in {elapsed_ms:.0} ms.", steps.done().len());
    vec![
        String::new(),
        style.paint(Colour::Good, &done),
        "The patients are made up, and the server is gone. Run one that stays: smart sandbox".to_owned(),
    ]
}
