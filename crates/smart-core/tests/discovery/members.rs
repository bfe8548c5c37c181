//! Single members: every one of the guide, unknown ones, malformed ones, relative URLs.

use super::fixtures::{base, codes, read, read_by_default, smart_1_0, smart_2_0, smart_2_1, smart_2_2, with};
use serde_json::{Value, json};
use smart_core::discovery::{
    AssociatedEndpoint, Capability, DiscoveryError, Endpoint, FindingCode as Code, SmartConfiguration,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::url_policy::{UrlError, UrlPolicy};

/// DI-06, F-06 (SMART 2.2, conformance, Metadata): every member of the guide is modelled: none is left over.
#[test]
fn every_member_is_modelled() {
    let configuration = read(&smart_2_2()).configuration;
    assert!(configuration.other.is_empty(), "{:?}", configuration.other);
    let at = |endpoint| configuration.endpoint(endpoint).unwrap().as_str();
    for (endpoint, url) in [
        (Endpoint::Authorization, "https://login.ehr.example/authorize"),
        (Endpoint::Token, "https://login.ehr.example/token"),
        (Endpoint::Registration, "https://login.ehr.example/register"),
        (Endpoint::Management, "https://portal.ehr.example/apps"),
        (Endpoint::Introspection, "https://login.ehr.example/introspect"),
        (Endpoint::Revocation, "https://login.ehr.example/revoke"),
        (Endpoint::Jwks, "https://login.ehr.example/jwks"),
    ] {
        assert_eq!(at(endpoint), url, "{endpoint}");
    }
    assert_eq!(Endpoint::ALL.len(), 7);
    assert_eq!(configuration.issuer.as_ref().unwrap().as_str(), "https://login.ehr.example");
    assert_eq!(configuration.grant_types_supported.as_ref().unwrap().len(), 2);
    assert_eq!(configuration.token_endpoint_auth_methods_supported.as_ref().unwrap().len(), 3);
    assert_eq!(
        configuration.token_endpoint_auth_signing_alg_values_supported,
        Some(vec!["RS384".to_owned(), "ES384".to_owned()])
    );
    assert_eq!(configuration.scopes_supported.as_ref().unwrap().len(), 6);
    assert_eq!(configuration.response_types_supported, Some(vec!["code".to_owned()]));
    assert_eq!(configuration.code_challenge_methods_supported, Some(vec!["S256".to_owned()]));
    assert_eq!(configuration.user_access_brand_bundle.as_ref().unwrap().as_str(), "https://ehr.example/brands.json");
    let brand = configuration.user_access_brand_identifier.as_ref().unwrap();
    assert_eq!((brand.system.as_deref(), brand.value.as_str()), (Some("urn:ietf:rfc:3986"), "https://ehr.example"));
    assert_eq!(configuration.authorization_response_iss_parameter_supported, Some(true));
    assert_eq!(configuration.capabilities.len(), 16);
}

/// DI-18 (SMART 2.2, conformance; FHIR-43528): associated endpoints are read, the member of 2.1 beside them.
#[test]
fn associated_endpoints_and_the_member_of_2_1_are_read() {
    let server = read(&smart_2_2());
    let [associated] = server.configuration.associated_endpoints.as_slice() else { panic!("one") };
    assert_eq!(associated.url.as_str(), "https://state.ehr.example/r4");
    assert_eq!(associated.capabilities, [Capability::SmartAppState]);
    assert!(!server.report.has(Code::DeprecatedAppStateEndpoint));
    let older = read(&smart_2_1());
    assert_eq!(older.configuration.smart_app_state_endpoint.as_ref().unwrap().as_str(), "https://state.ehr.example/r4");
    assert!(older.report.has(Code::DeprecatedAppStateEndpoint));
    let both = read(&with(smart_2_2(), json!({"smart_app_state_endpoint": "https://old.ehr.example/state"})));
    assert_eq!(both.configuration.associated_endpoints.len(), 1);
    assert!(both.configuration.smart_app_state_endpoint.is_some());
    assert!(both.report.has(Code::DeprecatedAppStateEndpoint), "the old one is told apart");
}

/// DI-18, DI-06 (SMART 2.2, conformance): an entry that cannot be used is left out and told; the others stay.
#[test]
fn broken_associated_endpoints_are_left_out() {
    let document = with(
        smart_2_0(),
        json!({"associated_endpoints": [
            {"url": "https://a.example/r4", "capabilities": ["x", 7], "note": "kept"},
            {"url": "https://b.example/r4"},
            {"url": "http://c.example/r4", "capabilities": []},
            {"capabilities": ["smart-app-state"]},
            "https://d.example/r4",
            {"url": "https://e.example/r4", "capabilities": ["smart-app-state"]},
        ]}),
    );
    let server = read(&document);
    let urls: Vec<_> = server.configuration.associated_endpoints.iter().map(|e| e.url.as_str()).collect();
    assert_eq!(urls, ["https://a.example/r4", "https://b.example/r4", "https://e.example/r4"]);
    assert_eq!(server.configuration.associated_endpoints[0].capabilities, [Capability::Other("x".into())]);
    assert_eq!(server.configuration.associated_endpoints[0].other["note"], "kept");
    let count = |code| codes(&server).iter().filter(|c| **c == code).count();
    assert_eq!((count(Code::EndpointRefused), count(Code::MemberMalformed)), (2, 3), "{:?}", codes(&server));
    let no_list = read(&with(smart_2_0(), json!({"associated_endpoints": {"url": "https://a.example"}})));
    assert_eq!(codes(&no_list), [Code::MemberMalformed]);
    assert!(no_list.configuration.other.contains_key("associated_endpoints"), "kept as it came");
}

/// DI-06, F-06 (SMART, conformance): what is unknown is kept and written again, null and nested values too.
#[test]
fn unknown_members_survive_a_round_trip() {
    let document = with(
        smart_2_2(),
        json!({"x_vendor": {"a": [1, {"b": 2.5}]}, "end_session_endpoint": "https://login.ehr.example/logout"}),
    );
    let mut document = document;
    document["x_null"] = Value::Null;
    let configuration = read(&document).configuration;
    assert_eq!(configuration.other.len(), 3);
    let written = serde_json::to_value(&configuration).unwrap();
    assert_eq!(written, document, "nothing is lost, nothing invented");
    let again: SmartConfiguration = serde_json::from_value(written).unwrap();
    assert_eq!(again, configuration);
}

/// DI-06: a member of the guide that is null is an absent one.
#[test]
fn null_is_absent() {
    let mut document = smart_2_0();
    for member in [
        "registration_endpoint",
        "scopes_supported",
        "associated_endpoints",
        "smart_app_state_endpoint",
        "user_access_brand_identifier",
        "authorization_response_iss_parameter_supported",
        "token_endpoint_auth_methods",
    ] {
        document[member] = Value::Null;
    }
    let server = read(&document);
    assert!(codes(&server).is_empty(), "{:?}", codes(&server));
    assert_eq!(server.configuration.scopes_supported, None);
    let null_list = json!({"token_endpoint": "https://login.ehr.example/token", "capabilities": null});
    let server = read(&null_list);
    assert!(server.report.has(Code::CapabilitiesMissing));
    assert!(server.configuration.other.is_empty());
    let mut null_token = smart_2_0();
    null_token["token_endpoint"] = Value::Null;
    let read = SmartConfiguration::parse(null_token.to_string().as_bytes(), &base(), UrlPolicy::HttpsOnly);
    assert!(matches!(read, Err(DiscoveryError::Missing { member: "token_endpoint", .. })));
}

/// DI-06, DI-04: members of the wrong kind are reported and left where they were; only the token endpoint ends it all.
#[test]
fn malformed_members_are_reported_and_kept() {
    for (member, value) in [
        ("issuer", json!(7)),
        ("grant_types_supported", json!({"a": 1})),
        ("scopes_supported", json!(true)),
        ("capabilities", json!({"launch-ehr": true})),
        ("user_access_brand_identifier", json!({"system": "x"})),
        ("authorization_response_iss_parameter_supported", json!("true")),
        ("code_challenge_methods_supported", json!(1)),
    ] {
        let server = read(&with(smart_2_0(), json!({member: value})));
        assert!(server.report.has(Code::MemberMalformed), "{member}");
        assert_eq!(server.configuration.other[member], value, "{member}");
        assert_eq!(
            serde_json::to_value(&server.configuration).unwrap()["token_endpoint_auth_methods_supported"][2],
            "private_key_jwt"
        );
    }
    for (value, read) in [
        (json!(["S256", 7, null]), vec!["S256"]),
        (json!("S256"), vec!["S256"]),
        (json!("plain S256"), vec!["plain", "S256"]),
    ] {
        let server = super::fixtures::read(&with(smart_2_0(), json!({"code_challenge_methods_supported": value})));
        assert!(server.report.has(Code::MemberMalformed), "{value}");
        assert_eq!(server.configuration.code_challenge_methods_supported.unwrap(), read);
    }
    let text_brand = read(&with(smart_2_0(), json!({"user_access_brand_identifier": "urn:x"})));
    assert_eq!(text_brand.configuration.user_access_brand_identifier.unwrap().value, "urn:x");
    for token in [json!(7), json!([]), json!({}), json!("")] {
        let document = with(smart_2_0(), json!({"token_endpoint": token})).to_string();
        let read = SmartConfiguration::parse(document.as_bytes(), &base(), UrlPolicy::HttpsOnly);
        assert!(matches!(read, Err(DiscoveryError::Endpoint { member: "token_endpoint", .. })), "{token}");
    }
}

/// DI-08 (SMART 2.1, conformance; RFC 3986 5): relative endpoints are resolved against the FHIR base and reported.
#[test]
fn relative_endpoints_are_resolved_and_reported() {
    for (given, token, resolved) in [
        ("https://ehr.example/r4", "auth/token", "https://ehr.example/auth/token"),
        ("https://ehr.example/r4/", "auth/token", "https://ehr.example/r4/auth/token"),
        ("https://ehr.example/r4", "/auth/token", "https://ehr.example/auth/token"),
        ("https://ehr.example/r4", "//login.example/token", "https://login.example/token"),
        ("https://ehr.example/r4", "?token", "https://ehr.example/r4?token"),
    ] {
        let body = with(smart_2_0(), json!({"token_endpoint": token})).to_string();
        let base = FhirBaseUrl::parse(given).unwrap();
        let server = SmartConfiguration::parse(body.as_bytes(), &base, UrlPolicy::HttpsOnly).unwrap();
        assert_eq!(server.configuration.token_endpoint.as_str(), resolved, "{given} {token}");
        assert_eq!(codes(&server), [Code::RelativeEndpoint]);
        let message = &server.report.findings[0].message;
        assert!(message.contains(token) && message.contains(resolved), "{message}");
    }
    for token in ["//user@login.example/token", "auth\\token", "/auth token", "/token#top", "//login.example:x/"] {
        let body = with(smart_2_0(), json!({"token_endpoint": token})).to_string();
        let read = SmartConfiguration::parse(body.as_bytes(), &base(), UrlPolicy::HttpsOnly);
        assert!(matches!(read, Err(DiscoveryError::Endpoint { .. })), "{token}");
    }
}

/// DI-13, F-99 (RFC 6749 3.1, 3.2): an endpoint is https, without credentials and fragment; others are left out.
#[test]
fn unsafe_endpoints_are_left_out() {
    for url in [
        "http://login.ehr.example/x",
        "http://127.0.0.1/x",
        "ftp://login.ehr.example/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user:hunter2@login.ehr.example/x",
        "https://@login.ehr.example/x",
        "https://login.ehr.example/x#top",
        "https:///login.ehr.example/x",
        "https://",
    ] {
        for member in [
            "authorization_endpoint",
            "registration_endpoint",
            "management_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
            "jwks_uri",
            "smart_app_state_endpoint",
            "user_access_brand_bundle",
        ] {
            let server = read(&with(smart_2_0(), json!({member: url})));
            assert!(server.report.has(Code::EndpointRefused), "{member} {url}");
            assert_eq!(server.configuration.other[member], url, "kept where nobody uses it");
        }
        let token = with(smart_2_0(), json!({"token_endpoint": url})).to_string();
        let refused = SmartConfiguration::parse(token.as_bytes(), &base(), UrlPolicy::HttpsOnly).unwrap_err();
        assert!(matches!(refused, DiscoveryError::Endpoint { member: "token_endpoint", .. }), "{url}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
    let issuer = read(&with(smart_2_0(), json!({"issuer": "http://login.ehr.example"})));
    assert!(issuer.report.has(Code::EndpointRefused) && issuer.report.has(Code::IssuerMissing));
    assert_eq!(issuer.configuration.issuer, None);
}

/// DI-13, SE-02: plain http passes on loopback alone, and only when the caller said so.
#[test]
fn loopback_http_needs_the_switch() {
    let base = FhirBaseUrl::parse_with("http://127.0.0.1:8080/r4", UrlPolicy::AllowLoopbackHttp).unwrap();
    for (token, allowed) in
        [("http://127.0.0.1:8080/token", true), ("http://[::1]/token", true), ("http://ehr.example/token", false)]
    {
        let body = json!({"token_endpoint": token, "capabilities": []}).to_string();
        let read = |policy| SmartConfiguration::parse(body.as_bytes(), &base, policy);
        assert_eq!(read(UrlPolicy::AllowLoopbackHttp).is_ok(), allowed, "{token}");
        let refused = read(UrlPolicy::HttpsOnly).unwrap_err();
        assert!(
            matches!(refused, DiscoveryError::Endpoint { reason: UrlError::NotHttps { .. }, .. }),
            "{token}: {refused}"
        );
    }
}

/// DI-06: blanks around a URL are passed over and reported, so that no endpoint is lost to a typing error.
#[test]
fn blanks_around_a_url_are_passed_over() {
    let server = read(&with(smart_2_0(), json!({"token_endpoint": " https://login.ehr.example/token\n"})));
    assert_eq!(server.configuration.token_endpoint.as_str(), "https://login.ehr.example/token");
    assert_eq!(codes(&server), [Code::MemberMalformed]);
}

/// DI-03, DI-06 (RFC 8259 8.1): a byte order mark is passed over and reported; a doubled member is no document.
#[test]
fn byte_order_mark_is_passed_over() {
    let text = smart_2_0().to_string();
    let marked = [b"\xef\xbb\xbf".as_slice(), b" \n", text.as_bytes()].concat();
    let server = SmartConfiguration::parse(&marked, &base(), UrlPolicy::HttpsOnly).unwrap();
    assert_eq!(codes(&server), [Code::ByteOrderMark]);
    assert_eq!(server.configuration, read(&smart_2_0()).configuration);
    let doubled = format!(r#"{{"token_endpoint":"https://evil.example/token",{}"#, &text[1..]);
    let read = SmartConfiguration::parse(doubled.as_bytes(), &base(), UrlPolicy::HttpsOnly);
    assert!(matches!(read, Err(DiscoveryError::Json { .. })), "two parsers could send the secret to two servers");
}

/// DI-06 (SMART 2.2, brands): the misnamed member of the specification's example is told, not read.
#[test]
fn misnamed_brands_are_told() {
    let server = read(&with(smart_2_0(), json!({"userAccessBrands": "https://ehr.example/brands.json"})));
    assert_eq!(codes(&server), [Code::MisnamedBrands]);
    assert_eq!(server.configuration.user_access_brand_bundle, None);
}

/// DI-06, F-06: a server builds its document member by member, and a client reads the same.
#[test]
fn servers_build_what_clients_read() {
    let url = |path: &str| format!("https://login.ehr.example/{path}").parse().unwrap();
    let mut built = SmartConfiguration::new(url("token"));
    assert_eq!(
        serde_json::to_value(&built).unwrap(),
        json!({"token_endpoint": "https://login.ehr.example/token", "capabilities": []}),
        "absent members are not written"
    );
    for endpoint in Endpoint::ALL {
        built.set_endpoint(*endpoint, url(endpoint.member()));
    }
    built.capabilities = Capability::DEFINED.to_vec();
    built.grant_types_supported = Some(vec!["authorization_code".into()]);
    built.code_challenge_methods_supported = Some(vec!["S256".into()]);
    built.issuer = Some(smart_core::issuer::Issuer::parse("https://login.ehr.example").unwrap());
    built.associated_endpoints = vec![AssociatedEndpoint {
        url: url("state"),
        capabilities: vec![Capability::SmartAppState],
        other: serde_json::Map::new(),
    }];
    built.other.insert("token_endpoint".into(), json!("https://evil.example/token"));
    let body = serde_json::to_value(&built).unwrap();
    assert_eq!(body["token_endpoint"], "https://login.ehr.example/token_endpoint", "no member is written twice");
    let server = read_by_default(&body);
    built.other.clear();
    assert_eq!(server.configuration, built);
    assert!(server.report.is_clean(), "{:?}", codes(&server));
}

/// DI-13: what was stored is checked again when it is read: no relative and no unsafe token endpoint.
#[test]
fn stored_documents_are_checked_again() {
    let read =
        |token: &str| serde_json::from_value::<SmartConfiguration>(with(smart_2_0(), json!({"token_endpoint": token})));
    assert!(read("https://login.ehr.example/token").is_ok());
    for token in ["/token", "http://login.ehr.example/token", ""] {
        assert!(read(token).is_err(), "{token}");
    }
    assert!(serde_json::from_value::<SmartConfiguration>(json!({"capabilities": []})).is_err());
}

/// DI-06: documents of every version survive being stored.
#[test]
fn documents_of_every_version_survive_being_stored() {
    for document in [smart_1_0(), smart_2_0(), smart_2_1(), smart_2_2()] {
        let configuration = read(&document).configuration;
        let stored = serde_json::to_string(&configuration).unwrap();
        assert_eq!(serde_json::from_str::<SmartConfiguration>(&stored).unwrap(), configuration);
    }
}
