//! Properties of scopes that hold for all inputs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use smart_core::scope::{AccessRequest, Interaction, Level, Permissions, Scope, Scopes, Widening};

const LETTERS: [Permissions; 5] =
    [Permissions::CREATE, Permissions::READ, Permissions::UPDATE, Permissions::DELETE, Permissions::SEARCH];

/// Few types, levels and parameters, so that scopes often overlap.
fn resource_scope() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["patient", "user", "system"]);
    let name = prop::sample::select(vec!["*", "A", "B"]);
    let suffix = prop_oneof![
        prop::sample::select(vec!["read", "write", "*"]).prop_map(|word| (word.to_owned(), false)),
        prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5)
            .prop_map(|letters| (letters.into_iter().collect(), true)),
    ];
    let pair = prop::sample::select(vec!["x=1", "x=2", "y=1", "z:in=1", "_count=1", "_id=7"]);
    (level, name, suffix, prop::collection::vec(pair, 0..4)).prop_map(|(level, name, (suffix, is_v2), pairs)| {
        let query = if is_v2 && !pairs.is_empty() { format!("?{}", pairs.join("&")) } else { String::new() };
        format!("{level}/{name}.{suffix}{query}")
    })
}

fn any_scope() -> impl Strategy<Value = String> {
    let others =
        ["openid", "fhirUser", "launch", "launch/patient", "launch/list?role=x", "offline_access", "__x", "email"];
    prop_oneof![4 => resource_scope(), 1 => prop::sample::select(others.to_vec()).prop_map(str::to_owned)]
}

fn scopes() -> impl Strategy<Value = Scopes> {
    prop::collection::vec(any_scope(), 0..8).prop_map(|list| list.join(" ").parse().unwrap())
}

fn request() -> impl Strategy<Value = AccessRequest<'static>> {
    let interaction = prop::sample::select(Interaction::ALL.to_vec());
    let name = prop::sample::select(vec!["A", "B", "C"]);
    let level = prop::option::of(prop::sample::select(Level::ALL.to_vec()));
    let parameter = prop::sample::select(vec![("x", "1"), ("x", "2"), ("y", "1"), ("_id", "7"), ("_include", "A:b")]);
    (interaction, name, level, prop::collection::vec(parameter, 0..3)).prop_map(
        |(interaction, name, level, parameters)| {
            let request = AccessRequest::new(interaction, name).with_parameters(parameters);
            level.map_or(request.clone(), |level| request.at_level(level))
        },
    )
}

