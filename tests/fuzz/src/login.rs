//! A login in progress, always the same.

use smart_core::authorize::{AuthorizationBuilder, AuthorizationServer, PendingAuthorization};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::redirect_uri::RedirectUri;
use smart_core::time::Timestamp;

/// When everything happens.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// The issuer of the login's server.
pub const ISSUER: &str = "https://login.ehr.example";

/// The client of the login.
pub const CLIENT: &str = "my-app";

struct Sevens;

impl SecureRandom for Sevens {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        buffer.fill(7);
        Ok(())
    }
}

/// The FHIR base of the login's server.
pub fn fhir_base() -> FhirBaseUrl {
    FhirBaseUrl::parse("https://ehr.example/r4").expect("a base")
}

/// A standalone login in progress and its state.
pub fn pending() -> (PendingAuthorization, String) {
    let server = AuthorizationServer {
        fhir_base: fhir_base(),
        issuer: Some(Issuer::parse(ISSUER).expect("an issuer")),
        authorization_endpoint: "https://login.ehr.example/authorize".parse().expect("a URL"),
        token_endpoint: "https://login.ehr.example/token".parse().expect("a URL"),
        authorize_post: false,
        iss_parameter_supported: false,
    };
    let redirect = RedirectUri::parse("https://app.example/callback").expect("a redirect URI");
    let scopes = "openid fhirUser launch/patient patient/*.rs offline_access".parse().expect("scopes");
    let builder = AuthorizationBuilder::standalone(server, CLIENT.into(), redirect, scopes).expect("a builder");
    let (request, pending) = builder.build(&Sevens, NOW).expect("a request");
    let state = request.parameters().iter().find(|(name, _)| name == "state").expect("a state").1.clone();
    (pending, state)
}
