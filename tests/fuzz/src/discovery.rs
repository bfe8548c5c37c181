//! Discovery documents: never a panic, never an endpoint without TLS, and what is read can be written and read again.

use super::login::{ISSUER, fhir_base};
use smart_core::discovery::{CapabilityStatement, IssuerDocument, SmartConfiguration};
use smart_core::issuer::Issuer;
use smart_core::url_policy::UrlPolicy;

/// Tries `body` as a document.
pub fn hold(body: &[u8]) {
    let _ = CapabilityStatement::parse(body);
    let issuer = Issuer::parse(ISSUER).expect("an issuer");
    for document in [IssuerDocument::OpenIdConfiguration, IssuerDocument::OAuthMetadata] {
        if let Ok(found) = document.parse(body, &issuer, UrlPolicy::HttpsOnly) {
            assert_eq!(found.metadata.issuer, issuer, "no document speaks for another issuer");
            assert!(found.metadata.jwks_uri.is_none_or(|url| url.scheme() == "https"), "no keys without TLS");
        }
    }
    let Ok(found) = SmartConfiguration::parse(body, &fhir_base(), UrlPolicy::HttpsOnly) else { return };
    assert_eq!(found.configuration.token_endpoint.scheme(), "https");
    if let Ok(server) = found.authorization_server() {
        assert_eq!(server.authorization_endpoint.scheme(), "https");
    }
    let written = serde_json::to_vec(&found.configuration).expect("a document can be written");
    let again = SmartConfiguration::parse(&written, &fhir_base(), UrlPolicy::HttpsOnly).expect("and read again");
    assert_eq!(again.configuration, found.configuration);
}
