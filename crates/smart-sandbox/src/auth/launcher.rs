//! The page by which a person starts an app, as an EHR would (SMART App Launch 2.2, EHR launch).

use super::authorize::see_other;
use super::html::{error_page, page as html_page};
use super::pages::{choices, value};
use crate::accounts::{self, Account};
use crate::quirks::LaunchRule;
use crate::shared::{Launch, Shared};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use smart_core::profile::launcher::{EncounterChoice, LaunchType, LauncherSettings};
use smart_core::untrusted::html_escaped;
use std::sync::Arc;
use url::Url;

pub(crate) async fn page(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let url = value(query.as_deref().unwrap_or_default(), "launch_url").unwrap_or_default();
    let patients = choices("patient", &accounts::patients(&shared.data));
    let body = format!(
        "<p>Start an app as an electronic health record does: with a patient open.</p>\
         <form method=\"post\" action=\"{}\"><label for=\"launch_url\">The app's launch URL</label>\
         <input type=\"search\" id=\"launch_url\" name=\"launch_url\" value=\"{}\" required>\
         <fieldset><legend>Patients</legend>{patients}</fieldset>\
         <div class=\"actions\"><button>Start the app</button></div></form>",
        super::LAUNCHER,
        html_escaped(&url)
    );
    html_page(StatusCode::OK, "Start an app", &body, None)
}

pub(crate) async fn start(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let target = value(&body, "launch_url").and_then(|url| Url::parse(&url).ok());
    let Some(mut target) = target.filter(|url| matches!(url.scheme(), "https" | "http")) else {
        return error_page(StatusCode::BAD_REQUEST, "The launch URL is no web address.");
    };
    let chosen = value(&body, "patient").and_then(|patient| accounts::patient(&shared.data, &patient));
    let Some(patient) = chosen else {
        return error_page(StatusCode::BAD_REQUEST, "Nobody of that name is a patient here.");
    };
    let Some(launch) = launch_value(&shared, &patient, value(&body, "encounter")) else {
        return error_page(StatusCode::INTERNAL_SERVER_ERROR, "This launch cannot be written as a code.");
    };
    target.query_pairs_mut().append_pair("iss", &shared.fhir_base).append_pair("launch", &launch);
    see_other(target.as_str())
}

fn launch_value(shared: &Shared, patient: &Account, encounter: Option<String>) -> Option<String> {
    let id = patient.reference.strip_prefix("Patient/")?.to_owned();
    match shared.quirks.authorization.launch {
        LaunchRule::Issued => Some(shared.state().launch(Launch { patient: Some(id), encounter })),
        LaunchRule::LauncherCode => {
            let mut settings = LauncherSettings::new(LaunchType::ProviderEhr);
            settings.patients = vec![id];
            settings.encounter = encounter.map_or(EncounterChoice::None, EncounterChoice::Id);
            settings.to_code().ok()
        }
    }
}

/// The launch that a settings code stands for: one patient, and the encounter if one is named.
pub(super) fn decoded(code: &str) -> Option<Launch> {
    let settings = LauncherSettings::from_code(code).ok()?;
    let patient = match settings.patients.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let encounter = match settings.encounter {
        EncounterChoice::Id(id) => Some(id),
        _ => None,
    };
    Some(Launch { patient, encounter })
}
