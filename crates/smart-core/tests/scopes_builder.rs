//! Building the scopes to ask for.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use smart_core::scope::{
    Level, Permissions, ResourceScope, Scope, ScopeWarning, Scopes, ScopesBuilder, Syntax, Widening, common,
};

fn built(builder: ScopesBuilder) -> (String, Vec<ScopeWarning>) {
    let built = builder.build().unwrap();
    (built.scopes().to_string(), built.warnings().to_vec())
}

/// SC-02 (SMART, scopes for requesting FHIR resources): the builder cannot write an illegal suffix.
#[test]
fn builder_writes_letters_in_order() {
    let turned = Permissions::SEARCH | Permissions::DELETE | Permissions::CREATE | Permissions::DELETE;
    let (text, _) = built(ScopesBuilder::ehr_launch().resource(Level::User, "Observation", turned).unwrap());
    assert_eq!(text, "launch user/Observation.cds");
    assert_eq!(Permissions::READ.without(Permissions::ALL), None, "there is no empty set");
    assert_eq!(Permissions::READ.intersection(Permissions::WRITE), None, "there is no empty set");
}

/// SC-10 (RFC 6749, 3.3): the builder percent-encodes values of queries.
#[test]
fn builder_encodes_queries() {
    let builder = ScopesBuilder::ehr_launch()
        .resource_where(Level::Patient, "Observation", Permissions::READ_SEARCH, [("code", "a b")])
        .unwrap();
    assert_eq!(built(builder).0, "launch patient/Observation.rs?code=a%20b");
}

/// SC-21, SC-22, F-53 (SMART, scopes for requesting context data): the builder writes types in lower case and one role a scope.
#[test]
fn builder_writes_context_scopes() {
    let builder = ScopesBuilder::standalone()
        .context("DiagnosticReport")
        .unwrap()
        .context_in_role("List", "https://ehr.example/roles/a")
        .unwrap()
        .context_in_role("List", "https://ehr.example/roles/b")
        .unwrap()
        .encounter_context();
    assert_eq!(
        built(builder).0,
        "launch/diagnosticreport launch/list?role=https://ehr.example/roles/a \
         launch/list?role=https://ehr.example/roles/b launch/encounter"
    );
}

/// SC-23 (SMART, apps that launch from the EHR): an EHR launch asks for `launch`; others are hints.
#[test]
fn ehr_launch_adds_launch() {
    let (text, warnings) = built(ScopesBuilder::ehr_launch().text("patient/*.rs").unwrap().patient_context());
    assert_eq!(text, "launch patient/*.rs launch/patient");
    assert!(warnings.is_empty());
    assert_eq!(built(ScopesBuilder::ehr_launch().text("openid launch").unwrap()).0, "launch openid", "once only");
}

/// SC-24, F-54 (SMART, standalone apps): `launch/patient` is added where a `patient/` scope is asked for, bare `launch` never.
#[test]
fn standalone_adds_launch_patient_and_never_launch() {
    let (text, warnings) = built(ScopesBuilder::standalone().text("openid patient/Observation.rs").unwrap());
    assert_eq!((text.as_str(), warnings.len()), ("launch/patient openid patient/Observation.rs", 0));
    let (text, _) = built(ScopesBuilder::standalone().text("launch/encounter patient/Observation.rs").unwrap());
    assert_eq!(text, "launch/patient launch/encounter patient/Observation.rs");
    let (text, _) = built(ScopesBuilder::standalone().text("user/Observation.rs").unwrap());
    assert_eq!(text, "user/Observation.rs");
    let (text, warnings) = built(ScopesBuilder::standalone().text("launch user/Observation.rs").unwrap());
    assert_eq!(text, "user/Observation.rs");
    assert_eq!(warnings, [ScopeWarning::BareLaunchLeftOut]);
}

/// SC-25, F-53 (SMART, scopes for requesting identity data): `fhirUser` brings `openid`; `openid profile` is of SMART 1.
#[test]
fn fhir_user_brings_openid() {
    assert_eq!(built(ScopesBuilder::standalone().scope(Scope::FhirUser)).0, "openid fhirUser");
    assert_eq!(built(ScopesBuilder::ehr_launch().identity()).0, "launch openid fhirUser");
    let (text, warnings) = built(ScopesBuilder::standalone().text(common::IDENTITY_V1).unwrap());
    assert_eq!((text.as_str(), warnings), ("openid profile", vec![ScopeWarning::ProfileWithoutFhirUser]));
}

