//! The library's client for what the person typed.

use crate::api::audit::Auditor;
use crate::api::{
    App, Error, FhirBaseUrl, HttpClient, HyperTransport, ServerKind, ServerProfile, SessionPolicy, SmartClient, Store,
    UrlPolicy, is_loopback,
};
use crate::cli_error::CliError;
use crate::exit_code::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The client id that the sandbox knows.
pub(crate) const SANDBOX_CLIENT: &str = "demo-app";

/// Scopes to ask a server of SMART 2 for, when the person names none.
pub(crate) const USUAL_SCOPES: &str = "launch/patient openid fhirUser offline_access patient/*.rs";
/// The same for a server of SMART 1.
pub(crate) const USUAL_SCOPES_V1: &str = "launch/patient openid fhirUser offline_access patient/*.read";

/// Scopes to ask for in an EHR launch, when the person names none.
pub(crate) const EHR_SCOPES: &str = "launch openid fhirUser offline_access patient/*.rs";
/// Scopes of a backend service at a server of SMART 2, when the person names none.
pub(crate) const BACKEND_SCOPES: &str = "system/*.rs";
/// The same for a server of SMART 1.
pub(crate) const BACKEND_SCOPES_V1: &str = "system/*.read";

/// A login that nobody has used for so long ends: what was forgotten on a disk is not to open a record for ever.
const LONGEST_UNUSED: Duration = Duration::from_hours(365 * 24);

/// Connections of all requests.
pub(crate) fn http() -> HttpClient {
    HttpClient::new(HyperTransport::new())
}

/// Whether a URL that the person typed is plain http on this machine: then they have said that it is wanted.
pub(crate) fn is_loopback_http(typed: &str) -> bool {
    Url::parse(typed).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url))
}

/// Checks the FHIR base that the person typed, before anything is sent.
///
/// # Errors
/// Insecure http, or usage.
pub(crate) fn check_base(typed: &str) -> Result<(), CliError> {
    let policy = if is_loopback_http(typed) { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
    FhirBaseUrl::parse_with(typed, policy).map(|_| ()).map_err(|error| Error::from(error).into())
}

/// The app with scopes to ask for.
///
/// # Errors
/// Usage, when one is illegal.
pub(crate) fn with_scopes(app: App, scopes: &str) -> Result<App, CliError> {
    app.scopes(scopes).map_err(|error| {
        CliError::new(ExitCode::Usage, error.to_string()).with_next_step("Correct the scopes in --scopes.")
    })
}

/// What a client is made of.
pub(crate) struct Wanted {
    /// The app.
    pub(crate) app: App,
    /// Whether plain http is allowed on loopback hosts.
    pub(crate) loopback_http: bool,
    /// Where sessions are kept; in memory where there is none.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// How long the person may take.
    pub(crate) login_timeout: Duration,
    /// What kind of server it is, where the person says so.
    pub(crate) profile: Option<ServerKind>,
    /// Where security events are recorded.
    pub(crate) audit: Auditor,
}

impl Wanted {
    /// A client for a server without a store or an audit. Plain http is allowed on loopback hosts only where the server's URL is
    /// such.
    pub(crate) fn new(server: &str, app: App) -> Self {
        Self {
            app,
            loopback_http: is_loopback_http(server),
            store: None,
            login_timeout: Duration::from_mins(5),
            profile: None,
            audit: Auditor::none(),
        }
    }

    /// The client.
    pub(crate) fn client(self, http: &HttpClient) -> SmartClient {
        let mut builder = SmartClient::builder(self.app)
            .http(http.clone())
            .login_timeout(self.login_timeout)
            .session_policy(SessionPolicy::none().with_idle(LONGEST_UNUSED))
            .audit(self.audit);
        if self.loopback_http {
            builder = builder.allow_loopback_http();
        }
        if let Some(kind) = self.profile {
            builder = builder.all_servers(ServerProfile::of(kind).choose());
        }
        if let Some(store) = self.store {
            builder = builder.store(store);
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-02 (RFC 9700, 2.6): plain http counts as wanted only where the person typed it, and only on this machine.
    #[test]
    fn only_typed_loopback_urls_allow_http() {
        for typed in ["http://127.0.0.1:4013/fhir", "http://[::1]/fhir", "http://localhost/fhir"] {
            assert!(is_loopback_http(typed), "{typed}");
        }
        for typed in ["https://127.0.0.1/fhir", "http://ehr.example/fhir", "http://127.0.0.1.ehr.example/", "127.0.0.1"]
        {
            assert!(!is_loopback_http(typed), "{typed}");
        }
    }

    /// A scope that cannot be is an error of usage, before any request.
    #[test]
    fn illegal_scopes_are_errors_of_usage() {
        let error = with_scopes(App::public("a"), "patient/*.sr").unwrap_err();
        assert_eq!(error.code, ExitCode::Usage);
    }
}
