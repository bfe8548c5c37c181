//! Getting a token by a grant that needs no person: a refresh token, or the client's own credentials.

use crate::client::Inner;
use crate::client_auth::AuthHints;
use crate::error::Error;
use crate::record::{Grant, SessionRecord};
use bytes::Bytes;
use http::Response;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::Scopes;
use smart_core::secret::RefreshToken;
use smart_core::token::{
    BackendScopes, ClientAuthentication, ClientCredentialsExchange, RefreshExchange, RequestingClient, TokenError,
    TokenErrorCode, TokenResponse,
};
use smart_core::url_policy::UrlPolicy;
use smart_http::retry_after;
use std::time::Duration;
use url::Url;

/// The token that is wanted, and the right to it.
pub(crate) enum Wanted<'a> {
    Refresh { record: &'a SessionRecord, refresh_token: &'a RefreshToken },
    Backend(BackendToken<'a>),
}

/// A backend service's token.
#[derive(Clone, Copy)]
pub(crate) struct BackendToken<'a> {
    pub(crate) fhir_base: &'a FhirBaseUrl,
    pub(crate) token_endpoint: &'a Url,
    pub(crate) hints: &'a AuthHints,
    pub(crate) scopes: &'a Scopes,
}

/// A try that failed, and how long the server asks to be left alone.
pub(crate) struct Failed {
    pub(crate) error: Box<Error>,
    pub(crate) retry_after: Option<Duration>,
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: Box::new(error.into()), retry_after: None }
    }
}

impl Inner {
    /// Gets a session's next token.
    pub(crate) async fn renew_record(&self, record: &SessionRecord) -> Result<SessionRecord, Failed> {
        let wanted = match (record.grant, &record.refresh_token) {
            (Grant::Login, Some(refresh_token)) => Wanted::Refresh { record, refresh_token },
            (Grant::Login, None) => return Err(Error::Internal("there is no refresh token to present").into()),
            (Grant::Backend, _) => return self.renew_backend(record).await,
        };
        let token = self.get_token(&wanted).await?;
        let expires_at = self.end_of(&record.fhir_base, &token);
        Ok(record.renewed(token, expires_at))
    }

    /// A service runs for months: its token comes from where discovery says now, not from where it said once.
    async fn renew_backend(&self, record: &SessionRecord) -> Result<SessionRecord, Failed> {
        let mut record = record.clone();
        match self.discover(record.fhir_base.clone()).await {
            Ok(server) => {
                record.endpoints.token = server.configuration.token_endpoint.clone();
                record.hints = AuthHints::of(&server);
            }
            Err(error) => tracing::warn!(%error, "discovery failed; the token endpoint known before is used"),
        }
        let wanted = Wanted::Backend(BackendToken {
            fhir_base: &record.fhir_base,
            token_endpoint: &record.endpoints.token,
            hints: &record.hints,
            scopes: &record.requested,
        });
        let token = self.get_token(&wanted).await?;
        let expires_at = self.end_of(&record.fhir_base, &token);
        Ok(record.renewed(token, expires_at))
    }

    /// Gets a token, with retries for a backend service: a new assertion can be tried as often as one likes. When a refresh may
    /// be tried again is said by [`before_next_try`](Self::before_next_try).
    pub(crate) async fn get_token(&self, wanted: &Wanted<'_>) -> Result<TokenResponse, Failed> {
        for retry in 0.. {
            let outcome = match wanted {
                Wanted::Refresh { record, refresh_token } => self.try_refresh(record, refresh_token).await,
                Wanted::Backend(wanted) => self.try_client_credentials(*wanted).await,
            };
            let Err(failed) = outcome else { return outcome };
            let may_repeat = failed.error.is_retryable() && matches!(wanted, Wanted::Backend(_));
            let wait = self.grant_retries.delay(retry, failed.retry_after).filter(|_| may_repeat);
            let Some(wait) = wait else {
                self.doubt_server(wanted, &failed.error).await;
                return Err(failed);
            };
            self.http.timer().sleep(wait).await;
        }
        Err(Error::Internal("retries do not end").into())
    }

    /// How long to wait before a refresh is tried again. `None`: it is not.
    ///
    /// A refresh token is presented again only where the first try certainly did not reach the server: a second one could be
    /// taken for a theft (requirement TK-17).
    pub(crate) fn before_next_try(&self, retry: u32, failed: &Failed) -> Option<Duration> {
        let may_repeat = failed.error.is_retryable() && !may_have_reached(&failed.error);
        self.grant_retries.delay(retry, failed.retry_after).filter(|_| may_repeat)
    }

