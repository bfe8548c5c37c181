//! The library's client for what the person typed.

use crate::api::{App, Error, FhirBaseUrl, HttpClient, HyperTransport, SmartClient, Store, UrlPolicy, is_loopback};
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

/// What a client is made of.
pub(crate) struct Wanted<'a> {
    /// The FHIR base, as the person typed it.
    pub(crate) server: &'a str,
    /// The client id.
    pub(crate) client_id: &'a str,
    /// The scopes to ask for; empty where nobody logs in.
    pub(crate) scopes: &'a str,
    /// Where sessions are kept; in memory where there is none.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// How long the person may take.
    pub(crate) login_timeout: Duration,
}

impl<'a> Wanted<'a> {
    /// A client without scopes and without a store.
    pub(crate) fn new(server: &'a str, client_id: &'a str) -> Self {
        Self { server, client_id, scopes: "", store: None, login_timeout: Duration::from_mins(5) }
    }

    /// The client. Plain http is allowed on loopback hosts only where the server's URL is such.
    ///
    /// # Errors
    /// Usage, when a scope is illegal.
    pub(crate) fn client(self, http: &HttpClient) -> Result<SmartClient, CliError> {
        let app = App::public(self.client_id).scopes(self.scopes).map_err(|error| {
            CliError::new(ExitCode::Usage, error.to_string()).with_next_step("Correct the scopes in --scopes.")
        })?;
        let mut builder = SmartClient::builder(app).http(http.clone()).login_timeout(self.login_timeout);
        if is_loopback_http(self.server) {
            builder = builder.allow_loopback_http();
        }
        if let Some(store) = self.store {
            builder = builder.store(store);
        }
        Ok(builder.build())
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
        let wanted = Wanted { scopes: "patient/*.sr", ..Wanted::new("https://ehr.example/fhir", "a") };
        assert_eq!(wanted.client(&http()).unwrap_err().code, ExitCode::Usage);
    }
}
