//! Capabilities: an open set of words, and the four sets of the guide.

use super::fixtures::{codes, read, smart_1_0, smart_2_0, with};
use serde_json::json;
use smart_core::discovery::{Capability, CapabilitySet, FindingCode as Code};

/// DI-09, F-11 (SMART 2.2, conformance, Capabilities): every word of the guide has its variant, under its exact name.
#[test]
fn every_capability_of_the_guide_is_known() {
    let names = [
        "launch-ehr",
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "context-standalone-encounter",
        "permission-offline",
        "permission-online",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
        "smart-app-state",
    ];
    assert_eq!(Capability::DEFINED.iter().map(Capability::as_str).collect::<Vec<_>>(), names);
    for name in names {
        let capability = Capability::from(name);
        assert!(capability.is_known() && !capability.is_legacy(), "{name}");
        assert_eq!((capability.as_str(), capability.to_string().as_str()), (name, name));
        assert_eq!(capability.current(), capability);
    }
    let server = read(&with(smart_2_0(), json!({"capabilities": names})));
    assert!(Capability::DEFINED.iter().all(|capability| server.configuration.supports(capability)));
}

/// DI-09, F-11, D-20 (SMART, conformance): unknown words are kept by their names, reported, and mean nothing else.
#[test]
fn unknown_capabilities_are_kept() {
    let unknown = ["https://ehr.example/capabilities/x", "udap", "Launch-EHR", "launch-ehr ", "pkce-support"];
    let server = read(&with(smart_2_0(), json!({"capabilities": unknown})));
    let kept: Vec<_> = server.configuration.capabilities.iter().map(Capability::as_str).collect();
    assert_eq!(kept, unknown);
    assert_eq!(codes(&server), [Code::UnknownCapability; 5]);
    assert!(!server.configuration.supports(&Capability::LaunchEhr), "names are exact");
    assert!(server.configuration.supports(&Capability::Other("udap".into())));
    assert!(server.configuration.capabilities.iter().all(|capability| !capability.is_known()));
    assert_eq!(serde_json::to_value(&server.configuration).unwrap()["capabilities"], json!(unknown));
}

/// DI-09 (SMART examples; SMART 1.0, conformance): older spellings mean the same, are reported, and stay as they are.
#[test]
fn older_spellings_are_recognised() {
    let server = read(&smart_1_0());
    for (old, new) in [
        ("context-passthrough-banner", Capability::ContextBanner),
        ("context-passthrough-style", Capability::ContextStyle),
        ("single-sign-on", Capability::SsoOpenidConnect),
    ] {
        let legacy = Capability::from(old);
        assert!(legacy.is_legacy() && legacy.is_known(), "{old}");
        assert_eq!(legacy.current(), new);
        assert!(server.configuration.supports(&new) && server.configuration.supports(&legacy), "{old}");
        assert!(serde_json::to_string(&server.configuration).unwrap().contains(old));
        assert!(!Capability::DEFINED.contains(&legacy));
    }
    assert_eq!(codes(&server).iter().filter(|code| **code == Code::LegacyCapability).count(), 3);
    let today = read(&with(smart_2_0(), json!({"capabilities": ["context-banner"]})));
    assert!(today.configuration.supports(&Capability::LegacyContextBanner), "asked by either name");
}

/// DI-10 (SMART 2.2, conformance, Capability Sets): each set holds with all of its capabilities and falls with each.
#[test]
fn truth_table_of_the_capability_sets() {
    for (set, name, needed) in [
        (
            CapabilitySet::PatientStandalone,
            "patient-standalone",
            vec!["launch-standalone", "context-standalone-patient", "permission-patient"],
        ),
        (CapabilitySet::PatientEhr, "patient-ehr", vec!["launch-ehr", "context-ehr-patient", "permission-patient"]),
        (
            CapabilitySet::ClinicianStandalone,
            "clinician-standalone",
            vec!["launch-standalone", "permission-user", "permission-patient"],
        ),
        (
            CapabilitySet::ClinicianEhr,
            "clinician-ehr",
            vec!["launch-ehr", "context-ehr-patient", "context-ehr-encounter", "permission-user", "permission-patient"],
        ),
    ] {
        assert_eq!(set.needed().iter().map(Capability::as_str).collect::<Vec<_>>(), needed, "{name}");
        assert_eq!(serde_json::to_value(set).unwrap(), name);
        let whole = |client: &[&str]| -> Vec<Capability> {
            needed.iter().chain(client).map(|name| Capability::from(*name)).collect()
        };
        for (client, met) in [
            (&["client-public"][..], true),
            (&["client-confidential-symmetric"], true),
            (&["client-public", "client-confidential-symmetric", "client-confidential-asymmetric"], true),
            (&["client-confidential-asymmetric"], false),
            (&[], false),
        ] {
            assert_eq!(set.is_met_by(&whole(client)), met, "{name} with {client:?}");
        }
        assert_eq!(set.missing_from(&whole(&[])), [Capability::ClientPublic], "{name}");
        for left_out in &needed {
            let rest: Vec<_> = whole(&["client-public"]).into_iter().filter(|c| c.as_str() != *left_out).collect();
            assert!(!set.is_met_by(&rest), "{name} without {left_out}");
            assert_eq!(set.missing_from(&rest), [Capability::from(*left_out)]);
        }
        assert_eq!(set.missing_from(&[]).len(), needed.len() + 1);
    }
}

/// DI-10 (SMART 2.2, conformance, Capability Sets): a server's sets are told from its document.
#[test]
fn sets_of_a_server_are_told() {
    assert_eq!(read(&smart_2_0()).capability_sets(), CapabilitySet::ALL);
    let patients = ["launch-standalone", "client-public", "context-standalone-patient", "permission-patient"];
    let server = read(&with(smart_2_0(), json!({"capabilities": patients})));
    assert_eq!(server.capability_sets(), [CapabilitySet::PatientStandalone]);
    assert!(read(&with(smart_2_0(), json!({"capabilities": []}))).capability_sets().is_empty());
}
