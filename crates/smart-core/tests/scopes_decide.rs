//! What granted scopes permit.

use smart_core::scope::{AccessRequest, Decision, Denial, Interaction, Level, Permissions, Scopes};

fn granted(text: &str) -> Scopes {
    Scopes::parse_granted(text)
}

/// SC-07 (SMART, scopes for requesting FHIR resources): which letter permits which interaction.
#[test]
fn truth_table_of_interactions_and_letters() {
    let table = [
        (Interaction::Create, 'c'),
        (Interaction::Read, 'r'),
        (Interaction::VRead, 'r'),
        (Interaction::HistoryInstance, 'r'),
        (Interaction::Update, 'u'),
        (Interaction::Patch, 'u'),
        (Interaction::Delete, 'd'),
        (Interaction::SearchType, 's'),
        (Interaction::HistoryType, 's'),
        (Interaction::SearchSystem, 's'),
        (Interaction::HistorySystem, 's'),
    ];
    assert_eq!(table.len(), Interaction::ALL.len());
    for (interaction, needed) in table {
        assert_eq!(interaction.permission().to_string(), needed.to_string());
        for letter in "cruds".chars() {
            let scopes = granted(&format!("user/*.{letter}"));
            assert_eq!(scopes.permits(interaction, "Observation"), letter == needed, "{interaction} by {letter}");
        }
    }
}

/// SC-07 (SMART, scopes for requesting FHIR resources): what concerns all types needs a wildcard.
#[test]
fn system_wide_interactions_need_a_wildcard() {
    for interaction in [Interaction::SearchSystem, Interaction::HistorySystem] {
        let typed = granted("user/Observation.cruds user/Patient.cruds");
        let decision = typed.decide(&AccessRequest::on_all_types(interaction));
        assert_eq!(decision.denial(), Some(&Denial::AllTypesNotGranted { interaction, level: None }));
        assert_eq!(decision.needed().unwrap().as_str(), "user/*.s");
        assert!(!typed.permits(interaction, "Observation"), "the type makes no difference");
        assert!(granted("user/*.s").decide(&AccessRequest::on_all_types(interaction)).is_fully_allowed());
    }
}

/// SC-04, SC-05 (SMART, version 1 semantics): words of version 1 permit what they mean.
#[test]
fn version_1_words_permit_their_interactions() {
    use Interaction::{Create, Delete, HistoryInstance, HistoryType, Patch, Read, SearchType, Update, VRead};

    let allowed = |text: &str| -> Vec<Interaction> {
        let scopes = granted(text);
        Interaction::ALL.into_iter().filter(|interaction| scopes.permits(*interaction, "Observation")).collect()
    };
    assert_eq!(allowed("patient/Observation.read"), [Read, VRead, SearchType, HistoryInstance, HistoryType]);
    assert_eq!(allowed("patient/Observation.write"), [Create, Update, Patch, Delete]);
    assert_eq!(allowed("patient/*.*").len(), 11);
}

/// SC-32 (SMART, patient-specific scopes): permission to write does not include reading, and the answer says why not.
#[test]
fn create_does_not_include_read() {
    let scopes = granted("patient/Observation.c");
    assert!(scopes.permits(Interaction::Create, "Observation"));
    let decision = scopes.decide(&AccessRequest::new(Interaction::Read, "Observation"));
    assert!(!decision.is_allowed());
    assert_eq!(
        decision.denial(),
        Some(&Denial::PermissionNotGranted {
            interaction: Interaction::Read,
            resource_type: "Observation".into(),
            needed: Permissions::READ,
            granted: Permissions::CREATE,
        })
    );
    assert_eq!(
        decision.to_string(),
        "denied: read needs the permission `r`, and only `c` is granted for Observation; ask for `patient/Observation.r`"
    );
}

/// SC-32 (SMART, delegated access): each reason has its own type, says it, and names the scope that is needed.
#[test]
fn denials_say_why_and_what_is_needed() {
    let read = || AccessRequest::new(Interaction::Read, "Observation");
    for (scopes, request, message) in [
        ("", read(), "denied: no scope for resources is granted; ask for `patient/Observation.r`"),
        (
            "openid patient/Observation.dus",
            read(),
            "denied: no scope for resources is granted; ask for `patient/Observation.r`",
        ),
        (
            "user/Patient.rs",
            read(),
            "denied: no granted scope is for the type Observation; ask for `user/Observation.r`",
        ),
        (
            "user/Patient.read",
            read(),
            "denied: no granted scope is for the type Observation; ask for `user/Observation.read`",
        ),
        (
            "patient/*.rs",
            read().at_level(Level::User),
            "denied: it is granted at the level `patient` only, and no level includes another: `user` was wanted; ask for \
             `user/Observation.r`",
        ),
        (
            "patient/*.c",
            read().at_level(Level::User),
            "denied: no granted scope of the level `user` is for the type Observation; ask for `user/Observation.r`",
        ),
        (
            "patient/*.rs",
            AccessRequest::new(Interaction::Read, "Observation/../x\u{1b}"),
            "denied: `Observation/../x\u{fffd}` is not the name of a resource type",
        ),
        (
            "patient/A.rs",
            AccessRequest::on_all_types(Interaction::HistorySystem),
            "denied: history-system needs a scope for all types (`*`), and no granted scope is one; ask for `patient/*.s`",
        ),
    ] {
        let scopes = granted(scopes);
        assert_eq!(scopes.decide(&request).to_string(), message);
    }
}

