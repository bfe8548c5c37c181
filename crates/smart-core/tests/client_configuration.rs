//! What a client knows of itself, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use serde_json::{Value, json};
use smart_core::discovery::{AuthMethod, Capability};
use smart_core::redirect_uri::RedirectUri;
use smart_core::registration::{
    ClientConfiguration, ClientKeys, ClientKind, ConfigurationError, JwksUrl, LaunchUrl, PublicKeySet, SecretMethod,
};
use smart_core::secret::ClientSecret;

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

fn keys() -> ClientKeys {
    ClientKeys::Url(JwksUrl::parse("https://app.example/jwks.json").unwrap())
}

fn secret() -> ClientKind {
    ClientKind::ConfidentialSymmetric { secret: ClientSecret::new("hunter2"), method: SecretMethod::Basic }
}

/// RG-01 (SMART, register app with EHR): an app has an id of the server's, one or more exact redirect URIs, and zero or
/// more fixed launch URLs.
#[test]
fn an_app_has_id_redirect_uris_and_launch_urls() {
    let launch = || LaunchUrl::parse("https://app.example/launch").unwrap();
    let app = |uris: &[&str]| {
        ClientConfiguration::app("c-1".into(), ClientKind::Public, uris.iter().map(|uri| redirect(uri)))
    };
    let client = app(&["https://app.example/callback", "http://127.0.0.1:8000/callback"]).unwrap();
    assert!(client.launch_urls().is_empty());
    let client = client.with_launch_urls([launch()]).unwrap();
    assert_eq!(client.id().as_str(), "c-1");
    assert_eq!(client.launch_urls(), [launch()]);
    assert_eq!(client.redirect_uri("https://app.example/callback"), Some(&callback()));
    assert_eq!(client.redirect_uri("https://app.example/callback/"), None);
    assert_eq!(client.redirect_uris().len(), 2);

    assert_eq!(app(&[]), Err(ConfigurationError::NoRedirectUri));
    let twice = app(&["https://app.example/callback", "https://app.example/callback"]);
    assert!(matches!(twice, Err(ConfigurationError::Repeated { given }) if given == "https://app.example/callback"));
    assert!(matches!(client.with_launch_urls([launch(), launch()]), Err(ConfigurationError::Repeated { .. })));
    for id in ["", "a\nb", "ä"] {
        let client = ClientConfiguration::app(id.into(), ClientKind::Public, [callback()]);
        assert_eq!(client, Err(ConfigurationError::ClientId), "{id:?}");
    }
}

/// RG-01, RG-02 (SMART, backend services): a backend service has a key, and neither redirect nor launch URLs.
#[test]
fn a_backend_service_has_a_key_and_no_urls() {
    let service = ClientConfiguration::backend_service("svc".into(), keys()).unwrap();
    assert!(service.redirect_uris().is_empty());
    assert_eq!(service.kind(), &ClientKind::ConfidentialAsymmetric { keys: keys() });
    let launch = LaunchUrl::parse("https://app.example/launch").unwrap();
    assert_eq!(service.with_launch_urls([launch]), Err(ConfigurationError::BackendService));
}

/// RG-02 (SMART, support for public and confidential apps): the kind says how a client authenticates, and which
/// capability a server needs for it.
#[test]
fn each_kind_has_its_method_and_capability() {
    let post = ClientKind::ConfidentialSymmetric { secret: ClientSecret::new("s"), method: SecretMethod::Post };
    for (kind, method, capability) in [
        (ClientKind::Public, AuthMethod::None, Capability::ClientPublic),
        (secret(), AuthMethod::ClientSecretBasic, Capability::ClientConfidentialSymmetric),
        (post, AuthMethod::ClientSecretPost, Capability::ClientConfidentialSymmetric),
        (
            ClientKind::ConfidentialAsymmetric { keys: keys() },
            AuthMethod::PrivateKeyJwt,
            Capability::ClientConfidentialAsymmetric,
        ),
    ] {
        assert_eq!((kind.auth_method(), kind.capability()), (method, capability));
        assert!(!format!("{kind:?}").contains("hunter2"));
    }
}

/// RG-01, RG-02: a configuration is read back as it was written, for each kind, and is checked when it is read.
#[test]
fn configurations_are_checked_when_they_are_read() {
    let kinds = [
        ClientKind::Public,
        secret(),
        ClientKind::ConfidentialAsymmetric { keys: keys() },
        ClientKind::ConfidentialAsymmetric { keys: ClientKeys::Document(set()) },
    ];
    for kind in kinds {
        let client = ClientConfiguration::app("c-1".into(), kind, [callback()]).unwrap();
        let written = serde_json::to_value(&client).unwrap();
        assert_eq!(serde_json::from_value::<ClientConfiguration>(written).unwrap(), client);
    }
    let read = |value: Value| serde_json::from_value::<ClientConfiguration>(value).map_err(|e| e.to_string());
    let with = |members: Value| {
        let mut client = json!({"client_id": "c", "redirect_uris": ["https://app.example/callback"]});
        client.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        read(client)
    };
    assert!(with(json!({"token_endpoint_auth_method": "none"})).is_ok());
    for (members, said) in [
        (json!({}), "token_endpoint_auth_method"),
        (json!({"token_endpoint_auth_method": "none", "client_secret": "s"}), "exactly one kind"),
        (json!({"token_endpoint_auth_method": "none", "jwks": set()}), "exactly one kind"),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": set(), "client_secret": "s"}),
            "exactly one kind",
        ),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), "neither"),
        (json!({"token_endpoint_auth_method": "client_secret_basic"}), "none is given"),
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), "tls_client_auth"),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": set(), "jwks_uri": "https://app.example/jwks"}),
            "both",
        ),
        (json!({"token_endpoint_auth_method": "none", "redirect_uris": []}), "backend service"),
        (json!({"token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example/*"]}), "wildcard"),
        (json!({"token_endpoint_auth_method": "none", "launch_urls": ["http://app.example/launch"]}), "https"),
        (json!({"token_endpoint_auth_method": "none", "secret": "s"}), "unknown field"),
    ] {
        let error = with(members.clone()).unwrap_err();
        assert!(error.contains(said), "{members}: {error}");
    }
}
