//! Registrations: the first octet picks the status; the rest is a request to a server, and an answer to a client.

use smart_core::redirect_uri::RedirectUri;
use smart_core::registration::{
    ClientConfiguration, ClientInformation, ClientKeys, ClientMetadata, RegistrationRequest,
};
use smart_core::url_policy::UrlPolicy;

/// Tries `data` as a request, and as a status and an answer.
pub fn hold(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    as_server(body);
    let statuses = [201, 200, 400, 401, 302, 503, 201, 201];
    as_client(statuses[usize::from(*first) % statuses.len()], body);
}

fn as_server(body: &[u8]) {
    match read(body) {
        Ok(metadata) => {
            let written = serde_json::to_vec(&metadata.to_object()).expect("metadata can be written");
            assert_eq!(read(&written).expect("and read again"), metadata);
            assert!(metadata.redirect_uris.iter().all(|uri| !uri.as_str().contains('*')));
            if let Some(ClientKeys::Document(set)) = &metadata.keys {
                let keys = set.as_object()["keys"].as_array().expect("a list of keys");
                let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
                assert!(keys.iter().all(|key| private.iter().all(|member| key.get(*member).is_none())));
            }
        }
        Err(refusal) => {
            let response = refusal.to_response();
            assert_eq!(response.status(), 400);
            let body: serde_json::Value = serde_json::from_slice(response.body()).expect("a refusal is JSON");
            assert!(body["error"].is_string());
        }
    }
}

fn read(body: &[u8]) -> Result<ClientMetadata, smart_core::registration::RegistrationErrorResponse> {
    ClientMetadata::from_request(Some("application/json"), body, UrlPolicy::HttpsOnly)
}

fn as_client(status: u16, body: &[u8]) {
    let redirect = RedirectUri::parse("https://app.example/callback").expect("a redirect URI");
    let request = RegistrationRequest::public_app([redirect]).expect("a request");
    let endpoint = "https://login.ehr.example/register".parse().expect("a URL");
    let parse = |body: &[u8]| request.parse(&endpoint, status, body, UrlPolicy::HttpsOnly);
    match parse(body) {
        Ok(client) => {
            assert!((200..300).contains(&status), "only a success registers");
            assert!(!client.client_id.as_str().is_empty() && !client.metadata.redirect_uris.is_empty());
            let _ = format!("{client:?}");
            let again = parse(client.to_response().body()).expect("what is written can be read");
            assert_eq!(facts(&again), facts(&client));
            if let Ok(configuration) = client.configuration() {
                let written = serde_json::to_value(&configuration).expect("a configuration can be written");
                let read: ClientConfiguration = serde_json::from_value(written).expect("and read again");
                assert_eq!(read, configuration);
            }
        }
        Err(error) => {
            let _ = format!("{error} {error:?}");
        }
    }
}

/// What counts of an answer.
fn facts(client: &ClientInformation) -> impl PartialEq + std::fmt::Debug + use<'_> {
    let metadata = &client.metadata;
    (
        &client.client_id,
        &client.secret,
        &client.management,
        &metadata.redirect_uris,
        &metadata.keys,
        &metadata.token_endpoint_auth_method,
        &metadata.grant_types,
        &metadata.scope,
    )
}
