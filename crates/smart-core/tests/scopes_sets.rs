//! Sets of scopes by their meaning, and grants beside requests.

#![expect(clippy::panic, reason = "helpers of tests")]

use smart_core::scope::{Scope, Scopes, Widening};

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn covers(granted: &str, asked: &str) -> bool {
    scopes(granted).covers_all(&scopes(asked))
}

/// SC-06, F-52 (SMART, version 1 semantics): version 2 becomes version 1 only where the meaning stays, unless widening is
/// allowed.
#[test]
fn version_1_form_never_widens_unasked() {
    for (v2, v1) in [
        ("patient/Observation.rs", "patient/Observation.read"),
        ("user/*.cud", "user/*.write"),
        ("system/*.cruds", "system/*.*"),
        ("openid patient/Observation.read __x", "openid patient/Observation.read __x"),
        ("patient/Observation.r patient/Observation.s", "patient/Observation.read"),
        ("patient/Observation.c patient/Observation.u patient/Observation.d", "patient/Observation.write"),
        ("patient/Observation.rs patient/Observation.cud", "patient/Observation.read patient/Observation.write"),
        ("patient/Observation.rs patient/Observation.r?category=x", "patient/Observation.read"),
    ] {
        let converted = scopes(v2).to_v1(Widening::Refuse).unwrap();
        assert_eq!(converted.to_string(), v1);
        assert!(converted.is_equivalent(&scopes(v2)), "{v2}");
    }
    for (v2, widened) in [
        ("patient/Observation.r", "patient/Observation.read"),
        ("patient/Observation.s", "patient/Observation.read"),
        ("patient/Observation.c", "patient/Observation.write"),
        ("patient/Observation.cr", "patient/Observation.*"),
        ("patient/Observation.crs", "patient/Observation.*"),
        ("patient/Observation.rs?category=x", "patient/Observation.read"),
        ("patient/Observation.r user/Observation.s", "patient/Observation.read user/Observation.read"),
    ] {
        let error = scopes(v2).to_v1(Widening::Refuse).unwrap_err();
        assert_eq!(scopes(v2).iter().next(), Some(&Scope::from(error.scope().clone())));
        assert_eq!(scopes(widened).iter().next(), Some(&Scope::from(error.nearest().clone())));
        assert!(error.to_string().contains(error.nearest().as_str()), "{error}");
        let converted = scopes(v2).to_v1(Widening::Allow).unwrap();
        assert_eq!(converted.to_string(), widened);
        assert!(converted.covers_all(&scopes(v2)) && !scopes(v2).covers_all(&converted));
    }
    assert_eq!(
        scopes("patient/A.read user/*.write system/B.* openid").to_v2().to_string(),
        "patient/A.rs user/*.cud system/B.cruds openid"
    );
}

/// SC-12 (SMART, scope equivalence; FHIR, search): pairs within a scope narrow together, scopes widen.
#[test]
fn pairs_narrow_and_scopes_widen() {
    let one = "patient/Observation.rs?category=laboratory";
    let two = "patient/Observation.rs?category=laboratory&status=final";
    let two_turned = "patient/Observation.rs?status=final&category=laboratory";
    let other = "patient/Observation.rs?category=vital-signs";
    let free = "patient/Observation.rs";
    assert!(covers(one, two) && !covers(two, one));
    assert!(covers(two, two_turned) && covers(two_turned, two));
    assert!(covers(free, two) && !covers(one, free) && !covers(&format!("{one} {other}"), free));
    assert!(!covers(one, other) && covers(&format!("{one} {other}"), other));
    assert!(covers("patient/*.rs?category=laboratory", two));
    assert!(!covers(one, "patient/*.rs?category=laboratory"));
    // Letters may come from scopes whose queries differ, as long as each covers.
    assert!(covers("patient/Observation.r patient/Observation.s?category=laboratory", two));
    assert!(!covers("patient/Observation.r?status=final patient/Observation.s?category=laboratory", one));
}

