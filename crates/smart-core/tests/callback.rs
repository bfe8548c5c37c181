//! Hostile and failed callbacks, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use proptest::prelude::*;
use smart_core::authorize::{AuthorizationErrorCode, Callback, CallbackError, PendingAuthorization};
use smart_core::token::{ClientAuthentication, ClientIdInBody, CodeExchange};
use support::{NOW, begun, server};

fn complete(pending: PendingAuthorization, query: &str) -> Result<CodeExchange, CallbackError> {
    pending.complete(Callback::from_query(query)?, NOW)
}

/// CB-07 (SMART, App protection; RFC 9700 4.11.1): no URL of the callback is ever a place to go to.
#[test]
fn no_url_of_the_callback_is_gone_to() {
    let evil = "https://evil.example/x";
    let places = ["redirect_uri", "error_uri", "iss_uri", "target", "next", "url", "token_endpoint", "RelayState"];
    let query: Vec<String> = places.iter().map(|name| format!("{name}={evil}")).collect();
    let (sent, pending) = begun("openid");
    let exchange = complete(pending, &format!("code=a&state={}&{}", sent["state"], query.join("&"))).unwrap();
    let (request, expected) =
        exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
    assert_eq!(request.uri(), "https://login.ehr.example/token");
    assert!(!String::from_utf8_lossy(request.body()).contains("evil"));
    assert_eq!(expected.server(), &server());
    // An error's URI is text to be shown, and nothing else has it.
    let (sent, pending) = begun("openid");
    let text = format!("error=access_denied&error_uri=javascript:alert(1)%0a&state={}", sent["state"]);
    let error = complete(pending, &text).unwrap_err();
    assert!(!error.to_string().contains("javascript"), "{error}");
    let CallbackError::Refused { uri, .. } = error else { panic!("{error}") };
    let shown: Option<String> = uri;
    assert_eq!(shown.as_deref(), Some("javascript:alert(1)\u{fffd}"));
}

/// CB-02, F-122 (RFC 6749 4.1.2.1; OpenID Connect Core 3.1.2.6): every code arrives as its variant, and says what may help.
#[test]
fn every_error_code_arrives() {
    use AuthorizationErrorCode as Code;
    for (text, code) in [
        ("invalid_request", Code::InvalidRequest),
        ("unauthorized_client", Code::UnauthorizedClient),
        ("access_denied", Code::AccessDenied),
        ("unsupported_response_type", Code::UnsupportedResponseType),
        ("invalid_scope", Code::InvalidScope),
        ("server_error", Code::ServerError),
        ("temporarily_unavailable", Code::TemporarilyUnavailable),
        ("interaction_required", Code::InteractionRequired),
        ("login_required", Code::LoginRequired),
        ("account_selection_required", Code::AccountSelectionRequired),
        ("consent_required", Code::ConsentRequired),
        ("invalid_request_uri", Code::InvalidRequestUri),
        ("invalid_request_object", Code::InvalidRequestObject),
        ("request_not_supported", Code::RequestNotSupported),
        ("request_uri_not_supported", Code::RequestUriNotSupported),
        ("registration_not_supported", Code::RegistrationNotSupported),
        ("x-vendor", Code::Other("x-vendor".into())),
        ("Access_Denied", Code::Other("Access_Denied".into())),
    ] {
        let (sent, pending) = begun("openid");
        let failed = complete(pending, &format!("error={text}&state={}", sent["state"])).unwrap_err();
        let CallbackError::Refused { error, endpoint, .. } = &failed else { panic!("{failed}") };
        assert_eq!((error, endpoint.as_str()), (&code, "https://login.ehr.example/authorize"));
        assert_eq!(failed.is_denied_by_person(), code == Code::AccessDenied, "{text}");
        assert_eq!(failed.is_retryable(), matches!(code, Code::ServerError | Code::TemporarilyUnavailable), "{text}");
        assert!(failed.to_string().contains(text), "{failed}");
        // Without the right state it is nobody's error.
        let forged = complete(begun("openid").1, &format!("error={text}&state=x")).unwrap_err();
        assert_eq!(forged, CallbackError::StateMismatch);
    }
}

