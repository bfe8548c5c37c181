//! What a logout came to.

use crate::error::{Problem, SmartError};
use smart_on_fhir::{Error, flows};

/// What a logout came to. The session is over in this app whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogoutReport {
    /// Why the server did not revoke the tokens: they have to be taken as alive until they end. None: it did.
    pub not_revoked: Option<Problem>,
    /// Why the session is still in the store: it has to be removed by other means. None: it is gone.
    pub not_wiped: Option<Problem>,
}

impl LogoutReport {
    pub(crate) fn of(report: flows::LogoutReport) -> Self {
        let problem = |result: Result<(), Error>| result.err().map(|error| SmartError::from(error).into());
        Self { not_revoked: problem(report.revoked), not_wiped: problem(report.wiped) }
    }
}