/// SC-11, SC-12 (SMART, experimental features): where the meaning of a query is not sure only the same text covers.
#[test]
fn unsure_queries_compare_as_text() {
    for (wide, narrow) in [
        // Modifiers, chains and `_filter` are experimental.
        ("code:in=http://a.example/vs", "code:in=http://a.example/vs&status=final"),
        ("patient.birthdate=1990", "patient.birthdate=1990&status=final"),
        ("_filter=x", "_filter=x&status=final"),
        ("status=final", "status=final&code:not=x"),
        // A repeated parameter may mean AND, OR or the last.
        ("category=a", "category=a&category=b"),
        // These shape the answer.
        ("status=final", "status=final&_include=Observation:patient"),
        ("_count=1", "_count=1&status=final"),
        // Whether these are the same depends on the server.
        ("category=a,b", "category=a"),
        ("category=x|y", "category=x%7Cy"),
    ] {
        let [wide, narrow] = [wide, narrow].map(|query| format!("user/Observation.rs?{query}"));
        assert!(!covers(&wide, &narrow), "{wide} {narrow}");
        assert!(covers(&wide, &wide) && covers(&narrow, &narrow));
        assert!(covers("user/Observation.rs", &narrow));
    }
    assert!(!covers("user/Observation.rs?code:in=x&status=y", "user/Observation.rs?status=y&code:in=x"));
    assert!(covers("user/Observation.rs?_id=1", "user/Observation.rs?_id=1&_tag=x"));
}

/// SC-13 (SMART, scope equivalence): a set means the union of its scopes.
#[test]
fn a_set_is_the_union_of_its_scopes() {
    for (one, other) in [
        ("patient/X.rs", "patient/X.r patient/X.s"),
        ("patient/X.rs patient/X.cud", "patient/X.cruds"),
        ("patient/X.read patient/X.write", "patient/X.*"),
        ("patient/*.* user/X.read", "user/X.s patient/*.cud user/X.r patient/*.rs"),
    ] {
        assert!(scopes(one).is_equivalent(&scopes(other)), "{one} {other}");
    }
    assert!(!scopes("patient/X.rs").is_equivalent(&scopes("patient/X.r")));
    assert_eq!(scopes("a openid").union(&scopes("openid b")).to_string(), "a openid b");
    let all = scopes("patient/X.cruds openid patient/Y.r user/X.rs?a=b");
    assert_eq!(all.difference(&scopes("patient/X.rs openid")).to_string(), "patient/X.cud patient/Y.r user/X.rs?a=b");
    assert_eq!(all.difference(&scopes("patient/*.r user/X.s")).to_string(), "patient/X.cuds openid user/X.r?a=b");
    assert_eq!(all.difference(&Scopes::new()).to_string(), all.to_string());
    assert!(all.difference(&all).is_empty());
}

/// SC-14 (SMART, scope equivalence): the shortest form merges letters and leaves out what is covered.
#[test]
fn simplified_is_the_shortest_form() {
    for (long, short) in [
        ("patient/A.r patient/A.s", "patient/A.rs"),
        ("patient/A.s openid patient/B.c patient/A.r", "patient/A.rs openid patient/B.c"),
        ("patient/A.read patient/A.write", "patient/A.*"),
        ("patient/A.read patient/A.c", "patient/A.crs"),
        ("patient/A.r user/A.s", "patient/A.r user/A.s"),
        ("patient/A.r?x=1 patient/A.s?x=1", "patient/A.rs?x=1"),
        ("patient/A.r?x=1 patient/A.s?x=2", "patient/A.r?x=1 patient/A.s?x=2"),
        ("patient/*.rs patient/A.r patient/A.s?x=1", "patient/*.rs"),
        ("patient/A.rs?x=1&y=2 patient/A.rs?x=1", "patient/A.rs?x=1"),
        ("patient/A.rs?x=1&y=2 patient/A.rs?y=2&x=1", "patient/A.rs?y=2&x=1"),
        ("patient/A.rs?x=1 patient/*.r patient/A.s", "patient/*.r patient/A.s"),
        ("patient/*.cud user/A.c patient/A.cr", "patient/*.cud user/A.c patient/A.cr"),
        ("", ""),
    ] {
        let simplified = scopes(long).simplified();
        assert_eq!(simplified.to_string(), short);
        assert!(simplified.is_equivalent(&scopes(long)), "{long}");
    }
}

