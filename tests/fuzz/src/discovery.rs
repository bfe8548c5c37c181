//! Discovery documents: never a panic, never an endpoint without TLS, and what is read can be written and read again.

use super::login::fhir_base;
use smart_core::discovery::{CapabilityStatement, SmartConfiguration};
use smart_core::url_policy::UrlPolicy;

/// Tries `body` as a document.
pub fn hold(body: &[u8]) {
    let _ = CapabilityStatement::parse(body);
    let Ok(found) = SmartConfiguration::parse(body, &fhir_base(), UrlPolicy::HttpsOnly) else { return };
    assert_eq!(found.configuration.token_endpoint.scheme(), "https");
    if let Ok(server) = found.authorization_server() {
        assert_eq!(server.authorization_endpoint.scheme(), "https");
    }
    let written = serde_json::to_vec(&found.configuration).expect("a document can be written");
    let again = SmartConfiguration::parse(&written, &fhir_base(), UrlPolicy::HttpsOnly).expect("and read again");
    assert_eq!(again.configuration, found.configuration);
}
