//! The kick-off request: one set of parameters, two encodings, four versions.

use super::{BulkError, BulkVersion, ExportLevel, ExportRequest, KickOffMethod};
use crate::{FhirId, ResourceTypeName};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use smart_core::fhir_base::FhirBaseUrl;
use smart_http::uri_of;

/// Everything but unreserved characters: a `+` would become a blank, a comma would part values.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters that change how a search answers, which no filter may have (Bulk Data, `_typeFilter`).
const NO_CRITERIA: [&str; 10] = [
    "_sort",
    "_include",
    "_revinclude",
    "_elements",
    "_count",
    "_summary",
    "_total",
    "_contained",
    "_containedType",
    "_maxresults",
];

/// One parameter with all of its values.
struct Parameter {
    name: &'static str,
    /// The type of its value in a Parameters resource.
    kind: &'static str,
    values: Vec<Text>,
}

/// A value: as text, and as it stands in a Parameters resource where that is another thing.
struct Text {
    text: String,
    json: Value,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), json: text.into() }
    }
}

impl ExportRequest {
    /// The method that will be used.
    pub fn kick_off_method(&self) -> KickOffMethod {
        match self.method {
            Some(method) => method,
            None if self.version == BulkVersion::V4 || !self.patients.is_empty() => KickOffMethod::Post,
            None => KickOffMethod::Get,
        }
    }

    /// The kick-off request for the server at `base`, without authorization.
    ///
    /// # Errors
    /// [`BulkError::InvalidRequest`] when it cannot be sent, or not in the form of this version.
    pub fn to_http(&self, base: &FhirBaseUrl) -> Result<Request<Bytes>, BulkError> {
        self.check()?;
        let invalid = |reason| BulkError::InvalidRequest { reason };
        let path = match &self.level {
            ExportLevel::System => "$export".to_owned(),
            ExportLevel::Patient => "Patient/$export".to_owned(),
            ExportLevel::Group(id) => format!("Group/{id}/$export"),
        };
        let parameters = self.parameters();
        let method = self.kick_off_method();
        let relative = match method {
            KickOffMethod::Get => with_query(path, &parameters, self.version),
            KickOffMethod::Post => path,
        };
        let url = base.join(&relative).map_err(|_| invalid("it is not below the FHIR base"))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri_of(&url)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/fhir+json"));
        headers.insert(HeaderName::from_static("prefer"), HeaderValue::from_static(self.prefer()));
        if method == KickOffMethod::Post {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
            *request.method_mut() = Method::POST;
            *request.body_mut() = as_resource(&parameters).into();
        }
        Ok(request)
    }

