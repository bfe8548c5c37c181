//! What holds for all documents.

use super::fixtures::{base, smart_2_0};
use proptest::prelude::*;
use serde_json::Value;
use smart_core::discovery::{CapabilityStatement, DiscoveryOptions, DiscoveryPolicy, Endpoint, SmartConfiguration};
use smart_core::url_policy::UrlPolicy;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "S256",
            "plain",
            "launch-ehr",
            "https://a.example/x",
            "http://a.example/x",
            "/x",
            "x y",
            "javascript:x",
            "//a.example",
            "\u{202e}x",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,6}|url|capabilities", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const MEMBERS: [&str; 24] = [
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_methods",
    "token_endpoint_auth_signing_alg_values_supported",
    "grant_types_supported",
    "registration_endpoint",
    "scopes_supported",
    "response_types_supported",
    "management_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "code_challenge_methods_supported",
    "capabilities",
    "associated_endpoints",
    "smart_app_state_endpoint",
    "user_access_brand_bundle",
    "user_access_brand_identifier",
    "authorization_response_iss_parameter_supported",
    "userAccessBrands",
    "x_vendor",
    "x_other",
];

proptest! {
    /// DI-06, DI-13: whatever the members hold, reading never panics, gives no unsafe endpoint, and round-trips.
    #[test]
    fn any_document_is_read_safely(members in prop::collection::vec((prop::sample::select(MEMBERS.to_vec()), any_json()), 0..6)) {
        let mut document = smart_2_0();
        for (name, value) in members {
            document[name] = value;
        }
        let options = DiscoveryOptions { policy: DiscoveryPolicy::report_only(), ..DiscoveryOptions::default() };
        let Ok(server) = SmartConfiguration::parse_with(document.to_string().as_bytes(), &base(), &options) else {
            return Ok(());
        };
        for endpoint in Endpoint::ALL {
            if let Some(url) = server.configuration.endpoint(*endpoint) {
                prop_assert_eq!((url.scheme(), url.fragment(), url.username()), ("https", None, ""));
            }
        }
        for finding in &server.report.findings {
            prop_assert!(!finding.message.contains('\u{202e}') && finding.message.len() < 2000, "{finding}");
        }
        let written = serde_json::to_value(&server.configuration).unwrap();
        let again: SmartConfiguration = serde_json::from_value(written.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&again).unwrap(), written);
    }

    /// DI-03: any octets are read without panic.
    #[test]
    fn any_octets_are_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = SmartConfiguration::parse(&body, &base(), UrlPolicy::HttpsOnly);
        let _ = CapabilityStatement::parse(&body);
    }
}