    async fn try_refresh(&self, record: &SessionRecord, refresh_token: &RefreshToken) -> Result<TokenResponse, Failed> {
        let exchange = RefreshExchange {
            fhir_base: &record.fhir_base,
            token_endpoint: &record.endpoints.token,
            refresh_token,
            granted: &record.granted,
            context: &record.context,
        };
        let authentication = self.authenticate(&record.fhir_base, &record.endpoints.token, &record.hints).await?;
        let requesting = self.requesting(&record.fhir_base, &authentication);
        let request = exchange.request(requesting, &self.refresh_scope(&record.fhir_base))?;
        let response = self.send(request).await?;
        self.read(&response, |status, body| exchange.parse(status, body, self.clock.now()))
    }

    async fn try_client_credentials(&self, wanted: BackendToken<'_>) -> Result<TokenResponse, Failed> {
        let scopes = BackendScopes::new(wanted.scopes.clone())?;
        let keys = self.app.keys().ok_or_else(|| Error::NoKey { client_id: self.app.client_id.to_string() })?;
        let assertion = self.assertion(&keys.signers(), wanted.token_endpoint, wanted.hints).await?;
        let exchange = ClientCredentialsExchange {
            token_endpoint: wanted.token_endpoint,
            client_id: self.app.client_id(),
            scopes: &scopes,
            url_policy: url_policy_of(wanted.fhir_base),
        };
        let id_in_body = self.id_in_body(wanted.fhir_base);
        let response = self.send(exchange.request(assertion, id_in_body)?).await?;
        self.read(&response, |status, body| exchange.parse(status, body, self.clock.now()))
    }

    /// The app as it names itself to a server.
    pub(crate) fn requesting<'a>(
        &'a self,
        fhir_base: &FhirBaseUrl,
        authentication: &'a ClientAuthentication,
    ) -> RequestingClient<'a> {
        RequestingClient { id: self.app.client_id(), authentication, id_in_body: self.id_in_body(fhir_base) }
    }

    /// Whether a failed refresh means that the grant is gone: by OAuth's word for it, or by this server's.
    pub(crate) fn is_grant_gone(&self, fhir_base: &FhirBaseUrl, error: &Error) -> bool {
        let dead = self.settings(fhir_base).preferences().refresh_token_dead;
        let said = match error {
            Error::Token(error) => error.oauth_error().map(|refused| refused.error.as_str()),
            _ => None,
        };
        error.needs_reauthorization() || (dead.is_some() && said == dead)
    }

    fn read(
        &self,
        response: &Response<Bytes>,
        parse: impl FnOnce(u16, &[u8]) -> Result<TokenResponse, TokenError>,
    ) -> Result<TokenResponse, Failed> {
        let token = parse(response.status().as_u16(), response.body()).map_err(|error| Failed {
            error: Box::new(error.into()),
            retry_after: retry_after(response.headers(), self.clock.now()),
        })?;
        warn_of_leniencies(&token);
        Ok(token)
    }

    /// What is known of the server may be wrong when its token endpoint is gone or refuses the client.
    async fn doubt_server(&self, wanted: &Wanted<'_>, error: &Error) {
        let Error::Token(error) = error else { return };
        let refused = error.oauth_error().is_some_and(|e| e.error == TokenErrorCode::InvalidClient);
        let gone = matches!(error, TokenError::Status { status: 404 | 410, .. });
        if refused || gone {
            let fhir_base = match wanted {
                Wanted::Refresh { record, .. } => &record.fhir_base,
                Wanted::Backend(wanted) => wanted.fhir_base,
            };
            self.doubt(fhir_base).await;
        }
    }
}

/// Tells the log where an answer departs from the specification.
pub(crate) fn warn_of_leniencies(token: &TokenResponse) {
    for leniency in &token.leniencies {
        tracing::warn!(code = leniency.code(), "the token response departs from the specification");
    }
}

/// Plain http is read from a server whose own FHIR base is so.
pub(crate) fn url_policy_of(fhir_base: &FhirBaseUrl) -> UrlPolicy {
    if fhir_base.url().scheme() == "http" { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly }
}

/// Whether the server may have seen the request that failed so.
fn may_have_reached(error: &Error) -> bool {
    match error {
        Error::Http(error) => error.may_have_reached_server(),
        // What the client could not even make was not sent.
        Error::Core(_) | Error::Assertion(_) | Error::SigningTimeout { .. } | Error::NoKey { .. } => false,
        _ => true,
    }
}
