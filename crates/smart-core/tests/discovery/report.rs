//! The report: every finding can be reached, and says what, how grave, where it is written and which requirement.

use super::fixtures::{backend_only, base, read, smart_1_0, smart_2_0, smart_2_1, with};
use serde_json::{Value, json};
use smart_core::discovery::{
    Discovery, DiscoveryOptions, DiscoveryPolicy, Endpoint, EndpointOverrides, Finding, FindingCode as Code, Flow,
    GatePolicy, Severity, SmartConfiguration, Step, ValidationReport,
};
use std::collections::{BTreeMap, BTreeSet};

fn options() -> DiscoveryOptions {
    DiscoveryOptions { policy: DiscoveryPolicy::report_only(), ..DiscoveryOptions::default() }
}

fn of(document: &Value) -> Vec<Finding> {
    read(document).report.findings
}

fn answered(step: &Discovery, content_type: Option<&str>, body: &[u8]) -> Vec<Finding> {
    match step.clone().next_step(http::StatusCode::OK, content_type, body).unwrap() {
        Step::Done(server) => server.report.findings,
        Step::Next(_) => panic!("a document ends discovery"),
    }
}

fn fallback() -> Discovery {
    let first = Discovery::new(base(), options());
    match first.next_step(http::StatusCode::NOT_FOUND, None, b"").unwrap() {
        Step::Next(next) => *next,
        Step::Done(_) => panic!("nothing was found"),
    }
}

/// A fixture for each code. A code without one fails the test below.
fn fixture(code: Code) -> Vec<Finding> {
    let changed = |members: Value| of(&with(smart_2_0(), members));
    match code {
        Code::S256NotListed => changed(json!({"code_challenge_methods_supported": []})),
        Code::CodeChallengeMethodsMissing => changed(json!({"code_challenge_methods_supported": null})),
        Code::PlainListed => changed(json!({"code_challenge_methods_supported": ["S256", "plain"]})),
        Code::GrantTypesMissing => changed(json!({"grant_types_supported": null})),
        Code::CapabilitiesMissing => changed(json!({"capabilities": null})),
        Code::SmartOne | Code::AuthMethodsAlias | Code::LegacyCapability => of(&smart_1_0()),
        Code::AuthorizationEndpointMissing => changed(json!({"authorization_endpoint": null})),
        Code::IssuerMissing => changed(json!({"issuer": null})),
        Code::JwksUriMissing => changed(json!({"jwks_uri": null})),
        Code::MemberMalformed => changed(json!({"scopes_supported": "openid"})),
        Code::RelativeEndpoint => changed(json!({"token_endpoint": "/token"})),
        Code::UnknownCapability => changed(json!({"capabilities": ["x"]})),
        Code::EndpointRefused => changed(json!({"management_endpoint": "http://portal.ehr.example/"})),
        Code::DeprecatedAppStateEndpoint => of(&smart_2_1()),
        Code::MisnamedBrands => changed(json!({"userAccessBrands": "x"})),
        Code::AuthorizationCodeNotListed => changed(json!({"grant_types_supported": ["client_credentials"]})),
        Code::AsymmetricNotListed => changed(json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]})),
        Code::CapabilityNotListed => {
            let document = with(smart_2_0(), json!({"capabilities": ["launch-ehr"]}));
            read(&document).gate(Flow::StandaloneLaunch, GatePolicy::Warn).unwrap()
        }
        Code::GrantNotListed => {
            let document = with(backend_only(), json!({"grant_types_supported": []}));
            read(&document).gate(Flow::BackendServices, GatePolicy::Warn).unwrap()
        }
        Code::AuthMethodNotListed => {
            let document = with(backend_only(), json!({"token_endpoint_auth_methods_supported": []}));
            read(&document).gate(Flow::BackendServices, GatePolicy::Warn).unwrap()
        }
        Code::FromCapabilityStatement => answered(&fallback(), None, super::statements::r4().to_string().as_bytes()),
        Code::EndpointOverridden => {
            let token = "https://own.example/token".parse().unwrap();
            let overrides = EndpointOverrides::new().endpoint(Endpoint::Token, token);
            let options = DiscoveryOptions { overrides, ..options() };
            let body = smart_2_0().to_string();
            SmartConfiguration::parse_with(body.as_bytes(), &base(), &options).unwrap().report.findings
        }
        Code::ContentType => {
            let body = smart_2_0().to_string();
            answered(&Discovery::new(base(), options()), Some("text/plain"), body.as_bytes())
        }
        Code::ByteOrderMark => {
            let body = format!("\u{feff}{}", smart_2_0());
            answered(&Discovery::new(base(), options()), Some("application/json"), body.as_bytes())
        }
        other => panic!("{other:?} has no fixture"),
    }
}

