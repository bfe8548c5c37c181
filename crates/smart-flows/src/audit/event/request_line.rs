//! For which request a token was used, with ids and values masked.

use super::hidden::Hidden;
use super::kind::AuditKind;
use super::named_patient::NamedPatient;
use super::place::{names, origin};
use super::request_path::Place;
use super::request_query::{full, shown_query};
use super::shape::MASK;
use http::Method;
use serde::{Serialize, Serializer};
use smart_core::fhir_base::FhirBaseUrl;
use url::Url;

names! {
    /// Which interaction of the FHIR RESTful API it is (FHIR R4, code system `restful-interaction`).
    RestInteraction {
        /// Reads a resource.
        Read = "read",
        /// Reads a version of a resource.
        Vread = "vread",
        /// Replaces a resource.
        Update = "update",
        /// Changes a part of a resource.
        Patch = "patch",
        /// Deletes a resource.
        Delete = "delete",
        /// Makes a resource.
        Create = "create",
        /// Searches one type.
        SearchType = "search-type",
        /// Searches all types.
        SearchSystem = "search-system",
        /// The history of a resource.
        HistoryInstance = "history-instance",
        /// The history of a type.
        HistoryType = "history-type",
        /// The history of everything.
        HistorySystem = "history-system",
        /// The CapabilityStatement.
        Capabilities = "capabilities",
        /// Several interactions in one request.
        Batch = "batch",
        /// An operation.
        Operation = "operation",
    }
}

names! {
    /// The method of a request.
    Verb {
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// Another one.
        Other = "OTHER",
    }
}

impl From<&Method> for Verb {
    fn from(method: &Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }
}

/// For which request a token was used: the method, and the URL below the FHIR base with all ids and values masked, such
/// as `GET Observation?patient=***&code=***`.
///
/// What is shown as it is are names of types, parameters and operations that have the form of FHIR's own. A URL outside
/// the base is shown as its origin. Ids and values are carried along for the [export to FHIR](crate::audit::FhirAudit)
/// alone, which shows them where the app has opted in; `Debug` and serde do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    verb: Verb,
    interaction: Option<RestInteraction>,
    target: String,
    resource_type: Option<String>,
    id: Option<Hidden<String>>,
    patient: NamedPatient,
    full: Option<Hidden<String>>,
}

impl RequestLine {
    /// The request line of a request to `url` at the FHIR server `base`.
    pub fn new(method: &Method, url: &Url, base: &FhirBaseUrl) -> Self {
        let verb = Verb::from(method);
        let base_path = base.url().path().trim_end_matches('/');
        let below = if base.contains(url) { url.path().strip_prefix(base_path) } else { None };
        let Some(path) = below else {
            let target = format!("{}/{MASK}", origin(url));
            let patient = NamedPatient::Nobody;
            return Self { verb, interaction: None, target, resource_type: None, id: None, patient, full: None };
        };
        let place = Place::of(verb, path);
        let query = url.query();
        let patient = place.patient.and(NamedPatient::of_query(query.unwrap_or_default(), place.resource_type));
        let target = |value: &dyn Fn(&str, &str) -> String| {
            let path = if place.shown.is_empty() { "/" } else { &place.shown };
            query.map_or_else(|| path.to_owned(), |query| format!("{path}?{}", shown_query(query, value)))
        };
        Self {
            verb,
            interaction: place.interaction,
            target: target(&|_, _| MASK.to_owned()),
            resource_type: place.resource_type.map(str::to_owned),
            id: place.id.map(|id| Hidden::new(id.to_owned())),
            patient,
            full: Some(Hidden::new(full(path, query))),
        }
    }

    /// The method.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The interaction, where it is one of FHIR's.
    pub fn interaction(&self) -> Option<RestInteraction> {
        self.interaction
    }

    /// The masked URL below the FHIR base, or the origin of one outside.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The resource type, where the URL names one.
    pub fn resource_type(&self) -> Option<&str> {
        self.resource_type.as_deref()
    }

    /// The kind of event that a use of a token for this request is.
    ///
    /// A batch counts as a change. An operation counts as access: whether it changes anything only its definition says;
    /// its name is in the line.
    pub fn kind(&self) -> AuditKind {
        use RestInteraction as I;
        match self.interaction {
            Some(I::Create) => AuditKind::ResourceCreated,
            Some(I::Update | I::Patch | I::Batch) => AuditKind::ResourceModified,
            Some(I::Delete) => AuditKind::ResourceDeleted,
            Some(I::Capabilities) => AuditKind::CapabilitiesLoaded,
            Some(_) => AuditKind::ResourceAccessed,
            None => match self.verb {
                Verb::Put | Verb::Patch => AuditKind::ResourceModified,
                Verb::Delete => AuditKind::ResourceDeleted,
                _ => AuditKind::ResourceAccessed,
            },
        }
    }

