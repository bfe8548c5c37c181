//! Laws of the algebra of scopes: union, difference, coverage, comparison and the two syntaxes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use smart_core::scope::{ResourceScope, Scope, Scopes, Syntax, Widening};

/// Few levels, types and parameters, so that scopes overlap often.
fn resource_scope() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["patient", "user"]);
    let name = prop::sample::select(vec!["*", "A", "B"]);
    let suffix = prop_oneof![
        prop::sample::select(vec!["read", "write", "*"]).prop_map(str::to_owned),
        prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5)
            .prop_map(|letters| letters.into_iter().collect::<String>()),
    ];
    let query = prop::sample::select(vec!["", "", "?x=1", "?y=1", "?x=1&y=1", "?y=1&x=1", "?z:in=1"]);
    (level, name, suffix, query).prop_map(|(level, name, suffix, query)| {
        let query = if matches!(suffix.as_str(), "read" | "write" | "*") { "" } else { query };
        format!("{level}/{name}.{suffix}{query}")
    })
}

fn any_scope() -> impl Strategy<Value = String> {
    let others = ["openid", "launch/patient", "launch/list?role=x", "launch/list?role=y", "__x"];
    prop_oneof![5 => resource_scope(), 1 => prop::sample::select(others.to_vec()).prop_map(str::to_owned)]
}

fn scopes() -> impl Strategy<Value = Scopes> {
    prop::collection::vec(any_scope(), 0..7).prop_map(|list| list.join(" ").parse().unwrap())
}

fn version_1_scopes() -> impl Strategy<Value = Scopes> {
    let scope = (
        prop::sample::select(vec!["patient", "user", "system"]),
        prop::sample::select(vec!["*", "A", "Observation"]),
        prop::sample::select(vec!["read", "write", "*"]),
    );
    let scope = scope.prop_map(|(level, name, word)| format!("{level}/{name}.{word}"));
    prop::collection::vec(scope, 0..6).prop_map(|list| list.join(" ").parse().unwrap())
}

fn covered(set: &Scopes, scope: &str) -> bool {
    set.covers(&scope.parse().unwrap())
}