    /// What is preferred: asynchronous work always (requirement BK-03).
    fn prefer(&self) -> &'static str {
        match (self.separate_status, self.lenient) {
            (false, false) => "respond-async",
            (true, false) => "respond-async,separate-export-status",
            (false, true) => "respond-async,handling=lenient",
            (true, true) => "respond-async,separate-export-status,handling=lenient",
        }
    }

    fn check(&self) -> Result<(), BulkError> {
        let invalid = |reason| Err(BulkError::InvalidRequest { reason });
        if let ExportLevel::Group(id) = &self.level
            && FhirId::parse(id).is_err()
        {
            return invalid("the id of the group is not legal");
        }
        if self.types.iter().chain(&self.organize_by).any(|name| ResourceTypeName::parse(name).is_err()) {
            return invalid("the name of a resource type is not legal");
        }
        if !self.elements.iter().all(|element| is_root_element(element)) {
            return invalid("_elements names root elements alone, such as `id` or `Patient.id`");
        }
        if self.patients.iter().any(|id| FhirId::parse(id).is_err()) {
            return invalid("the id of a patient is not legal");
        }
        if let Some(reason) = self.type_filters.iter().find_map(|filter| why_no_filter(filter)) {
            return invalid(reason);
        }
        let is_custom = |value: &str| value.len() > 1 && value.starts_with('_') && !value.contains([',', ' ']);
        if self.associated.iter().any(|data| matches!(data, super::AssociatedData::Custom(v) if !is_custom(v))) {
            return invalid("a value of includeAssociatedData of the server's own begins with an underscore");
        }
        match self.why_not_in_this_version() {
            Some(reason) => invalid(reason),
            None => Ok(()),
        }
    }

    fn why_not_in_this_version(&self) -> Option<&'static str> {
        let (version, method) = (self.version, self.kick_off_method());
        let of_2 = !self.elements.is_empty() || !self.associated.is_empty() || !self.patients.is_empty();
        let of_3 =
            self.until.is_some() || self.organize_by.is_some() || self.allow_partial_manifests || self.separate_status;
        let sizes = (self.minimum_file_size, self.maximum_file_size);
        if !self.patients.is_empty() && self.level == ExportLevel::System {
            Some("patients cannot be chosen for an export of the whole system")
        } else if !self.patients.is_empty() && method == KickOffMethod::Get {
            Some("patients can be chosen by POST only")
        } else if version == BulkVersion::V4 && method == KickOffMethod::Get {
            Some("Bulk Data 4 knows POST only")
        } else if version == BulkVersion::V1 && (method == KickOffMethod::Post || of_2) {
            Some("POST, _elements, patient and includeAssociatedData need Bulk Data 2 or later")
        } else if version < BulkVersion::V3 && of_3 {
            Some("_until, organizeOutputBy, partial manifests and a separate status need Bulk Data 3 or later")
        } else if version < BulkVersion::V4 && sizes != (None, None) {
            Some("sizes of files can be asked for from Bulk Data 4 on")
        } else if matches!(sizes, (Some(0), _) | (_, Some(0)))
            || matches!(sizes, (Some(least), Some(most)) if least >= most)
        {
            Some("sizes of files must be positive, and the largest greater than the least")
        } else if version < BulkVersion::V3 && self.types.is_empty() && self.has_type_filters() {
            Some("up to Bulk Data 2 a _typeFilter stands beside _type")
        } else {
            None
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let list = |values: &[String]| values.iter().map(|value| Text::from(value.as_str())).collect();
        let one = |value: Option<&str>| value.map(Text::from).into_iter().collect();
        let number = |value: Option<u64>| {
            let text = |number: u64| Text { text: number.to_string(), json: number.into() };
            value.map(text).into_iter().collect()
        };
        let patient = |id: &String| {
            let text = format!("Patient/{id}");
            Text { json: json!({"reference": text}), text }
        };
        let is_v4 = self.version == BulkVersion::V4;
        let associated = |data: &super::AssociatedData| {
            let code = data.as_str();
            Text { text: code.to_owned(), json: if is_v4 { json!({"code": code}) } else { code.into() } }
        };
        let partial = self.allow_partial_manifests.then(|| Text { text: "true".to_owned(), json: true.into() });
        let all = [
            ("_outputFormat", "String", one(self.output_format.map(super::OutputFormat::as_str))),
            ("_since", "Instant", one(self.since.as_ref().map(super::FhirInstant::as_str))),
            ("_until", "Instant", one(self.until.as_ref().map(super::FhirInstant::as_str))),
            ("_type", "String", list(&self.types)),
            ("_elements", "String", list(&self.elements)),
            ("patient", "Reference", self.patients.iter().map(patient).collect()),
            (
                "includeAssociatedData",
                if is_v4 { "Coding" } else { "Code" },
                self.associated.iter().map(associated).collect(),
            ),
            ("_typeFilter", "String", list(&self.type_filters)),
            ("organizeOutputBy", "String", one(self.organize_by.as_deref())),
            ("allowPartialManifests", "Boolean", partial.into_iter().collect()),
            ("_minimumFileSize", "PositiveInt", number(self.minimum_file_size)),
            ("_maximumFileSize", "PositiveInt", number(self.maximum_file_size)),
        ];
        let all = all.into_iter().map(|(name, kind, values): (_, _, Vec<Text>)| Parameter { name, kind, values });
        all.filter(|parameter| !parameter.values.is_empty()).collect()
    }
}

/// Values are joined by commas where every server reads that, and repeated where a value may have commas of its own.
fn with_query(path: String, parameters: &[Parameter], version: BulkVersion) -> String {
    let encode = |value: &Text| utf8_percent_encode(&value.text, QUERY).to_string();
    let mut url = path;
    let mut separator = '?';
    let mut add = |name: &str, value: &str| {
        url.push(separator);
        url.push_str(name);
        url.push('=');
        url.push_str(value);
        separator = '&';
    };
    for Parameter { name, values, .. } in parameters {
        let are_filters = *name == "_typeFilter";
        let are_repeated =
            are_filters && (version >= BulkVersion::V3 || values.iter().any(|value| value.text.contains(',')));
        if are_repeated {
            for value in values {
                add(name, &encode(value));
            }
        } else {
            add(name, &values.iter().map(encode).collect::<Vec<_>>().join(","));
        }
    }
    url
}