/// SC-32 (SMART, delegated access): the scope that is named as needed does permit the request.
#[test]
fn needed_scope_permits_the_request() {
    for scopes in ["", "user/Patient.rs", "user/Patient.read", "patient/Observation.c system/*.write"] {
        for interaction in Interaction::ALL {
            for level in [None, Some(Level::Patient), Some(Level::User), Some(Level::System)] {
                let mut request = AccessRequest::new(interaction, "Observation");
                if let Some(level) = level {
                    request = request.at_level(level);
                }
                let mut scopes = granted(scopes);
                let needed = match scopes.decide(&request) {
                    Decision::Denied { needed, .. } => needed.unwrap(),
                    _ => continue,
                };
                scopes.insert(needed);
                assert!(scopes.decide(&request).is_fully_allowed(), "{scopes} {request:?}");
            }
        }
    }
}

/// SC-16 (SMART, levels): a request for one level is not permitted by another.
#[test]
fn level_of_a_request_is_kept() {
    let scopes = granted("patient/Observation.rs");
    let request = AccessRequest::new(Interaction::Read, "Observation");
    assert!(scopes.decide(&request.clone().at_level(Level::Patient)).is_fully_allowed());
    assert!(!scopes.decide(&request.clone().at_level(Level::User)).is_allowed());
    assert!(!scopes.decide(&request.at_level(Level::System)).is_allowed());
}

/// SC-10, SC-12, SC-32 (SMART, finer-grained resource constraints): a granular scope permits within its query; a search
/// that has the query itself is permitted wholly.
#[test]
fn granular_scopes_permit_within_their_query() {
    let scopes = granted("patient/Observation.rs?category=http://x.example|lab patient/Observation.r?status=final");
    let decide = |interaction, parameters: &[(&'static str, &'static str)]| {
        let request = AccessRequest::new(interaction, "Observation").with_parameters(parameters.iter().copied());
        match scopes.decide(&request) {
            Decision::Allowed { .. } => "allowed",
            Decision::AllowedWithin { .. } => "within",
            Decision::Denied { .. } => "denied",
        }
    };
    let lab = ("category", "http://x.example|lab");
    assert_eq!(decide(Interaction::Read, &[]), "within");
    assert_eq!(decide(Interaction::Read, &[lab]), "within", "parameters of a read select nothing");
    assert_eq!(decide(Interaction::SearchType, &[]), "within");
    assert_eq!(decide(Interaction::SearchType, &[lab]), "allowed");
    assert_eq!(decide(Interaction::SearchType, &[("date", "ge2020"), lab]), "allowed");
    assert_eq!(decide(Interaction::SearchType, &[("category", "vital-signs")]), "within");
    assert_eq!(decide(Interaction::SearchType, &[("category:not", "http://x.example|lab")]), "within");
    assert_eq!(decide(Interaction::SearchType, &[lab, ("category", "vital-signs")]), "within");
    assert_eq!(decide(Interaction::SearchType, &[lab, ("_include", "Observation:has-member")]), "within");
    assert_eq!(decide(Interaction::SearchType, &[lab, ("_revinclude:iterate", "Provenance:target")]), "within");
    assert_eq!(decide(Interaction::SearchType, &[("status", "final")]), "within", "that scope permits no search");
    assert_eq!(decide(Interaction::Create, &[lab]), "denied");

    let within = scopes.decide(&AccessRequest::new(Interaction::Read, "Observation"));
    assert_eq!(
        within.to_string(),
        "allowed within `patient/Observation.rs?category=http://x.example|lab` or `patient/Observation.r?status=final`"
    );
    let encoded = granted("user/Observation.s?category=http%3A%2F%2Fx.example%7Clab");
    let search = AccessRequest::new(Interaction::SearchType, "Observation").with_parameters([lab]);
    assert!(encoded.decide(&search).is_fully_allowed());
    for experimental in ["user/Observation.s?category:in=x", "user/Observation.s?category=a&category=b"] {
        let search = AccessRequest::new(Interaction::SearchType, "Observation").with_parameters([
            ("category:in", "x"),
            ("category", "a"),
            ("category", "b"),
        ]);
        let scopes = granted(experimental);
        let decision = scopes.decide(&search);
        assert!(decision.is_allowed() && !decision.is_fully_allowed(), "{experimental}");
    }
    let both = granted("patient/Observation.rs?a=b patient/*.r");
    let decision = both.decide(&AccessRequest::new(Interaction::Read, "Observation"));
    assert_eq!(decision.to_string(), "allowed by `patient/*.r`");
}