    /// The id of the resource.
    pub(crate) fn exposed_id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.expose().as_str())
    }

    /// The id of the one patient that the URL names; that of `in_context` where it names none; none where it is unclear.
    pub(crate) fn exposed_patient<'a>(&'a self, in_context: Option<&'a str>) -> Option<&'a str> {
        match &self.patient {
            NamedPatient::Nobody => in_context,
            NamedPatient::One(id) => Some(id),
            NamedPatient::Unclear => None,
        }
    }

    /// The line with its ids and values, but for those of parameters that may hold secrets.
    pub(crate) fn exposed(&self) -> String {
        match &self.full {
            Some(full) => format!("{} {}", self.verb, full.expose()),
            None => self.to_string(),
        }
    }
}

impl std::fmt::Display for RequestLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.target)
    }
}

impl Serialize for RequestLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut line = serializer.serialize_struct("RequestLine", 3)?;
        line.serialize_field("line", &self.to_string())?;
        match self.interaction {
            Some(interaction) => line.serialize_field("interaction", &interaction)?,
            None => line.skip_field("interaction")?,
        }
        match &self.resource_type {
            Some(resource_type) => line.serialize_field("type", resource_type)?,
            None => line.skip_field("type")?,
        }
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(method: &str, relative: &str) -> RequestLine {
        let base = FhirBaseUrl::parse("https://ehr.example/t1/r4/").unwrap();
        let url = Url::parse(&format!("https://ehr.example/t1/r4/{relative}")).unwrap();
        RequestLine::new(&Method::from_bytes(method.as_bytes()).unwrap(), &url, &base)
    }

    /// FR-23, SE-05 (SMART, App protection): what is shown of a request has no id and no value.
    #[test]
    fn ids_and_values_are_masked() {
        for (method, relative, shown) in [
            ("GET", "Patient/ada-1", "GET Patient/***"),
            ("GET", "Patient/ada-1/_history/3", "GET Patient/***/_history/***"),
            ("GET", "Observation?patient=ada-1&code=8480-6", "GET Observation?patient=***&code=***"),
            ("GET", "Patient?name:exact=Ada%20Lovelace&%5Fid=1", "GET Patient?name:exact=***&_id=***"),
            ("GET", "Patient/ada-1/Observation?date=gt2020", "GET Patient/***/Observation?date=***"),
            ("GET", "Patient/ada-1/$everything", "GET Patient/***/$everything"),
            ("POST", "Patient/_search", "POST Patient/_search"),
            ("POST", "", "POST /"),
            ("GET", "?_getpages=7f3&Ada=1&secret", "GET /?***=***&***=***&***"),
            ("GET", "metadata", "GET metadata"),
            ("GET", ".well-known/smart-configuration", "GET .well-known/smart-configuration"),
            // Ids that look like types.
            ("GET", "Patient/Lovelace", "GET Patient/***"),
            ("GET", "Patient/Lovelace/_history/Ada", "GET Patient/***/_history/***"),
            ("GET", "bulkstatus/Lovelace/Ada", "GET ***/***/***"),
            ("BREW", "Patient/ada/x/y/z", "OTHER Patient/***/***/***/***"),
        ] {
            assert_eq!(line(method, relative).to_string(), shown, "{method} {relative}");
        }
    }

    /// Each interaction of FHIR's RESTful API is told, with the kind of event that it is.
    #[test]
    fn interactions_are_told() {
        use AuditKind as K;
        for (method, relative, interaction, resource_type, kind) in [
            ("GET", "Patient/1", "read", "Patient", K::ResourceAccessed),
            ("HEAD", "Patient/1", "read", "Patient", K::ResourceAccessed),
            ("GET", "Patient/1/_history/2", "vread", "Patient", K::ResourceAccessed),
            ("PUT", "Patient/1", "update", "Patient", K::ResourceModified),
            ("PUT", "Patient?identifier=1", "update", "Patient", K::ResourceModified),
            ("PATCH", "Patient/1", "patch", "Patient", K::ResourceModified),
            ("DELETE", "Patient/1", "delete", "Patient", K::ResourceDeleted),
            ("DELETE", "Observation?code=1", "delete", "Observation", K::ResourceDeleted),
            ("POST", "Observation", "create", "Observation", K::ResourceCreated),
            ("GET", "Observation", "search-type", "Observation", K::ResourceAccessed),
            ("POST", "Observation/_search", "search-type", "Observation", K::ResourceAccessed),
            ("GET", "Patient/1/Observation", "search-type", "Observation", K::ResourceAccessed),
            ("GET", "", "search-system", "", K::ResourceAccessed),
            ("POST", "_search", "search-system", "", K::ResourceAccessed),
            ("GET", "Patient/1/*", "search-system", "", K::ResourceAccessed),
            ("GET", "Patient/1/_history", "history-instance", "Patient", K::ResourceAccessed),
            ("GET", "Patient/_history", "history-type", "Patient", K::ResourceAccessed),
            ("GET", "_history", "history-system", "", K::ResourceAccessed),
            ("GET", "metadata", "capabilities", "", K::CapabilitiesLoaded),
            ("POST", "", "batch", "", K::ResourceModified),
            ("GET", "Group/1/$export", "operation", "Group", K::ResourceAccessed),
            ("POST", "Patient/$match", "operation", "Patient", K::ResourceAccessed),
            ("POST", "$export", "operation", "", K::ResourceAccessed),
            ("POST", "Patient/1", "", "Patient", K::ResourceAccessed),
            ("DELETE", "bulkstatus/1", "", "", K::ResourceDeleted),
        ] {
            let got = line(method, relative);
            assert_eq!(got.interaction().map_or("", RestInteraction::as_str), interaction, "{method} {relative}");
            assert_eq!(got.resource_type().unwrap_or_default(), resource_type, "{method} {relative}");
            assert_eq!(got.kind(), kind, "{method} {relative}");
        }
    }

    /// FR-23: outside the base only the origin is told, also beside it on the same host.
    #[test]
    fn elsewhere_only_the_origin_is_told() {
        let base = FhirBaseUrl::parse("https://ehr.example/t1/r4").unwrap();
        for url in [
            "https://files.example/Patient/ada?x=1",
            "https://ehr.example/t2/r4/Patient/ada",
            "https://ehr.example/t1/r4x/Patient",
        ] {
            let got = RequestLine::new(&Method::GET, &Url::parse(url).unwrap(), &base);
            assert!(got.to_string().ends_with(".example/***"), "{got}");
            assert_eq!((got.interaction(), got.exposed_id(), got.exposed()), (None, None, got.to_string()));
        }
    }

    /// F-95 (BALP, patient as a subject): the patient in context stands in where the request names none, and only there.
    #[test]
    fn the_patient_in_context_stands_in() {
        for (relative, patient) in [
            ("Observation/o1", Some("c")),
            ("Patient/p1", Some("p1")),
            ("Observation?patient=p1&code=x", Some("p1")),
            ("Observation?patient=p1,p2", None),
            ("Patient/p1?_id=p2", None),
        ] {
            assert_eq!(line("GET", relative).exposed_patient(Some("c")), patient, "{relative}");
        }
        assert_eq!(line("GET", "Observation/o1").exposed_patient(None), None);
    }

    /// SE-05 (SMART, App protection): Debug and serde show neither ids nor values, nor does the full line show what
    /// might be a secret.
    #[test]
    fn neither_debug_nor_serde_shows_ids() {
        let got = line("GET", "Patient/ada-1/Observation?code=c0de&token=t0ken&access_token=s3cret&code-verifier=v3r");
        for shown in [format!("{got:?}"), serde_json::to_string(&got).unwrap()] {
            assert!(!shown.contains("ada") && !shown.contains("c0de") && shown.contains("Observation"), "{shown}");
        }
        assert_eq!(got.exposed(), "GET Patient/ada-1/Observation?code=c0de&token=***&***=***&code-verifier=***");
    }

    proptest! {
        /// SE-05, FR-23: whatever the URL, no random part of it is shown.
        #[test]
        fn no_random_part_is_shown(id in "[0-9]{5,12}", value in "[A-Za-z0-9_-]{22,40}", at in 0_usize..5) {
            let relative = match at {
                0 => format!("Patient/{id}?name={value}"),
                1 => format!("{value}/{id}"),
                2 => format!("Patient/{id}/_history/{value}"),
                3 => format!("?{value}={id}"),
                _ => format!("Observation?{value}"),
            };
            let got = line("GET", &relative);
            let shown = format!("{got} {got:?} {}", serde_json::to_string(&got).unwrap());
            prop_assert!(!shown.contains(&id), "{}", shown);
            prop_assert!(!shown.contains(&value), "{}", shown);
        }
    }
}
