//! Documents of invented servers, one for each version of SMART, and ways to read them.

use serde_json::{Value, json};
use smart_core::discovery::{
    Discovered, DiscoveryError, DiscoveryOptions, DiscoveryPolicy, FindingCode, SmartConfiguration,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::url_policy::UrlPolicy;

pub(crate) fn base() -> FhirBaseUrl {
    FhirBaseUrl::parse("https://ehr.example/r4").unwrap()
}

/// SMART 1.0 (2018): neither grants nor PKCE methods, and the member for authentication as the text of 1.0 names it.
pub(crate) fn smart_1_0() -> Value {
    json!({
        "authorization_endpoint": "https://login.ehr.example/authorize",
        "token_endpoint": "https://login.ehr.example/token",
        "token_endpoint_auth_methods": ["client_secret_basic"],
        "registration_endpoint": "https://login.ehr.example/register",
        "scopes_supported": ["openid", "profile", "launch", "launch/patient", "patient/*.*", "user/*.*", "offline_access"],
        "response_types_supported": ["code", "code id_token", "id_token", "refresh_token"],
        "management_endpoint": "https://portal.ehr.example/apps",
        "introspection_endpoint": "https://login.ehr.example/introspect",
        "revocation_endpoint": "https://login.ehr.example/revoke",
        "capabilities": [
            "launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric",
            "context-passthrough-banner", "context-passthrough-style", "context-ehr-patient", "context-standalone-patient",
            "permission-offline", "permission-patient", "permission-user", "single-sign-on"
        ]
    })
}

/// SMART 2.0 (2021): grants, PKCE, asymmetric clients, scopes of both versions.
pub(crate) fn smart_2_0() -> Value {
    json!({
        "issuer": "https://login.ehr.example",
        "jwks_uri": "https://login.ehr.example/jwks",
        "authorization_endpoint": "https://login.ehr.example/authorize",
        "token_endpoint": "https://login.ehr.example/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "fhirUser", "launch", "launch/patient", "patient/*.rs", "offline_access"],
        "response_types_supported": ["code"],
        "capabilities": [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
            "client-confidential-asymmetric", "sso-openid-connect", "context-ehr-patient", "context-ehr-encounter",
            "context-standalone-patient", "permission-offline", "permission-online", "permission-patient",
            "permission-user", "permission-v1", "permission-v2"
        ]
    })
}

/// SMART 2.1 (2023): 2.0 and app state at a member of its own.
pub(crate) fn smart_2_1() -> Value {
    let mut document = smart_2_0();
    document["smart_app_state_endpoint"] = json!("https://state.ehr.example/r4");
    document["capabilities"].as_array_mut().unwrap().push(json!("smart-app-state"));
    document
}

/// SMART 2.2 (2024): every member of the guide.
pub(crate) fn smart_2_2() -> Value {
    let mut document = smart_2_0();
    let more = json!({
        "registration_endpoint": "https://login.ehr.example/register",
        "management_endpoint": "https://portal.ehr.example/apps",
        "introspection_endpoint": "https://login.ehr.example/introspect",
        "revocation_endpoint": "https://login.ehr.example/revoke",
        "associated_endpoints": [{"url": "https://state.ehr.example/r4", "capabilities": ["smart-app-state"]}],
        "user_access_brand_bundle": "https://ehr.example/brands.json",
        "user_access_brand_identifier": {"system": "urn:ietf:rfc:3986", "value": "https://ehr.example"},
        "authorization_response_iss_parameter_supported": true
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

/// SMART 2.2 without launches: a server for backend services alone has no authorization endpoint.
pub(crate) fn backend_only() -> Value {
    json!({
        "token_endpoint": "https://login.ehr.example/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": ["client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["system/*.rs"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"]
    })
}

/// `document` with some members set, or taken out where the value is null.
pub(crate) fn with(mut document: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("members are an object") };
    let object = document.as_object_mut().unwrap();
    for (name, value) in members {
        if value.is_null() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
    }
    document
}

pub(crate) fn try_read(document: &Value, policy: DiscoveryPolicy) -> Result<Discovered, DiscoveryError> {
    let options = DiscoveryOptions { policy, ..DiscoveryOptions::default() };
    SmartConfiguration::parse_with(document.to_string().as_bytes(), &base(), &options)
}

/// Reads a document; the report refuses nothing.
pub(crate) fn read(document: &Value) -> Discovered {
    try_read(document, DiscoveryPolicy::report_only()).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads a document as an application does by default.
pub(crate) fn read_by_default(document: &Value) -> Discovered {
    SmartConfiguration::parse(document.to_string().as_bytes(), &base(), UrlPolicy::HttpsOnly)
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn codes(discovered: &Discovered) -> Vec<FindingCode> {
    discovered.report.findings.iter().map(|finding| finding.code).collect()
}
