//! What refuses a server, by the caller's policy.

use super::fixtures::{base, codes, read, smart_1_0, smart_2_0, try_read, with};
use super::versions::login;
use serde_json::{Value, json};
use smart_core::discovery::{
    DiscoveryError, DiscoveryOptions, DiscoveryPolicy, Endpoint, EndpointOverrides, FindingCode as Code, S256Policy,
    S256Support, Severity, SmartConfiguration,
};
use smart_core::issuer::Issuer;
use url::Url;

fn methods(methods: Value) -> Value {
    with(smart_2_0(), json!({"code_challenge_methods_supported": methods}))
}

/// DI-12, F-12 (SMART, conformance, Metadata; RFC 9700 2.1.1): each list of PKCE methods under each policy.
#[test]
fn pkce_methods_under_each_policy() {
    let (without, refused) = (Value::Null, true);
    for (list, support, found, [if_listed, always, unchecked]) in [
        (json!(["S256"]), S256Support::Listed, vec![], [false, false, false]),
        (json!(["S256", "plain"]), S256Support::Listed, vec![Code::PlainListed], [false, false, false]),
        (json!([]), S256Support::NotListed, vec![Code::S256NotListed], [refused, refused, false]),
        (
            json!(["plain"]),
            S256Support::NotListed,
            vec![Code::S256NotListed, Code::PlainListed],
            [refused, refused, false],
        ),
        (json!(["s256"]), S256Support::NotListed, vec![Code::S256NotListed], [refused, refused, false]),
        (without, S256Support::Unknown, vec![Code::CodeChallengeMethodsMissing], [false, refused, false]),
    ] {
        let document = methods(list.clone());
        let server = read(&document);
        assert_eq!(server.configuration.s256(), support, "{list}");
        assert_eq!(codes(&server), found, "{list}");
        for (policy, is_refused) in
            [(S256Policy::IfListed, if_listed), (S256Policy::Always, always), (S256Policy::Unchecked, unchecked)]
        {
            let result = try_read(&document, DiscoveryPolicy::default().s256(policy));
            let says_so = matches!(&result, Err(DiscoveryError::S256NotSupported { .. }));
            assert_eq!((result.is_err(), says_so), (is_refused, is_refused), "{list} {policy:?}");
        }
    }
    assert_eq!(DiscoveryPolicy::default(), DiscoveryPolicy::default().s256(S256Policy::default()));
}

/// DI-12, PK-02 (SMART, PKCE): whatever a server lists and the caller tolerates, S256 is what is sent, never `plain`.
#[test]
fn s256_is_sent_whatever_is_listed() {
    for list in [json!([]), json!(["plain"]), json!(["S512", "plain"]), Value::Null] {
        let options =
            DiscoveryOptions { policy: DiscoveryPolicy::default().s256(S256Policy::Unchecked), ..Default::default() };
        let server = SmartConfiguration::parse_with(methods(list).to_string().as_bytes(), &base(), &options).unwrap();
        let server = server.authorization_server().unwrap();
        let builder = smart_core::authorize::AuthorizationBuilder::standalone(
            server,
            "my-app".into(),
            super::support::redirect(),
            super::support::scopes("openid"),
        );
        let (request, _) = builder.unwrap().build(&super::support::Counting::default(), super::support::NOW).unwrap();
        let sent = super::support::query(&request);
        assert_eq!(sent["code_challenge_method"], "S256");
    }
    assert_eq!(login(&smart_1_0(), "openid")["code_challenge_method"], "S256");
}

/// DI-12: the refusal says what the server lists, cut and cleaned, and what to do.
#[test]
fn refusal_for_pkce_shows_the_list_safely() {
    let mut hostile = vec![json!("\u{1b}[2J"), json!("x".repeat(10_000))];
    hostile.extend((0..100).map(|index| json!(format!("m{index}"))));
    let error = try_read(&methods(hostile.into()), DiscoveryPolicy::default()).unwrap_err();
    let DiscoveryError::S256NotSupported { document, listed } = &error else { panic!("{error}") };
    assert_eq!(document, "https://ehr.example/r4/.well-known/smart-configuration");
    assert_eq!(listed.len(), 10);
    let shown = error.to_string();
    assert!(!shown.contains('\u{1b}') && shown.len() < 1000 && shown.contains("S256Policy::Unchecked"), "{shown}");
}