/// Each value is a parameter of its own (requirement BK-08).
fn as_resource(parameters: &[Parameter]) -> String {
    let mut all = Vec::new();
    for Parameter { name, kind, values } in parameters {
        all.extend(values.iter().map(|value| json!({"name": name, format!("value{kind}"): value.json})));
    }
    json!({"resourceType": "Parameters", "parameter": all}).to_string()
}

fn is_root_element(element: &str) -> bool {
    let (resource_type, name) = element.split_once('.').map_or((None, element), |(t, n)| (Some(t), n));
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name && resource_type.is_none_or(|name| ResourceTypeName::parse(name).is_ok())
}

/// What is wrong with a filter, if anything is.
fn why_no_filter(filter: &str) -> Option<&'static str> {
    let Some((resource_type, query)) = filter.split_once('?') else {
        return Some("a _typeFilter is a search of one type, such as `Observation?category=laboratory`");
    };
    if ResourceTypeName::parse(resource_type).is_err() {
        return Some("a _typeFilter begins with the name of one resource type");
    }
    let mut names = query.split('&').map(|pair| pair.split_once('=').map(|(name, _)| name));
    if !names.clone().all(|name| name.is_some_and(|name| !name.is_empty())) {
        return Some("a _typeFilter has criteria, each with a name and a value");
    }
    let is_none = |name: &str| NO_CRITERIA.contains(&name.split(':').next().unwrap_or_default());
    names
        .any(|name| name.is_some_and(is_none))
        .then_some("a _typeFilter has no _sort, _include, _elements or their like")
}

#[cfg(test)]
mod tests {
    use super::super::{AssociatedData, FhirInstant, OutputFormat};
    use super::*;
    use crate::SearchQuery;
    use proptest::prelude::*;

    fn base() -> FhirBaseUrl {
        FhirBaseUrl::parse("https://ehr.example/fhir").unwrap()
    }

    fn sent(request: &ExportRequest) -> Request<Bytes> {
        request.to_http(&base()).unwrap()
    }

    fn url(request: &ExportRequest) -> String {
        sent(request).uri().to_string()
    }

    fn body(request: &ExportRequest) -> Value {
        serde_json::from_slice(sent(request).body()).unwrap()
    }

