//! What is to be exported.

use super::{BulkVersion, FhirInstant};
use crate::SearchQuery;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose data is exported.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportLevel {
    /// Everything the server has (`[base]/$export`).
    System,
    /// All patients (`[base]/Patient/$export`).
    Patient,
    /// The members of a group, by the id of the Group (`[base]/Group/[id]/$export`).
    Group(String),
}

impl fmt::Debug for ExportLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Patient => "Patient",
            Self::Group(_) => "Group(***)",
        })
    }
}

/// How a kick-off request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KickOffMethod {
    /// GET with a query: the form that servers up to 3.0 have to take.
    Get,
    /// POST with a Parameters resource: needed for `patient`, and the only form of 4.0.
    Post,
}

/// The media type of the files, three names of one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OutputFormat {
    /// `application/fhir+ndjson`, which servers use anyway when nothing is asked for.
    #[serde(rename = "application/fhir+ndjson")]
    FhirNdjson,
    /// `application/ndjson`.
    #[serde(rename = "application/ndjson")]
    Ndjson,
    /// `ndjson`.
    #[serde(rename = "ndjson")]
    Short,
}

impl OutputFormat {
    /// The name as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FhirNdjson => "application/fhir+ndjson",
            Self::Ndjson => "application/ndjson",
            Self::Short => "ndjson",
        }
    }
}

/// What else is to be exported (`includeAssociatedData`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AssociatedData {
    /// The most recent Provenance of each resource.
    LatestProvenanceResources,
    /// Every Provenance of each resource.
    RelevantProvenanceResources,
    /// A value of the server's own, which begins with an underscore.
    Custom(String),
}

impl AssociatedData {
    /// The value as it is sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::LatestProvenanceResources => "LatestProvenanceResources",
            Self::RelevantProvenanceResources => "RelevantProvenanceResources",
            Self::Custom(value) => value,
        }
    }
}

/// What is to be exported, and how it is asked for. Nothing is checked before it is sent
/// ([`to_http`](Self::to_http)); Debug shows neither filters nor patients.
///
/// ```
/// use smart_core::fhir_base::FhirBaseUrl;
/// use smart_fhir::bulk::ExportRequest;
///
/// let request = ExportRequest::group("g1")
///     .types(["Patient", "MedicationRequest"])
///     .type_filter("MedicationRequest?status=active");
/// let sent = request.to_http(&FhirBaseUrl::parse("https://ehr.example/fhir")?)?;
/// assert_eq!(
///     sent.uri(),
///     "https://ehr.example/fhir/Group/g1/$export?_type=Patient,MedicationRequest\
///      &_typeFilter=MedicationRequest%3Fstatus%3Dactive"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct ExportRequest {
    pub(super) level: ExportLevel,
    #[serde(default)]
    pub(super) version: BulkVersion,
    #[serde(default)]
    pub(super) method: Option<KickOffMethod>,
    #[serde(default)]
    pub(super) output_format: Option<OutputFormat>,
    #[serde(default)]
    pub(super) since: Option<FhirInstant>,
    #[serde(default)]
    pub(super) until: Option<FhirInstant>,
    #[serde(default)]
    pub(super) types: Vec<String>,
    #[serde(default)]
    pub(super) elements: Vec<String>,
    #[serde(default)]
    pub(super) patients: Vec<String>,
    #[serde(default)]
    pub(super) associated: Vec<AssociatedData>,
    #[serde(default)]
    pub(super) type_filters: Vec<String>,
    #[serde(default)]
    pub(super) organize_by: Option<String>,
    #[serde(default)]
    pub(super) allow_partial_manifests: bool,
    #[serde(default)]
    pub(super) minimum_file_size: Option<u64>,
    #[serde(default)]
    pub(super) maximum_file_size: Option<u64>,
    #[serde(default)]
    pub(super) lenient: bool,
    #[serde(default)]
    pub(super) separate_status: bool,
}

impl ExportRequest {
    /// An export of everything that the server has.
    pub fn system() -> Self {
        Self::new(ExportLevel::System)
    }

    /// An export of all patients.
    pub fn patients_of_all() -> Self {
        Self::new(ExportLevel::Patient)
    }

    /// An export of a group's members, by the id of the Group.
    pub fn group(id: impl Into<String>) -> Self {
        Self::new(ExportLevel::Group(id.into()))
    }

    /// An export at this level.
    pub fn new(level: ExportLevel) -> Self {
        Self {
            level,
            version: BulkVersion::default(),
            method: None,
            output_format: None,
            since: None,
            until: None,
            types: Vec::new(),
            elements: Vec::new(),
            patients: Vec::new(),
            associated: Vec::new(),
            type_filters: Vec::new(),
            organize_by: None,
            allow_partial_manifests: false,
            minimum_file_size: None,
            maximum_file_size: None,
            lenient: false,
            separate_status: false,
        }
    }

