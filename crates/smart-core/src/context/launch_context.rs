//! The launch context members of a token response.

use super::fhir_context::FhirContextItem;
use crate::fhir_base::FhirBaseUrl;
use crate::leniency::Leniency;
use crate::scope::{Scope, Scopes};
use crate::url_policy::UrlPolicy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// What a session is about: patient, encounter and how the EHR wants the app to look (SMART, launch context).
///
/// `Debug` shows which members are there, not whose record it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchContext {
    /// The id of the patient in context: the resource is `[base]/Patient/{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The id of the encounter in context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// Further resources. Experimental in SMART.
    #[serde(default, rename = "fhirContext", skip_serializing_if = "Vec::is_empty")]
    pub fhir_context: Vec<FhirContextItem>,
    /// Whether the app has to show whose record it is. `None` and `Some(true)`: show it. `Some(false)`: the EHR shows
    /// it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_patient_banner: Option<bool>,
    /// What the person wants to do; unknown values mean the default view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Where the EHR's style lies; fetch it without a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smart_style_url: Option<Url>,
    /// The organisation within a shared server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Members that neither OAuth nor SMART defines, as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub other: Map<String, Value>,
}

/// Context that was asked for and did not come: a normal outcome, for the app to see (requirement CX-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingContext {
    /// `launch/patient` was asked for.
    Patient,
    /// `launch/encounter` was asked for.
    Encounter,
}

impl LaunchContext {
    /// Takes the context members out of `object`; what is left goes to `other`. `base` is the FHIR server that ids are
    /// of, where it is known.
    pub(crate) fn take_from(
        mut object: Map<String, Value>,
        base: Option<&FhirBaseUrl>,
        policy: UrlPolicy,
        notes: &mut Vec<Leniency>,
    ) -> Self {
        let mut context = Self {
            patient: take_id(&mut object, "patient", "Patient", base, notes),
            encounter: take_id(&mut object, "encounter", "Encounter", base, notes),
            need_patient_banner: take_banner(&mut object, notes),
            intent: take_text(&mut object, "intent", notes),
            tenant: take_text(&mut object, "tenant", notes),
            smart_style_url: take_style_url(&mut object, policy, notes),
            ..Self::default()
        };
        if let Some(items) = object.remove("fhirContext").filter(|v| !v.is_null()) {
            context.fhir_context = FhirContextItem::read_all(&items, notes);
        }
        context.other = object;
        context
    }