    fn refused(request: &ExportRequest) -> String {
        match request.to_http(&base()) {
            Err(BulkError::InvalidRequest { reason }) => reason.to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn group() -> ExportRequest {
        ExportRequest::group("g.1")
    }

    /// BK-01 (Bulk Data 3.0, kick-off): three endpoints.
    #[test]
    fn the_endpoints_are_those_of_the_levels() {
        assert_eq!(url(&ExportRequest::system()), "https://ehr.example/fhir/$export");
        assert_eq!(url(&ExportRequest::patients_of_all()), "https://ehr.example/fhir/Patient/$export");
        assert_eq!(url(&group()), "https://ehr.example/fhir/Group/g.1/$export");
        let slash = FhirBaseUrl::parse("https://ehr.example/fhir/").unwrap();
        let sent = group().to_http(&slash).unwrap();
        assert_eq!(sent.uri(), "https://ehr.example/fhir/Group/g.1/$export");
        assert!(refused(&ExportRequest::group("../Patient")).contains("group"));
    }

    /// BK-03 (Bulk Data 1.0 to 4.0, headers): both headers are always sent, by GET and POST, whatever the version.
    #[test]
    fn accept_and_prefer_are_always_sent() {
        for version in [BulkVersion::V1, BulkVersion::V2, BulkVersion::V3, BulkVersion::V4] {
            let sent = sent(&group().version(version));
            assert_eq!(sent.headers()["accept"], "application/fhir+json");
            assert_eq!(sent.headers()["prefer"], "respond-async");
            assert_eq!(sent.headers().contains_key("content-type"), version == BulkVersion::V4);
        }
    }

    /// BK-05 (Bulk Data 2.0 to 4.0): leniency is a preference.
    #[test]
    fn leniency_and_a_separate_status_are_preferences() {
        assert_eq!(sent(&group().lenient(true)).headers()["prefer"], "respond-async,handling=lenient");
        let both = group().lenient(true).separate_export_status(true);
        assert_eq!(sent(&both).headers()["prefer"], "respond-async,separate-export-status,handling=lenient");
    }

    /// BK-06 (Bulk Data 3.0, `_outputFormat`): the plus sign is encoded.
    #[test]
    fn the_plus_sign_of_the_format_is_encoded() {
        for (format, value) in [
            (OutputFormat::FhirNdjson, "application%2Ffhir%2Bndjson"),
            (OutputFormat::Ndjson, "application%2Fndjson"),
            (OutputFormat::Short, "ndjson"),
        ] {
            assert!(url(&group().output_format(format)).ends_with(&format!("?_outputFormat={value}")));
        }
    }

    /// BK-07 (Bulk Data 3.0, `_since`, `_until`): times are sent letter by letter, the plus sign of the zone encoded.
    #[test]
    fn times_are_sent_as_they_are() {
        let [since, until] =
            ["2026-01-31T08:00:00.5+01:00", "2026-02-28T08:00:00Z"].map(|t| FhirInstant::parse(t).unwrap());
        let request = group().since(since).until(until);
        assert!(url(&request).ends_with("?_since=2026-01-31T08%3A00%3A00.5%2B01%3A00&_until=2026-02-28T08%3A00%3A00Z"));
        let posted = body(&request.method(KickOffMethod::Post));
        assert_eq!(posted["parameter"][0]["valueInstant"], "2026-01-31T08:00:00.5+01:00");
    }

    /// BK-02, BK-08 (Bulk Data 1.0 to 4.0, kick-off): one request in both encodings; joined up to 3.0, repeated in 4.0.
    #[test]
    fn types_are_joined_or_repeated_by_version() {
        let request = ExportRequest::patients_of_all().types(["Patient", "Observation"]);
        for version in [BulkVersion::V1, BulkVersion::V2, BulkVersion::V3] {
            let request = request.clone().version(version);
            assert_eq!(request.kick_off_method(), KickOffMethod::Get);
            assert_eq!(url(&request), "https://ehr.example/fhir/Patient/$export?_type=Patient,Observation");
        }
        let expected = json!({"resourceType": "Parameters", "parameter": [
            {"name": "_type", "valueString": "Patient"}, {"name": "_type", "valueString": "Observation"}]});
        for request in [request.clone().method(KickOffMethod::Post), request.clone().version(BulkVersion::V4)] {
            let sent = sent(&request);
            assert_eq!((sent.method(), sent.uri().query()), (&Method::POST, None));
            assert_eq!(sent.headers()["content-type"], "application/fhir+json");
            assert_eq!(body(&request), expected);
        }
        assert!(refused(&request.clone().version(BulkVersion::V4).method(KickOffMethod::Get)).contains("POST only"));
        assert!(refused(&request.version(BulkVersion::V1).method(KickOffMethod::Post)).contains("Bulk Data 2"));
        assert!(refused(&group().types(["Patient,Observation"])).contains("resource type"));
    }

    /// BK-09 (Bulk Data 3.0, `_typeFilter`): each value is encoded once, as a whole; the specification's example.
    #[test]
    fn filters_are_encoded_once_as_a_whole() {
        let request = ExportRequest::system()
            .types(["MedicationRequest"])
            .type_filter("MedicationRequest?status=active")
            .type_filter("MedicationRequest?status=completed&date=gt2018-07-01T00:00:00Z");
        let [first, second] = [
            "MedicationRequest%3Fstatus%3Dactive",
            "MedicationRequest%3Fstatus%3Dcompleted%26date%3Dgt2018-07-01T00%3A00%3A00Z",
        ];
        let start = "https://ehr.example/fhir/$export?_type=MedicationRequest&_typeFilter=";
        assert_eq!(url(&request), format!("{start}{first}&_typeFilter={second}"));
        for version in [BulkVersion::V1, BulkVersion::V2] {
            assert_eq!(url(&request.clone().version(version)), format!("{start}{first},{second}"));
            let commas = request.clone().type_filter("MedicationRequest?status=active,stopped").version(version);
            assert!(url(&commas).ends_with("&_typeFilter=MedicationRequest%3Fstatus%3Dactive%2Cstopped"));
            let alone = ExportRequest::system().type_filter("Patient?gender=male").version(version);
            assert!(refused(&alone).contains("_type"));
        }
        let query = SearchQuery::new("Observation").token("code", "http://loinc.org", "8480-6");
        let built = ExportRequest::system().type_filter_by(&query);
        assert!(url(&built).ends_with("_typeFilter=Observation%3Fcode%3Dhttp%3A%2F%2Floinc.org%257C8480-6"));
    }

    /// BK-09 (Bulk Data 3.0, `_typeFilter`): one type, criteria, and nothing that shapes a result.
    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "",
            "MedicationRequest",
            "?status=active",
            "Patient,Observation?x=y",
            "Patient?",
            "Patient?active",
            "Patient?=x",
            "Patient?active=true&_sort=name",
            "Patient?_include=Patient:organization",
            "Patient?_include:iterate=Patient:organization",
            "Patient?_elements=id",
        ] {
            refused(&group().type_filter(filter));
        }
        refused(&group().type_filter_by(&SearchQuery::new("nonsense")));
        assert!(group().type_filter("Patient?_id=1").to_http(&base()).is_ok());
    }

