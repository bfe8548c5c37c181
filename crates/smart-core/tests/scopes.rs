//! The grammar of single scopes and of scope strings.

#![expect(clippy::panic, reason = "helpers of tests")]

use smart_core::scope::{
    LaunchScope, Level, Permissions, ResourceScope, Scope, ScopeError, ScopeErrorKind, ScopeQuery, Scopes, Syntax,
};

fn scope(text: &str) -> Scope {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn resource(text: &str) -> ResourceScope {
    scope(text).as_resource().unwrap_or_else(|| panic!("{text} is no resource scope")).clone()
}

fn error(text: &str) -> ScopeError {
    match text.parse::<Scope>() {
        Err(error) => error,
        Ok(read) => panic!("`{text}` was read as {read:?}"),
    }
}

/// All 31 subsets of `cruds`, letters in order.
fn suffixes() -> impl Iterator<Item = String> {
    (1_u32..32).map(|bits| {
        "cruds".chars().enumerate().filter(|(index, _)| bits & (1 << index) != 0).map(|(_, letter)| letter).collect()
    })
}

/// SC-01, F-51 (SMART, FHIR resource scope syntax): all 31 suffixes at all levels parse, mean their letters, and print as
/// they were.
#[test]
fn all_31_suffixes_round_trip() {
    let mut seen = 0;
    for suffix in suffixes() {
        for level in Level::ALL {
            for name in ["Observation", "*"] {
                for query in ["", "?category=laboratory&code=http://loinc.org|718-7"] {
                    let text = format!("{level}/{name}.{suffix}{query}");
                    let read = resource(&text);
                    assert_eq!(read.to_string(), text);
                    assert_eq!(read.level(), level);
                    assert_eq!(read.resource_type(), (name != "*").then_some(name));
                    assert_eq!(read.is_wildcard(), name == "*");
                    assert_eq!(read.permissions().letters().collect::<String>(), suffix);
                    assert_eq!(read.permissions().to_string(), suffix);
                    assert_eq!(read.syntax(), Syntax::V2);
                    assert_eq!(read.query().map_or("", ScopeQuery::as_str), query.trim_start_matches('?'));
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 31 * 3 * 2 * 2);
}

/// SC-02 (SMART, scopes for requesting FHIR resources): suffixes that are empty, repeated, out of order or of other
/// letters are errors, and grant nothing when a server sends them.
#[test]
fn bad_suffixes_are_refused_and_grant_nothing() {
    for suffix in [
        "",
        "dus",
        "rr",
        "x",
        "sr",
        "cc",
        "rcuds",
        "crudss",
        "scrud",
        "R",
        "RS",
        "Read",
        "READ",
        "readwrite",
        "all",
        "rs.",
        "rs/",
        "r,s",
        "r-s",
        "**",
        "*r",
        "r*",
        "rd ",
        "crudx",
        "é",
        "cruds?",
    ] {
        let text = format!("patient/Observation.{suffix}");
        assert!(text.parse::<Scope>().is_err(), "{text}");
        if !suffix.contains(' ') {
            let granted = Scopes::parse_granted(&text);
            assert_eq!(granted.to_string(), text, "kept as it was");
            assert_eq!(granted.resources().count(), 0, "{text}");
            let Some(Scope::Other(opaque)) = granted.iter().next() else { panic!("{text} is not opaque") };
            assert!(opaque.problem().is_some(), "{text}");
            for permissions in suffixes() {
                assert!(!granted.covers(&scope(&format!("patient/Observation.{permissions}"))), "{text}");
            }
        }
    }
}

/// SC-02 (SMART, scopes for requesting FHIR resources): the error names the letter, its position and what is expected.
#[test]
fn an_error_names_letter_position_and_what_is_expected() {
    for (text, position, found, message) in [
        (
            "patient/Observation.dus",
            22,
            Some('u'),
            "illegal scope `patient/Observation.dus`: found `u` at position 22, expected `s` or the end: each letter of \
             `cruds` comes once at most, in this order",
        ),
        (
            "patient/Observation.rr",
            22,
            Some('r'),
            "illegal scope `patient/Observation.rr`: found `r` at position 22, expected `u`, `d`, `s` or the end: each \
             letter of `cruds` comes once at most, in this order",
        ),
        (
            "patient/Observation.rx",
            22,
            Some('x'),
            "illegal scope `patient/Observation.rx`: found `x` at position 22, expected `u`, `d`, `s` or the end",
        ),
        (
            "patient/Observation.crudsc",
            26,
            Some('c'),
            "illegal scope `patient/Observation.crudsc`: found `c` at position 26, expected the end: each letter of \
             `cruds` comes once at most, in this order",
        ),
        (
            "patient/Observation.",
            21,
            None,
            "illegal scope `patient/Observation.`: it ends at position 21, expected letters of `cruds`, in this order, \
             or one of `read`, `write` and `*`",
        ),
        (
            "patient/Observation.é",
            21,
            Some('é'),
            "illegal scope `patient/Observation.é`: found `é` at position 21, expected letters of `cruds`, in this order, \
             or one of `read`, `write` and `*`",
        ),
    ] {
        let error = error(text);
        assert_eq!(error.kind(), ScopeErrorKind::Permissions);
        assert_eq!((error.position(), error.found()), (position, found), "{text}");
        assert_eq!(error.to_string(), message);
    }
    assert_eq!("dus".parse::<Permissions>().unwrap_err().position(), 2);
}

/// SE-05: what an error repeats of an illegal scope is bounded and cannot steer a terminal.
#[test]
fn errors_show_hostile_scopes_safely() {
    let error = error(&format!("patient/Observation.\u{1b}{}", "x".repeat(100_000)));
    assert!(error.to_string().len() < 500, "{}", error.to_string().len());
    assert!(!error.to_string().contains('\u{1b}'));
}

/// SC-03, F-50 (SMART 1, scopes; Bulk Data 1, scopes): version 1 scopes parse at all levels.
#[test]
fn version_1_scopes_parse() {
    for (text, level, name, permissions) in [
        ("patient/*.*", Level::Patient, None, Permissions::ALL),
        ("user/Patient.write", Level::User, Some("Patient"), Permissions::WRITE),
        ("system/*.read", Level::System, None, Permissions::READ_SEARCH),
        ("patient/Observation.read", Level::Patient, Some("Observation"), Permissions::READ_SEARCH),
    ] {
        let read = resource(text);
        assert_eq!((read.level(), read.resource_type(), read.permissions()), (level, name, permissions));
        assert_eq!(read.syntax(), Syntax::V1);
        assert_eq!(read.to_string(), text);
    }
}

/// SC-03, SC-10 (SMART 1, scopes): version 1 has no queries.
#[test]
fn version_1_scopes_have_no_query() {
    let error = error("patient/Observation.read?category=laboratory");
    assert_eq!((error.kind(), error.position()), (ScopeErrorKind::Query, 25));
}

/// SC-04 (SMART, scopes for requesting FHIR resources): `.read` is a word, not the letters `r` and `d`.
#[test]
fn read_is_no_permission_to_delete() {
    let read = resource("patient/Observation.read");
    assert!(!read.permissions().contains(Permissions::DELETE));
    assert!(!Scopes::parse_granted("patient/Observation.read").covers(&scope("patient/Observation.d")));
    assert_eq!(resource("patient/Observation.rd").permissions(), Permissions::READ | Permissions::DELETE);
}

/// SC-05 (SMART, version 1 semantics): `.read` is `.rs`, `.write` is `.cud`, `.*` is `.cruds`.
#[test]
fn version_1_words_mean_version_2_letters() {
    for (word, letters) in [("read", "rs"), ("write", "cud"), ("*", "cruds")] {
        let v1 = resource(&format!("patient/Observation.{word}"));
        let v2 = resource(&format!("patient/Observation.{letters}"));
        assert_eq!(v1.permissions(), v2.permissions());
        assert_eq!(v1.to_v2(), v2);
        assert_eq!(v2.to_v1(), Some(v1.clone()));
        assert_eq!(Permissions::from_v1_word(word), Some(v2.permissions()));
        assert_eq!(v2.permissions().v1_word(), Some(word));
    }
    assert_eq!(Permissions::from_v1_word("rs"), None);
}

/// SC-08 (RFC 6749, 3.3): single spaces separate, only token characters are legal, case matters, duplicates collapse.
#[test]
fn scope_strings_follow_rfc_6749() {
    let scopes: Scopes = "openid patient/Patient.r openid fhirUser patient/Patient.r".parse().unwrap();
    assert_eq!(scopes.to_string(), "openid patient/Patient.r fhirUser");
    assert_eq!(scopes, "fhirUser openid patient/Patient.r".parse().unwrap(), "order has no meaning");
    assert_ne!(scopes, "openid fhirUser".parse().unwrap());
    for illegal in ["a\"b", "a\\b", "caf\u{e9}", "a\u{7f}", "a\u{1}b", "a\u{a0}b", "\"openid\""] {
        let error = error(illegal);
        assert_eq!(error.kind(), ScopeErrorKind::Character, "{illegal}");
        assert!(illegal.parse::<Scopes>().is_err(), "{illegal}");
    }
    assert_eq!(error("").kind(), ScopeErrorKind::Character);
    for legal in ["!", "#", "[", "]", "~", "a:b", "smart/orchestrate_launch"] {
        assert_eq!(scope(legal).to_string(), legal);
    }
    for other_case in ["OpenID", "fhiruser", "Launch", "LAUNCH/patient", "Offline_Access"] {
        assert_eq!(error(other_case).kind(), ScopeErrorKind::WordCase, "{other_case}");
        assert!(matches!(Scopes::parse_granted(other_case).iter().next(), Some(Scope::Other(_))), "{other_case}");
    }
    assert_eq!(error("fhiruser").position(), 5);
}

/// SC-08 (RFC 6749, 3.3): duplicates collapse in large sets too, and the first stays first.
#[test]
fn duplicates_collapse_in_large_sets() {
    let text: Vec<String> = (0..500).map(|index| format!("__{}", index % 100)).collect();
    let expected: Vec<String> = (0..100).map(|index| format!("__{index}")).collect();
    assert_eq!(Scopes::parse_granted(&text.join(" ")).to_string(), expected.join(" "));
    assert_eq!(text.join(" ").parse::<Scopes>().unwrap().len(), 100);
}

/// SC-09 (RFC 6749, 3.3): runs of white space and blanks at the ends are tolerated on input.
#[test]
fn white_space_is_tolerated() {
    let untidy = "  openid \t fhirUser\r\n\n patient/*.rs  ";
    assert_eq!(untidy.parse::<Scopes>().unwrap().to_string(), "openid fhirUser patient/*.rs");
    assert_eq!(Scopes::parse_granted(untidy).to_string(), "openid fhirUser patient/*.rs");
}

/// SC-10 (SMART, finer-grained resource constraints): the query is kept byte for byte.
#[test]
fn queries_are_kept_byte_for_byte() {
    for query in [
        "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        "category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory",
        "date=ge2020-01-01&status=final,amended",
        "code=http://loinc.org|718-7&code=x",
        "url=http://a.example/?x=1#y",
        "name=%20%22%5c",
    ] {
        let text = format!("patient/Observation.rs?{query}");
        let read = resource(&text);
        assert_eq!(read.as_str(), text);
        assert_eq!(read.query().unwrap().as_str(), query);
    }
    let read = resource("patient/Observation.rs?url=http://a.example/?x=1&b=2");
    let pairs: Vec<_> = read.query().unwrap().pairs().collect();
    assert_eq!(pairs, [("url", "http://a.example/?x=1"), ("b", "2")]);
}

/// SC-10 (SMART, finer-grained resource constraints): a query is `param=value` pairs joined by `&`.
#[test]
fn bad_queries_are_refused() {
    for (query, position) in [
        ("", 24),
        ("category", 32),
        ("=x", 24),
        ("category=", 33),
        ("a=1&", 28),
        ("a=1&&b=2", 28),
        ("&a=1", 24),
        ("a=\"x\"", 26),
        ("a=x\\,y", 27),
        ("1a=x", 24),
        ("a%3Ain=x", 25),
        ("a[0]=x", 25),
    ] {
        let text = format!("patient/Observation.rs?{query}");
        let error = error(&text);
        assert_eq!(error.position(), position, "{error}");
        assert_eq!(Scopes::parse_granted(&text).resources().count(), 0, "{text}");
    }
}

/// SC-10, F-51 (RFC 6749, 3.3): what may not stand in a scope is percent-encoded when a query is built.
#[test]
fn built_queries_are_percent_encoded() {
    let base = resource("user/Observation.rs");
    let built = base
        .narrowed([
            ("category", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"),
            ("note", "50% of \"a\\b\" & c+d é #1"),
        ])
        .unwrap();
    assert_eq!(
        built.as_str(),
        "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory\
         &note=50%25%20of%20%22a%5Cb%22%20%26%20c%2Bd%20%C3%A9%20%231"
    );
    assert_eq!(resource(built.as_str()), built);
    assert_eq!(built.narrowed([("status", "final")]).unwrap().query().unwrap().pairs().count(), 3);
    assert_eq!(resource("user/Observation.read").narrowed([("a", "b")]).unwrap().as_str(), "user/Observation.rs?a=b");
    for (name, value) in [("", "x"), ("a=b", "x"), ("a&b", "x"), ("a b", "x"), ("a", ""), ("é", "x"), ("a?", "x")] {
        assert!(base.narrowed([(name, value)]).is_err(), "{name}={value}");
    }
}

/// SC-11 (SMART, experimental features): modifiers, chains and `_filter` are accepted and marked.
#[test]
fn experimental_queries_are_marked() {
    for text in [
        "user/Observation.rs?code:in=http://valueset.example.org/ValueSet/diabetes-codes",
        "user/Observation.rs?patient.birthdate=1990",
        "user/Observation.rs?_filter=code%20eq%20x",
        "user/Observation.rs?category=laboratory&_has:Provenance:target:agent=x",
    ] {
        assert!(resource(text).is_experimental(), "{text}");
        assert_eq!(resource(text).as_str(), text);
    }
    for text in
        ["user/Observation.rs", "user/Observation.rs?code=http://a.example/x.y:z", "user/Observation.rs?_id=_filter"]
    {
        assert!(!resource(text).is_experimental(), "{text}");
    }
}

/// SC-19 (SMART, wildcard scopes): resource types are not checked against a list.
#[test]
fn unknown_resource_types_parse() {
    for name in ["FutureThing", "Conformance", "ProcedureRequest", "X", "Type2"] {
        assert_eq!(resource(&format!("patient/{name}.r")).resource_type(), Some(name));
    }
    let all = Scopes::parse_granted("patient/*.r");
    assert!(all.covers(&scope("patient/FutureThing.r")));
}

/// SC-20 (SMART, patient-specific scopes): levels are in lower case, resource types in UpperCamel.
#[test]
fn case_of_level_and_type_matters() {
    assert_eq!(resource("patient/Patient.r").resource_type(), Some("Patient"));
    for (text, kind, position) in [
        ("Patient/patient.r", ScopeErrorKind::Level, 1),
        ("USER/Observation.rs", ScopeErrorKind::Level, 1),
        ("sYstem/*.rs", ScopeErrorKind::Level, 2),
        ("patient/patient.r", ScopeErrorKind::ResourceType, 9),
        ("patient/.r", ScopeErrorKind::ResourceType, 9),
        ("patient/", ScopeErrorKind::ResourceType, 9),
        ("patient/Observation", ScopeErrorKind::ResourceType, 20),
        ("patient/Obser vation.r", ScopeErrorKind::ResourceType, 14),
        ("patient/Obs_ervation.r", ScopeErrorKind::ResourceType, 12),
        ("patient/**.r", ScopeErrorKind::ResourceType, 10),
        ("patient/*Observation.r", ScopeErrorKind::ResourceType, 10),
        ("user/Observation/1.r", ScopeErrorKind::ResourceType, 17),
    ] {
        let error = error(text);
        assert_eq!((error.kind(), error.position()), (kind, position), "{error}");
    }
    for name in ["", "patient", "*", "Obs-ervation", "Observation.r", "Observation "] {
        assert!(ResourceScope::new(Level::User, name, Permissions::READ).is_err(), "{name}");
    }
}

/// SC-21 (SMART, scopes for requesting context data): `launch`, and `launch/` with a type in lower case.
#[test]
fn launch_context_scopes() {
    assert_eq!(scope("launch"), Scope::LAUNCH);
    assert_eq!(scope("launch/patient"), Scope::LAUNCH_PATIENT);
    assert_eq!(scope("launch/encounter"), Scope::LAUNCH_ENCOUNTER);
    let report = LaunchScope::context("DiagnosticReport").unwrap();
    assert_eq!(report.as_str(), "launch/diagnosticreport");
    assert_eq!(scope("launch/diagnosticreport"), Scope::Launch(report.clone()));
    assert_eq!((report.resource_type(), report.role(), report.is_ehr()), (Some("diagnosticreport"), None, false));
    assert!(LaunchScope::EHR.is_ehr());
    assert_eq!(LaunchScope::context("Patient").unwrap(), LaunchScope::PATIENT);
    for text in ["launch/", "launch/Patient", "launch/diagnosticReport", "launch/a/b", "launch/a.b", "launch?role=x"] {
        assert_eq!(error(text).kind(), ScopeErrorKind::LaunchContext, "{text}");
    }
    for name in ["", "a b", "a?role=x", "1", "é"] {
        assert!(LaunchScope::context(name).is_err(), "{name}");
    }
    assert!(matches!(scope("launcher"), Scope::Other(_)));
}

/// SC-22 (SMART, launch context with roles): one role a scope, the scope repeated for more.
#[test]
fn launch_context_roles() {
    let asked: Scopes = "launch/relatedperson?role=friend launch/relatedperson?role=neighbor".parse().unwrap();
    let roles: Vec<_> = asked
        .iter()
        .map(|scope| match scope {
            Scope::Launch(launch) => (launch.resource_type(), launch.role()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(roles, [(Some("relatedperson"), Some("friend")), (Some("relatedperson"), Some("neighbor"))]);
    let uri = "https://ehr.example/roles#admission";
    let built = LaunchScope::context("List").unwrap().with_role(uri).unwrap();
    assert_eq!(built.as_str(), "launch/list?role=https://ehr.example/roles#admission");
    assert_eq!(built.role(), Some(uri));
    for text in [
        "launch/list?role=a&role=b",
        "launch/list?role=a?role=b",
        "launch/list?role=",
        "launch/list?",
        "launch/list?rol=a",
    ] {
        assert_eq!(error(text).kind(), ScopeErrorKind::Role, "{text}");
    }
    assert!(built.with_role("b").is_err());
    assert!(LaunchScope::EHR.with_role("b").is_err());
    assert!(LaunchScope::PATIENT.with_role("a b").is_err());
}

/// SC-27 (SMART, extensibility): URIs and names that begin with two underscores pass through, as does any other unknown
/// scope.
#[test]
fn extension_scopes_pass_through() {
    for (text, is_extension) in [
        ("http://example.com/scope-name", true),
        ("urn:example:scope", true),
        ("__profilePhoto.manage", true),
        ("__patient/Observation.xyz", true),
        ("smart/orchestrate_launch", false),
        ("email", false),
        ("athena/service/Athenanet.MDP.*", false),
    ] {
        for scopes in [text.parse::<Scopes>().unwrap(), Scopes::parse_granted(text)] {
            assert_eq!(scopes.to_string(), text);
            let Some(Scope::Other(opaque)) = scopes.iter().next() else { panic!("{text} is not opaque") };
            assert_eq!(opaque.is_extension(), is_extension, "{text}");
            assert_eq!(opaque.problem(), None, "{text}");
            assert!(scopes.covers(&scope(text)));
        }
    }
}

/// SC-28 (SMART, appendix on URIs): scopes to URIs and back.
#[test]
fn uri_form_both_ways() {
    for (text, uri) in [
        ("patient/*.r", "http://smarthealthit.org/fhir/scopes/patient/*.r"),
        ("launch/patient", "http://smarthealthit.org/fhir/scopes/launch/patient"),
        ("fhirUser", "http://smarthealthit.org/fhir/scopes/fhirUser"),
        ("offline_access", "http://smarthealthit.org/fhir/scopes/offline_access"),
        ("openid", "http://openid.net/specs/openid-connect-core-1_0#openid"),
        ("profile", "http://openid.net/specs/openid-connect-core-1_0#profile"),
        ("email", "http://openid.net/specs/openid-connect-core-1_0#email"),
    ] {
        assert_eq!(scope(text).to_uri(), uri);
        assert_eq!(Scope::from_uri(uri), Some(scope(text)), "{uri}");
    }
    assert_eq!(scope("__x").to_uri(), "__x");
    assert_eq!(scope("https://a.example/x").to_uri(), "https://a.example/x");
    for uri in [
        "patient/*.r",
        "http://smarthealthit.org/fhir/scopes/",
        "http://smarthealthit.org/fhir/scopes/patient/*.x",
        "http://smarthealthit.org/fhir/scopes/nothing",
        "http://openid.net/specs/openid-connect-core-1_0#patient/*.r",
        "https://smarthealthit.org/fhir/scopes/patient/*.r",
    ] {
        assert_eq!(Scope::from_uri(uri), None, "{uri}");
    }
    let scopes: Scopes = "openid patient/*.rs __x".parse().unwrap();
    let as_uris = Scopes::parse_granted(&scopes.to_uris().join(" "));
    assert_ne!(as_uris, scopes);
    assert_eq!(as_uris.from_uri_form(), scopes);
}

/// SC-08, SC-09 (RFC 6749, 3.3): a set is one string in JSON, and is read leniently.
#[test]
fn serde_as_one_string() {
    let scopes: Scopes = "openid patient/Observation.rs?a=b|c".parse().unwrap();
    let json = serde_json::to_string(&scopes).unwrap();
    assert_eq!(json, "\"openid patient/Observation.rs?a=b|c\"");
    assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), scopes);
    let lenient: Scopes = serde_json::from_str("\" openid  patient/X.dus \"").unwrap();
    assert_eq!(lenient.to_string(), "openid patient/X.dus");
    assert!(serde_json::from_str::<Scopes>("7").is_err());
}