/// SC-31 (SMART, batches and transactions): each entry needs its own permission.
#[test]
fn each_entry_of_a_bundle_needs_its_own_permission() {
    let scopes = granted("user/Patient.r user/Observation.cs");
    let entries = [
        ("GET", "Patient/1"),
        ("POST", "Observation"),
        ("GET", "Observation?code=x"),
        ("DELETE", "Observation/7"),
        ("PUT", "Patient/1"),
    ];
    let requests: Vec<_> = entries.iter().map(|(method, url)| AccessRequest::from_http(method, url).unwrap()).collect();
    let decision = scopes.decide_bundle(requests.clone());
    assert!(!decision.is_allowed());
    assert_eq!(decision.entries().len(), 5);
    let denied: Vec<_> = decision.denied().map(|(index, entry)| (index, entry.needed().unwrap().to_string())).collect();
    assert_eq!(denied, [(3, "user/Observation.d".to_owned()), (4, "user/Patient.u".to_owned())]);
    assert!(scopes.decide_bundle(requests.into_iter().take(3)).is_allowed());
    assert!(scopes.decide_bundle([]).is_allowed(), "an empty bundle asks for nothing");
}

/// SC-31 (SMART, batches and transactions; FHIR, RESTful API): methods and URLs are told apart by interaction.
#[test]
fn interactions_are_read_from_method_and_url() {
    let all = "*";
    for (method, url, interaction, name) in [
        ("GET", "Patient/1", Interaction::Read, "Patient"),
        ("HEAD", "/Patient/1", Interaction::Read, "Patient"),
        ("GET", "Patient/1?_summary=true", Interaction::Read, "Patient"),
        ("GET", "Patient/1/_history/2", Interaction::VRead, "Patient"),
        ("GET", "Patient/1/_history", Interaction::HistoryInstance, "Patient"),
        ("GET", "Patient/_history", Interaction::HistoryType, "Patient"),
        ("GET", "_history?_since=2020", Interaction::HistorySystem, all),
        ("GET", "Patient", Interaction::SearchType, "Patient"),
        ("GET", "Patient?name=x", Interaction::SearchType, "Patient"),
        ("POST", "Patient/_search", Interaction::SearchType, "Patient"),
        ("GET", "?_type=Patient", Interaction::SearchSystem, all),
        ("POST", "_search", Interaction::SearchSystem, all),
        ("GET", "Patient/1/Observation?code=x", Interaction::SearchType, "Observation"),
        ("POST", "Patient/1/Observation/_search", Interaction::SearchType, "Observation"),
        ("GET", "Patient/1/*", Interaction::SearchSystem, all),
        ("POST", "Patient", Interaction::Create, "Patient"),
        ("PUT", "Patient/1", Interaction::Update, "Patient"),
        ("PUT", "Patient?identifier=x", Interaction::Update, "Patient"),
        ("PATCH", "Patient/1", Interaction::Patch, "Patient"),
        ("PATCH", "Patient?identifier=x", Interaction::Patch, "Patient"),
        ("DELETE", "Patient/1", Interaction::Delete, "Patient"),
        ("DELETE", "Patient?identifier=x", Interaction::Delete, "Patient"),
    ] {
        let request = AccessRequest::from_http(method, url).unwrap_or_else(|| panic!("{method} {url}"));
        assert_eq!(request.interaction(), interaction, "{method} {url}");
        assert_eq!(request.resource_type().unwrap_or(all), name, "{method} {url}");
    }
    for (method, url) in [
        ("GET", "metadata"),
        ("GET", ""),
        ("POST", ""),
        ("POST", "?x=1"),
        ("GET", "Patient/1/$everything"),
        ("GET", "Patient/$match"),
        ("POST", "$export"),
        ("POST", "Patient/1"),
        ("PUT", "Patient"),
        ("DELETE", "Patient"),
        ("DELETE", "Patient/1/_history"),
        ("GET", "Patient/1/_history/2/x"),
        ("GET", "Patient/1/_history/2/x/y/z"),
        ("GET", "Patient//1"),
        ("GET", "patient/1"),
        ("GET", "https://ehr.example/Patient/1"),
        ("get", "Patient/1"),
    ] {
        assert_eq!(AccessRequest::from_http(method, url), None, "{method} {url}");
    }
    let search = AccessRequest::from_http("GET", "Observation?category=a%7Cb&date=ge2020").unwrap();
    assert_eq!(search.parameters().collect::<Vec<_>>(), [("category", "a|b"), ("date", "ge2020")]);
}