    /// Adds the members to an answer of a server. What is in `other` replaces nothing that is there.
    pub(crate) fn write_to(&self, object: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        put("patient", text(&self.patient));
        put("encounter", text(&self.encounter));
        // Entries are strings and JSON values: they always serialise.
        let entries = Some(&self.fhir_context).filter(|entries| !entries.is_empty());
        put("fhirContext", entries.and_then(|entries| serde_json::to_value(entries).ok()));
        put("need_patient_banner", self.need_patient_banner.map(Value::from));
        put("intent", text(&self.intent));
        put("smart_style_url", self.smart_style_url.as_ref().map(|url| url.as_str().into()));
        put("tenant", text(&self.tenant));
        for (name, value) in &self.other {
            object.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }

    /// This context with what a later answer brings: what is there replaces, what is missing stays (SMART, refresh:
    /// context MAY be included).
    ///
    /// An answer that names another patient brings a new context: what was said about the former patient (encounter,
    /// further resources, intent, banner, members that SMART does not define) does not stay beside the new one.
    pub fn updated_by(&self, newer: &Self) -> Self {
        if newer.patient.is_some() && self.patient.is_some() && newer.patient != self.patient {
            return Self {
                smart_style_url: newer.smart_style_url.clone().or_else(|| self.smart_style_url.clone()),
                tenant: newer.tenant.clone().or_else(|| self.tenant.clone()),
                ..newer.clone()
            };
        }
        let mut other = self.other.clone();
        other.extend(newer.other.clone());
        Self {
            patient: newer.patient.clone().or_else(|| self.patient.clone()),
            encounter: newer.encounter.clone().or_else(|| self.encounter.clone()),
            fhir_context: if newer.fhir_context.is_empty() { &self.fhir_context } else { &newer.fhir_context }.clone(),
            need_patient_banner: newer.need_patient_banner.or(self.need_patient_banner),
            intent: newer.intent.clone().or_else(|| self.intent.clone()),
            smart_style_url: newer.smart_style_url.clone().or_else(|| self.smart_style_url.clone()),
            tenant: newer.tenant.clone().or_else(|| self.tenant.clone()),
            other,
        }
    }

    /// Which context was asked for by `requested` and did not come.
    pub fn missing(&self, requested: &Scopes) -> Vec<MissingContext> {
        let asked = |scope: &Scope| requested.contains(scope);
        let mut missing = Vec::new();
        if self.patient.is_none() && asked(&Scope::LAUNCH_PATIENT) {
            missing.push(MissingContext::Patient);
        }
        if self.encounter.is_none() && asked(&Scope::LAUNCH_ENCOUNTER) {
            missing.push(MissingContext::Encounter);
        }
        missing
    }
}

/// Reads a context id: a string, leniently a number, the reference `Type/id`, or the same below the FHIR base. An id
/// of another server's resource is no id here: under that id lies somebody else's record.
fn take_id(
    object: &mut Map<String, Value>,
    member: &str,
    resource_type: &str,
    base: Option<&FhirBaseUrl>,
    notes: &mut Vec<Leniency>,
) -> Option<String> {
    let text = match object.remove(member)? {
        Value::Null => return None,
        Value::String(text) => text,
        Value::Number(number) if number.is_u64() => {
            notes.push(Leniency::ContextIdNumber);
            number.to_string()
        }
        _ => {
            notes.push(Leniency::ContextMemberUnreadable);
            return None;
        }
    };
    let relative = base.and_then(|base| below(base, &text)).unwrap_or_else(|| text.clone());
    let reference = relative.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix('/'));
    let id = reference.unwrap_or(&text);
    if !is_served_id(id) {
        notes.push(Leniency::ContextMemberUnreadable);
        return None;
    }
    if reference.is_some() {
        notes.push(Leniency::ContextIdReference);
    }
    if !is_fhir_id(id) {
        notes.push(Leniency::ContextIdLong);
    }
    Some(id.to_owned())
}

/// What an absolute URL has after the FHIR base, where it lies below it.
fn below(base: &FhirBaseUrl, absolute: &str) -> Option<String> {
    let url = Url::parse(absolute).ok().filter(|url| base.contains(url) && url.query().is_none())?;
    let path = url.path().strip_prefix(base.url().path().trim_end_matches('/'))?;
    path.strip_prefix('/').map(str::to_owned)
}

/// Whether `id` is an id that servers give: a [FHIR id](is_fhir_id), or one that is only too long. Dot segments, which
/// the alphabet of ids allows, are none: in a URL they mean another resource.
pub(crate) fn is_served_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_id_octet) && !matches!(id, "." | "..")
}

/// No known server gives longer ids.
const MAX_ID: usize = 128;

fn is_id_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.')
}

/// Whether `id` is a FHIR logical id: 1 to 64 of letters, digits, `-` and `.` (FHIR R4, datatypes, id).
pub(crate) fn is_fhir_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(is_id_octet)
}

fn take_text(object: &mut Map<String, Value>, member: &str, notes: &mut Vec<Leniency>) -> Option<String> {
    match object.remove(member)? {
        Value::Null => None,
        Value::String(text) => Some(text).filter(|t| !t.is_empty()),
        _ => {
            notes.push(Leniency::ContextMemberUnreadable);
            None
        }
    }
}

fn take_banner(object: &mut Map<String, Value>, notes: &mut Vec<Leniency>) -> Option<bool> {
    match object.remove("need_patient_banner")? {
        Value::Null => None,
        Value::Bool(needed) => Some(needed),
        Value::String(text) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            notes.push(Leniency::BannerString);
            Some(text.eq_ignore_ascii_case("true"))
        }
        _ => {
            notes.push(Leniency::ContextMemberUnreadable);
            None
        }
    }
}

