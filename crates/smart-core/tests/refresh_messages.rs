//! Refresh answers that are not as they should be, and what a refresh may ask for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking, its helpers too")]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::context::LaunchContext;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::leniency::Leniency;
use smart_core::scope::Scopes;
use smart_core::secret::RefreshToken;
use smart_core::token::{
    ClientAuthentication, RefreshError, RefreshExchange, RefreshScope, RequestingClient, TokenError, TokenResponse,
};
use support::{NOW, form, scopes};
use url::Url;

struct Held {
    base: FhirBaseUrl,
    endpoint: Url,
    token: RefreshToken,
    granted: Scopes,
    context: LaunchContext,
}

impl Held {
    fn new(granted: Scopes) -> Self {
        Self {
            base: FhirBaseUrl::parse("https://ehr.example/r4").unwrap(),
            endpoint: "https://login.ehr.example/token".parse().unwrap(),
            token: RefreshToken::new("old"),
            granted,
            context: LaunchContext {
                patient: Some("1".into()),
                encounter: Some("e1".into()),
                ..LaunchContext::default()
            },
        }
    }

    fn exchange(&self) -> RefreshExchange<'_> {
        RefreshExchange {
            fhir_base: &self.base,
            token_endpoint: &self.endpoint,
            refresh_token: &self.token,
            granted: &self.granted,
            context: &self.context,
        }
    }

    fn read(&self, answer: &Value) -> Result<TokenResponse, TokenError> {
        self.exchange().parse(200, answer.to_string().as_bytes(), NOW)
    }

    fn asked(&self, scope: &RefreshScope) -> Result<Option<String>, RefreshError> {
        let (id, public) = (ClientId::new("my-app"), ClientAuthentication::Public);
        let request = self.exchange().request(RequestingClient::new(&id, &public), scope)?;
        Ok(form(request.body()).remove("scope"))
    }
}

fn answer(members: &Value) -> Value {
    let mut answer = json!({"access_token": "n", "token_type": "Bearer", "refresh_token": "new"});
    answer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    answer
}

/// RF-04, RF-06, RF-08, CX-13 (RFC 6749 6): no fault of an ornament loses the refresh token that came beside it.
#[test]
fn faulty_ornaments_lose_no_rotated_token() {
    let held = Held::new(scopes("patient/*.rs openid offline_access"));
    for members in [
        json!({"expires_in": "soon"}),
        json!({"expires_in": {}}),
        json!({"expires_in": true}),
        json!({"scope": ["patient/*.rs"]}),
        json!({"scope": 7}),
        json!({"id_token": {}}),
    ] {
        let token = held.read(&answer(&members)).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert_eq!(token.refresh_token.unwrap().expose_secret(), "new", "{members}");
        assert_eq!(token.leniencies, [Leniency::RefreshMemberUnreadable], "{members}");
        assert_eq!(token.scope, held.granted, "{members}");
        assert_eq!((token.expires_in, token.id_token.is_none()), (None, true), "{members}");
    }
    let broken = held.read(&answer(&json!({"refresh_token": 7}))).unwrap();
    assert_eq!(broken.refresh_token.unwrap().expose_secret(), "old", "what is held may still be good");
    assert_eq!(broken.leniencies, [Leniency::RefreshMemberUnreadable]);
    // Without a token of a type that can be used there is nothing to save.
    for members in [json!({"access_token": 7}), json!({"token_type": "mac"}), json!({"access_token": null})] {
        assert!(held.read(&answer(&members)).is_err(), "{members}");
    }
}

/// RF-02, D-16 (RFC 6749 6): no scopes at all would be a request for all of them, and is refused.
#[test]
fn narrower_means_something() {
    let held = Held::new(scopes("patient/*.rs offline_access"));
    assert_eq!(held.asked(&RefreshScope::Narrower(Scopes::new())), Err(RefreshError::NothingAsked));
    assert_eq!(held.asked(&RefreshScope::Narrower(scopes("patient/A.r"))), Ok(Some("patient/A.r".into())));
    assert_eq!(held.asked(&RefreshScope::Omit), Ok(None));
}