/// SC-15 (SMART, wildcard scopes): coverage is by permission, not by text.
#[test]
fn coverage_is_by_meaning() {
    for (granted, asked) in [
        ("patient/*.cruds", "patient/AllergyIntolerance.cruds"),
        ("patient/AllergyIntolerance.rs patient/AllergyIntolerance.cud", "patient/AllergyIntolerance.cruds"),
        ("patient/A.rs", "patient/A.read"),
        ("patient/A.read", "patient/A.s"),
        ("patient/*.*", "patient/A.cud?x=1"),
        ("patient/*.r patient/A.s", "patient/A.rs"),
    ] {
        assert!(covers(granted, asked), "{granted} {asked}");
    }
    for (granted, asked) in [
        ("patient/A.rs", "patient/A.cruds"),
        ("patient/A.rs patient/B.rs", "patient/*.rs"),
        ("patient/A.rs", "patient/B.rs"),
        ("patient/A.write", "patient/A.read"),
        ("patient/A.rs?x=1", "patient/A.rs"),
        ("launch", "launch/patient"),
        ("launch/list", "launch/list?role=x"),
        ("openid", "fhirUser"),
        ("offline_access", "online_access"),
    ] {
        assert!(!covers(granted, asked), "{granted} {asked}");
    }
}

/// SC-16 (SMART, levels): no level includes another.
#[test]
fn levels_are_not_ordered() {
    for level in ["patient", "user", "system"] {
        for other in ["patient", "user", "system"] {
            assert_eq!(covers(&format!("{level}/*.cruds"), &format!("{other}/Observation.r")), level == other);
        }
    }
}

/// SC-09, SC-15, SC-17 (SMART, wildcard scopes, table of grants): each of the eight outcomes is told apart and none is an
/// error.
#[test]
fn all_eight_outcomes_of_a_grant() {
    let asked = "patient/AllergyIntolerance.cruds";
    for (granted, missing, extra, lacking) in [
        ("patient/AllergyIntolerance.cruds", "", "", ""),
        ("patient/AllergyIntolerance.rs patient/AllergyIntolerance.cud", "", "", ""),
        ("patient/AllergyIntolerance.rs", asked, "", "patient/AllergyIntolerance.cud"),
        ("patient/AllergyIntolerance.cud", asked, "", "patient/AllergyIntolerance.rs"),
        ("patient/*.rs", asked, "patient/*.rs", "patient/AllergyIntolerance.cud"),
        ("patient/*.cruds", "", "patient/*.cruds", ""),
        ("patient/Observation.rs", asked, "patient/Observation.rs", ""),
        ("", asked, "", ""),
    ] {
        let comparison = Scopes::compare(&scopes(asked), &Scopes::parse_granted(granted));
        assert_eq!(comparison.granted.to_string(), granted);
        assert_eq!(comparison.missing.to_string(), missing, "{granted}");
        assert_eq!(comparison.extra.to_string(), extra, "{granted}");
        let lacks: Vec<_> = comparison.narrower.iter().map(|narrowed| narrowed.lacking.as_str()).collect();
        assert_eq!(lacks.join(" "), lacking, "{granted}");
        assert_eq!(comparison.is_complete(), missing.is_empty());
        assert_eq!(comparison.is_as_asked(), missing.is_empty() && extra.is_empty());
        assert!(!comparison.scope_was_absent);
    }
}