    /// BK-11 (Bulk Data 2.0, `_elements`): root elements only.
    #[test]
    fn elements_are_root_elements() {
        assert!(url(&group().elements(["id", "Patient.birthDate"])).ends_with("_elements=id,Patient.birthDate"));
        for element in ["", "name.family", "Patient.name.family", "Patient.", "patient.id", "id,name", "*"] {
            refused(&group().elements([element]));
        }
        assert!(refused(&group().elements(["id"]).version(BulkVersion::V1)).contains("Bulk Data 2"));
    }

    /// BK-12 (Bulk Data 2.0, `patient`): by POST, repeated, and not for the whole system.
    #[test]
    fn patients_are_posted_as_references() {
        let request = group().patients(["123", "456"]);
        assert_eq!(request.kick_off_method(), KickOffMethod::Post);
        assert_eq!(
            body(&request)["parameter"],
            json!([{"name": "patient", "valueReference": {"reference": "Patient/123"}},
                   {"name": "patient", "valueReference": {"reference": "Patient/456"}}])
        );
        assert!(refused(&request.clone().method(KickOffMethod::Get)).contains("POST"));
        assert!(refused(&ExportRequest::system().patients(["1"])).contains("whole system"));
        assert!(refused(&group().patients(["1/../2"])).contains("patient"));
        assert!(!format!("{request:?}").contains("123"), "ids are not shown");
    }

    /// BK-13 (Bulk Data 2.0 to 4.0, `includeAssociatedData`): a code up to 3.0, a coding in 4.0.
    #[test]
    fn associated_data_is_a_code_or_a_coding() {
        let request = group()
            .include_associated_data(AssociatedData::LatestProvenanceResources)
            .include_associated_data(AssociatedData::Custom("_mine".to_owned()));
        assert!(url(&request).ends_with("includeAssociatedData=LatestProvenanceResources,_mine"));
        let posted = body(&request.clone().method(KickOffMethod::Post));
        assert_eq!(posted["parameter"][0]["valueCode"], "LatestProvenanceResources");
        let posted = body(&request.version(BulkVersion::V4));
        assert_eq!(posted["parameter"][1]["valueCoding"]["code"], "_mine");
        let relevant = group().include_associated_data(AssociatedData::RelevantProvenanceResources);
        assert!(url(&relevant).ends_with("=RelevantProvenanceResources"));
        refused(&group().include_associated_data(AssociatedData::Custom("mine".to_owned())));
    }

    /// BK-14 (Bulk Data 3.0 and 4.0): organised output, partial manifests and sizes, each from its version on.
    #[test]
    fn parameters_of_later_versions_are_for_these() {
        let request = group().organize_output_by("Patient").allow_partial_manifests(true);
        assert!(url(&request).ends_with("?organizeOutputBy=Patient&allowPartialManifests=true"));
        assert!(refused(&request.clone().version(BulkVersion::V2)).contains("Bulk Data 3"));
        let sized = request.version(BulkVersion::V4).minimum_file_size(1000).maximum_file_size(2000);
        assert_eq!(
            body(&sized)["parameter"],
            json!([{"name": "organizeOutputBy", "valueString": "Patient"},
                   {"name": "allowPartialManifests", "valueBoolean": true},
                   {"name": "_minimumFileSize", "valuePositiveInt": 1000},
                   {"name": "_maximumFileSize", "valuePositiveInt": 2000}])
        );
        assert!(refused(&sized.clone().minimum_file_size(2000)).contains("greater"));
        assert!(refused(&sized.version(BulkVersion::V3)).contains("Bulk Data 4"));
    }

    /// BK-46: a request is kept with its job, and read again as the same.
    #[test]
    fn requests_serialise() {
        let request = group().types(["Patient"]).patients(["1"]).type_filter("Patient?gender=male").lenient(true);
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ExportRequest>(&json).unwrap(), request);
    }

    proptest! {
        /// BK-09: whatever a filter holds, the server reads the same filter out of the URL.
        #[test]
        fn filters_survive_their_encoding(value in "\\PC{1,40}") {
            let filter = format!("Observation?code={value}");
            if let Ok(sent) = group().type_filter(filter.clone()).to_http(&base()) {
                let url = url::Url::parse(&sent.uri().to_string()).unwrap();
                let pairs: Vec<_> = url.query_pairs().into_owned().collect();
                prop_assert_eq!(pairs, [("_typeFilter".to_owned(), filter)]);
            }
        }
    }
}
