//! Under what a session is kept, as a text that gives nothing away.

use crate::envelope::record_name;
use smart_on_fhir::store::Key;

/// A session that is kept.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StoredSession {
    /// What [`SmartClient::restore`](crate::SmartClient::restore) takes. It does not tell who logged in.
    pub key: String,
    /// The FHIR server.
    pub fhir_base: String,
}

impl StoredSession {
    pub(crate) fn of(key: &Key) -> Self {
        // The client follows the server, parted by a blank, which no URL has.
        let fhir_base = key.issuer().split_once(' ').map_or(key.issuer(), |(base, _)| base).to_owned();
        Self { key: text_of(key), fhir_base }
    }
}

/// The text of a key.
pub(crate) fn text_of(key: &Key) -> String {
    record_name(key)
}
