//! Registration as a server sees it, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::redirect_uri::RedirectUri;
use smart_core::registration::{
    ClientInformation, ClientManagement, ClientMetadata, IssuedSecret, PublicKeySet, RegistrationError,
    RegistrationErrorCode, RegistrationRequest, SecretExpiry,
};
use smart_core::secret::{ClientSecret, RegistrationToken};
use smart_core::time::Timestamp;
use smart_core::url_policy::UrlPolicy;
use url::Url;

fn endpoint() -> Url {
    "https://login.ehr.example/register?tenant=1".parse().unwrap()
}

fn redirect(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

fn callback() -> RedirectUri {
    redirect("https://app.example/callback")
}

fn set() -> PublicKeySet {
    PublicKeySet::from_value(json!({"keys": [{"kty": "EC", "crv": "P-384", "x": "eA", "y": "eQ", "kid": "k1"}]}))
        .unwrap()
}

fn public() -> RegistrationRequest {
    RegistrationRequest::public_app([callback()]).unwrap()
}

fn read(request: &RegistrationRequest, status: u16, body: &Value) -> Result<ClientInformation, RegistrationError> {
    request.parse(&endpoint(), status, body.to_string().as_bytes(), UrlPolicy::HttpsOnly)
}

/// RG-05 (RFC 7591 3.1, 3.2.2): a server reads the same message, and refuses with the right code what it cannot register.
#[test]
fn server_reads_requests_and_refuses_bad_ones() {
    let parse = |body: &str| {
        ClientMetadata::from_request(Some("application/json; charset=utf-8"), body.as_bytes(), UrlPolicy::HttpsOnly)
    };
    let request = public().name("Growth Charts");
    let message = request.request(&endpoint()).unwrap();
    assert_eq!(&parse(std::str::from_utf8(message.body()).unwrap()).unwrap(), request.metadata());
    let code = |body: Value| parse(&body.to_string()).unwrap_err().error;
    let uri = RegistrationErrorCode::InvalidRedirectUri;
    let other = RegistrationErrorCode::InvalidClientMetadata;
    let callback = "https://app.example/callback";
    for (body, expected) in [
        (json!({}), &uri),
        (json!({"redirect_uris": ["http://app.example/callback"]}), &uri),
        (json!({"redirect_uris": callback}), &uri),
        (json!({"redirect_uris": [callback], "scope": "patient/*.sr"}), &other),
        (json!({"redirect_uris": [callback], "token_endpoint_auth_method": 1}), &other),
        (json!({"redirect_uris": [callback], "token_endpoint_auth_method": "private_key_jwt"}), &other),
        (json!({"redirect_uris": [callback], "jwks_uri": "http://app.example/jwks"}), &other),
        (json!({"redirect_uris": [callback], "jwks": set(), "jwks_uri": "https://app.example/jwks"}), &other),
        (json!({"redirect_uris": [callback], "jwks": {"keys": [{"kty": "EC", "kid": "k", "d": "hunter2"}]}}), &other),
        (
            json!({"redirect_uris": [callback], "software_statement": 7}),
            &RegistrationErrorCode::InvalidSoftwareStatement,
        ),
        (json!({"redirect_uris": [callback], "client_uri": "javascript:alert(1)"}), &other),
        (json!({"redirect_uris": [callback], "contacts": ["a", 1]}), &other),
    ] {
        assert_eq!(&code(body.clone()), expected, "{body}");
    }
    assert!(parse("[]").is_err() && parse(r#"{"redirect_uris":[],"redirect_uris":[]}"#).is_err());
    assert!(ClientMetadata::from_request(Some("text/plain"), b"{}", UrlPolicy::HttpsOnly).is_err());
    let read =
        parse(&json!({"redirect_uris": [callback], "client_id": "mine", "x": null, "y": 1}).to_string()).unwrap();
    assert_eq!(read.other.keys().collect::<Vec<_>>(), ["y"]);
}

/// RG-05 (RFC 7591 3.2.1, 3.2.2): what a server writes, a client reads as it was meant; no cache keeps it.
#[test]
fn server_writes_what_clients_read() {
    let request = RegistrationRequest::symmetric_app([callback()]).unwrap().contact("ops@app.example");
    let mut client = ClientInformation::new("c-17".into(), request.metadata().clone());
    client.issued_at = Some(Timestamp::from_unix_seconds(1_800_000_000));
    let uri = "https://login.ehr.example/register/c-17".parse().unwrap();
    client.management = Some(ClientManagement::new(uri, RegistrationToken::new("reg")));
    for expires in [SecretExpiry::Never, SecretExpiry::At(Timestamp::from_unix_seconds(1_900_000_000))] {
        client.secret = Some(IssuedSecret { secret: ClientSecret::new("s"), expires });
        let response = client.to_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["cache-control"]),
            (201, &"no-store".parse().unwrap())
        );
        assert_eq!(request.parse(&endpoint(), 201, response.body(), UrlPolicy::HttpsOnly).unwrap(), client);
    }
    assert_eq!(client.to_management_response().status().as_u16(), 200);
    assert_eq!(client.to_management_response().body(), client.to_response().body());
    let refused = ClientMetadata::from_request(
        Some("application/json"),
        br#"{"redirect_uris":["\u00e4\"\\"]}"#,
        UrlPolicy::HttpsOnly,
    );
    let response = refused.unwrap_err().to_response();
    assert_eq!(response.status().as_u16(), 400);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["error"], "invalid_redirect_uri");
    assert!(body["error_description"].as_str().unwrap().bytes().all(|c| c.is_ascii() && c != b'"' && c != b'\\'));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        Just(json!("https://app.example/x")),
        Just(json!("code")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

const NAMES: [&str; 20] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "jwks",
    "software_id",
    "software_version",
    "software_statement",
    "initiate_login_uri",
    "application_type",
    "x_other",
    "client_secret",
];

proptest! {
    /// RG-05: whatever a request or an answer holds, reading it never fails otherwise than by an error; what a server
    /// took is written and read back the same.
    #[test]
    fn metadata_of_any_shape_is_read_or_refused(members in prop::collection::btree_map(prop::sample::select(&NAMES[..]), any_json(), 0..8)) {
        let mut body = json!(members);
        if let Ok(metadata) = ClientMetadata::from_request(Some("application/json"), body.to_string().as_bytes(), UrlPolicy::HttpsOnly) {
            let written = Value::from(metadata.to_object()).to_string();
            let again = ClientMetadata::from_request(Some("application/json"), written.as_bytes(), UrlPolicy::HttpsOnly);
            prop_assert_eq!(again.unwrap(), metadata);
        }
        body["client_id"] = json!("c");
        if let Ok(client) = read(&public(), 201, &body) {
            prop_assert!(!client.metadata.redirect_uris.is_empty());
            let _ = client.configuration();
            let shown = format!("{client:?}");
            prop_assert!(client.secret.is_none() || shown.contains("ClientSecret(***)"), "{}", shown);
        }
    }
}