/// SC-02, RF-02 (SMART, scopes for requesting FHIR resources): a malformed scope that was granted is not sent back.
#[test]
fn malformed_scopes_are_not_sent_back() {
    let held = Held::new(Scopes::parse_granted("patient/A.rs patient/B.sr __x launch/Patient email"));
    assert_eq!(held.asked(&RefreshScope::Granted), Ok(Some("patient/A.rs __x email".into())));
    let beyond = held.asked(&RefreshScope::Narrower(Scopes::parse_granted("patient/B.s")));
    assert!(matches!(beyond, Err(RefreshError::BeyondGrant { .. })), "it grants nothing");
}

/// RF-07, CX-01 (SMART, refresh): context that comes replaces, what is missing stays, and never beside another patient.
#[test]
fn context_of_one_patient_never_joins_another() {
    let held = Held::new(scopes("patient/*.rs"));
    let context = |members| held.read(&answer(&members)).unwrap().context;
    let same = context(json!({}));
    assert_eq!((same.patient.as_deref(), same.encounter.as_deref()), (Some("1"), Some("e1")));
    let other = context(json!({"patient": "2"}));
    assert_eq!((other.patient.as_deref(), other.encounter), (Some("2"), None));
    let renewed = context(json!({"encounter": "e2"}));
    assert_eq!((renewed.patient.as_deref(), renewed.encounter.as_deref()), (Some("1"), Some("e2")));
    let foreign = context(json!({"patient": "https://other.example/r4/Patient/2"}));
    assert_eq!(foreign.patient.as_deref(), Some("1"), "a patient of another server is none of this one's");
}

proptest! {
    /// RF-02 (RFC 6749 6): what a refresh asks for lies within the grant, or nothing is sent.
    #[test]
    fn refresh_never_asks_for_more(
        granted in prop::collection::vec(prop::sample::select(vec!["patient/*.r", "patient/A.rs", "user/A.cruds", "openid", "__x"]), 0..4),
        asked in prop::collection::vec(prop::sample::select(vec!["patient/A.r", "patient/B.s", "user/A.d", "openid", "launch"]), 1..4),
    ) {
        let held = Held::new(scopes(&granted.join(" ")));
        let narrower = scopes(&asked.join(" "));
        match held.asked(&RefreshScope::Narrower(narrower.clone())) {
            Ok(sent) => {
                prop_assert_eq!(sent, Some(narrower.to_string()));
                prop_assert!(held.granted.covers_all(&narrower));
            }
            Err(RefreshError::BeyondGrant { excess }) => {
                prop_assert!(!excess.is_empty() && excess.iter().all(|scope| !held.granted.covers(scope)));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// RF-04, RF-07 (RFC 6749 6): whatever an answer holds, a token that can be used comes with the newest refresh token.
    #[test]
    fn newest_refresh_token_is_kept(
        name in prop::sample::select(vec!["expires_in", "scope", "id_token", "patient", "encounter", "fhirContext", "tenant", "x"]),
        value in prop::sample::select(vec!["null", "7", "-1.5", "true", "\"\"", "\"x\"", "[]", "[7]", "{}", "{\"a\":1}"]),
        rotated in any::<bool>(),
    ) {
        let value: Value = serde_json::from_str(value).unwrap();
        let mut body = answer(&json!({name: value}));
        if !rotated {
            body.as_object_mut().unwrap().remove("refresh_token");
        }
        let token = Held::new(scopes("user/*.rs")).read(&body).unwrap();
        let refresh_token = token.refresh_token.unwrap();
        prop_assert_eq!(refresh_token.expose_secret(), if rotated { "new" } else { "old" });
        prop_assert!(token.context.patient.is_some());
    }
}