proptest! {
    /// SC-01, SC-03, SC-10 (SMART, FHIR resource scope syntax): what is parsed prints as it was.
    #[test]
    fn legal_scopes_print_as_they_were(text in any_scope()) {
        let scope: Scope = text.parse().unwrap();
        prop_assert_eq!(scope.to_string(), text.as_str());
        let granted = Scopes::parse_granted(&text);
        prop_assert_eq!(granted.iter().next(), Some(&scope), "both readers agree on what is legal");
    }

    /// SC-08, SC-09 (RFC 6749, 3.3): any text can be read as a grant; it prints as its words, each once.
    #[test]
    fn any_text_is_a_grant(text in "\\PC{0,80}") {
        let granted = Scopes::parse_granted(&text);
        let mut words: Vec<&str> = Vec::new();
        for word in text.split_ascii_whitespace() {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        prop_assert_eq!(granted.to_string(), words.join(" "));
        prop_assert_eq!(Scopes::parse_granted(&granted.to_string()), granted.clone());
        // What the strict reader takes means the same to both.
        if let Ok(strict) = text.parse::<Scopes>() {
            prop_assert_eq!(strict.resources().count(), granted.resources().count());
        }
    }

    /// SC-02, SC-20 (SMART, FHIR resource scope syntax): near misses never panic, and errors point into the text.
    #[test]
    fn near_misses_are_refused_in_place(text in "(patient|user|launch|Patient)[/?.]?[A-Za-z*é]{0,6}[.?=&/]?[cruds?=&é]{0,8}") {
        if let Err(error) = text.parse::<Scope>() {
            prop_assert!(error.position() >= 1 && error.position() <= text.chars().count() + 1);
            prop_assert_eq!(text.chars().nth(error.position() - 1), error.found());
            prop_assert!(!error.expected().is_empty());
            prop_assert_eq!(Scopes::parse_granted(&text).resources().count(), 0);
        }
    }

    /// SC-08 (RFC 6749, 3.3): every character outside of the grammar is refused, every one inside is kept.
    #[test]
    fn only_token_characters_are_legal(character in any::<char>()) {
        let text = format!("__{character}");
        let legal = matches!(character, '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        prop_assert_eq!(text.parse::<Scope>().is_ok(), legal);
    }

    /// SC-10 (RFC 6749, 3.3): whatever the value, a built query is legal and means that value.
    #[test]
    fn built_queries_are_legal(value in "\\PC{1,20}") {
        let base = smart_core::scope::ResourceScope::new(Level::User, "A", Permissions::READ).unwrap();
        let built = base.narrowed([("x", value.as_str()), ("y", "1")]).unwrap();
        prop_assert_eq!(&built.to_string().parse::<Scope>().unwrap(), &Scope::from(built.clone()));
        let (name, encoded) = built.query().unwrap().pairs().next().unwrap();
        prop_assert_eq!(name, "x");
        prop_assert_eq!(percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap(), value);
    }

    /// SC-15 (SMART, scope equivalence): a set covers itself.
    #[test]
    fn covers_is_reflexive(set in scopes()) {
        prop_assert!(set.covers_all(&set));
    }

    /// SC-15 (SMART, scope equivalence): what covers a set covers all that the set covers.
    #[test]
    fn covers_is_transitive(a in scopes(), b in scopes(), c in scopes()) {
        if a.covers_all(&b) && b.covers_all(&c) {
            prop_assert!(a.covers_all(&c));
        }
        // Chains that exist by construction: more scopes cover fewer, and a set covers its parts.
        let wide = a.union(&b).union(&c);
        let part = Scopes::compare(&c, &a).granted.difference(&b);
        prop_assert!(wide.covers_all(&a) && a.covers_all(&part) && wide.covers_all(&part));
    }

    /// SC-15 (SMART, scope equivalence): of single scopes too.
    #[test]
    fn covers_is_transitive_for_single_scopes(a in resource_scope(), b in resource_scope(), c in resource_scope()) {
        let [a, b, c] = [a, b, c].map(|text| text.parse::<Scopes>().unwrap());
        prop_assert!(!(a.covers_all(&b) && b.covers_all(&c)) || a.covers_all(&c), "{a} {b} {c}");
    }

    /// SC-13, SC-15 (SMART, scope equivalence): adding scopes never takes coverage or a permission away.
    #[test]
    fn adding_scopes_takes_nothing_away(set in scopes(), more in scopes(), asked in any_scope(), request in request()) {
        let asked: Scope = asked.parse().unwrap();
        let larger = set.union(&more);
        prop_assert!(!set.covers(&asked) || larger.covers(&asked));
        prop_assert!(!set.decide(&request).is_allowed() || larger.decide(&request).is_allowed());
        prop_assert!(!set.decide(&request).is_fully_allowed() || larger.decide(&request).is_fully_allowed());
    }

    /// SC-15, SC-32 (SMART, wildcard scopes): a set that covers another permits all that the other does.
    #[test]
    fn covering_sets_permit_as_much(a in scopes(), b in scopes(), request in request()) {
        let larger = a.union(&b).simplified();
        prop_assert!(!a.decide(&request).is_allowed() || larger.decide(&request).is_allowed(), "{a} | {larger}");
        prop_assert!(!a.decide(&request).is_fully_allowed() || larger.decide(&request).is_fully_allowed());
        prop_assert!(!a.covers_all(&b) || !b.decide(&request).is_fully_allowed() || a.decide(&request).is_fully_allowed());
    }

    /// SC-13 (SMART, scope equivalence): what is taken away by a difference, the other set has.
    #[test]
    fn difference_and_union_fit(a in scopes(), b in scopes()) {
        let rest = a.difference(&b);
        prop_assert!(a.covers_all(&rest));
        prop_assert!(rest.union(&b).covers_all(&a));
        prop_assert!(rest.iter().all(|scope| !b.covers(scope)));
    }

    /// SC-14 (SMART, scope equivalence): the shortest form means the same, is no longer, and has no shorter one.
    #[test]
    fn simplified_means_the_same(set in scopes()) {
        let short = set.simplified();
        prop_assert!(short.is_equivalent(&set), "{set} | {short}");
        prop_assert!(short.len() <= set.len());
        prop_assert_eq!(short.simplified(), short);
    }

    /// SC-05, SC-06 (SMART, version 1 semantics): conversions keep the meaning unless widening is allowed.
    #[test]
    fn conversions_keep_the_meaning(set in scopes()) {
        let v2 = set.to_v2();
        prop_assert!(v2.is_equivalent(&set));
        if let Ok(v1) = set.to_v1(Widening::Refuse) {
            prop_assert!(v1.is_equivalent(&set), "{set} | {v1}");
        }
        let widened = set.to_v1(Widening::Allow).unwrap();
        prop_assert!(widened.covers_all(&set));
        prop_assert!(widened.to_v1(Widening::Refuse).is_ok());
    }

    /// SC-15, SC-17 (SMART, wildcard scopes): missing, extra and narrower fit together.
    #[test]
    fn comparisons_fit_together(asked in scopes(), granted in scopes()) {
        let comparison = Scopes::compare(&asked, &granted);
        prop_assert!(asked.iter().all(|scope| granted.covers(scope) != comparison.missing.contains(scope)));
        prop_assert!(granted.iter().all(|scope| asked.covers(scope) != comparison.extra.contains(scope)));
        for narrowed in &comparison.narrower {
            prop_assert!(comparison.missing.contains(&narrowed.asked.clone().into()));
            prop_assert!(granted.covers_all(&narrowed.granted) && !narrowed.granted.is_empty());
            prop_assert!(!granted.covers(&narrowed.lacking.clone().into()));
        }
        let added: Scopes = granted.union(&comparison.missing);
        prop_assert!(Scopes::compare(&asked, &added).is_complete());
    }

    /// SC-28 (SMART, appendix on URIs): URI form and back is the same set.
    #[test]
    fn uri_form_round_trips(set in scopes()) {
        prop_assert_eq!(Scopes::parse_granted(&set.to_uris().join(" ")).from_uri_form(), set);
    }

    /// SC-08 (RFC 6749, 3.3): JSON and back is the same set, in the same order.
    #[test]
    fn json_round_trips(set in scopes()) {
        let json = serde_json::to_value(&set).unwrap();
        prop_assert_eq!(serde_json::from_value::<Scopes>(json).unwrap().to_string(), set.to_string());
    }

    /// SC-07 (SMART, scopes for requesting FHIR resources): an interaction is permitted by its letter and no other.
    #[test]
    fn permission_follows_the_letter(letters in prop::sample::subsequence(LETTERS.to_vec(), 1..=5), index in 0_usize..11) {
        let permissions = letters.into_iter().reduce(Permissions::union).unwrap();
        let interaction = Interaction::ALL[index];
        let set: Scopes = format!("user/*.{permissions}").parse().unwrap();
        prop_assert_eq!(set.permits(interaction, "A"), permissions.contains(interaction.permission()));
    }

    /// SC-31 (FHIR, RESTful API): no method and URL panics.
    #[test]
    fn any_url_can_be_read(method in "(GET|POST|PUT|DELETE|PATCH|HEAD|X)", url in "[A-Za-z_$*/?=&%é]{0,30}") {
        let _ = AccessRequest::from_http(&method, &url);
    }
}