/// DI-04, DI-05, DI-12 (SMART, conformance): every code is produced by a document, with its section and requirement.
#[test]
fn every_finding_can_be_reached() {
    for code in Code::ALL {
        let findings = fixture(*code);
        let finding = findings.iter().find(|finding| finding.code == *code);
        let finding = finding.unwrap_or_else(|| panic!("{code:?} is not among {findings:?}"));
        assert_eq!(finding.severity, code.usual_severity(), "{code:?}");
        assert_eq!((finding.section, finding.requirement), (code.section(), code.requirement()), "{code:?}");
        assert!(finding.message.len() > 20 && finding.message.len() < 300, "{code:?}: {}", finding.message);
        let shown = finding.to_string();
        for part in [finding.message.as_str(), code.as_str(), code.section()] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}

/// DI-04: codes are stable names: one each, in kebab case, the same in JSON, each with a section and a requirement.
#[test]
fn codes_are_stable_names() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(code.as_str().bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'), "{code:?}");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert!(["SMART", "RFC"].iter().any(|start| code.section().starts_with(start)), "{code:?}: {}", code.section());
        let (area, number) = code.requirement().split_once('-').unwrap();
        assert!(["DI", "BS"].contains(&area) && number.len() == 2 && number.parse::<u8>().is_ok(), "{code:?}");
        assert_ne!(code.usual_severity(), Severity::Fatal, "only a policy makes a finding fatal");
    }
}

/// DI-04: a document with many faults reports them all, the gravest first, and as JSON for tools.
#[test]
fn report_is_whole_and_sorted() {
    let document = with(
        smart_2_0(),
        json!({
            "code_challenge_methods_supported": ["plain"], "grant_types_supported": null, "issuer": null,
            "token_endpoint": "/token", "capabilities": ["launch-ehr", "sso-openid-connect", "x", "single-sign-on"],
        }),
    );
    let report = read(&document).report;
    let mut by_severity: BTreeMap<Severity, BTreeSet<&str>> = BTreeMap::new();
    for finding in &report.findings {
        by_severity.entry(finding.severity).or_default().insert(finding.code.as_str());
    }
    assert_eq!(
        by_severity.into_iter().map(|(severity, codes)| (severity, codes.into_iter().collect())).collect::<Vec<_>>(),
        [
            (Severity::Info, vec!["legacy-capability", "unknown-capability"]),
            (Severity::Warning, vec!["plain-listed", "relative-endpoint"]),
            (Severity::Error, vec!["grant-types-missing", "issuer-missing", "s256-not-listed"]),
        ]
    );
    assert!(report.findings.is_sorted_by(|a, b| a.severity >= b.severity));
    assert!(!report.is_clean() && ValidationReport::default().is_clean());
    assert_eq!(report.at_least(Severity::Error).count(), 3);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["severity"], "error");
    assert!(json["findings"][0]["section"].as_str().unwrap().starts_with("SMART"));
}

/// CB-08: what a server writes cannot steer a terminal or fill it.
#[test]
fn findings_show_hostile_text_safely() {
    let hostile = format!("\u{1b}]0;x\u{7}\u{202e}{}", "y".repeat(100_000));
    let document = with(
        smart_2_0(),
        json!({"capabilities": [hostile], "token_endpoint_auth_methods_supported": [hostile],
            "jwks_uri": hostile, "issuer": format!("https://{hostile}"), "revocation_endpoint": format!("http://x/{hostile}"),
            "code_challenge_methods_supported": [hostile]}),
    );
    let findings = of(&document);
    assert!(findings.len() >= 5, "{findings:?}");
    for finding in findings {
        let shown = finding.to_string();
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']) && shown.len() < 1000, "{shown:?}");
    }
}