    /// The version whose form is sent; 3.0 by default.
    pub fn version(mut self, version: BulkVersion) -> Self {
        self.version = version;
        self
    }

    /// GET or POST. By default POST where `patient` or the version needs it, else GET.
    pub fn method(mut self, method: KickOffMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// The name of the format (`_outputFormat`). By default none is sent, and the server uses NDJSON.
    pub fn output_format(mut self, format: OutputFormat) -> Self {
        self.output_format = Some(format);
        self
    }

    /// Resources that changed after this time (`_since`): for the next export of the same data the time of the last one,
    /// as its manifest tells it. A server may give older resources of those who joined a group since.
    pub fn since(mut self, since: FhirInstant) -> Self {
        self.since = Some(since);
        self
    }

    /// Resources that changed before this time (`_until`, 3.0).
    pub fn until(mut self, until: FhirInstant) -> Self {
        self.until = Some(until);
        self
    }

    /// Resources of these types (`_type`). By default all that the token opens.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// These elements alone (`_elements`, 2.0, experimental): `id` or `Patient.id`, of the root of resources. What comes is
    /// incomplete and must not take the place of a whole resource: see [`is_subsetted`](super::is_subsetted).
    pub fn elements<T: Into<String>>(mut self, elements: impl IntoIterator<Item = T>) -> Self {
        self.elements.extend(elements.into_iter().map(Into::into));
        self
    }

    /// These patients alone, by id (`patient`, 2.0). It is sent by POST, and not for an export of the whole system.
    pub fn patients<T: Into<String>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.patients.extend(ids.into_iter().map(Into::into));
        self
    }

    /// What else is to come along (`includeAssociatedData`, 2.0, experimental).
    pub fn include_associated_data(mut self, data: AssociatedData) -> Self {
        self.associated.push(data);
        self
    }

    /// Of one type only what this search matches (`_typeFilter`): `MedicationRequest?status=active`, as it would stand after
    /// the FHIR base. Several of one type are alternatives. Other types are not filtered.
    ///
    /// A server may pass filters over without a word (requirement BK-10): look at what comes, or ask
    /// [`BulkClient::detect`](super::BulkClient::detect) what is supported.
    pub fn type_filter(mut self, filter: impl Into<String>) -> Self {
        self.type_filters.push(filter.into());
        self
    }

    /// The same with a search that is built. A search that cannot be sent is told when the export is started.
    pub fn type_filter_by(self, query: &SearchQuery) -> Self {
        self.type_filter(query.to_relative_url().unwrap_or_default())
    }

    /// Files organised by the resources of this type, such as `Patient` (`organizeOutputBy`, 3.0): each block begins with a
    /// header, see [`BlockReader`](super::BlockReader).
    pub fn organize_output_by(mut self, resource_type: impl Into<String>) -> Self {
        self.organize_by = Some(resource_type.into());
        self
    }

    /// Whether the server may spread the files over several manifests (`allowPartialManifests`, 3.0).
    pub fn allow_partial_manifests(mut self, allow: bool) -> Self {
        self.allow_partial_manifests = allow;
        self
    }

    /// The size that files should have at least, in octets (`_minimumFileSize`, 4.0).
    pub fn minimum_file_size(mut self, octets: u64) -> Self {
        self.minimum_file_size = Some(octets);
        self
    }

    /// The size that files may have at most, in octets (`_maximumFileSize`, 4.0).
    pub fn maximum_file_size(mut self, octets: u64) -> Self {
        self.maximum_file_size = Some(octets);
        self
    }

    /// Whether the server may pass over parameters that it does not support (`Prefer: handling=lenient`); it tells so in the
    /// files of outcomes.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Whether to ask for a status of the export apart from that of the poll (`Prefer: separate-export-status`, 3.0).
    pub fn separate_export_status(mut self, separate: bool) -> Self {
        self.separate_status = separate;
        self
    }

    /// Whether a status of the export apart from that of the poll is asked for.
    pub fn asks_for_separate_status(&self) -> bool {
        self.separate_status
    }

    /// The same without the time that it begins at: what exports that follow one another have in common.
    pub fn without_since(&self) -> Self {
        Self { since: None, ..self.clone() }
    }

    /// Whose data is exported.
    pub fn level(&self) -> &ExportLevel {
        &self.level
    }

    /// Whether any filter was asked for, which the server may have passed over.
    pub fn has_type_filters(&self) -> bool {
        !self.type_filters.is_empty()
    }
}

impl fmt::Debug for ExportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportRequest")
            .field("level", &self.level)
            .field("version", &self.version)
            .field("since", &self.since)
            .field("types", &self.types)
            .field("type_filters", &self.type_filters.len())
            .field("patients", &self.patients.len())
            .finish_non_exhaustive()
    }
}