/// SC-26, F-53 (SMART, scopes for refresh tokens): `online_access` outside of an EHR launch is warned of.
#[test]
fn online_access_is_for_ehr_launches() {
    let (text, warnings) = built(ScopesBuilder::standalone().online_access());
    assert_eq!((text.as_str(), warnings), ("online_access", vec![ScopeWarning::OnlineAccessOutsideEhrLaunch]));
    assert_eq!(built(ScopesBuilder::ehr_launch().online_access()).1, []);
    assert_eq!(built(ScopesBuilder::standalone().offline_access()).1, []);
    let (_, warnings) = built(ScopesBuilder::ehr_launch().offline_access().online_access());
    assert_eq!(warnings, [ScopeWarning::BothRefreshScopes]);
}

/// BS-03 (SMART, backend services): scopes that need a user or a launch are warned of.
#[test]
fn backend_scopes_are_of_the_system_level() {
    let (text, warnings) = built(ScopesBuilder::backend().text("system/*.rs __x").unwrap());
    assert_eq!((text.as_str(), warnings.len()), ("system/*.rs __x", 0));
    let (text, warnings) = built(ScopesBuilder::backend().text("launch system/*.rs user/*.rs openid").unwrap());
    assert_eq!(text, "system/*.rs user/*.rs openid");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

/// SC-29, F-50, F-52 (SMART, conformance, permissions): the syntax follows the capabilities; without any it is version 1.
#[test]
fn syntax_follows_capabilities() {
    for (has_v1, has_v2, syntax, text) in [
        (true, true, Syntax::V2, "user/Observation.rs"),
        (false, true, Syntax::V2, "user/Observation.rs"),
        (true, false, Syntax::V1, "user/Observation.read"),
        (false, false, Syntax::V1, "user/Observation.read"),
    ] {
        assert_eq!(Syntax::choose(has_v1, has_v2), syntax);
        for given in ["user/Observation.rs", "user/Observation.read"] {
            let builder = ScopesBuilder::standalone().text(given).unwrap();
            assert_eq!(built(builder.syntax(Syntax::choose(has_v1, has_v2))).0, text);
        }
    }
    let narrow = ScopesBuilder::standalone().text("user/Observation.r").unwrap().syntax(Syntax::V1);
    assert!(narrow.clone().build().is_err());
    assert_eq!(built(narrow.widening(Widening::Allow)).0, "user/Observation.read");
}

/// SC-30 (SMART, wildcard scopes): a wildcard is an explicit act, and the lint names it.
#[test]
fn wildcards_are_explicit() {
    assert!(ScopesBuilder::ehr_launch().resource(Level::User, "*", Permissions::READ).is_err());
    let wildcard = ResourceScope::all_types(Level::User, Permissions::READ);
    let (text, warnings) = built(ScopesBuilder::ehr_launch().all_types(Level::User, Permissions::READ));
    assert_eq!((text.as_str(), warnings.len()), ("launch user/*.r", 0), "asked for by name");
    let asked: Scopes = "user/*.r user/Patient.r".parse().unwrap();
    assert_eq!(asked.lint(), [ScopeWarning::Wildcard(wildcard)]);
}

/// SC-11, SC-27 (SMART, experimental features; extensibility): the lint names what few servers know.
#[test]
fn lint_names_doubtful_scopes() {
    let asked: Scopes = "user/A.rs?x:in=y fhir_user __mine https://a.example/x".parse().unwrap();
    let messages: Vec<String> = asked.lint().iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("user/A.rs?x:in=y") && messages[1].contains("fhir_user"), "{messages:?}");
}

/// SC-33 (SMART, conformance, scopes_supported): the builder knows no list of supported scopes and drops none.
#[test]
fn builder_drops_no_unlisted_scope() {
    let text = "launch user/FutureThing.rs smart/orchestrate_launch __x";
    assert_eq!(built(ScopesBuilder::ehr_launch().text(text).unwrap()).0, text);
}

/// SC-30 (SMART, wildcard scopes): the common sets are legal, and those with a wildcard say so by their name.
#[test]
fn common_sets_are_legal() {
    for (name, text) in common::SETS {
        let scopes: Scopes = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(scopes.to_string(), text, "{name}");
        assert_eq!(scopes.resources().any(ResourceScope::is_wildcard), name.starts_with("ALL"), "{name}");
    }
}