/// SC-17 (SMART, wildcard scopes): a scope that was granted in part names the parts.
#[test]
fn partial_grants_name_their_parts() {
    for (asked, granted, parts, lacking) in [
        ("patient/*.rs", "patient/A.rs patient/B.r user/C.rs", "patient/A.rs patient/B.r", "patient/*.rs"),
        (
            "user/Observation.rs",
            "user/Observation.rs?category=laboratory",
            "user/Observation.rs?category=laboratory",
            "user/Observation.rs",
        ),
        (
            "user/Observation.rs?category=a",
            "user/Observation.rs?category=a&status=final user/Observation.r",
            "user/Observation.rs?category=a&status=final user/Observation.r",
            "user/Observation.s?category=a",
        ),
        ("user/*.rs?_tag=a", "user/Observation.rs", "user/Observation.rs", "user/*.rs?_tag=a"),
        ("user/A.*", "user/A.read", "user/A.read", "user/A.cud"),
    ] {
        let comparison = Scopes::compare(&scopes(asked), &scopes(granted));
        let [narrowed] = comparison.narrower.as_slice() else { panic!("{asked} {granted}: {comparison:?}") };
        assert_eq!(narrowed.asked.as_str(), asked);
        assert_eq!(narrowed.granted.to_string(), parts);
        assert_eq!(narrowed.lacking.as_str(), lacking);
        assert_eq!(comparison.missing.to_string(), asked);
    }
    let unsure = Scopes::compare(&scopes("user/A.rs?x=1"), &scopes("user/A.rs?x=2"));
    assert_eq!((unsure.missing.len(), unsure.extra.len(), unsure.narrower.len()), (1, 1, 0));
}

/// SC-17 (SMART, scopes for context and identity): scopes that are not for resources may vanish; it is told, and told apart.
#[test]
fn vanished_context_scopes_are_no_missing_access() {
    let asked = scopes("launch/patient openid fhirUser offline_access patient/A.rs");
    let comparison = Scopes::compare(&asked, &Scopes::parse_granted("patient/A.rs patient/B.x"));
    assert_eq!(comparison.missing.to_string(), "launch/patient openid fhirUser offline_access");
    assert_eq!(comparison.missing_access().count(), 0);
    assert_eq!(comparison.extra.to_string(), "patient/B.x");
}

/// SC-18 (RFC 6749, 5.1; SMART, token response): an answer without scopes grants what was asked, and does not conform.
#[test]
fn absent_scope_means_as_asked() {
    let asked = scopes("openid patient/A.rs");
    let absent = Scopes::compare_response(&asked, None);
    assert!(absent.scope_was_absent && absent.is_as_asked());
    assert_eq!(absent.granted, asked);
    let empty = Scopes::compare_response(&asked, Some(&Scopes::new()));
    assert!(!empty.scope_was_absent);
    assert_eq!(empty.missing, asked);
}

/// SC-33 (SMART, conformance, scopes_supported): a scope that the server does not list is only noted.
#[test]
fn unlisted_scopes_are_only_noted() {
    let asked = scopes("openid patient/A.rs patient/B.rs offline_access");
    let supported = Scopes::parse_granted("openid patient/*.r patient/A.s");
    assert_eq!(asked.not_listed_in(&supported).to_string(), "patient/B.rs offline_access");
    assert_eq!(asked.to_string(), "openid patient/A.rs patient/B.rs offline_access");
}

/// SC-08 (RFC 6749, 3.3): hostile grants of many scopes cost little.
#[test]
fn large_hostile_grants_are_handled() {
    let many: Vec<String> = (0..50_000).map(|index| format!("patient/A.rs?x={index}")).collect();
    let granted = Scopes::parse_granted(&many.join(" "));
    assert_eq!(granted.len(), 50_000);
    assert_eq!(granted.simplified().len(), 50_000);
    assert!(!Scopes::compare(&scopes("patient/A.rs"), &granted).is_complete());
    let pairs: Vec<String> = (0..50_000).map(|index| format!("p{index}=1")).collect();
    let deep = Scopes::parse_granted(&format!("patient/A.rs?{}", pairs.join("&")));
    assert!(!deep.covers_all(&scopes("patient/A.rs?p1=1")));
    assert!(!scopes("patient/A.rs?p1=1").covers_all(&deep), "too many pairs to compare: text alone counts");
}
