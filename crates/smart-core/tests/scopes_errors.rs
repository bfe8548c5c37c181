//! What is said about an illegal scope: which character, at which position, and what belongs there.

#![expect(clippy::panic, reason = "helpers of tests")]

use smart_core::scope::{
    LaunchScope, Level, Permissions, ResourceScope, Scope, ScopeError, ScopeErrorKind as Kind, Scopes,
};

fn error(text: &str) -> ScopeError {
    match text.parse::<Scope>() {
        Err(error) => error,
        Ok(read) => panic!("`{text}` was read as {read:?}"),
    }
}

/// SC-02, SC-08, SC-10, SC-20, SC-21, SC-22 (SMART, scopes; RFC 6749 3.3): for each part of a scope, the whole message.
#[test]
fn each_part_has_its_message() {
    for (text, kind, position, message) in [
        (
            "open\"id",
            Kind::Character,
            5,
            "found `\\\"` at position 5, expected a printable ASCII character other than space, `\"` and `\\`; \
             percent-encode it",
        ),
        ("", Kind::Character, 1, "it ends at position 1, expected a scope"),
        (
            "Patient/Observation.rs",
            Kind::Level,
            1,
            "found `P` at position 1, expected `patient/`: levels are in lower case",
        ),
        ("sYSTEM/*.rs", Kind::Level, 2, "found `Y` at position 2, expected `system/`: levels are in lower case"),
        (
            "patient/observation.rs",
            Kind::ResourceType,
            9,
            "found `o` at position 9, expected a resource type in UpperCamel such as `Observation`, or `*`",
        ),
        (
            "patient/Observation",
            Kind::ResourceType,
            20,
            "it ends at position 20, expected `.` and the permissions after the resource type",
        ),
        ("user/Observation.rws", Kind::Permissions, 19, "found `w` at position 19, expected `u`, `d`, `s` or the end"),
        (
            "user/Observation.sr",
            Kind::Permissions,
            19,
            "found `r` at position 19, expected the end: each letter of `cruds` comes once at most, in this order",
        ),
        (
            "user/Observation.Read",
            Kind::Permissions,
            18,
            "found `R` at position 18, expected letters of `cruds`, in this order, or one of `read`, `write` and `*`",
        ),
        (
            "user/Observation.rs?category",
            Kind::Query,
            29,
            "it ends at position 29, expected `=` and a value after the name of a search parameter",
        ),
        (
            "user/Observation.rs?category=",
            Kind::Query,
            30,
            "it ends at position 30, expected a value: servers ignore a parameter without one",
        ),
        ("user/Observation.rs?", Kind::Query, 21, "it ends at position 21, expected the name of a search parameter"),
        (
            "user/Observation.read?x=1",
            Kind::Query,
            22,
            "found `?` at position 22, expected the end: only the letters of version 2 may have a query",
        ),
        (
            "launch/Patient",
            Kind::LaunchContext,
            8,
            "found `P` at position 8, expected a resource type in lower case such as `diagnosticreport`, letters and digits \
             only",
        ),
        (
            "launch?role=x",
            Kind::LaunchContext,
            7,
            "found `?` at position 7, expected the end, or `/` and a resource type",
        ),
        (
            "launch/list?role=",
            Kind::Role,
            12,
            "found `?` at position 12, expected `?role=` and a role after the resource type",
        ),
        (
            "launch/list?role=a&role=b",
            Kind::Role,
            19,
            "found `&` at position 19, expected the end: a scope has one role at most, repeat the scope for another",
        ),
        ("fhiruser", Kind::WordCase, 5, "found `u` at position 5, expected `fhirUser`: scopes are case-sensitive"),
        ("OPENID", Kind::WordCase, 1, "found `O` at position 1, expected `openid`: scopes are case-sensitive"),
    ] {
        let error = error(text);
        assert_eq!((error.kind(), error.position()), (kind, position), "{text}");
        assert_eq!(error.found(), text.chars().nth(position - 1), "{text}");
        assert_eq!(error.to_string(), format!("illegal scope `{text}`: {message}"));
        assert!(message.ends_with(&format!("expected {}", error.expected())), "{text}");
        assert_eq!(Scopes::parse_granted(text).resources().count(), 0, "{text} grants nothing");
    }
}

/// SC-02, SC-21, SC-22 (SMART, scopes): builders say the same of what cannot be built, in the scope that it would have been.
#[test]
fn builders_say_where_it_goes_wrong() {
    let resource = |name| ResourceScope::new(Level::User, name, Permissions::READ).unwrap_err();
    let context = |name| LaunchScope::context(name).unwrap_err();
    for (error, scope, position, found) in [
        (resource("observation"), "user/observation.r", 6, Some('o')),
        (resource("Obs-x"), "user/Obs-x.r", 9, Some('-')),
        (resource("*"), "user/*.r", 6, Some('*')),
        (context("Diagnostic Report"), "launch/diagnostic report", 18, Some(' ')),
        (context(""), "launch/", 8, None),
        (context("list?role=x"), "launch/list?role=x", 12, Some('?')),
        (LaunchScope::EHR.with_role("x").unwrap_err(), "launch?role=x", 7, Some('?')),
        (LaunchScope::PATIENT.with_role("a b").unwrap_err(), "launch/patient?role=a b", 22, Some(' ')),
        (LaunchScope::PATIENT.with_role("").unwrap_err(), "launch/patient?role=", 15, Some('?')),
    ] {
        assert_eq!((error.scope(), error.position(), error.found()), (scope, position, found), "{error}");
    }
}

/// SC-02 (SMART, scopes): of several scopes the first illegal one is named.
#[test]
fn first_illegal_scope_of_a_set_is_named() {
    let error = "openid patient/A.rs patient/B.sr user/C.x".parse::<Scopes>().unwrap_err();
    assert_eq!((error.scope(), error.position()), ("patient/B.sr", 12));
}
