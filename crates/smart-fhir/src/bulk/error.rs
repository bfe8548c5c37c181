//! Everything that can go wrong with a bulk export.

use super::{LineError, ManifestError};
use crate::{FhirError, Refusal};
use smart_core::sanitized::{Sanitize, Sanitized};
use smart_http::{AuthorizeError, Endpoint, HttpError};

/// An error of a bulk export.
///
/// Neither Display nor Debug shows tokens, filters, patients, lines of files, or the query of a URL, which may be a signature that
/// opens the file.
#[derive(Debug, Clone, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum BulkError {
    /// The export cannot be asked for like that. Nothing was sent.
    #[error("the export cannot be asked for: {reason}")]
    InvalidRequest {
        /// Why.
        reason: &'static str,
    },
    /// There was no usable response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A plain FHIR request failed, such as the look at the capability statement.
    #[error(transparent)]
    Fhir(#[from] FhirError),
    /// There is no authorization for the request. It was not sent.
    #[error("no request to {endpoint}: {error}")]
    Authorize {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        error: AuthorizeError,
    },
    /// The server did not begin the export. Ask for less: `_type`, `_elements`, `patient` and `_typeFilter` are what servers
    /// often do not support.
    #[error("the export was not begun: {0}")]
    NotStarted(Box<Refusal>),
    /// The export was begun, and failed at the server. Start another.
    #[error("the export failed: {0}")]
    Failed(Box<Refusal>),
    /// The server knows no such export: it was cancelled, was cleaned up, or is too old. Start another.
    #[error("{endpoint} knows of no such export (any more); start another")]
    Gone {
        /// The status endpoint.
        endpoint: Endpoint,
    },
    /// The server says again and again that it is asked too often; it may have ended the export.
    #[error(
        "{endpoint} was asked {times} times in a row and says each time that this is too often; the server may have ended the export"
    )]
    Throttled {
        /// The status endpoint.
        endpoint: Endpoint,
        /// How many times.
        times: u32,
    },
    /// It took longer than the caller wants to wait. The export goes on at the server; it can be waited for again.
    #[error("{endpoint} is not done after the longest wait; the export goes on and can be waited for again")]
    TooLong {
        /// The status endpoint.
        endpoint: Endpoint,
    },
    /// The response does not follow the specification.
    #[error("{endpoint} does not answer as Bulk Data servers do: {reason}")]
    Protocol {
        /// The endpoint.
        endpoint: Endpoint,
        /// What is wrong.
        reason: &'static str,
    },
    /// The manifest cannot be used.
    #[error("the manifest of {endpoint} cannot be used: {error}")]
    Manifest {
        /// The status endpoint.
        endpoint: Endpoint,
        /// Why.
        error: ManifestError,
    },
    /// The manifest lists other files than it did before. What was downloaded is kept; start another export.
    #[error("the manifest of {endpoint} lists other files than before; start another export")]
    ManifestChanged {
        /// The status endpoint.
        endpoint: Endpoint,
    },
    /// The server did not give out a file.
    #[error("the file {file} was not given out: {refusal}")]
    FileRefused {
        /// Which file, by the name it gets here.
        file: String,
        /// The refusal.
        refusal: Box<Refusal>,
    },
    /// A line of a file is no resource.
    #[error("{file}, {error}")]
    Line {
        /// Which file, by the name it gets here.
        file: String,
        /// What is wrong, and in which line.
        error: LineError,
    },
    /// A file ended before its end, or is not compressed as it says.
    #[error("the file {file} is not whole: {reason}")]
    Truncated {
        /// Which file, by the name it gets here.
        file: String,
        /// How that is known.
        reason: &'static str,
    },
    /// The place that the files go to cannot be used.
    #[error("{place} cannot be written to: {reason}")]
    Destination {
        /// The folder or URL, without what may be secret.
        place: String,
        /// The system's reason.
        reason: String,
    },
    /// The journal of a download cannot be used.
    #[error("the journal {path} cannot be used: {reason}")]
    Journal {
        /// The journal.
        path: String,
        /// Why.
        reason: String,
    },
    /// The place holds another export already, or another process is at work there. Nothing was changed.
    #[error("{place} {reason}")]
    Occupied {
        /// The folder or journal.
        place: String,
        /// By what.
        reason: &'static str,
    },
}

impl BulkError {
    /// Whether the same thing may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http(error) => error.is_retryable(),
            Self::Fhir(error) => error.is_retryable(),
            Self::Authorize { error, .. } => error.is_retryable(),
            Self::NotStarted(refusal) | Self::FileRefused { refusal, .. } => refusal.is_retryable(),
            Self::TooLong { .. } | Self::Throttled { .. } | Self::Truncated { .. } => true,
            _ => false,
        }
    }

    /// Whether the person has to log in again, or the service to get another grant.
    pub fn needs_reauthorization(&self) -> bool {
        match self {
            Self::Fhir(error) => error.needs_reauthorization(),
            Self::Authorize { error, .. } => error.needs_reauthorization(),
            Self::NotStarted(refusal) | Self::Failed(refusal) | Self::FileRefused { refusal, .. } => {
                refusal.needs_reauthorization()
            }
            _ => false,
        }
    }

    /// What the server said, where it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Fhir(error) => error.refusal(),
            Self::NotStarted(refusal) | Self::Failed(refusal) | Self::FileRefused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// The endpoint, where there is one.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Http(error) => Some(error.endpoint()),
            Self::Fhir(error) => error.endpoint(),
            Self::Authorize { endpoint, .. }
            | Self::Gone { endpoint }
            | Self::Throttled { endpoint, .. }
            | Self::TooLong { endpoint }
            | Self::Protocol { endpoint, .. }
            | Self::Manifest { endpoint, .. }
            | Self::ManifestChanged { endpoint } => Some(endpoint),
            Self::NotStarted(refusal) | Self::Failed(refusal) | Self::FileRefused { refusal, .. } => {
                Some(refusal.endpoint())
            }
            _ => None,
        }
    }
}

impl Sanitize for BulkError {
    fn code(&self) -> String {
        let what: &'static str = self.into();
        let part: &'static str = match self {
            Self::Http(error) => return error.code(),
            Self::Fhir(error) => return error.code(),
            Self::NotStarted(refusal) | Self::Failed(refusal) | Self::FileRefused { refusal, .. } => {
                refusal.kind().into()
            }
            Self::Manifest { error, .. } => error.into(),
            _ => return format!("bulk/{what}"),
        };
        format!("bulk/{what}/{part}")
    }

    fn sanitized(&self) -> Sanitized {
        let endpoint = self.endpoint().map(ToString::to_string);
        Sanitized::new(self.code(), endpoint.as_deref(), self.is_retryable(), self.needs_reauthorization())
    }
}
