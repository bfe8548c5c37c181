//! The FHIR base URL: what is the same server, and what lies below it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking, its helpers too")]

use proptest::prelude::*;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::url_policy::{UrlError, UrlPolicy};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use url::Url;

fn base(given: &str) -> FhirBaseUrl {
    FhirBaseUrl::parse(given).unwrap_or_else(|error| panic!("{given}: {error}"))
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// LA-03, F-23, TK-14 (RFC 3986 6.2.2, 6.2.3): which spellings name the same server, and which do not.
#[test]
fn which_spellings_are_the_same_server() {
    let same = [
        "https://ehr.example/t1/r4",
        "https://ehr.example/t1/r4/",
        "https://ehr.example/t1/r4//",
        "https://EHR.Example/t1/r4",
        "HTTPS://ehr.example/t1/r4",
        "https://ehr.example:443/t1/r4",
        "https://ehr.example/x/../t1/./r4",
        "https://ehr.example/x/%2e%2e/t1/r4",
    ];
    let distinct: HashSet<FhirBaseUrl> = same.iter().map(|given| base(given)).collect();
    assert_eq!(distinct.len(), 1);
    for other in [
        "https://ehr.example/t1/R4",
        "https://ehr.example/T1/r4",
        "https://ehr.example/t1//r4",
        "https://ehr.example/t1%2fr4",
        "https://ehr.example/t1/%724",
        "https://ehr.example/t1/r4x",
        "https://ehr.example/t1",
        "https://ehr.example",
        "https://ehr.example.:443/t1/r4",
        "https://ehr.example:8443/t1/r4",
        "https://www.ehr.example/t1/r4",
        "https://ehr.example/t1/r4/..",
        "https://ehr.example/t1/r4;v=1",
    ] {
        assert!(!distinct.contains(&base(other)), "{other}");
    }
    assert_eq!(base("https://\u{e4}rzte.example/r4"), base("https://xn--rzte-koa.example/r4"));
    let http = |given| FhirBaseUrl::parse_with(given, UrlPolicy::AllowLoopbackHttp).unwrap();
    assert_ne!(http("http://localhost/r4"), http("https://localhost/r4"));
    assert_eq!(http("http://LOCALHOST:80/r4"), http("http://localhost/r4/"));
}

/// AZ-02, DI-01: a text that a server would compare as another one than was checked is no base.
#[test]
fn bases_are_refused_not_mended() {
    for given in [
        " https://ehr.example/r4",
        "https://ehr.example/r4 ",
        "https://ehr.example/r4\n",
        "https://ehr.exam\tple/r4",
        "https:\\\\ehr.example\\r4",
        "https://ehr.example/r4?",
        "https://ehr.example/r4#",
        "https://user@ehr.example/r4",
        "https://user:word@ehr.example/r4",
        "https://@ehr.example/r4",
        "https:///ehr.example/r4",
        "https:/ehr.example/r4",
        "https:ehr.example/r4",
        "https://",
        "//ehr.example/r4",
        "/r4",
        "file:///r4",
    ] {
        assert!(FhirBaseUrl::parse(given).is_err(), "{given:?}");
    }
    assert!(serde_json::from_value::<FhirBaseUrl>("https://ehr.example/r4?x".into()).is_err());
}

/// TK-14, FR-04, F-100: nothing else than what surely lies below the base gets its token.
#[test]
fn what_may_lead_out_of_the_base_is_outside() {
    let base = base("https://ehr.example/t1/r4/");
    for outside in [
        // Another origin.
        "https://evil.example/t1/r4/Patient/1",
        "https://ehr.example.evil.example/t1/r4/Patient/1",
        "https://xehr.example/t1/r4/Patient/1",
        "https://ehr.example./t1/r4/Patient/1",
        "https://ehr.example:8443/t1/r4/Patient/1",
        "http://ehr.example/t1/r4/Patient/1",
        "http://ehr.example:443/t1/r4/Patient/1",
        "wss://ehr.example/t1/r4/Patient/1",
        // A user name, also one that looks like the host.
        "https://user@ehr.example/t1/r4/Patient/1",
        "https://user:word@ehr.example/t1/r4/Patient/1",
        "https://ehr.example@evil.example/t1/r4/Patient/1",
        "https://evil.example\\@ehr.example/t1/r4/Patient/1",
        // Case, siblings and parents.
        "https://ehr.example/T1/r4/Patient/1",
        "https://ehr.example/t1/R4/Patient/1",
        "https://ehr.example/t1/r4evil/Patient/1",
        "https://ehr.example/t1/r4-2/Patient/1",
        "https://ehr.example/t1/r",
        "https://ehr.example/t1",
        "https://ehr.example/",
        "https://ehr.example/t2/r4/Patient/1",
        "https://ehr.example//t1/r4/Patient/1",
        "https://ehr.example/t1%2fr4/Patient/1",
        "https://ehr.example/t%31/r4/Patient/1",
        // Dot segments, plain and encoded.
        "https://ehr.example/t1/r4/../../t2/r4/Patient/1",
        "https://ehr.example/t1/r4/%2e%2e/%2E%2e/t2/r4/Patient/1",
        "https://ehr.example/t1/r4/.%2e/Patient/1",
        "https://ehr.example/t1/r4\\..\\..\\t2",
        // Encoded slashes and backslashes, which some servers decode before they route.
        "https://ehr.example/t1/r4/..%2f..%2ft2%2fr4",
        "https://ehr.example/t1/r4/Patient%2f1",
        "https://ehr.example/t1/r4/%2F..%2Ft2",
        "https://ehr.example/t1/r4/..%5c..%5ct2",
        "https://ehr.example/t1/r4/%2e%2e%2ft2",
        "https://ehr.example/t1/r4%2f../t2",
        "https://ehr.example/t1/r4%2fPatient/1",
        // Encoded twice, and thrice.
        "https://ehr.example/t1/r4/%252e%252e/t2",
        "https://ehr.example/t1/r4/..%252ft2",
        "https://ehr.example/t1/r4/%25252e%25252e/t2",
        "https://ehr.example/t1/r4/%2525252525252e",
        // Path parameters, which some servers cut off first.
        "https://ehr.example/t1/r4/..;/..;/t2",
        "https://ehr.example/t1/r4/..;x=1/t2",
        "https://ehr.example/t1/r4/%2e%2e;/t2",
        "https://ehr.example/t1/r4/..%3b/t2",
        "https://ehr.example/t1/r4/.;/x",
        // What ends strings elsewhere.
        "https://ehr.example/t1/r4/Patient/1%00",
        "https://ehr.example/t1/r4/Patient/1%0d%0aX:%20y",
    ] {
        assert!(!base.contains(&url(outside)), "{outside}");
    }
    for below in [
        "https://ehr.example/t1/r4",
        "https://ehr.example/t1/r4/",
        "https://EHR.example:443/t1/r4/Patient/1",
        "https://ehr.example/t1/r4/Patient/1/_history/2",
        "https://ehr.example/t1/r4?_getpages=x%2fy&_pageId=..",
        "https://ehr.example/t1/r4/Patient?name=a%2fb&x=../..#part",
        "https://ehr.example/t1/r4/Patient/$everything",
        "https://ehr.example/t1/r4/%24export",
        "https://ehr.example/t1/r4/Patient/%C3%A4;v=1",
        "https://ehr.example/t1/r4/x/../Patient/1",
        "https://ehr.example/t1/r4/...",
        "https://ehr.example/t1/r4/a..b",
    ] {
        assert!(base.contains(&url(below)), "{below}");
    }
}

/// DI-01, F-08, D-22, TK-14: what is joined to a base stays below it.
#[test]
fn joining_cannot_leave_the_base() {
    let base = base("https://ehr.example/t1/r4/");
    for (relative, joined) in [
        ("Patient/1", "https://ehr.example/t1/r4/Patient/1"),
        ("/Patient/1", "https://ehr.example/t1/r4/Patient/1"),
        ("//evil.example/x", "https://ehr.example/t1/r4/evil.example/x"),
        ("https://evil.example/x", "https://ehr.example/t1/r4/https://evil.example/x"),
        ("?_type=Patient", "https://ehr.example/t1/r4/?_type=Patient"),
        ("Patient?x=../..", "https://ehr.example/t1/r4/Patient?x=../.."),
        ("", "https://ehr.example/t1/r4/"),
    ] {
        assert_eq!(base.join(relative).unwrap().as_str(), joined);
    }
    for leaving in
        ["..", "../r5/Patient/1", "../../t2/r4/Patient/1", "Patient/%2e%2e/../../r5", "x%2f..%2f..", "..;/r5"]
    {
        let error = base.join(leaving).unwrap_err();
        assert!(matches!(error, UrlError::UnexpectedPart { .. }), "{leaving}: {error}");
    }
    assert!(base.join("Patient/../Observation/1").is_ok(), "that stays below");
}

/// Bases of few servers in many spellings, so that equal ones are frequent.
fn spelling() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["https", "HTTPS", "Https"]);
    let host = prop::sample::select(vec!["ehr.example", "EHR.example", "other.example", "[2001:db8::1]", "192.0.2.1"]);
    let port = prop::sample::select(vec!["", ":443", ":8443"]);
    let segment = prop::sample::select(vec!["r4", "R4", "t1", "%72", "..", ".", "a;b", "%2f", "", "~x"]);
    let path = prop::collection::vec(segment, 0..4);
    let end = prop::sample::select(vec!["", "/", "//"]);
    (scheme, host, port, path, end).prop_map(|(scheme, host, port, path, end)| {
        let path: String = path.iter().flat_map(|segment| ["/", segment]).collect();
        format!("{scheme}://{host}{port}{path}{end}")
    })
}

