//! The exports of one server.

use super::exchange::Exchange;
use super::job::{ExportJob, JobRecord};
use super::{BulkError, ExportRequest, PollPolicy};
use crate::FhirClient;
use http::{Response, StatusCode, header::CONTENT_LOCATION};
use smart_core::url_policy::UrlPolicy;
use smart_http::{Endpoint, RetryPolicy};
use std::fmt;
use std::time::Duration;
use url::{Origin, Url};

/// How long is waited for a turn to start an export, all waits together.
const LONGEST_TURN: Duration = Duration::from_secs(3600);
/// How often starting is tried while other exports run.
const MOST_TRIES: u32 = 20;

/// Starts and resumes exports at one server. Cheap to clone.
///
/// It uses the FHIR client's authorization: the token goes to the origin of the FHIR base, where the status of an export and its
/// files usually are, and to no other that was not allowed by name ([`with_token_origin`](Self::with_token_origin)).
#[derive(Clone)]
pub struct BulkClient {
    pub(super) exchange: Exchange,
    pub(super) polling: PollPolicy,
    turns: RetryPolicy,
}

impl BulkClient {
    pub(crate) fn new(fhir: FhirClient) -> Self {
        let turns = RetryPolicy::default().with_max_retries(MOST_TRIES).with_max_wait(LONGEST_TURN);
        let turns = turns.with_backoff(Duration::from_secs(5), Duration::from_mins(2));
        let exchange = Exchange { fhir, token_origins: Vec::new() };
        Self { exchange, polling: PollPolicy::default(), turns }
    }

    /// The same with another way to wait for exports.
    pub fn with_polling(&self, polling: PollPolicy) -> Self {
        Self { polling, ..self.clone() }
    }

    /// The same with another way to wait for a turn while the server says that too many exports run (429). By default 20
    /// tries, each wait at most an hour.
    pub fn with_turns(&self, turns: RetryPolicy) -> Self {
        Self { turns, ..self.clone() }
    }

    /// The same, allowed to send the token to the origin of `url` too, such as a file server that the operator of the FHIR
    /// server has named. It is sent there only where the manifest says that its files need one.
    pub fn with_token_origin(&self, url: &Url) -> Self {
        let mut client = self.clone();
        let origin: Origin = url.origin();
        if origin.is_tuple() && UrlPolicy::AllowLoopbackHttp.check(url).is_ok() {
            client.exchange.token_origins.push(origin);
        }
        client
    }

    /// Starts an export (Bulk Data, kick-off). While the server says that another one runs (429), it is waited for a turn.
    ///
    /// No other failure is repeated: the export may have been started.
    ///
    /// # Errors
    /// [`BulkError::InvalidRequest`] before anything is sent; [`BulkError::NotStarted`] with what the server says;
    /// [`BulkError::Protocol`] when it answers otherwise than with 202 and the URL of the status.
    pub async fn start(&self, request: ExportRequest) -> Result<ExportJob, BulkError> {
        let sent = request.to_http(self.exchange.fhir.base())?;
        let url =
            Url::parse(&sent.uri().to_string()).map_err(|_| BulkError::InvalidRequest { reason: "it has no URL" })?;
        let mut tries = 0;
        let response = loop {
            let response = self.exchange.fetch(sent.clone()).await?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                break response;
            }
            let timer = self.exchange.fhir.http().timer();
            let asked = smart_http::retry_after(response.headers(), timer.now());
            let Some(wait) = self.turns.delay(tries, asked) else { break response };
            tracing::info!(?wait, "another export runs; waiting for a turn");
            timer.sleep(wait).await;
            tries += 1;
        };
        let started_at = self.exchange.fhir.http().timer().now();
        let status_url = self.status_url(&url, &response)?;
        let separate_status = request.asks_for_separate_status() && applied_separate_status(&response);
        let server = self.exchange.fhir.base().as_str().to_owned();
        let record = JobRecord { server, request, status_url, separate_status, started_at };
        Ok(ExportJob::new(self.clone(), record))
    }

    /// Takes up an export that was started before.
    ///
    /// # Errors
    /// [`BulkError::InvalidRequest`] when it was started at another server.
    pub fn resume(&self, record: JobRecord) -> Result<ExportJob, BulkError> {
        if record.server != self.exchange.fhir.base().as_str() {
            return Err(BulkError::InvalidRequest { reason: "it was started at another server" });
        }
        Ok(ExportJob::new(self.clone(), record))
    }

    /// The URL of the status: absolute, or from where the kick-off went (requirement BK-15).
    fn status_url(&self, url: &Url, response: &Response<bytes::Bytes>) -> Result<Url, BulkError> {
        let protocol = |reason| BulkError::Protocol { endpoint: Endpoint::from(url), reason };
        match response.status() {
            StatusCode::ACCEPTED => {}
            status if status.is_success() => {
                return Err(protocol("the answer to a kick-off is 202, with the URL of the status"));
            }
            _ => return Err(BulkError::NotStarted(Box::new(self.exchange.refused(url, response.clone())))),
        }
        let location = response.headers().get(CONTENT_LOCATION).and_then(|location| location.to_str().ok());
        let location = location.ok_or_else(|| protocol("it does not say where the status is"))?;
        let status_url = url.join(location.trim()).map_err(|_| protocol("the place of the status is no URL"))?;
        let is_less_safe = url.scheme() == "https" && status_url.scheme() != "https";
        if is_less_safe || UrlPolicy::AllowLoopbackHttp.check(&status_url).is_err() {
            return Err(protocol("the place of the status is not https"));
        }
        Ok(status_url)
    }
}

/// Whether the server took the wish for a status apart from that of the poll (requirement BK-04).
pub(super) fn applied_separate_status<T>(response: &Response<T>) -> bool {
    let values = response.headers().get_all("preference-applied").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split([',', ';']));
    preferences.any(|preference| preference.trim().eq_ignore_ascii_case("separate-export-status"))
}

impl FhirClient {
    /// The bulk exports of this server.
    pub fn bulk(&self) -> BulkClient {
        BulkClient::new(self.clone())
    }
}

impl fmt::Debug for BulkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.exchange.fhir.base().as_str();
        f.debug_struct("BulkClient").field("base", &base).field("polling", &self.polling).finish_non_exhaustive()
    }
}
