//! Discovery as a sequence of requests and answers; the caller does the sending.

use super::discovered::{Discovered, from_metadata, from_well_known};
use super::error::DiscoveryError;
use super::policy::DiscoveryOptions;
use super::report::{Finding, FindingCode};
use super::requests::{metadata_request, smart_configuration_request};
use crate::fhir_base::FhirBaseUrl;
use crate::untrusted::shown;
use bytes::Bytes;
use http::{Request, StatusCode};

/// Discovery of one FHIR server, between two requests.
///
/// Send [`request`](Self::request), hand its answer to [`next_step`](Self::next_step), and go on until it is done: at
/// most two requests. A request that fails below HTTP (no connection, TLS) ends discovery with the transport's error:
/// only a document that does not exist is looked for elsewhere (requirement DI-15).
#[derive(Debug, Clone)]
pub struct Discovery {
    base: FhirBaseUrl,
    options: DiscoveryOptions,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    WellKnown,
    Metadata,
}

/// What follows an answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Discovery is done.
    Done(Box<Discovered>),
    /// One more request.
    Next(Box<Discovery>),
}

impl Discovery {
    /// Begins.
    pub fn new(base: FhirBaseUrl, options: DiscoveryOptions) -> Self {
        Self { base, options, at: At::WellKnown }
    }

    /// The request to send now: a GET without credentials.
    ///
    /// # Errors
    /// [`DiscoveryError::Url`].
    pub fn request(&self) -> Result<Request<Bytes>, DiscoveryError> {
        Ok(match self.at {
            At::WellKnown => smart_configuration_request(&self.base)?,
            At::Metadata => metadata_request(&self.base)?,
        })
    }

    /// Decides what follows an answer. The caller has limited the body's size. The content type decides nothing; a
    /// wrong one is reported.
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn next_step(
        self,
        status: StatusCode,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Step, DiscoveryError> {
        let document = self.document()?;
        match (status, self.at) {
            (StatusCode::OK, At::WellKnown) => {
                let notes = content_type_finding(content_type).into_iter().collect();
                from_well_known(body, &self.base, &self.options, &document, notes).map(done)
            }
            (StatusCode::OK, At::Metadata) => from_metadata(body, &self.base, &self.options, &document).map(done),
            (StatusCode::NOT_FOUND | StatusCode::GONE, At::WellKnown) => {
                Ok(Step::Next(Box::new(Self { at: At::Metadata, ..self })))
            }
            (StatusCode::NOT_FOUND | StatusCode::GONE, At::Metadata) => {
                Discovered::from_overrides(&self.base, &self.options).map(done).map_err(|e| match e {
                    DiscoveryError::Missing { .. } => {
                        DiscoveryError::NotFound { base: self.base.as_str().to_owned(), status: status.as_u16() }
                    }
                    other => other,
                })
            }
            _ => Err(DiscoveryError::Status { document, status: status.as_u16() }),
        }
    }

    fn document(&self) -> Result<String, DiscoveryError> {
        let path = match self.at {
            At::WellKnown => ".well-known/smart-configuration",
            At::Metadata => "metadata",
        };
        Ok(self.base.join(path)?.to_string())
    }
}

fn done(discovered: Discovered) -> Step {
    Step::Done(Box::new(discovered))
}

fn content_type_finding(content_type: Option<&str>) -> Option<Finding> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" {
        return None;
    }
    let came = if essence.is_empty() { "no content type".to_owned() } else { shown(&essence, 80) };
    let message = format!("the document came with {came}, not application/json; it was read all the same");
    Some(Finding::new(FindingCode::ContentType, message))
}
