//! Checking settings: every member, and those against each other.

use super::{ClientType, Problem, Settings, SettingsError};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::profile::{ServerKind, ServerProfile};
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::{Scope, Scopes};
use smart_core::token::BackendScopes;
use smart_core::url_policy::UrlPolicy;
use std::fmt::Display;

const LOGIN_TIMEOUT: std::ops::RangeInclusive<u64> = 10..=3600;
const ASSERTION_LIFETIME: std::ops::RangeInclusive<u64> = 1..=300;

/// Settings whose texts are read.
pub(super) struct Checked {
    pub(super) scopes: Scopes,
    pub(super) fhir_base: Option<FhirBaseUrl>,
    pub(super) redirect_uri: Option<RedirectUri>,
    pub(super) allowed_issuers: Vec<FhirBaseUrl>,
    pub(super) profile: Option<&'static ServerProfile>,
}

/// Collects what is wrong.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn say(&mut self, member: &str, reason: impl Display) {
        self.0.push(Problem::new(member, reason.to_string()));
    }

    fn keep<T, E: Display>(&mut self, member: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.say(member, error)).ok()
    }
}

impl Checked {
    pub(super) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let mut problems = Problems::default();
        let policy = if settings.allow_loopback_http { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
        if settings.client_id.trim().is_empty() {
            problems.say("client_id", "it is empty");
        }
        let scopes = problems.keep("scopes", settings.scopes.parse::<Scopes>());
        if let Some(scopes) = &scopes {
            check_scopes(settings, scopes, &mut problems);
        }
        let fhir_base = settings
            .fhir_base
            .as_ref()
            .and_then(|base| problems.keep("fhir_base", FhirBaseUrl::parse_with(base, policy)));
        let redirect_uri =
            settings.redirect_uri.as_ref().and_then(|uri| problems.keep("redirect_uri", RedirectUri::parse(uri)));
        let mut allowed_issuers = Vec::new();
        for (at, issuer) in settings.allowed_issuers.iter().enumerate() {
            let member = format!("allowed_issuers[{at}]");
            allowed_issuers.extend(problems.keep(&member, FhirBaseUrl::parse_with(issuer, policy)));
        }
        let profile = settings
            .server_profile
            .as_ref()
            .and_then(|name| problems.keep("server_profile", name.parse::<ServerKind>()).map(ServerProfile::of));
        if settings.server_profile.is_some() && settings.fhir_base.is_none() {
            problems.say("server_profile", "it needs fhir_base: a profile is that of one server");
        }
        check_kind(settings, &mut problems);
        problems.0.extend(settings.session.iter().flat_map(super::SessionSettings::problems));
        match scopes {
            Some(scopes) if problems.0.is_empty() => {
                Ok(Self { scopes, fhir_base, redirect_uri, allowed_issuers, profile })
            }
            _ => Err(SettingsError::Problems(problems.0)),
        }
    }
}

fn check_scopes(settings: &Settings, scopes: &Scopes, problems: &mut Problems) {
    if settings.client_type == ClientType::Backend {
        problems.keep("scopes", BackendScopes::new(scopes.clone()));
        return;
    }
    if scopes.is_empty() {
        problems
            .say("scopes", "there are none; ask at least for `openid fhirUser`, or for the resources that are read");
    }
    if scopes.contains(&Scope::FhirUser) && !scopes.contains(&Scope::OpenId) {
        problems.say("scopes", "`fhirUser` needs `openid`: the user stands in the ID token");
    }
}

/// What does not go together with the type of the client, and the ranges of numbers.
fn check_kind(settings: &Settings, problems: &mut Problems) {
    let kind = settings.client_type;
    if kind == ClientType::Backend {
        let absent = "a backend service has no login; leave it out";
        for (member, is_there) in [
            ("redirect_uri", settings.redirect_uri.is_some()),
            ("allowed_issuers", !settings.allowed_issuers.is_empty()),
            ("session", settings.session.is_some()),
        ] {
            if is_there {
                problems.say(member, absent);
            }
        }
    }
    check_assertions(settings, problems);
    if !LOGIN_TIMEOUT.contains(&settings.login_timeout_seconds) {
        problems.say("login_timeout_seconds", "it has to be from 10 to 3600");
    }
}

fn check_assertions(settings: &Settings, problems: &mut Problems) {
    let unsigned =
        (!settings.client_type.has_keys()).then_some("a client of this type signs no assertions; leave it out");
    if let Some(seconds) = settings.assertion_lifetime_seconds {
        let range = (!ASSERTION_LIFETIME.contains(&seconds)).then_some("it has to be from 1 to 300");
        unsigned.or(range).into_iter().for_each(|reason| problems.say("assertion_lifetime_seconds", reason));
    }
    if let Some(url) = &settings.key_set_url {
        let scheme = (!url.starts_with("https://")).then_some("it has to be an https URL");
        unsigned.or(scheme).into_iter().for_each(|reason| problems.say("key_set_url", reason));
    }
}