proptest! {
    /// SC-13 (SMART, scope equivalence): union is idempotent, commutative and associative, with the empty set as its zero.
    #[test]
    fn union_is_a_semilattice(a in scopes(), b in scopes(), c in scopes()) {
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.union(&Scopes::new()), a.clone());
        prop_assert_eq!(Scopes::new().union(&a), a);
    }

    /// SC-13, SC-15 (SMART, scope equivalence): a union covers both parts, and is the least set that does.
    #[test]
    fn union_is_the_least_upper_bound(a in scopes(), b in scopes(), more in scopes()) {
        let union = a.union(&b);
        prop_assert!(union.covers_all(&a) && union.covers_all(&b));
        let upper = union.union(&more);
        prop_assert!(upper.covers_all(&a) && upper.covers_all(&b) && upper.covers_all(&union));
        prop_assert!(!(more.covers_all(&a) && more.covers_all(&b)) || more.covers_all(&union));
    }

    /// SC-13 (SMART, scope equivalence): difference takes away what the other set has, and nothing else.
    #[test]
    fn difference_takes_away_what_the_other_has(a in scopes(), b in scopes(), asked in any_scope()) {
        let rest = a.difference(&b);
        prop_assert!(a.difference(&a).is_empty());
        prop_assert_eq!(a.difference(&Scopes::new()), a.clone());
        prop_assert!(Scopes::new().difference(&a).is_empty());
        prop_assert!(a.covers_all(&rest));
        prop_assert!(rest.union(&b).covers_all(&a));
        prop_assert!(rest.iter().all(|scope| !b.covers(scope)));
        prop_assert_eq!(rest.difference(&b), rest.clone(), "once is enough");
        prop_assert_eq!(rest.is_empty(), b.covers_all(&a));
        // What was covered before is covered by the rest and the other set together.
        prop_assert!(!covered(&a, &asked) || covered(&rest.union(&b), &asked));
    }

    /// SC-13 (SMART, scope equivalence): taking two sets away one after the other is taking away their union.
    #[test]
    fn differences_add_up(a in scopes(), b in scopes(), c in scopes()) {
        let (one_by_one, at_once) = (a.difference(&b).difference(&c), a.difference(&b.union(&c)));
        prop_assert!(one_by_one.is_equivalent(&at_once), "{one_by_one} | {at_once}");
        prop_assert!(a.difference(&b).covers_all(&at_once), "taking away more leaves no more");
    }

    /// SC-15 (SMART, wildcard scopes): granting more never covers less, scope by scope.
    #[test]
    fn coverage_is_monotone(set in scopes(), added in any_scope(), asked in any_scope()) {
        let mut larger = set.clone();
        larger.insert(added.parse().unwrap());
        prop_assert!(!covered(&set, &asked) || covered(&larger, &asked));
        prop_assert!(covered(&larger, &added));
        prop_assert!(larger.difference(&set).iter().all(|scope| Scopes::from(added.parse::<Scope>().unwrap()).covers(scope)));
    }

    /// SC-17 (SMART, wildcard scopes): a larger grant leaves no more missing, a larger request leaves no more extra.
    #[test]
    fn comparison_is_monotone(asked in scopes(), granted in scopes(), more in scopes()) {
        let before = Scopes::compare(&asked, &granted);
        let wider = Scopes::compare(&asked, &granted.union(&more));
        prop_assert!(wider.missing.iter().all(|scope| before.missing.contains(scope)));
        let longer = Scopes::compare(&asked.union(&more), &granted);
        prop_assert!(longer.extra.iter().all(|scope| before.extra.contains(scope)));
        prop_assert_eq!(before.is_as_asked(), asked.is_equivalent(&granted));
    }

    /// SC-17, RF-08 (SMART, wildcard scopes): what is narrower is missing in part: what lacks and what is granted make it whole.
    #[test]
    fn narrowed_scopes_are_made_whole(asked in scopes(), granted in scopes()) {
        for narrowed in Scopes::compare(&asked, &granted).narrower {
            let asked = Scope::from(narrowed.asked.clone());
            prop_assert!(!granted.covers(&asked));
            prop_assert!(granted.union(&Scope::from(narrowed.lacking.clone()).into()).covers(&asked));
            prop_assert!(Scopes::from(asked).covers(&Scope::from(narrowed.lacking.clone())));
        }
    }

    /// SC-05, SC-06, F-50, F-52 (SMART, version 1 semantics): scopes of version 1 go to version 2 and come back as they were.
    #[test]
    fn version_1_comes_back_as_it_was(set in version_1_scopes()) {
        let v2 = set.to_v2();
        prop_assert!(v2.resources().all(|scope| scope.syntax() == Syntax::V2));
        prop_assert!(v2.is_equivalent(&set));
        let back = v2.to_v1(Widening::Refuse).unwrap();
        prop_assert_eq!(back.to_string(), set.to_string());
        prop_assert_eq!(back.to_v2(), v2);
    }

    /// SC-06, F-52 (SMART, equivalence): a conversion to version 1 that is refused would have widened, and says to what.
    #[test]
    fn refused_conversions_would_widen(set in scopes()) {
        match set.to_v1(Widening::Refuse) {
            Ok(v1) => prop_assert!(v1.is_equivalent(&set)),
            Err(error) => {
                prop_assert!(set.contains(&error.scope().clone().into()));
                prop_assert!(!set.covers(&error.nearest().clone().into()));
                prop_assert!(Scopes::from(Scope::from(error.nearest().clone())).covers(&error.scope().clone().into()));
                prop_assert_eq!(error.nearest().syntax(), Syntax::V1);
            }
        }
        let widened = set.to_v1(Widening::Allow).unwrap();
        prop_assert!(widened.resources().all(|scope| scope.syntax() == Syntax::V1 && scope.query().is_none()));
        prop_assert_eq!(widened.to_v2().to_v1(Widening::Refuse).unwrap(), widened);
    }

    /// SC-01, SC-03, SC-08, F-51 (SMART, scopes; RFC 6749 3.3): a set prints, and parses to itself, strictly and leniently.
    #[test]
    fn sets_print_and_parse(set in scopes()) {
        let text = set.to_string();
        let strict: Scopes = text.parse().unwrap();
        let lenient = Scopes::parse_granted(&text);
        prop_assert_eq!(strict.to_string(), text.as_str());
        prop_assert_eq!(lenient.to_string(), text.as_str());
        prop_assert_eq!(&strict, &lenient);
        prop_assert_eq!(strict.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "), text);
    }

    /// SC-10, SC-12, F-51 (SMART, finer-grained constraints): narrowing a scope narrows it, in any number of steps.
    #[test]
    fn narrowing_narrows(
        text in resource_scope().prop_filter("no query yet", |text| !text.contains('?')),
        pairs in prop::collection::vec((prop::sample::select(vec!["a", "b", "code"]), "[ -~]{1,8}"), 1..3),
    ) {
        let wide: Scope = text.parse().unwrap();
        let resource: &ResourceScope = wide.as_resource().unwrap();
        let at_once = resource.narrowed(pairs.iter().map(|(name, value)| (*name, value.as_str()))).unwrap();
        let mut step_by_step = resource.to_v2();
        for (name, value) in &pairs {
            step_by_step = step_by_step.narrowed([(*name, value.as_str())]).unwrap();
        }
        prop_assert_eq!(&at_once, &step_by_step);
        prop_assert_eq!(at_once.query().unwrap().pairs().count(), pairs.len());
        let narrow = Scope::from(at_once);
        prop_assert!(Scopes::from(wide.clone()).covers(&narrow));
        prop_assert!(!Scopes::from(narrow.clone()).covers(&wide));
        prop_assert_eq!(narrow.to_string().parse::<Scope>().unwrap(), narrow);
    }

    /// SC-22 (SMART 2.2, launch context with roles): roles are told apart, and none stands in for another or for no role.
    #[test]
    fn roles_do_not_cover_each_other(
        a in "[!#-%'-<>@-Z^-~]{1,12}", b in "[!#-%'-<>@-Z^-~]{1,12}", name in "[a-z][a-z0-9]{0,8}",
    ) {
        let scope = |role: &str| format!("launch/{name}?role={role}");
        let set: Scopes = format!("{} {}", scope(&a), scope(&b)).parse().unwrap();
        prop_assert_eq!(set.len(), if a == b { 1 } else { 2 });
        prop_assert!(covered(&set, &scope(&a)) && covered(&set, &scope(&b)));
        let bare = format!("launch/{name}");
        prop_assert!(!covered(&set, &bare) && !covered(&bare.parse().unwrap(), &scope(&a)));
        let single: Scopes = scope(&a).parse().unwrap();
        let other = scope(&b);
        prop_assert_eq!(covered(&single, &other), a == b);
    }
}