/// CB-09, ST-04, TK-17, PK-06 (RFC 6749 4.1.2, 10.5): neither a login nor a code can be used twice: its value is gone.
#[test]
fn logins_and_codes_cannot_be_copied() {
    trait AmbiguousIfClone<Marker> {
        const IS_CLONE: bool = false;
    }
    struct Cloned;
    impl<T> AmbiguousIfClone<()> for T {}
    impl<T: Clone> AmbiguousIfClone<Cloned> for T {}
    // Each line stops compiling on the day that the type can be cloned.
    let copies = [
        <PendingAuthorization as AmbiguousIfClone<_>>::IS_CLONE,
        <Callback as AmbiguousIfClone<_>>::IS_CLONE,
        <CodeExchange as AmbiguousIfClone<_>>::IS_CLONE,
    ];
    assert_eq!(copies, [false; 3]);
    // What is left after the code was sent has no code, and no verifier, for a second try.
    let (sent, pending) = begun("openid");
    let exchange = complete(pending, &format!("code=s3cretcode&state={}", sent["state"])).unwrap();
    let (request, expected) =
        exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
    assert!(String::from_utf8_lossy(request.body()).contains("s3cretcode"));
    assert!(expected.parse(500, b"", NOW).is_err());
    assert!(!format!("{expected:?}").contains("s3cretcode"));
}

proptest! {
    /// CB-01, CB-06 (RFC 6749 3.1): the same parameters in any order mean the same; any known one twice is refused.
    #[test]
    fn shuffled_and_repeated_parameters(
        parameters in prop::collection::vec(
            prop::sample::select(vec![
                ("code", "a"), ("code", ""), ("state", "STATE"), ("state", "other"), ("iss", "https://login.ehr.example"),
                ("iss", "https://evil.example"), ("error", "access_denied"), ("error", ""), ("error_description", "x"),
                ("error_uri", "y"), ("session_state", "1"), ("session_state", "2"), ("patient", "7"),
            ]),
            0..7,
        ),
        seed in any::<u64>(),
    ) {
        let outcome = |order: &[(&str, &str)]| {
            let (sent, pending) = begun("openid");
            let text: Vec<String> = order.iter().map(|(name, value)| format!("{name}={value}")).collect();
            complete(pending, &text.join("&").replace("STATE", &sent["state"])).map(|_| ())
        };
        let mut turned = parameters.clone();
        if !turned.is_empty() {
            let by = usize::try_from(seed % 7).unwrap() % turned.len();
            turned.rotate_left(by);
            if seed % 2 == 0 {
                turned.reverse();
            }
        }
        let known = ["code", "state", "iss", "error", "error_description", "error_uri"];
        let count = |name: &str| parameters.iter().filter(|(n, _)| *n == name).count();
        let value = |name: &str| {
            parameters.iter().find(|(n, _)| *n == name).map(|(_, v)| *v).filter(|v| !v.is_empty())
        };
        let result = outcome(&parameters);
        if known.iter().any(|name| count(name) > 1) {
            let are_repeated = [result, outcome(&turned)]
                .iter()
                .all(|r| matches!(r, Err(CallbackError::Repeated { parameter }) if count(parameter) > 1));
            prop_assert!(are_repeated);
            return Ok(());
        }
        prop_assert_eq!(&result, &outcome(&turned));
        let is_good = value("error").is_none()
            && value("code").is_some()
            && value("state") == Some("STATE")
            && value("iss") != Some("https://evil.example");
        prop_assert_eq!(result.is_ok(), is_good, "{:?}", parameters);
        if value("error").is_some() && value("state") == Some("STATE") && value("iss") != Some("https://evil.example") {
            let is_refused = matches!(result, Err(CallbackError::Refused { .. }));
            prop_assert!(is_refused, "an error beats a code");
        }
    }
}

/// CB-01 (SMART, 2.0.9 step 4): a callback is read alike from its URL, whatever the scheme, and from its query.
#[test]
fn urls_and_queries_are_told_apart() {
    let query = "state=s%3A1&code=https%3A%2F%2Fx.example%2F&iss=https://ehr.example";
    let expected = format!("{:?}", Callback::from_query(query).unwrap());
    for text in [
        query.to_owned(),
        format!("?{query}"),
        format!("https://app.example/callback?{query}"),
        format!("com.example.app:/callback?{query}"),
        format!("com.example.app:?{query}"),
        format!("http://[::1]:8000/?{query}#state=another"),
    ] {
        assert_eq!(format!("{:?}", Callback::from_url_or_query(&text).unwrap()), expected, "{text}");
    }
    for empty in ["", "?", "https://app.example/callback", "code"] {
        assert!(Callback::from_url_or_query(empty).is_err(), "{empty}");
    }
    let first = "iss=https://ehr.example&code=c&state=s";
    assert!(Callback::from_url_or_query(first).is_ok());
}