fn hash(base: &FhirBaseUrl, state: &RandomState) -> u64 {
    state.hash_one(base)
}

proptest! {
    /// LA-03 (RFC 3986 6.2): normalising a base again changes nothing, and what is sent stays as it was given.
    #[test]
    fn normalising_is_idempotent(given in spelling()) {
        let once = base(&given);
        let twice = base(once.normalised());
        prop_assert_eq!(twice.normalised(), once.normalised());
        prop_assert_eq!(once.as_str(), given.as_str());
        prop_assert_eq!(&twice, &once);
        prop_assert!(once.contains(once.url()) && twice.contains(once.url()));
    }

    /// LA-03 (RFC 3986 6.2): comparing bases is an equivalence, and equal bases have equal hashes and the same below them.
    #[test]
    fn comparison_is_an_equivalence(a in spelling(), b in spelling(), c in spelling(), rest in "[A-Za-z0-9/]{0,12}") {
        let [a, b, c] = [a, b, c].map(|given| base(&given));
        let state = RandomState::new();
        prop_assert_eq!(&a, &a.clone());
        prop_assert_eq!(a == b, b == a);
        prop_assert!(!(a == b && b == c) || a == c);
        if a == b {
            prop_assert_eq!(hash(&a, &state), hash(&b, &state));
            prop_assert_eq!(a.join(&rest).unwrap(), b.join(&rest).unwrap());
        } else {
            // Two servers of one origin may lie within each other, but not both ways.
            prop_assert!(!(a.contains(b.url()) && b.contains(a.url())));
        }
    }

    /// AZ-02: a stored base is the very text that was given.
    #[test]
    fn stored_bases_keep_their_text(given in spelling()) {
        let stored = serde_json::to_value(base(&given)).unwrap();
        let read: FhirBaseUrl = serde_json::from_value(stored).unwrap();
        prop_assert_eq!(read.as_str(), given.as_str());
    }

    /// TK-14, FR-04: whatever a server puts into a link, the token stays at its origin and below its path.
    #[test]
    fn containment_means_same_origin_and_below(
        start in prop::sample::select(vec![
            "https://ehr.example/t1/r4", "https://ehr.example/t1/r4/", "https://ehr.example/t1", "https://ehr.example",
            "https://evil.example/t1/r4", "https://ehr.example:444/t1/r4", "http://ehr.example/t1/r4",
            "https://u@ehr.example/t1/r4", "https://ehr.example@evil.example/t1/r4", "https://ehr.example/T1/r4",
        ]),
        parts in prop::collection::vec(prop::sample::select(vec![
            "/", "..", ".", "%2e", "%2E%2e", "%2f", "%2F", "%5c", "\\", ";", "%3b", "%25", "t2", "r4", "Patient", "?x=", "#",
        ]), 0..8),
    ) {
        let Ok(link) = Url::parse(&format!("{start}{}", parts.concat())) else { return Ok(()) };
        let base = base("https://ehr.example/t1/r4");
        if base.contains(&link) {
            prop_assert_eq!(link.origin(), base.url().origin());
            prop_assert_eq!((link.username(), link.password()), ("", None));
            // However often a server decodes, cuts parameters off and resolves, the path stays below.
            let mut path = link.path().to_owned();
            for _ in 0..6 {
                let cut: Vec<&str> = path.split('/').map(|part| part.split(';').next().unwrap_or_default()).collect();
                for text in [path.replace('\\', "/"), cut.join("/")] {
                    let resolved = url(&format!("https://ehr.example{text}"));
                    prop_assert!(resolved.path() == "/t1/r4" || resolved.path().starts_with("/t1/r4/"), "{link}");
                }
                path = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
            }
        }
    }

    /// TK-14: what FHIR asks for lies below the base, however the base is spelt.
    #[test]
    fn what_fhir_asks_for_is_contained(
        given in spelling(),
        name in "[A-Z][a-z]{0,8}",
        id in "[A-Za-z0-9.-]{1,64}".prop_filter("no dot segment", |id| id != "." && id != ".."),
        query in "[a-z=&%]{0,10}",
    ) {
        let base = base(&given);
        let joined = base.join(&format!("{name}/{id}?{query}")).unwrap();
        prop_assert!(base.contains(&joined));
        let end = format!("/{name}/{id}");
        prop_assert!(joined.path().ends_with(&end));
    }
}