/// DI-04, SE-11: the default policy refuses for PKCE alone, the strict one for every error, the tools' one for nothing.
#[test]
fn policies_refuse_what_they_say() {
    let (default, strict, report_only) =
        (DiscoveryPolicy::default(), DiscoveryPolicy::strict(), DiscoveryPolicy::report_only());
    for code in Code::ALL {
        assert_eq!(default.is_fatal(*code), *code == Code::S256NotListed, "{code:?}");
        let is_error = code.usual_severity() == Severity::Error || *code == Code::CodeChallengeMethodsMissing;
        assert_eq!(strict.is_fatal(*code), is_error, "{code:?}");
        assert!(!report_only.is_fatal(*code), "{code:?}");
        assert!(report_only.clone().fatal(*code).is_fatal(*code));
        assert!(!report_only.clone().fatal(*code).tolerate(*code).is_fatal(*code));
    }
}

/// DI-04, DI-13: a fatal finding refuses the server, by its code, and not otherwise.
#[test]
fn fatal_findings_refuse_the_server() {
    let document = with(smart_2_0(), json!({"revocation_endpoint": "http://login.ehr.example/revoke"}));
    assert!(try_read(&document, DiscoveryPolicy::default()).is_ok());
    let error = try_read(&document, DiscoveryPolicy::strict()).unwrap_err();
    let DiscoveryError::Refused { document: at, finding } = &error else { panic!("{error}") };
    assert_eq!((finding.code, finding.severity), (Code::EndpointRefused, Severity::Fatal));
    assert_eq!(at, "https://ehr.example/r4/.well-known/smart-configuration");
    assert!(error.to_string().contains("revocation_endpoint"), "{error}");
    let tolerant = DiscoveryPolicy::strict().tolerate(Code::EndpointRefused);
    assert!(try_read(&document, tolerant).is_ok());
    let picky = DiscoveryPolicy::default().fatal(Code::UnknownCapability);
    let unknown = with(smart_2_0(), json!({"capabilities": ["launch-standalone", "x"]}));
    assert!(matches!(try_read(&unknown, picky), Err(DiscoveryError::Refused { .. })));
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn with_overrides(
    document: &Value,
    overrides: EndpointOverrides,
) -> Result<smart_core::discovery::Discovered, DiscoveryError> {
    let options = DiscoveryOptions { overrides, ..DiscoveryOptions::default() };
    SmartConfiguration::parse_with(document.to_string().as_bytes(), &base(), &options)
}

/// F-09, DI-13: each endpoint can be set by hand, the rest comes from the document, and it is reported.
#[test]
fn endpoints_can_be_set_singly() {
    for endpoint in Endpoint::ALL {
        let own = url(&format!("https://own.example/{endpoint}"));
        let server = with_overrides(&smart_2_0(), EndpointOverrides::new().endpoint(*endpoint, own.clone())).unwrap();
        assert_eq!(server.configuration.endpoint(*endpoint), Some(&own));
        assert_eq!(codes(&server), [Code::EndpointOverridden]);
        for other in Endpoint::ALL.iter().filter(|other| *other != endpoint) {
            assert_eq!(server.configuration.endpoint(*other), read(&smart_2_0()).configuration.endpoint(*other));
        }
    }
    let issuer = Issuer::parse("https://own.example").unwrap();
    let server = with_overrides(&smart_2_0(), EndpointOverrides::new().issuer(issuer.clone())).unwrap();
    assert_eq!(server.configuration.issuer, Some(issuer));
    assert_eq!(codes(&server), [Code::EndpointOverridden]);
    assert!(EndpointOverrides::new().is_empty());
}

/// F-09: an endpoint that is set by hand mends a document that lacks it or has one that may not be used.
#[test]
fn overrides_mend_broken_documents() {
    for broken in [json!(null), json!("http://login.ehr.example/token"), json!(7)] {
        let document = with(smart_2_0(), json!({"token_endpoint": broken}));
        let token = EndpointOverrides::new().endpoint(Endpoint::Token, url("https://own.example/token"));
        assert!(with_overrides(&document, EndpointOverrides::new()).is_err());
        let server = with_overrides(&document, token).unwrap();
        assert_eq!(server.configuration.token_endpoint.as_str(), "https://own.example/token");
        let written = serde_json::to_value(&server.configuration).unwrap();
        assert_eq!(written["token_endpoint"], "https://own.example/token");
    }
}

/// DI-13, SE-02: the caller's own endpoints are no way around https.
#[test]
fn overrides_have_to_be_https_too() {
    for unsafe_url in ["http://own.example/token", "https://u@own.example/token", "https://own.example/token#x"] {
        let overrides = EndpointOverrides::new().endpoint(Endpoint::Revocation, url(unsafe_url));
        let error = with_overrides(&smart_2_0(), overrides).unwrap_err();
        assert!(matches!(error, DiscoveryError::Endpoint { member: "revocation_endpoint", .. }), "{error}");
    }
}