fn take_style_url(object: &mut Map<String, Value>, policy: UrlPolicy, notes: &mut Vec<Leniency>) -> Option<Url> {
    let text = take_text(object, "smart_style_url", notes)?;
    let url = policy.parse(&text).ok();
    if url.is_none() {
        notes.push(Leniency::StyleUrlUnusable);
    }
    url
}

impl std::fmt::Debug for LaunchContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sealed = |value: &Option<String>| value.as_ref().map(|_| "***");
        f.debug_struct("LaunchContext")
            .field("patient", &sealed(&self.patient))
            .field("encounter", &sealed(&self.encounter))
            .field("fhir_context", &self.fhir_context)
            .field("need_patient_banner", &self.need_patient_banner)
            .field("intent", &self.intent)
            .field("other", &self.other.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> (LaunchContext, Vec<Leniency>) {
        let Value::Object(object) = value else { panic!("an object") };
        let (mut notes, base) = (Vec::new(), FhirBaseUrl::parse("https://ehr.example/t1/r4").unwrap());
        (LaunchContext::take_from(object, Some(&base), UrlPolicy::HttpsOnly, &mut notes), notes)
    }

    /// CX-01, CX-02, CX-03, CX-04, CX-05, CX-06, F-42, F-46 (SMART, launch context): every member of SMART 2.2.
    #[test]
    fn every_member_is_read() {
        let (context, notes) = read(json!({
            "patient": "123", "encounter": "e-4", "need_patient_banner": false, "intent": "reconcile-medications",
            "smart_style_url": "https://ehr.example/style/v1.json", "tenant": "org-9",
            "fhirContext": [{"reference": "ImagingStudy/1"}]
        }));
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(context.patient.as_deref(), Some("123"));
        assert_eq!(context.encounter.as_deref(), Some("e-4"));
        assert_eq!(context.need_patient_banner, Some(false));
        assert_eq!(context.intent.as_deref(), Some("reconcile-medications"));
        assert_eq!(context.smart_style_url.as_ref().unwrap().as_str(), "https://ehr.example/style/v1.json");
        assert_eq!(context.tenant.as_deref(), Some("org-9"));
        assert_eq!(context.fhir_context.len(), 1);
    }

    /// CX-11, F-48 (SMART, extensibility): unsolicited and unknown members are kept.
    #[test]
    fn unknown_members_are_kept() {
        let (context, _) = read(json!({"https://ehr.example/x": 1, "__y": [2], "appContext": "a", "patient": "1"}));
        assert_eq!(context.other.len(), 3);
        assert_eq!(context.other["appContext"], "a");
    }

    /// CX-03, F-44: a banner flag as a string is read and reported.
    #[test]
    fn banner_as_a_string_is_tolerated() {
        assert_eq!(
            read(json!({"need_patient_banner": "true"})),
            (
                LaunchContext { need_patient_banner: Some(true), ..LaunchContext::default() },
                vec![Leniency::BannerString],
            )
        );
        assert_eq!(read(json!({"need_patient_banner": "maybe"})).1, [Leniency::ContextMemberUnreadable]);
        assert_eq!(read(json!({})).0.need_patient_banner, None);
    }

    /// CX-13: numbers, nulls and references are read leniently; what is no id is left out, and reported.
    #[test]
    fn ids_are_read_leniently_but_never_guessed() {
        assert_eq!(read(json!({"patient": 42})).0.patient.as_deref(), Some("42"));
        assert_eq!(read(json!({"patient": null})), (LaunchContext::default(), vec![]));
        assert_eq!(read(json!({"patient": "Patient/7"})).0.patient.as_deref(), Some("7"));
        let own = read(json!({"patient": "https://EHR.example:443/t1/r4/Patient/7"}));
        assert_eq!((own.0.patient.as_deref(), own.1), (Some("7"), vec![Leniency::ContextIdReference]));
        let long = "x".repeat(70);
        assert_eq!(
            read(json!({"patient": long})),
            (LaunchContext { patient: Some(long.clone()), ..LaunchContext::default() }, vec![Leniency::ContextIdLong])
        );
        for wrong in [
            // The same id at another server, or for another tenant, is another person.
            json!("https://other.example/t1/r4/Patient/7"),
            json!("https://ehr.example/t2/r4/Patient/7"),
            json!("https://ehr.example/t1/r4/../../t2/r4/Patient/7"),
            json!("https://ehr.example/t1/r4/Practitioner/7"),
            json!("https://ehr.example/t1/r4/Patient/7?x"),
            json!("https://ehr.example/t1/r4/7"),
            json!("/Patient/7"),
            json!("x/Patient/7"),
            json!("Patient/7/_history/1"),
            json!("Patient/Patient/7"),
            json!("Patient/"),
            json!("Practitioner/7"),
            json!("patient/7"),
            json!("../7"),
            json!(".."),
            json!("."),
            json!("Patient/.."),
            json!("a b"),
            json!(""),
            json!(["1"]),
            json!(-1),
            json!(1.5),
            json!("x".repeat(129)),
        ] {
            let (context, notes) = read(json!({"patient": wrong}));
            assert_eq!((context.patient, notes), (None, vec![Leniency::ContextMemberUnreadable]), "{wrong}");
        }
    }

    /// CX-05, DI-13: a style URL that is not https is left out and reported.
    #[test]
    fn style_url_must_be_https() {
        let (context, notes) = read(json!({"smart_style_url": "http://ehr.example/style.json"}));
        assert_eq!((context.smart_style_url, notes), (None, vec![Leniency::StyleUrlUnusable]));
    }

    /// RF-07, F-70, D-16 (SMART, refresh): missing context stays, present context replaces.
    #[test]
    fn context_is_kept_over_a_refresh() {
        let before = read(json!({"patient": "1", "encounter": "2", "tenant": "t", "x": 1})).0;
        assert_eq!(before.updated_by(&LaunchContext::default()), before);
        let after = before.updated_by(&read(json!({"encounter": "9", "x": 2})).0);
        assert_eq!((after.patient.as_deref(), after.encounter.as_deref()), (Some("1"), Some("9")));
        assert_eq!(after.other["x"], 2);
    }

    /// RF-07, CX-01 (SMART, refresh): nothing that was said about one patient stays beside another.
    #[test]
    fn another_patient_brings_a_new_context() {
        let before = read(json!({
            "patient": "1", "encounter": "2", "need_patient_banner": false, "intent": "order", "tenant": "t",
            "smart_style_url": "https://ehr.example/style.json", "fhirContext": [{"reference": "Goal/1"}], "x_chart": "1"
        }))
        .0;
        let after = before.updated_by(&read(json!({"patient": "9"})).0);
        let expected = LaunchContext {
            patient: Some("9".into()),
            tenant: Some("t".into()),
            smart_style_url: before.smart_style_url.clone(),
            ..LaunchContext::default()
        };
        assert_eq!(after, expected);
        let named = before.updated_by(&read(json!({"patient": "9", "encounter": "8", "tenant": "u"})).0);
        assert_eq!((named.encounter.as_deref(), named.tenant.as_deref()), (Some("8"), Some("u")));
        // The same patient again is no other one, and a first one is none either.
        assert_eq!(before.updated_by(&read(json!({"patient": "1"})).0), before);
        let without = read(json!({"encounter": "2"})).0;
        let first = without.updated_by(&read(json!({"patient": "1"})).0);
        assert_eq!((first.patient.as_deref(), first.encounter.as_deref()), (Some("1"), Some("2")));
    }

    /// CX-14: context that was asked for and did not come is visible.
    #[test]
    fn missing_context_is_visible() {
        let asked: Scopes = "launch/patient launch/encounter openid".parse().unwrap();
        assert_eq!(read(json!({"patient": "1"})).0.missing(&asked), [MissingContext::Encounter]);
        assert!(LaunchContext::default().missing(&"openid".parse().unwrap()).is_empty());
    }

    /// FR-23, SE-05: Debug does not say whose record it is.
    #[test]
    fn debug_hides_ids() {
        let (context, _) = read(json!({"patient": "pat-777", "fhirContext": [{"reference": "Goal/gggg"}]}));
        let shown = format!("{context:?}");
        assert!(!shown.contains("777") && !shown.contains("gggg"), "{shown}");
    }
}
